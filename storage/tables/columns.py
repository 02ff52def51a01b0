"""What every table is made of.

Times are integers, microseconds since 1970-01-01 UTC: both databases order, index and return them alike.
"""

import datetime as dt

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    ForeignKey,
    Integer,
    MetaData,
    String,
    TypeDecorator,
)

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


class Instant(TypeDecorator[dt.datetime]):
    """An aware datetime kept as microseconds since the epoch; given back in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> dt.datetime | None:
        return None if value is None else EPOCH + value * _MICROSECOND


# SQLite numbers rows by itself only where the key is INTEGER.
Key = BigInteger().with_variant(Integer, "sqlite")
# Bytewise order, so that a prefix is a range of an index on both databases.
Exact = String().with_variant(String(collation="C"), "postgresql")

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)


def key_column() -> "Column[int]":
    """The row's number, given by the database."""
    return Column("id", Key, primary_key=True, autoincrement=True)


def reference(table: str, *, name: str = "", nullable: bool = False) -> "Column[int]":
    """The number of a row of another table."""
    return Column(name or f"{table}_id", Key, ForeignKey(f"{table}.id"), nullable=nullable)

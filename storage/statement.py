"""Statements of the hot path: written as any other, compiled once for each database, then given parameters only.

To make an expression and find its compiled form costs SQLAlchemy 90 µs, to run it costs SQLite 1 µs, and one delivery
runs fifteen. What is asked less often stays with SQLAlchemy alone.
"""

import re
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from sqlalchemy import ColumnDefault, Connection, Delete, Dialect, Insert, Select, Table, Update
from sqlalchemy.exc import DataError, DBAPIError, OperationalError

_Process = Callable[[Any], Any]
_Clause = Select[Any] | Insert | Update | Delete


# A step of SQLite lets go of the interpreter, and every step is a chance for other threads to keep it: rows go in by
# the handful. Few sizes, so that the databases keep the statements prepared.
_HANDFULS = (64, 32, 16, 8, 4, 2, 1)
_NAMED = re.compile(r"%\((\w+)\)s")
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class _Form:
    """What a statement has become for one database. names: of its parameters, in their order.

    defaults: what stands for those that are not given. bound, fetched: parameters that are not given to the database
    as they are, and columns that it does not give back so, by position.
    """

    sql: str
    names: tuple[str, ...]
    defaults: Mapping[str, object]
    bound: tuple[tuple[int, _Process], ...]
    fetched: tuple[tuple[int, _Process], ...]
    inserts: dict[int, str] = field(default_factory=dict)

    def parameters(self, values: Mapping[str, object]) -> list[Any]:
        return _converted(self._named(values), self.bound)

    def rows(self, rows: Sequence[Mapping[str, object]]) -> list[list[Any]]:
        """The parameters of each. What stands in several rows, one behind the other, is converted once."""
        table = [self._named(row) for row in rows]
        for position, process in self.bound:
            given: object = _NOTHING
            made = None
            for row in table:
                if row[position] is not given:
                    given = row[position]
                    made = process(given)
                row[position] = made
        return table

    def _named(self, values: Mapping[str, object]) -> list[Any]:
        if len(values) < len(self.names):
            values = {**self.defaults, **values}
        return [values[name] for name in self.names]

    def with_rows(self, number: int) -> str:
        """An insert of so many rows at once."""
        found = self.inserts.get(number)
        if found is None:
            head, values = self.sql.split(" VALUES ")
            row, returning, columns = values.partition(" RETURNING ")
            found = self.inserts[number] = f"{head} VALUES {', '.join([row] * number)}{returning}{columns}"
        return found


def _converted(values: list[Any], processes: tuple[tuple[int, _Process], ...]) -> list[Any]:
    for position, process in processes:
        values[position] = process(values[position])
    return values


class Statement:
    """A statement with a `bindparam` for all that differs from call to call; an insert takes its columns' names.

    Raises what SQLAlchemy raises: IntegrityError, DataError, OperationalError.
    """

    def __init__(self, clause: _Clause) -> None:
        # Left alone, an insert asks PostgreSQL for the keys that it gave out.
        self._clause = clause.inline() if isinstance(clause, Insert) and not clause.exported_columns else clause
        self._forms: dict[str, _Form] = {}
        columns = list(clause.selected_columns) if isinstance(clause, Select) else list(clause.exported_columns)
        self._types = [column.type for column in columns]
        # Labels and column names of ours, never a sender's words.
        self._make: Any = _row([str(column.key) for column in columns])

    def run(self, tx: Connection, **values: object) -> None:
        """For its effect."""
        self._execute(tx, values)

    def many(self, tx: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        """For its effect, once with each of the rows."""
        if isinstance(self._clause, Insert):
            for _ in self._inserted(tx, rows):
                pass
            return
        form = self._form(tx.dialect)
        for each in form.rows(rows):
            execute(tx, form.sql, each)

    def returned(self, tx: Connection, rows: Sequence[Mapping[str, object]]) -> list[Any]:
        """Inserts the rows; what the statement returns of each, in no order."""
        return [self._read(tx, row) for cursor in self._inserted(tx, rows) for row in cursor.fetchall()]

    def _inserted(self, tx: Connection, rows: Sequence[Mapping[str, object]]) -> Iterator[Any]:
        form = self._form(tx.dialect)
        for handful in _handfuls(form.rows(rows)):
            yield execute(tx, form.with_rows(len(handful)), list(chain.from_iterable(handful)))

    def scalar(self, tx: Connection, **values: object) -> Any:
        """The first column of its first row; None where there is none."""
        row = self._execute(tx, values).fetchone()
        return row[0] if row else None

    def first(self, tx: Connection, **values: object) -> Any:
        """Its first row, columns as attributes; None where there is none."""
        row = self._execute(tx, values).fetchone()
        return self._read(tx, row) if row else None

    def raw(self, tx: Connection, **values: object) -> tuple[Any, ...] | None:
        """Its first row, as the database gives it; None where there is none."""
        row: tuple[Any, ...] | None = self._execute(tx, values).fetchone()
        return row

    def all(self, tx: Connection, **values: object) -> list[Any]:
        """All its rows."""
        return [self._read(tx, row) for row in self._execute(tx, values).fetchall()]

    def _execute(self, tx: Connection, values: Mapping[str, object]) -> Any:
        form = self._form(tx.dialect)
        return execute(tx, form.sql, form.parameters(values))

    def _read(self, tx: Connection, row: Sequence[Any]) -> Any:
        return self._make(_converted(list(row), self._form(tx.dialect).fetched))

    def _form(self, dialect: Dialect) -> _Form:
        form = self._forms.get(dialect.name)
        if form is None:
            form = self._forms[dialect.name] = self._compiled(dialect)
        return form

    def _compiled(self, dialect: Dialect) -> _Form:
        defaults = _defaults(self._clause)
        compiled = self._clause.compile(dialect=dialect, column_keys=list(defaults) or None)
        sql = str(compiled)
        names = tuple(compiled.positiontup or _NAMED.findall(sql))
        binds = [compiled.binds[name] for name in names]
        return _Form(
            # By position alone: rows of one insert have the same names.
            sql=_NAMED.sub("%s", sql),
            names=names,
            # Constants of a select are parameters too.
            defaults=defaults
            or {n: bind.effective_value for n, bind in zip(names, binds, strict=True) if not bind.required},
            bound=_processes(bind.type.bind_processor(dialect) for bind in binds),
            fetched=_processes(kind.result_processor(dialect, None) for kind in self._types),
        )


def _handfuls(rows: list[list[Any]]) -> Iterator[list[list[Any]]]:
    start = 0
    for size in _HANDFULS:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size


def _processes(processes: Iterable[_Process | None]) -> tuple[tuple[int, _Process], ...]:
    return tuple((position, process) for position, process in enumerate(processes) if process)


@contextmanager
def savepoint(tx: Connection) -> Iterator[None]:
    """All that the block writes, or nothing of it where it raises; the transaction goes on either way.

    A limit of the database that a value met (SQLSTATE class 54) is raised as DataError: no later attempt changes it.
    """
    # By hand: SQLAlchemy's own takes longer than all that stands between its two ends.
    cursor = _cursor(tx)
    cursor.execute("SAVEPOINT one")
    try:
        yield
    except BaseException as error:
        cursor.execute("ROLLBACK TO SAVEPOINT one")
        if isinstance(error, OperationalError) and str(getattr(error.orig, "sqlstate", "")).startswith("54"):
            raise DataError(error.statement, None, error.orig or error, hide_parameters=True) from error
        raise
    finally:
        cursor.execute("RELEASE SAVEPOINT one")


def _row(names: list[str]) -> Callable[[Sequence[Any]], Any]:
    # Labels and column names of ours, never a sender's words.
    kind: Any = namedtuple("_Row", names)  # type: ignore[misc]
    make: Callable[[Sequence[Any]], Any] = kind._make
    return make


def _defaults(clause: _Clause) -> dict[str, object]:
    """Of an insert: the columns that it fills, and what stands in those that are not given."""
    if not isinstance(clause, Insert) or not isinstance(clause.table, Table):
        return {}
    given = (column for column in clause.table.columns if column is not clause.table.autoincrement_column)
    return {str(c.key): c.default.arg if isinstance(c.default, ColumnDefault) else None for c in given}


def execute(tx: Connection, sql: str, parameters: Sequence[Any] = ()) -> Any:
    """Runs it on a cursor of the driver's own, in the same transaction. Raises what SQLAlchemy raises."""
    try:
        return _cursor(tx).execute(sql, parameters)
    except tx.dialect.loaded_dbapi.Error as error:
        base = tx.dialect.loaded_dbapi.Error
        # Without the parameters: they are a patient's data.
        raise DBAPIError.instance(sql, None, error, base, hide_parameters=True, dialect=tx.dialect) from error


def _cursor(tx: Connection) -> Any:
    connection = tx.connection.driver_connection
    if connection is None:
        raise RuntimeError("the connection is closed")
    return connection.cursor()

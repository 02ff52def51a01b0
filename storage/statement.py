"""Statements of the hot path: written as any other, compiled once for each database, then given parameters only.

To make an expression and find its compiled form costs SQLAlchemy 90 µs, to run it costs SQLite 1 µs, and one delivery
runs fifteen. What is asked less often stays with SQLAlchemy alone.
"""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnDefault, Connection, Delete, Dialect, Insert, Select, Table, Update
from sqlalchemy.exc import DBAPIError

_Process = Callable[[Any], Any]
_Clause = Select[Any] | Insert | Update | Delete


@dataclass(frozen=True, slots=True)
class _Bind:
    """A parameter: its name, how the database wants its value, and what stands for one that is not given."""

    name: str
    process: _Process | None
    default: object

    def of(self, values: Mapping[str, object]) -> object:
        value = values.get(self.name, self.default)
        return value if self.process is None else self.process(value)


@dataclass(frozen=True, slots=True)
class _Form:
    """What a statement has become for one database. named: it takes its parameters by name, else in their order.

    converted: the columns of its rows that are not given back as the database gives them, by position.
    """

    sql: str
    binds: tuple[_Bind, ...]
    named: bool
    converted: tuple[tuple[int, _Process], ...]

    def parameters(self, values: Mapping[str, object]) -> Any:
        if self.named:
            return {bind.name: bind.of(values) for bind in self.binds}
        return [bind.of(values) for bind in self.binds]


class Statement:
    """A statement with a `bindparam` for all that differs from call to call; an insert takes its columns' names.

    Raises what SQLAlchemy raises: IntegrityError, DataError, OperationalError.
    """

    def __init__(self, clause: _Clause) -> None:
        self._clause = clause
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
        if rows:
            form = self._form(tx.dialect)
            parameters = [form.parameters(row) for row in rows]
            with _as_sqlalchemy(tx, form.sql):
                _cursor(tx).executemany(form.sql, parameters)

    def scalar(self, tx: Connection, **values: object) -> Any:
        """The first column of its first row; None where there is none."""
        row = self._execute(tx, values).fetchone()
        return row[0] if row else None

    def first(self, tx: Connection, **values: object) -> Any:
        """Its first row, columns as attributes; None where there is none."""
        row = self._execute(tx, values).fetchone()
        return self._read(tx, row) if row else None

    def all(self, tx: Connection, **values: object) -> list[Any]:
        """All its rows."""
        return [self._read(tx, row) for row in self._execute(tx, values).fetchall()]

    def _execute(self, tx: Connection, values: Mapping[str, object]) -> Any:
        form = self._form(tx.dialect)
        parameters = form.parameters(values)
        with _as_sqlalchemy(tx, form.sql):
            return _cursor(tx).execute(form.sql, parameters)

    def _read(self, tx: Connection, row: Sequence[Any]) -> Any:
        form = self._form(tx.dialect)
        if not form.converted:
            return self._make(row)
        values = list(row)
        for position, process in form.converted:
            values[position] = process(values[position])
        return self._make(values)

    def _form(self, dialect: Dialect) -> _Form:
        form = self._forms.get(dialect.name)
        if form is None:
            form = self._forms[dialect.name] = self._compiled(dialect)
        return form

    def _compiled(self, dialect: Dialect) -> _Form:
        defaults = _defaults(self._clause)
        compiled = self._clause.compile(dialect=dialect, column_keys=list(defaults) or None)
        names = compiled.positiontup or list(compiled.binds)
        binds = (
            _Bind(n, bind.type.bind_processor(dialect), defaults.get(n, bind.effective_value))
            for n, bind in ((n, compiled.binds[n]) for n in names)
        )
        processes = ((at, kind.result_processor(dialect, None)) for at, kind in enumerate(self._types))
        converted = tuple((at, process) for at, process in processes if process)
        return _Form(str(compiled), tuple(binds), not compiled.positional, converted)


def _row(names: list[str]) -> Callable[[Sequence[Any]], Any]:
    # Labels and column names of ours, never a sender's words.
    kind: Any = namedtuple("_Row", names)
    make: Callable[[Sequence[Any]], Any] = kind._make
    return make


def _defaults(clause: _Clause) -> dict[str, object]:
    """Of an insert: the columns that it fills, and what stands in those that are not given."""
    if not isinstance(clause, Insert) or not isinstance(clause.table, Table):
        return {}
    given = (column for column in clause.table.columns if column is not clause.table.autoincrement_column)
    return {str(c.key): c.default.arg if isinstance(c.default, ColumnDefault) else None for c in given}


def _cursor(tx: Connection) -> Any:
    connection = tx.connection.driver_connection
    if connection is None:
        raise RuntimeError("the connection is closed")
    return connection.cursor()


@contextmanager
def _as_sqlalchemy(tx: Connection, sql: str) -> Iterator[None]:
    base = tx.dialect.loaded_dbapi.Error
    try:
        yield
    except base as error:
        # Without the parameters: they are a patient's data.
        raise DBAPIError.instance(sql, None, error, base, hide_parameters=True, dialect=tx.dialect) from error

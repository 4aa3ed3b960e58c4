"""Hot statements: compiled once for a dialect and then handed to the driver as they are. It knows no table.

SQLAlchemy builds a context and a result around every execution, which costs ten times what a small statement costs itself, and one
person costs fifty of them. What is kept of SQLAlchemy: the words of the dialect, the types of values and columns, and its errors.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Select, Update
from sqlalchemy import Delete as SqlDelete
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

Values = Mapping[str, Any]
Row = Any
"""A row that was read: a tuple whose fields are the names of its columns."""
Convert = Callable[[Any], Any]
_ROWS = 16
"""Rows of one INSERT on PostgreSQL: more than a step has facts; a statement of each number of rows is prepared once."""
_PARAMETER = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement as a driver takes it. `names` are the parameters in order, None where the driver takes them by name."""

    text: str
    names: tuple[str, ...] | None
    constants: dict[str, Any]
    binds: tuple[tuple[str, Convert], ...]
    row: Callable[[Any], Any]
    columns: tuple[tuple[int, Convert], ...]

    def arguments(self, values: Values) -> Any:
        given = {**self.constants, **values}
        for name, convert in self.binds:
            given[name] = convert(given[name])
        return given if self.names is None else [given[name] for name in self.names]

    def read(self, raw: Sequence[Any]) -> Any:
        if not self.columns:
            return self.row(raw)
        converted = list(raw)
        for index, convert in self.columns:
            converted[index] = convert(converted[index])
        return self.row(converted)


class Statement:
    """A statement with named parameters; of an INSERT the columns are those that it is given.

    Lists in parameters (`IN`) are not supported. Errors are SQLAlchemy's, without the values: these may be personal data.
    """

    def __init__(self, element: Select[Any] | Insert | Update | SqlDelete) -> None:
        self._element = element
        self._compiled: dict[tuple[str, tuple[str, ...]], _Compiled] = {}

    def run(self, connection: Connection, values: Values | Sequence[Values]) -> int:
        """Execute it, once or for each of many, and say how many rows it changed."""
        if not isinstance(values, Mapping) and len(values) == 1:
            values = values[0]  # which psycopg would take the long way, as it does many
        if not isinstance(values, Mapping) and connection.dialect.name == "postgresql" and isinstance(self._element, Insert):
            return sum(self._insert(connection, values[at : at + _ROWS]) for at in range(0, len(values), _ROWS))
        many = not isinstance(values, Mapping)
        compiled = self._for(connection.dialect, values[0] if many else values)  # type: ignore[index,arg-type]  # by `many`
        cursor = _cursor(connection)
        try:
            if many:
                cursor.executemany(compiled.text, [compiled.arguments(one) for one in values])  # type: ignore[arg-type]
            else:
                cursor.execute(compiled.text, compiled.arguments(values))  # type: ignore[arg-type]
            return int(cursor.rowcount)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _as_ours(connection.dialect, compiled.text, error) from error
        finally:
            cursor.close()

    def _insert(self, connection: Connection, rows: Sequence[Values]) -> int:
        """Some rows in one statement: one round trip, where the driver's own way for many takes several."""
        compiled = self._for(connection.dialect, rows[0])
        given = {f"{name}__{at}": value for at, row in enumerate(rows) for name, value in compiled.arguments(row).items()}
        cursor = _cursor(connection)
        try:
            cursor.execute(_widened(compiled.text, len(rows)), given)
            return int(cursor.rowcount)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _as_ours(connection.dialect, compiled.text, error) from error
        finally:
            cursor.close()

    def all(self, connection: Connection, values: Values) -> list[Row]:
        """Its rows."""
        compiled = self._for(connection.dialect, values)
        cursor = _cursor(connection)
        try:
            cursor.execute(compiled.text, compiled.arguments(values))
            return [compiled.read(raw) for raw in cursor.fetchall()]
        except connection.dialect.loaded_dbapi.Error as error:
            raise _as_ours(connection.dialect, compiled.text, error) from error
        finally:
            cursor.close()

    def first(self, connection: Connection, values: Values) -> Row | None:
        """Its first row, None when it has none."""
        rows = self.all(connection, values)
        return rows[0] if rows else None

    def scalar(self, connection: Connection, values: Values) -> Any:
        """The first column of its first row, None when it has none."""
        row = self.first(connection, values)
        return None if row is None else row[0]

    def words(self, dialect: Dialect) -> str:
        """How it is said in a dialect; an INSERT with every column."""
        return str(self._element.compile(dialect=dialect))

    def _for(self, dialect: Dialect, values: Values) -> _Compiled:
        key = (dialect.name, tuple(values) if isinstance(self._element, Insert) else ())
        found = self._compiled.get(key)
        if found is None:
            found = self._compiled[key] = _compile(self._element, dialect, list(key[1]) or None)
        return found


def _compile(element: Select[Any] | Insert | Update | SqlDelete, dialect: Dialect, columns: list[str] | None) -> _Compiled:
    compiled = element.compile(dialect=dialect, column_keys=columns)
    names = tuple(compiled.positiontup or ()) if compiled.positional else None
    binds = [(name, _bind(dialect, bind.type)) for name, bind in compiled.binds.items()]
    selected = list(element.selected_columns) if isinstance(element, Select) else []
    reads = [(index, _read(dialect, column.type)) for index, column in enumerate(selected)]
    row: Any = namedtuple("row", [column.key or "" for column in selected], rename=True) if selected else tuple
    return _Compiled(
        str(compiled),
        names,
        {name: bind.value for name, bind in compiled.binds.items() if not bind.required},
        tuple((name, convert) for name, convert in binds if convert is not None),
        getattr(row, "_make", row),
        tuple((index, convert) for index, convert in reads if convert is not None),
    )


@lru_cache(maxsize=256)
def _widened(text: str, rows: int) -> str:
    """An INSERT of one row, as one of many: what stands behind VALUES once stands there for each, with parameters of its own."""
    before, values, after = _parts(text)
    return before + ", ".join(_PARAMETER.sub(rf"%(\1__{at})s", values) for at in range(rows)) + after


def _parts(text: str) -> tuple[str, str, str]:
    start = text.index(" VALUES (") + len(" VALUES ")
    depth = 0
    for at in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            break
    return text[:start], text[start : at + 1], text[at + 1 :]


def _bind(dialect: Dialect, of: TypeEngine[Any]) -> Convert | None:
    return of.dialect_impl(dialect).bind_processor(dialect)


def _read(dialect: Dialect, of: TypeEngine[Any]) -> Convert | None:
    return of.dialect_impl(dialect).result_processor(dialect, None)


def _cursor(connection: Connection) -> Any:
    if not connection.in_transaction():
        connection.begin()  # as its own `execute` would
    return connection.connection.cursor()


def _as_ours(dialect: Dialect, text: str, error: Exception) -> BaseException:
    return DBAPIError.instance(text, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect)

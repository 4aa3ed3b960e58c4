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

from sqlalchemy import Connection, Dialect, Insert, Select, Table, Update
from sqlalchemy import Delete as SqlDelete
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

Values = Mapping[str, Any]
Row = Any
"""A row that was read: a tuple whose fields are the names of its columns."""
Convert = Callable[[Any], Any]
ROWS = 16
"""Rows of one INSERT on PostgreSQL: more than a step has facts; a statement of each number of rows is prepared once."""
_NUMBERED = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement as a driver takes it. `names` are the parameters in order."""

    text: str
    names: tuple[str, ...]
    constants: dict[str, Any]
    binds: tuple[tuple[str, Convert], ...]
    row: Callable[[Any], Any]
    columns: tuple[tuple[int, Convert], ...]

    def arguments(self, values: Values) -> list[Any]:
        given = {**self.constants, **values}
        for name, convert in self.binds:
            given[name] = convert(given[name])
        return [given[name] for name in self.names]

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

    @property
    def table(self) -> Table:
        """What it writes to."""
        assert not isinstance(self._element, Select), "a SELECT writes nothing"
        assert isinstance(self._element.table, Table)
        return self._element.table

    @property
    def only_adds(self) -> bool:
        """Is it an INSERT that touches no row which is there already? Those that may are of a dialect (upserts.py: insert_into)."""
        return type(self._element) is Insert

    def run(self, connection: Connection, values: Values | Sequence[Values]) -> int:
        """Execute it, once or for each of many, and say how many rows it changed."""
        rows = [values] if isinstance(values, Mapping) else values
        if connection.dialect.name == "postgresql" and isinstance(self._element, Insert):
            return sum(execute(connection, text, arguments) for text, arguments in self.parts(connection.dialect, rows))
        compiled = self._for(connection.dialect, rows[0])
        if len(rows) == 1:  # of many psycopg takes the long way
            return execute(connection, compiled.text, compiled.arguments(rows[0]))
        cursor = _cursor(connection)
        try:
            cursor.executemany(compiled.text, [compiled.arguments(one) for one in rows])
            return int(cursor.rowcount)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _as_ours(connection.dialect, compiled.text, error) from error
        finally:
            cursor.close()

    def parts(self, dialect: Dialect, rows: Sequence[Values]) -> list[tuple[str, list[Any]]]:
        """What is sent to PostgreSQL for these rows, at least one: texts with their arguments. Of an INSERT some rows are one text, where
        the driver's own way for many takes several."""
        compiled = self._for(dialect, rows[0])
        if not isinstance(self._element, Insert):
            return [(compiled.text, compiled.arguments(row)) for row in rows]
        some = [rows[at : at + ROWS] for at in range(0, len(rows), ROWS)]
        return [(_widened(compiled.text, len(part)), [one for row in part for one in compiled.arguments(row)]) for part in some]

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
    assert compiled.positiontup is not None, "engines.py asks for parameters by their position"
    binds = [(name, _bind(dialect, bind.type)) for name, bind in compiled.binds.items()]
    selected = list(element.selected_columns) if isinstance(element, Select) else []
    reads = [(index, _read(dialect, column.type)) for index, column in enumerate(selected)]
    row: Any = namedtuple("row", [column.key or "" for column in selected], rename=True) if selected else tuple
    return _Compiled(
        str(compiled),
        tuple(compiled.positiontup),
        {name: bind.value for name, bind in compiled.binds.items() if not bind.required},
        tuple((name, convert) for name, convert in binds if convert is not None),
        getattr(row, "_make", row),
        tuple((index, convert) for index, convert in reads if convert is not None),
    )


def parameters(text: str) -> int:
    """How many parameters a statement for PostgreSQL has."""
    return max((int(number) for number in _NUMBERED.findall(text)), default=0)


def shifted(text: str, by: int) -> str:
    """A statement whose parameters begin so much later."""
    return _NUMBERED.sub(lambda found: f"${int(found[1]) + by}", text) if by else text


@lru_cache(maxsize=256)
def _widened(text: str, rows: int) -> str:
    """An INSERT of one row, as one of many: what stands behind VALUES once stands there for each, with parameters of its own."""
    before, values, after = _parts(text)
    each = parameters(text)
    return before + ", ".join(shifted(values, at * each) for at in range(rows)) + after


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


def execute(connection: Connection, text: str, arguments: list[Any]) -> int:
    """Send a compiled text; how many rows it changed."""
    cursor = _cursor(connection)
    try:
        cursor.execute(text, arguments)
        return int(cursor.rowcount)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_ours(connection.dialect, text, error) from error
    finally:
        cursor.close()


def _cursor(connection: Connection) -> Any:
    if not connection.in_transaction():
        connection.begin()  # as its own `execute` would
    return connection.connection.cursor()


def _as_ours(dialect: Dialect, text: str, error: Exception) -> BaseException:
    return DBAPIError.instance(text, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect)

"""Writes whose outcome nobody asks for are gathered, and go to PostgreSQL as one statement: one round trip instead of one for each.

All parts of such a statement see the database as it was before it, so none may touch a row that another has written: where that could be,
what is gathered goes out first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from sqlalchemy import Connection, Table

from store import statements
from store.statements import ROWS, Statement, Values


class Gathered:
    """What is to be written and has not been sent yet, in its order. Rows that one INSERT adds stay in the order in which they came."""

    def __init__(self) -> None:
        self._rows: dict[Statement, list[Values]] = {}
        self._tables: set[Table] = set()

    def add(self, connection: Connection, statement: Statement, values: Values | Sequence[Values]) -> None:
        """Gather a write of at least one row. Of more rows than stand in one text there is nothing to gain: they are sent at once."""
        rows = [values] if isinstance(values, Mapping) else list(values)
        if len(rows) > ROWS:
            self.send(connection)
            statement.run(connection, rows)
            return
        before = self._rows.get(statement, [])
        more = bool(before) and statement.only_adds and before[0].keys() == rows[0].keys() and len(before) + len(rows) <= ROWS
        if statement.table in self._tables and not more:
            self.send(connection)
        self._tables.add(statement.table)
        self._rows.setdefault(statement, []).extend(rows)

    def send(self, connection: Connection) -> None:
        """Send what there is. An error is that of the first write that fails, as SQLAlchemy has it."""
        if not self._rows:
            return
        gathered, self._rows = self._rows, {}
        self._tables.clear()
        parts = [part for statement, rows in gathered.items() for part in statement.parts(connection.dialect, rows)]
        text = _together(tuple(text for text, _ in parts))
        statements.execute(connection, text, [argument for _, arguments in parts for argument in arguments])


@lru_cache(maxsize=512)
def _together(texts: tuple[str, ...]) -> str:
    """Several statements as one: all but the last stand before it, under names that nobody reads."""
    shifted, before = [], 0
    for text in texts:
        shifted.append(statements.shifted(text, before))
        before += statements.parameters(text)
    named = ", ".join(f"w{at} AS ({text})" for at, text in enumerate(shifted[:-1]))
    return f"WITH {named} {shifted[-1]}" if named else shifted[-1]

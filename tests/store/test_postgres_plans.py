"""On PostgreSQL too, every statement that one person costs can find its rows by an index.

How it does depends on how many rows there are, and a test has few: so the server is told that reading a table from end to end is dear.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from store import admission, schema
from tests.builders import profile, purchase, use_case, use_case_messages
from tests.store.driver import Store, let_in, publish

pytestmark = pytest.mark.parametrize("kind", ["postgresql"], indirect=True, scope="session")
CROWD = """INSERT INTO entrants (id, journey, mode, key, number, profile, state, n, closed, waiting)
    SELECT 'e' || n, 'other', 'live', 'k' || n, 1, 'p' || n, 'open', 2, true, true FROM generate_series(1, 3000) n"""
SMALL = {"event_definitions"}
"""A table of a handful of rows, which is read whole."""


def plans_of(store: Store, act: Callable[[], None]) -> dict[str, str]:
    """What is executed meanwhile, each with its plan."""
    connection: psycopg.Connection[Any] = store.connection.connection.dbapi_connection  # type: ignore[assignment]  # a driver's own
    seen: dict[str, Any] = {}

    class Telling(psycopg.RawCursor[Any]):
        def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
            if str(query).startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
                seen[str(query)] = params
            return super().execute(query, params, **more)

        def executemany(self, query: Any, params_seq: Any, **more: Any) -> None:
            if str(query).startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
                seen[str(query)] = params_seq[0]
            super().executemany(query, params_seq, **more)

    connection.cursor_factory = Telling
    try:
        act()
    finally:
        connection.cursor_factory = psycopg.RawCursor
    connection.execute("SET LOCAL enable_seqscan = off")
    return {query: "\n".join(row[0] for row in connection.execute("EXPLAIN " + query, values)) for query, values in seen.items()}


def test_the_whole_way_of_one_person_reads_no_table_from_end_to_end(store: Store) -> None:
    publish(store, use_case(), use_case_messages())
    store.connection.exec_driver_sql(CROWD)
    store.connection.exec_driver_sql("ANALYZE entrants")

    def walk() -> None:
        (ada,) = let_in(store, use_case(), [profile("ada")])
        store.write(lambda work: admission.admit_page(work, "thank-you.run.1"))
        ada.stop()
        ada.note(store.react(ada.entrant, 1, "push.opened"))
        ada.stop()
        ada.note(store.accept(purchase("p-2"), "ada"))
        assert ada.stop().end == "finished"
        store.accept(purchase("p-4"), "ada")

    found = plans_of(store, walk)
    assert len(found) > 20
    tables = {table.name for table in schema.metadata.sorted_tables} - SMALL
    whole = {query: plan for query, plan in found.items() if any(f"Seq Scan on {table}" in plan for table in tables)}
    assert whole == {}
    (of_profile,) = [plan for query, plan in found.items() if "entrants.profile =" in query]
    assert "entrants_profile" in of_profile

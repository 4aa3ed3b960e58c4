"""Every statement that one person costs finds its rows by an index, however many people there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from journey.events import EventDefinition
from journey.rule_text import parse
from store import admission, forgetting, rule_sql, schema, versions
from store.admission import admit_page
from store.rule_sql import Around
from tests.builders import START, profile, purchase, use_case, use_case_messages, use_case_nodes
from tests.store.driver import Store, let_in, publish

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")  # test_postgres_plans.py is the other one
HARMLESS = ("SCAN event_definitions", "SCAN CONSTANT ROW")
"""A table of a handful of rows, and values that stand in the statement itself."""

KINDS = ("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """What SQLite executes meanwhile, with the values in it."""
    seen: list[str] = []
    dbapi: Any = store.connection.connection.dbapi_connection
    dbapi.set_trace_callback(lambda statement: seen.append(statement) if statement.startswith(KINDS) else None)
    try:
        yield seen
    finally:
        dbapi.set_trace_callback(None)


def plan(store: Store, statement: str) -> list[str]:
    dbapi: Any = store.connection.connection.dbapi_connection
    return [row[3] for row in dbapi.execute("EXPLAIN QUERY PLAN " + statement)]


def scans(store: Store, seen: list[str]) -> list[str]:
    """Statements that read a table, or a whole index, from end to end."""
    found = []
    for statement in dict.fromkeys(seen):
        lines = plan(store, statement)
        if any(line.startswith("SCAN") and not line.startswith(HARMLESS) for line in lines):
            found.append(f"{statement}\n    {lines}")
    return found


def index_of(store: Store, seen: list[str], table: str) -> str:
    """The plan of the one read of a table among the statements."""
    (found,) = [line for statement in seen for line in plan(store, statement) if f" {table} USING" in line]
    return found


@pytest.mark.complaint(23)
def test_the_whole_way_of_one_person_reads_no_table_from_end_to_end(store: Store) -> None:
    publish(store, use_case(), use_case_messages())
    with statements(store) as seen:
        (ada,) = let_in(store, use_case(), [profile("ada")])
        store.write(lambda work: admit_page(work, "thank-you.run.1"))
        ada.ask()
        ada.stop()
        store.accept(purchase("p-1"), "ada")
        ada.note(store.react(ada.entrant, 1, "push.opened"))
        opened = ada.stop()
        assert opened.place == "purchase"
        ada.note(store.accept(purchase("p-2"), "ada"))
        store.accept(purchase("p-3"), "ada")
        assert ada.stop().end == "finished"
        store.accept(purchase("p-4"), "ada")
    assert len(seen) > 50
    assert scans(store, seen) == []


def test_the_open_entrants_of_a_person_are_found_by_the_index_of_open_ones(store: Store) -> None:
    publish(store, use_case(), use_case_messages())
    (ada,) = let_in(store, use_case(), [profile("ada")])
    with statements(store) as seen:
        store.accept(purchase("p-1"), "ada")
    assert "INDEX entrants_profile (profile=?)" in index_of(store, [one for one in seen if "entrants.profile =" in one], "entrants")
    assert ada.row().state == "open"


def test_a_crowd_is_counted_by_the_index_of_those_who_have_not_set_off(store: Store) -> None:
    publish(store, use_case(), use_case_messages())
    let_in(store, use_case(), [profile("ada"), profile("bob")])
    store.connection.exec_driver_sql("UPDATE runs SET state = 'reading'")
    with statements(store) as seen:
        assert store.write(lambda work: admit_page(work, "thank-you.run.1", crowd=1)).crowded
        admission.not_started(store.connection, "thank-you.run.1")
    counted = [one for one in seen if "count(" in one]
    started = [one for one in seen if "FROM entrants JOIN" in one]
    assert "INDEX entrants_setting_off (run=?)" in index_of(store, counted, "entrants")
    assert "INDEX entrants_setting_off (run=?)" in index_of(store, started, "entrants")


def test_who_is_still_inside_a_version_is_asked_by_the_index_of_places(store: Store) -> None:
    publish(store, use_case(), use_case_messages())
    with statements(store) as seen:
        versions.anybody_inside(store.connection, "thank-you@1")
    assert "INDEX entrants_place (version=?)" in index_of(store, seen, "entrants")


SMALL = ("SELECT runs.", "SELECT discards.", "DELETE FROM soft_bounces")
"""Runs are few, and so are bounces of addresses that still work; of discards the first are looked at, by their number."""


def test_what_is_forgotten_is_found_by_when_it_was_over(store: Store) -> None:
    publish(store, use_case(), use_case_messages())
    (ada,) = let_in(store, use_case(), [profile("ada")])
    ada.walk_to("purchase")
    ada.note(store.accept(purchase("p-1"), "ada"))
    assert ada.stop().end == "finished"
    before = store.clock.instant + 1
    with statements(store) as seen:
        for forget in forgetting.EACH:
            store.write(lambda work, forget=forget: forget(work, before, 200))  # type: ignore[misc]
    assert "INDEX entrants_ended (ended_at<?)" in index_of(store, [one for one in seen if "NOT entrants.forgotten" in one], "entrants")
    assert "INDEX events_accepted (accepted_at<?)" in index_of(store, [one for one in seen if one.startswith("SELECT events.")], "events")
    assert [one for one in scans(store, seen) if not one.startswith(SMALL)] == []


def test_what_somebody_did_is_found_by_the_index_of_their_events(store: Store) -> None:
    bought = {"bought": EventDefinition(id="bought", match="Order Completed")}
    rule = parse('did("bought", {within: "P7D", where: total > 100})')
    asked = select(schema.profiles.c.id).where(rule_sql.where(rule, "sqlite", Around(START, bought)))
    for_one = use_case(nodes=[*use_case_nodes()[:5], use_case_nodes()[5] | {"where": {"did": "purchase"}}, *use_case_nodes()[6:]])
    publish(store, for_one, use_case_messages())
    (ada,) = let_in(store, for_one, [profile("ada")])
    ada.walk_to("purchase")
    with statements(store) as seen:
        store.connection.execute(asked).all()
        store.accept(purchase("p-1"), "ada")
    of_events = [one for one in seen if "FROM events" in one and "events.accepted_at <=" in one]
    assert len(of_events) == 2
    for one in of_events:
        assert "events_profile (profile=? AND accepted_at>? AND accepted_at<?)" in " ".join(plan(store, one))

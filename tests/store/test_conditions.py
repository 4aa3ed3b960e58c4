"""A condition is decided on the store's side, and keeps why: the values stay there and go into no history."""

from __future__ import annotations

from typing import Any

import pytest

from journey.errors import Conflict
from journey.events import Event, EventDefinition
from journey.segments import SegmentDocument
from store import profiles, schema, segments, views
from tests import builders
from tests.builders import HOUR, SECOND, START, profile, purchase
from tests.store.driver import Driver, Store, check, let_in, publish

END = {"id": "end", "kind": "end"}
BUY = {"id": "buy", "kind": "event", "event": "purchase", "next": "choose", "timeout": {"after": "P1D"}}
BRANCHES = [
    {"id": "rich", "when": "income > 100000"},
    {"id": "often", "when": 'did("purchase", {within: "P1D", at_least: 2}) || in_segment("fans")'},
]


def standing(store: Store, *nodes: dict[str, Any], **who: Any) -> Driver:
    version = builders.version(*nodes, END, definitions=[builders.purchase_definition(), EventDefinition(id="refund", match="refund")])
    publish(store, version)
    (driver,) = let_in(store, version, [profile("ada", **who)])
    driver.ask()
    return driver


def test_each_branch_that_was_tried_says_why_and_the_record_says_nothing_of_it(store: Store) -> None:
    store.write(lambda work: segments.put(work, SegmentDocument(id="fans", rule='city == "Atlanta" && did("purchase")')))
    driver = standing(store, BUY, {"id": "choose", "kind": "condition", "branches": BRANCHES, "otherwise": "end"}, income=31_415)
    driver.note(store.accept(purchase("p-1", product="Lamp"), "ada"))
    driver.stop()
    rich, often = next(step for step in views.entrant(store.connection, driver.entrant).path if step.node == "choose").why
    assert rich == {"branch": "rich", "verdict": False, "field": "income", "operator": ">", "found": 31_415, "wanted": 100_000}
    assert (often["branch"], often["verdict"]) == ("often", True)
    assert [(part["field"], part["verdict"], part["found"]) for part in often["parts"]] == [
        ("did purchase", False, 1), ("in_segment fans", True, True),
    ]  # fmt: skip
    assert "31415" not in str(driver.record)
    assert driver.path()[-1] == "choose:often"


def test_a_profile_that_is_deleted_leaves_no_values_behind(store: Store) -> None:
    driver = standing(store, {"id": "choose", "kind": "condition", "branches": BRANCHES, "otherwise": "end"}, income=31_415)
    driver.stop()
    assert [row.why is None for row in store.rows(schema.steps)] == [True, False]
    store.write(lambda work: profiles.delete(work, "ada"))
    assert [row.why for row in store.rows(schema.steps)] == [None, None]


def test_a_step_without_a_condition_has_nothing_to_say(store: Store) -> None:
    standing(store, BUY, {"id": "choose", "kind": "split", "shares": [{"id": "all", "percent": 100}]})
    assert [row.why for row in store.rows(schema.steps)] == [None]


def test_a_second_purchase_is_one_that_comes_after_a_purchase(store: Store) -> None:
    driver = standing(store, BUY | {"where": 'did("purchase")', "next": "end"})
    store.clock.instant = START + HOUR
    assert store.accept(purchase("p-1"), "ada").code == "nobody_listening"
    store.clock.instant += 1
    assert store.accept(Event("shop", "r-1", "refund"), "ada").code == "nobody_listening"
    store.clock.instant += SECOND
    driver.note(store.accept(purchase("p-2"), "ada"))
    assert driver.stop().end == "finished"
    check(store, builders.version(BUY, END))


@pytest.mark.complaint(4)
def test_a_repeat_is_no_second_purchase(store: Store) -> None:
    standing(store, BUY | {"where": 'did("purchase")', "next": "end"})
    store.accept(purchase("p-1"), "ada")
    store.clock.instant += HOUR
    assert store.accept(purchase("p-1"), "ada").duplicate
    assert store.row(schema.entrants).won_node == ""


def test_a_segment_that_a_condition_asks_for_is_in_use(store: Store) -> None:
    store.write(lambda work: segments.put(work, SegmentDocument(id="fans", rule="vip")))
    standing(store, BUY, {"id": "choose", "kind": "condition", "branches": BRANCHES, "otherwise": "end"})
    with pytest.raises(Conflict, match="in use by small@1"):
        store.write(lambda work: segments.delete(work, "fans"))

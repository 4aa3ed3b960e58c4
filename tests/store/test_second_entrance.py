"""Somebody who enters a journey again begins anew: nothing that happened to them the first time counts in the second."""

from __future__ import annotations

import pytest

from store import schema
from tests.builders import DAY, HOUR, MINUTE, message, profile, purchase, version
from tests.store.driver import Driver, Store, check, let_in, publish

MAIL = {"id": "mail", "kind": "message", "message": "mail", "next": "opens"}
OPENS = {"id": "opens", "kind": "reaction", "of": "mail", "to": "email.opened", "next": "buys", "timeout": {"after": "P1D", "next": "buys"}}
BUYS = {"id": "buys", "kind": "event", "event": "purchase", "since": "entry", "next": "end", "timeout": {"after": "P1D", "next": "end"}}
SHOP = version(MAIL, OPENS, BUYS, {"id": "end", "kind": "end"})


def walked_once(store: Store) -> Driver:
    """She opened nothing in time, and bought."""
    publish(store, SHOP, {"mail": message("mail", "email")})
    (first,) = let_in(store, SHOP, [profile("ada")])
    first.walk_to("buys")
    first.note(store.accept(purchase("p-1"), "ada"))
    assert first.stop().end == "finished"
    assert first.path() == ("read:next", "mail:next", "opens:timeout", "buys:next")
    return first


def again(store: Store) -> Driver:
    store.clock.instant += HOUR
    (second,) = let_in(store, SHOP, [profile("ada")])
    assert second.entrant == "small~ada~2"
    return second


@pytest.mark.complaint(6)
def test_the_mail_of_the_first_time_opened_now_does_not_open_that_of_the_second(store: Store) -> None:
    first = walked_once(store)
    second = again(store)
    second.stop()
    verdict = store.react(first.entrant, 1, "email.opened")
    assert (verdict.code, verdict.decided) == ("late", ())
    store.clock.instant += DAY
    second.stop()
    assert second.path()[-1] == "opens:timeout"
    check(store, SHOP)


@pytest.mark.complaint(6)
def test_what_was_bought_the_first_time_is_not_bought_the_second(store: Store) -> None:
    """Also where a node looks back: `since: entry` is this entrance."""
    walked_once(store)
    second = again(store)
    second.walk_to("buys")
    assert second.waits()
    assert store.accept(purchase("p-1"), "ada").duplicate
    store.clock.instant += DAY
    second.stop()
    assert "buys:timeout" in second.path()
    check(store, SHOP)


@pytest.mark.complaint(6)
def test_what_is_bought_in_the_second_counts_there_alone(store: Store) -> None:
    first = walked_once(store)
    path = first.path()
    second = again(store)
    second.stop()
    store.clock.instant += MINUTE
    store.accept(purchase("p-2"), "ada")  # while she has not opened the second mail: kept, since the node looks back
    second.walk_to("buys")
    second.stop()
    assert "buys:next" in second.path()
    assert first.path() == path
    assert {row.entrant for row in store.rows(schema.facts, kind="ended.finished")} == {first.entrant, second.entrant}
    check(store, SHOP)

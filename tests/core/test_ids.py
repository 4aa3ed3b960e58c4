"""Ids are built in one place, are read back, and never meet."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey import events, ids
from journey.ids import DeliveryName

KEYS = st.text(min_size=1, max_size=200).filter(lambda key: key.isprintable() or "\n" in key)
JOURNEYS = st.from_regex(r"\A[a-z][a-z0-9-]{0,62}\Z")


def test_an_entrant_is_journey_key_and_number() -> None:
    assert ids.entrant("thank-you", "c-42", 1) == "thank-you~c-42~1"
    assert ids.entrant("thank-you", "c-42", 3, test=True) == "thank-you~c-42~t3"


def test_a_key_keeps_no_slash_and_no_space() -> None:
    assert ids.entrant("j", "a/b c:d", 1) == "j~a%2Fb%20c%3Ad~1"


def test_a_key_that_looks_like_an_address_is_not_shown() -> None:
    name = ids.entrant("j", "ada@example.org", 1)
    assert "ada" not in name
    assert name == ids.entrant("j", "ada@example.org", 1)
    assert name != ids.entrant("j", "eve@example.org", 1)


def test_a_long_key_is_hashed() -> None:
    assert len(ids.entrant("j", "k" * 200, 1)) < 50
    assert ids.entrant("j", "k" * 200, 1) != ids.entrant("j", "k" * 199, 1)


def test_a_key_that_is_written_like_a_hash_is_not_taken_for_the_person_behind_it() -> None:
    address = ids.entrant("j", "ada@example.org", 1)
    forged = address.split("~")[1]
    assert ids.entrant("j", forged, 1) != address


@given(JOURNEYS, KEYS, KEYS, st.integers(1, 9), st.integers(1, 9))
def test_two_people_or_two_entrances_never_share_an_id(journey: str, one: str, other: str, first: int, second: int) -> None:
    same = (one, first) == (other, second)
    assert (ids.entrant(journey, one, first) == ids.entrant(journey, other, second)) == same
    assert ids.entrant(journey, one, first) != ids.entrant(journey, one, first, test=True)


@given(JOURNEYS, KEYS, st.integers(1, 999), st.integers(1, 99), st.sampled_from(["email", "push"]))
def test_the_parts_of_a_delivery_are_read_back(journey: str, key: str, number: int, n: int, channel: str) -> None:
    entrant = ids.entrant(journey, key, number)
    assert "/" not in entrant
    assert "@" not in unquote(entrant.split("~")[1])
    assert ids.read_delivery(ids.delivery(entrant, n, channel)) == DeliveryName(entrant, n, channel)


@pytest.mark.parametrize(
    "text", ["", "a", "a.b", "a.1", "a.x.email", "a..email", "a.1.", "a.1_0.email", "a.-1.email", "a.٣.email", ".1.email"]
)
def test_what_is_no_delivery_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        ids.read_delivery(text)


def test_the_same_delivery_opened_twice_is_one_event() -> None:
    delivery = ids.delivery(ids.entrant("thank-you", "c-42", 1), 1, "email")
    assert ids.reaction(delivery, "opened") == "thank-you~c-42~1.1.email:opened"


def test_each_link_clicked_is_an_event_of_its_own() -> None:
    shop, help_page = (ids.reaction("j~k~1.1.email", "clicked", link) for link in ("https://shop.test", "https://help.test"))
    assert shop != help_page
    assert shop.startswith("j~k~1.1.email:clicked:")
    assert "shop" not in shop


def test_a_reaction_says_which_message_of_which_entrant_it_answers() -> None:
    event = events.reaction("thank-you~c-42~1.1.push", "first", "clicked", profile="c-42", link="https://shop.test")
    assert event.is_reaction
    assert event.name == "push.clicked"
    assert event.data == {"entrant": "thank-you~c-42~1", "node": "first", "to": "push.clicked", "n": 1, "link": "https://shop.test"}


@pytest.mark.parametrize(
    ("source", "version", "heard"),
    [
        ("shop", "thank-you@1", True), ("shop", "thank-you@t1", False), ("sojourn", "thank-you@1", True), ("sojourn", "thank-you@t1", True),
        (ids.test_source("thank-you@t1"), "thank-you@t1", True), (ids.test_source("thank-you@t1"), "thank-you@t2", False),
        (ids.test_source("thank-you@t1"), "other@t1", False), (ids.test_source("thank-you@t1"), "thank-you@1", False),
    ],
)  # fmt: skip
def test_what_is_fired_in_a_test_is_heard_there_alone_and_what_is_real_by_real_people(source: str, version: str, heard: bool) -> None:
    assert ids.is_heard_in(source, version) == heard


@pytest.mark.parametrize(
    ("source", "tested", "counts"),
    [
        ("shop", "", True), ("shop", "a", True), ("sojourn", "", True), (ids.test_source("a@t1"), "", False),
        (ids.test_source("a@t1"), "a", True), (ids.test_source("a@t2"), "a", True), (ids.test_source("b@t1"), "a", False),
    ],
)  # fmt: skip
def test_what_was_fired_in_a_test_is_the_past_of_that_journeys_tests_alone(source: str, tested: str, counts: bool) -> None:
    assert ids.is_past_of(source, tested) == counts


def test_an_entrant_of_a_test_is_known_by_its_id() -> None:
    assert ids.is_test("thank-you~c-42~t1")
    assert not ids.is_test("thank-you~x~t1~1")
    assert ids.read_entrant("thank-you~c-42~t3") == ids.EntrantName("thank-you", "c-42", 3, test=True)


def test_the_other_names() -> None:
    assert ids.run("thank-you", 2) == "thank-you.run.2"
    assert ids.version("thank-you", 3) == "thank-you@3"


def test_a_message_id_is_the_same_on_every_attempt_and_shows_no_key() -> None:
    one = ids.message_id("j~ada~1.1.email", "shop.test")
    assert one == ids.message_id("j~ada~1.1.email", "shop.test")
    assert one.startswith("<")
    assert one.endswith("@shop.test>")
    assert "ada" not in one


def test_a_run_is_never_taken_for_an_entrant() -> None:
    """Both are workflows of one namespace: somebody whose key is `run` must not meet a run."""
    assert ids.run("j", 1) != ids.entrant("j", "run", 1)


def test_a_run_tells_its_journey() -> None:
    assert ids.journey_of_run(ids.run("thank-you", 12)) == "thank-you"


def test_winding_down_has_no_id_that_an_entrant_or_a_run_could_have() -> None:
    name = ids.wind_down(ids.version("thank-you", 1))
    assert name == "thank-you@1~wind-down"
    assert name.partition("~")[0] not in ("thank-you", ids.run("thank-you", 1))

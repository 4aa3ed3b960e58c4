"""G1 to G8 of the design, each by name."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey import gate
from journey.events import Event, Instant
from journey.gate import Gate, Won
from journey.graph import EventNode, Node, Reaction
from journey.walk import Outcome
from tests.builders import DAY, HOUR, PERSON, SECOND, START, journey, purchase, reaction, use_case_journey

END = {"id": "end", "kind": "end"}


def fits(node: Node, event: Event) -> bool:
    """What journey/matching.py decides, as bluntly as these tests need it: by the name of the event."""
    match node:
        case EventNode():
            return event.name == node.event
        case Reaction():
            return event.is_reaction and event.data["node"] == node.of and event.data["to"] == node.to
    return False


def opening_gate() -> Gate:
    """Push opened or email opened, one day, as somebody who arrived at START stands in it."""
    return gate.build(use_case_journey(), "push-opened+email-opened", START)


def gate_of(*nodes: Mapping[str, object]) -> Gate:
    drawn = journey(*nodes, END, entry=[str(node["id"]) for node in nodes])
    return gate.build(drawn, "+".join(str(node["id"]) for node in nodes), START)


def event_node(node_id: str, event: str = "purchase", after: str = "") -> dict[str, object]:
    node: dict[str, object] = {"id": node_id, "kind": "event", "event": event, "next": "end"}
    return node | ({"timeout": {"after": after}} if after else {})


def wait_node(node_id: str, length: str) -> dict[str, object]:
    return {"id": node_id, "kind": "wait", "for": length, "next": "end"}


# ---- G1: the first to happen wins -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("to", "winner"), [("push.opened", "push-opened"), ("email.opened", "email-opened")])
def test_g1_the_first_to_happen_wins(to: str, winner: str) -> None:
    event = reaction(to, START + HOUR)
    won = gate.hear(opening_gate(), event, fits)
    assert won == Won(winner, event)
    assert won.outcome == Outcome(winner, "next")


def test_g1_what_fits_no_node_of_the_gate_decides_nothing() -> None:
    assert gate.hear(opening_gate(), purchase(at=START + HOUR), fits) is None
    assert gate.hear(opening_gate(), reaction("email.clicked", START + HOUR), fits) is None


# ---- G2: one timeout for the whole gate, and what stands first at one instant ----------------------------------------------------


@pytest.mark.parametrize("to", ["push.opened", "email.opened"])
def test_g2_the_timeout_of_one_node_ends_them_all(to: str) -> None:
    assert gate.hear(opening_gate(), reaction(to, START + DAY + 1), fits) is None
    assert gate.due(opening_gate(), START + DAY) == Outcome("email-opened", "timeout")


def test_g2_a_wait_wins_at_its_instant() -> None:
    stands = gate_of(event_node("bought"), wait_node("enough", "PT2H"))
    assert gate.due(stands, START + 2 * HOUR - 1) is None
    assert gate.due(stands, START + 2 * HOUR) == Outcome("enough", "next")


def test_g2_at_one_instant_an_event_stands_before_a_wait_and_a_wait_before_a_timeout() -> None:
    stands = gate_of(event_node("bought", after="PT1H"), wait_node("enough", "PT1H"))
    assert gate.hear(stands, purchase(at=START + HOUR), fits) is not None
    assert gate.due(stands, START + HOUR) == Outcome("enough", "next")


# ---- G3: the deadline is absolute ------------------------------------------------------------------------------------------------


def test_g3_the_deadline_is_arrival_and_length() -> None:
    assert opening_gate().due_at == START + DAY


def test_g3_a_gate_without_an_end_is_never_over() -> None:
    stands = gate.build(use_case_journey(), "purchase", START)
    assert stands.due_at is None
    assert stands.open_at(START + 1000 * DAY)
    assert gate.due(stands, START + 1000 * DAY) is None
    assert gate.hear(stands, purchase(at=START + 1000 * DAY), fits) is not None


def test_g3_before_the_deadline_the_gate_listens_and_from_it_on_it_is_over() -> None:
    assert gate.due(opening_gate(), START + DAY - 1) is None
    assert gate.due(opening_gate(), START + DAY) == Outcome("email-opened", "timeout")
    assert gate.due(opening_gate(), START + 9 * DAY) == Outcome("email-opened", "timeout")


# ---- G4: by time, not by luck ----------------------------------------------------------------------------------------------------


@pytest.mark.complaint(1)
def test_g4_an_event_accepted_at_the_deadline_counts_and_one_microsecond_later_does_not() -> None:
    assert gate.hear(opening_gate(), reaction("push.opened", START + DAY), fits) is not None
    assert gate.hear(opening_gate(), reaction("push.opened", START + DAY + 1), fits) is None


def test_g4_between_kept_events_the_earlier_accepted_wins_then_the_id() -> None:
    stands = gate_of(event_node("bought"))
    early, late = purchase("z", START - 2), purchase("a", START - 1)
    twin = purchase("b", START - 2)
    for order in permutations([early, late, twin]):
        assert gate.arrive(stands, order, fits) == Won("bought", twin)


def test_g4_two_sources_may_use_one_id_and_the_order_is_still_fixed() -> None:
    one = Event("app", "1", "purchase", {}, PERSON, None, START)
    other = Event("shop", "1", "purchase", {}, PERSON, None, START)
    stands = gate_of(event_node("bought"))
    assert gate.arrive(stands, [other, one], fits) == gate.arrive(stands, [one, other], fits) == Won("bought", one)


def test_g4_of_two_nodes_that_one_event_fits_the_earlier_in_next_wins() -> None:
    event = purchase(at=START + 1)
    assert gate.hear(gate_of(event_node("b"), event_node("a")), event, fits) == Won("b", event)
    assert gate.arrive(gate_of(event_node("b"), event_node("a")), [purchase(at=START - 1)], fits) == Won("b", purchase(at=START - 1))


def test_g4_of_kept_events_the_earlier_wins_though_it_fits_the_later_node() -> None:
    stands = gate_of(event_node("a", "purchase"), event_node("b", "refund"))
    refund = Event("shop", "r", "refund", {}, PERSON, None, START - 2)
    assert gate.arrive(stands, [purchase(at=START - 1), refund], fits) == Won("b", refund)


# ---- G6: what was kept is decided at the arrival ----------------------------------------------------------------------------------


def test_g6_kept_events_that_fit_nothing_decide_nothing() -> None:
    assert gate.arrive(opening_gate(), [purchase(at=START - 1)], fits) is None
    assert gate.arrive(opening_gate(), [], fits) is None


def test_g6_a_kept_event_that_does_not_fit_hides_none_that_does() -> None:
    opened = reaction("push.opened", START - 1)
    assert gate.arrive(opening_gate(), [purchase(at=START - 2), opened], fits) == Won("push-opened", opened)


# ---- G8: a timeout without next ---------------------------------------------------------------------------------------------------


def test_g8_a_timeout_without_next_is_still_left_by_the_timeout() -> None:
    assert gate.due(gate_of(event_node("bought", after="PT1H")), START + HOUR) == Outcome("bought", "timeout")


# ---- the same, for any events ------------------------------------------------------------------------------------------------------

INSTANTS = st.integers(min_value=START - 3, max_value=START + 3)


@given(st.lists(st.tuples(INSTANTS, st.sampled_from("abc"), st.sampled_from(["purchase", "refund", "other"])), max_size=6), st.randoms())
def test_the_order_in_which_kept_events_are_read_never_matters(drawn: list[tuple[Instant, str, str]], random: object) -> None:
    events = [Event("shop", f"{event_id}-{name}", name, {}, PERSON, None, at) for at, event_id, name in drawn]
    shuffled = list(events)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    stands = gate_of(event_node("a", "purchase"), event_node("b", "refund"))
    won = gate.arrive(stands, shuffled, fits)
    assert won == gate.arrive(stands, events, fits)
    fitting = [event for event in events if event.name != "other"]
    assert (won is None) == (not fitting)
    if won is not None:
        assert all(gate.order(won.event) <= gate.order(event) for event in fitting)


@given(st.integers(min_value=0, max_value=2 * DAY))
def test_at_every_instant_a_gate_either_hears_or_is_over(after: Instant) -> None:
    """Only at the deadline itself both hold: an event of that instant still counts, and without one the gate is over."""
    heard = gate.hear(opening_gate(), reaction("push.opened", START + after), fits) is not None
    over = gate.due(opening_gate(), START + after) is not None
    assert heard or over
    assert (heard and over) == (after == DAY)


def test_the_seconds_of_a_duration_are_microseconds_of_an_instant() -> None:
    assert gate_of(wait_node("w", "PT1S")).due_at == START + SECOND

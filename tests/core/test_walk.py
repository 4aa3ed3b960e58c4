"""Where an entrant goes: paths as lists of nodes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey import walk
from journey.graph import Journey
from journey.walk import Call, CannotWalk, Decide, Finish, Listen, Outcome, Send, Write
from tests.builders import journey, rule, use_case_journey

DAY = 86_400


def path(drawn: Journey, *taken: str) -> list[str]:
    """Walks from the entry, leaving each place by `NODE:EXIT`; gives the places, and why it was over if it was."""
    place, left = walk.first(drawn), Outcome(walk.entry(drawn), "next")
    places = [place]
    for way in taken:
        node, _, name = way.partition(":")
        assert node in walk.nodes_of(place), f"{node} is not at {place}"
        left = Outcome(node, name)
        place = walk.follow(drawn, left)
        places.append(place)
    answer = walk.ask(drawn, place, left=left)
    return [*places, answer.reason] if isinstance(answer, Finish) else places


# ---- the use case ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opened", ["push-opened", "email-opened"])
def test_one_who_opens_and_buys_is_thanked(opened: str) -> None:
    assert path(use_case_journey(), "first:next", f"{opened}:next", "purchase:next", "thanks:next") == [
        "first", "push-opened+email-opened", "purchase", "thanks", "end", "finished",
    ]  # fmt: skip


def test_one_who_opens_nothing_gets_the_follow_up() -> None:
    assert path(use_case_journey(), "first:next", "email-opened:timeout", "follow-up:next", "purchase:next", "thanks:next") == [
        "first", "push-opened+email-opened", "follow-up", "purchase", "thanks", "end", "finished",
    ]  # fmt: skip


def test_the_places_of_the_use_case_say_what_is_to_be_done() -> None:
    drawn = use_case_journey()
    assert walk.ask(drawn, "first") == Send("first", "first-message", ())
    assert walk.ask(drawn, "push-opened+email-opened") == Listen(
        "push-opened+email-opened", ("push-opened", "email-opened"), DAY, Outcome("email-opened", "timeout")
    )
    assert walk.ask(drawn, "purchase") == Listen("purchase", ("purchase",))
    assert walk.ask(drawn, "end") == Finish("finished", "end")


# ---- messages --------------------------------------------------------------------------------------------------------------------


def test_a_message_may_name_its_channels() -> None:
    drawn = journey({"id": "hello", "kind": "message", "message": "m", "channels": ["push"]})
    assert walk.ask(drawn, "hello") == Send("hello", "m", ("push",))


def test_a_message_that_fails_takes_its_error_exit() -> None:
    drawn = journey(
        {"id": "hello", "kind": "message", "message": "m", "next": "end", "error": "sorry"},
        {"id": "sorry", "kind": "message", "message": "s", "next": "end"},
        {"id": "end", "kind": "end"},
    )
    assert path(drawn, "hello:error", "sorry:next") == ["hello", "sorry", "end", "finished"]


def test_a_message_that_fails_without_an_error_exit_ends_with_error() -> None:
    assert path(journey({"id": "hello", "kind": "message", "message": "m"}), "hello:error") == ["hello", "", "error"]


def test_a_path_without_an_end_node_ends_all_the_same() -> None:
    assert path(journey({"id": "hello", "kind": "message", "message": "m"}), "hello:next") == ["hello", "", "finished"]


def test_an_entry_that_leads_nowhere_is_finished_at_once() -> None:
    assert path(journey()) == ["", "finished"]


# ---- calls and writes ------------------------------------------------------------------------------------------------------------

WEBHOOK = {"id": "ask", "kind": "webhook", "url": "https://crm.example:8443/people/{{ profile.id }}?a={{ event.b }}", "next": "end"}
UPDATE = {"id": "note", "kind": "update_profile", "set": {"vip": True}, "next": "end"}
END_NODE = {"id": "end", "kind": "end"}


def test_a_webhook_is_called_at_the_host_that_stands_in_its_url() -> None:
    drawn = journey(WEBHOOK, END_NODE)
    assert walk.ask(drawn, "ask") == Call("ask", "crm.example:8443")
    assert walk.outcomes(drawn, Call("ask", "crm.example:8443")) == ("next", "error")


def test_an_update_writes_and_is_left_by_next_or_error() -> None:
    drawn = journey(UPDATE, END_NODE)
    assert walk.ask(drawn, "note") == Write("note")
    assert walk.outcomes(drawn, Write("note")) == ("next", "error")


@pytest.mark.parametrize("node", [WEBHOOK, UPDATE], ids=["webhook", "update_profile"])
def test_their_error_exit_is_a_way_where_it_is_drawn_and_else_the_end_with_error(node: dict[str, object]) -> None:
    name = node["id"]
    assert path(journey(node, END_NODE), f"{name}:next") == [name, "end", "finished"]
    assert path(journey(node, END_NODE), f"{name}:error") == [name, "", "error"]
    assert path(journey(node | {"error": "end"}, END_NODE), f"{name}:error") == [name, "end", "finished"]


# ---- conditions ------------------------------------------------------------------------------------------------------------------


def branching(*names: str, otherwise: str = "", next_: Sequence[str] = ()) -> Journey:
    branches = [{"id": name, "when": rule("city", "=", name), "next": list(next_)} for name in names]
    condition = {"id": "where", "kind": "condition", "branches": branches} | ({"otherwise": otherwise} if otherwise else {})
    return journey(condition, {"id": "end", "kind": "end"})


def test_a_condition_may_be_left_by_each_branch_and_otherwise() -> None:
    drawn = branching("atlanta", "boston")
    assert walk.ask(drawn, "where") == Decide("where")
    assert walk.outcomes(drawn, Decide("where")) == ("atlanta", "boston", "otherwise")


def test_a_branch_leads_where_it_is_drawn() -> None:
    assert path(branching("atlanta", next_=["end"]), "where:atlanta") == ["where", "end", "finished"]


def test_none_of_the_branches_without_otherwise_ends_with_no_branch() -> None:
    assert path(branching("atlanta", next_=["end"]), "where:otherwise") == ["where", "", "no_branch"]


def test_otherwise_that_is_drawn_is_a_path_like_any() -> None:
    assert path(branching("atlanta", otherwise="end"), "where:otherwise") == ["where", "end", "finished"]


@pytest.mark.parametrize("name", ["error", "next", "timeout"])
def test_a_branch_that_is_called_like_an_exit_of_another_kind_is_no_failure(name: str) -> None:
    assert path(branching(name), f"where:{name}") == ["where", "", "finished"]


# ---- gates -----------------------------------------------------------------------------------------------------------------------


def event(node_id: str, after: str = "", next_: str = "end", timeout_next: str = "") -> dict[str, object]:
    node: dict[str, object] = {"id": node_id, "kind": "event", "event": "purchase", "next": next_}
    if after:
        node["timeout"] = {"after": after} | ({"next": timeout_next} if timeout_next else {})
    return node


def wait(node_id: str, length: str, after: str = "") -> dict[str, object]:
    node: dict[str, object] = {"id": node_id, "kind": "wait", "for": length, "next": "end"}
    return node | ({"timeout": {"after": after, "next": "late"}} if after else {})


END = {"id": "end", "kind": "end"}
LATE = {"id": "late", "kind": "end"}


def listening(*nodes: dict[str, object]) -> Listen:
    drawn = journey(*nodes, END, LATE, entry=[str(node["id"]) for node in nodes])
    answer = walk.ask(drawn, walk.first(drawn))
    assert isinstance(answer, Listen)
    return answer


def test_a_gate_without_wait_and_timeout_listens_for_ever() -> None:
    assert listening(event("a"), event("b")) == Listen("a+b", ("a", "b"))


def test_the_timeout_of_one_node_is_the_timeout_of_the_whole_gate() -> None:
    for nodes in [(event("a", "PT1H"), event("b")), (event("a"), event("b", "PT1H"))]:
        carrier = "a" if nodes[0].get("timeout") else "b"
        assert listening(*nodes) == Listen("a+b", ("a", "b"), 3600, Outcome(carrier, "timeout"))


def test_a_wait_in_a_gate_wins_at_its_instant() -> None:
    assert listening(event("a"), wait("b", "PT2H")) == Listen("a+b", ("a", "b"), 7200, Outcome("b", "next"))


def test_the_shorter_of_wait_and_timeout_is_the_end_of_the_gate() -> None:
    assert listening(event("a", "PT1H"), wait("b", "PT2H")).due == Outcome("a", "timeout")
    assert listening(event("a", "PT3H"), wait("b", "PT2H")).due == Outcome("b", "next")


def test_at_one_instant_a_wait_stands_before_a_timeout() -> None:
    assert listening(event("a", "PT1H"), wait("b", "PT1H")).due == Outcome("b", "next")
    assert listening(wait("b", "PT1H"), event("a", "PT1H")).due == Outcome("b", "next")


def test_of_two_equal_waits_the_one_drawn_first_wins() -> None:
    assert listening(wait("z", "PT60M"), wait("a", "PT1H")).due == Outcome("z", "next")


def test_a_wait_may_carry_the_timeout_of_its_gate() -> None:
    assert listening(event("a"), wait("b", "PT2H", after="PT1H")) == Listen("a+b", ("a", "b"), 3600, Outcome("b", "timeout"))


def test_a_lone_wait_is_a_gate_of_its_own() -> None:
    assert listening(wait("b", "P1D")) == Listen("b", ("b",), DAY, Outcome("b", "next"))


def test_a_timeout_without_next_goes_on_by_the_next_of_its_node() -> None:
    drawn = journey(event("a", "PT1H", next_="late"), event("b"), END, LATE, entry=["a", "b"])
    assert walk.follow(drawn, Outcome("a", "timeout")) == "late"


def test_a_timeout_with_next_goes_there() -> None:
    drawn = journey(event("a", "PT1H", timeout_next="late"), END, LATE)
    assert walk.follow(drawn, Outcome("a", "timeout")) == "late"


def test_a_gate_that_holds_something_that_cannot_listen_is_refused_loudly() -> None:
    drawn = journey(event("a"), {"id": "hello", "kind": "message", "message": "m"}, END, entry=["a", "hello"])
    with pytest.raises(CannotWalk, match="hello"):
        walk.ask(drawn, "a+hello")


@pytest.mark.parametrize(
    "node",
    [
        {"id": "x", "kind": "read_segment", "segment": "everybody"},
    ],
    ids=lambda node: str(node["kind"]),
)
def test_what_validation_refuses_cannot_be_walked(node: dict[str, object]) -> None:
    with pytest.raises(CannotWalk):
        walk.ask(journey(node), "x")


def test_a_journey_without_an_entry_cannot_be_walked() -> None:
    drawn = Journey.model_validate({"id": "empty", "nodes": [END]})
    with pytest.raises(CannotWalk, match="no entry"):
        walk.first(drawn)
    with pytest.raises(CannotWalk, match="no entry"):
        walk.entry(drawn)


# ---- what lies ahead -------------------------------------------------------------------------------------------------------------


def test_ahead_of_a_place_is_all_that_can_still_be_reached() -> None:
    drawn = use_case_journey()
    assert walk.ahead(drawn, "first") == {node.id for node in drawn.nodes} - {"read"}
    assert walk.ahead(drawn, "follow-up") == {"follow-up", "purchase", "thanks", "end"}
    assert walk.ahead(drawn, "push-opened+email-opened") == walk.ahead(drawn, "first") - {"first"}
    assert walk.ahead(drawn, "") == frozenset()


def test_ahead_goes_through_errors_timeouts_and_branches() -> None:
    drawn = journey(
        {"id": "hello", "kind": "message", "message": "m", "next": "where", "error": "sorry"},
        {"id": "where", "kind": "condition", "branches": [{"id": "a", "when": rule("city", "=", "a"), "next": "gate"}], "otherwise": "end"},
        event("gate", "PT1H", next_="end", timeout_next="late"), END, LATE,
        {"id": "sorry", "kind": "end"},
    )  # fmt: skip
    assert walk.ahead(drawn, "hello") == {"hello", "where", "gate", "end", "late", "sorry"}


def test_ahead_survives_a_draft_with_a_cycle_and_a_way_to_nowhere() -> None:
    drawn = journey({"id": "a", "kind": "message", "next": "b"}, {"id": "b", "kind": "message", "next": "a", "error": "gone"})
    assert walk.ahead(drawn, "a") == {"a", "b"}


# ---- every way through ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(min_value=0, max_value=3), max_size=12))
def test_whatever_happens_the_use_case_comes_to_an_end(choices: list[int]) -> None:
    """From each place any of its outcomes may follow; a walk is never longer than the graph is deep."""
    drawn = use_case_journey()
    place, left, steps = walk.first(drawn), Outcome("read", "next"), 0
    while True:
        answer = walk.ask(drawn, place, left=left)
        if isinstance(answer, Finish):
            break
        match answer:
            case Send() | Decide():
                ways = [Outcome(answer.node, name) for name in walk.outcomes(drawn, answer)]
            case Listen():
                ways = [Outcome(node, "next") for node in answer.nodes] + ([answer.due] if answer.due else [])
        left = ways[(choices.pop() if choices else 0) % len(ways)]
        place = walk.follow(drawn, left)
        steps += 1
    assert steps <= len(drawn.nodes)
    assert answer.reason in ("finished", "error")

"""Scenarios played and judged, and what they cover; no files here."""

from __future__ import annotations

from typing import Any

import pytest

from journey.errors import BadInput
from journey.profiles import Profile
from journey.simulation import judging, script_text
from journey.simulation.coverage import coverage
from journey.simulation.judging import Difference
from journey.simulation.scenarios import Scenario
from journey.simulation.story import Occurs, Pauses, Resumes, Story, World
from journey.version import Version
from tests.builders import DAY, HOUR, MINUTE, SECOND, message, profile, purchase_definition, rule, use_case, use_case_messages, version

WORLD = World(messages=use_case_messages())
PUSH_OPENED = ["read", "first", "push-opened", "purchase", "thanks"]


def scenario(*happens: Any, expect: dict[str, Any] | None = None, **more: Any) -> Scenario:
    return Scenario.model_validate(
        {"journey": "thank-you", "happens": happens, "expect": {"end": "finished"} if expect is None else expect} | more
    )


def play(one: Scenario, of: Version | None = None, who: Profile | None = None) -> Story:
    of = of or use_case()
    assert judging.mistakes(one, of, WORLD) == ()
    person, world = judging.around(one, who or profile(), WORLD)
    return judging.play(one, of, person, world)


def differences(one: Scenario) -> tuple[Difference, ...]:
    return judging.judge(one, play(one))


def mistaken(one: Scenario, of: Version | None = None) -> dict[str, str]:
    return {found.path: found.sentence for found in judging.mistakes(one, of or use_case(), WORLD)}


def test_a_scenario_begins_on_a_monday_morning_unless_it_says_when() -> None:
    window = {"id": "pause", "kind": "wait", "until": {"hours": "12:00-13:00", "weekdays": ["sat"]}, "next": "end"}
    of = version(window, {"id": "end", "kind": "end"}, timezone="Asia/Tokyo")
    assert play(scenario(), of).ended_at == 5 * DAY + 3 * HOUR
    assert play(scenario(begins="2026-03-07T11:00"), of).ended_at == HOUR
    assert play(scenario(begins="2026-03-07T11:00Z"), of).ended_at == 6 * DAY + 16 * HOUR  # Saturday evening there
    assert "is no date-time" in mistaken(scenario(begins="soon"))["begins"]


# ---- what is met, and what is not ------------------------------------------------------------------------------------------------


def test_a_scenario_whose_expectations_are_all_met_differs_in_nothing() -> None:
    everything = {
        "path": PUSH_OPENED,
        "deliveries": [{"message": "first-message", "channel": "email"}, {"node": "first", "channel": "push"}, {"channel": "push"}],
        "events": ["decides push-opened", "decides purchase"],
        "end": "finished",
        "end_node": "end",
        "ended_after": "P2DT1H",
    }
    assert differences(scenario("PT1H push.opened", "P2DT1H purchase", expect=everything)) == ()


def test_another_path_is_told_node_by_node() -> None:
    (found,) = differences(scenario("P4D purchase", expect={"path": PUSH_OPENED}))
    assert found.field == "path"
    assert found.expected == ("read:next", "first:next", "push-opened:next", "purchase:next", "thanks:next")
    assert found.happened == ("read:next", "first:next", "email-opened:timeout", "follow-up:next", "purchase:next", "thanks:next")


def test_of_a_delivery_only_what_is_expected_is_compared() -> None:
    wanted = [{"channel": "email", "status": "excluded"}, {"channel": "push"}]
    one = scenario(expect={"deliveries": wanted}, consents={"email": False}, until="PT1H")
    assert differences(one) == ()
    strict = scenario(expect={"deliveries": [wanted[0] | {"reason": "suppressed"}, wanted[1]]}, consents={"email": False}, until="PT1H")
    (found,) = differences(strict)
    assert found.expected[0] == "anything by email: excluded (suppressed)"
    assert found.happened == ("first-message by email: excluded (no_consent)", "anything by push: sent")


def test_a_delivery_more_than_expected_is_a_difference() -> None:
    (found,) = differences(scenario(expect={"deliveries": [{"channel": "email"}]}, until="PT1H"))
    assert found.happened == ("anything by email: sent", "first-message by push: sent")


def test_an_event_that_was_kept_first_may_be_asked_for_so_or_only_by_how_it_ended() -> None:
    kept = {"happens": ["PT1H push.opened", "PT1H1S purchase"], "stops": {"purchase": "PT5S"}}
    for said in ("decides purchase", "kept then decides purchase"):
        assert differences(scenario(expect={"events": ["decides push-opened", said]}, **kept)) == ()
    (found,) = differences(scenario(expect={"events": ["decides push-opened", "kept then late"]}, **kept))
    assert found.happened[1] == "kept then decides purchase"


def test_who_waits_somewhere_else_or_has_ended_is_told() -> None:
    at_the_gate = scenario(expect={"waits": ["email-opened", "push-opened"]}, until="PT1H")
    assert differences(at_the_gate) == ()
    (found,) = differences(scenario(expect={"waits": "purchase"}, until="PT1H"))
    assert (found.expected, found.happened) == (("purchase",), ("email-opened", "push-opened"))
    (found,) = differences(scenario(expect={"waits": "purchase"}, until="P92D"))
    assert found.happened == ("ended: global_timeout",)


def test_an_end_that_did_not_come_is_told_by_where_they_are() -> None:
    found = differences(scenario(expect={"end": "finished", "ended_after": "PT1H", "end_node": "end"}, until="PT1H"))
    assert [one.happened for one in found] == [
        ("still waits at push-opened or email-opened",), ("none was drawn",), ("not ended",),
    ]  # fmt: skip


def test_what_a_provider_answers_decides_the_exit() -> None:
    refused = {"first.email": "refused", "first.push": "refused"}
    assert play(scenario(answers=refused)).end == "error"
    assert play(scenario(answers={"first.email": "uncertain"}, until="PT1H")).deliveries[0].status == "uncertain"


def test_a_suppressed_address_and_explicit_consent_stand_over_the_profile() -> None:
    suppressed = play(scenario(suppressed=["email"], until="PT1H"))
    assert (suppressed.deliveries[0].reason, suppressed.deliveries[1].status) == ("suppressed", "sent")
    explicit = play(scenario(consent_explicit=True, consents={"push": True}, until="PT1H"))
    assert [one.status for one in explicit.deliveries] == ["excluded", "sent"]


def test_what_happens_may_be_written_as_an_object() -> None:
    opened = {"after": "PT1H", "reaction": "push.opened", "of": "first"}
    twice = {"after": "PT2H", "event": "purchase", "id": "p-1", "source": "shop"}
    told = play(scenario({"event": "purchase"}, opened, twice, twice | {"after": "PT3H"}))
    assert [one.code for one in told.effects] == ["nobody_listening", "decided", "decided", "duplicate"]


# ---- what is wrong with a scenario itself ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "path", "said"),
    [
        ({"happens": ["PT1H"]}, "happens[0]", "says no more than when"),
        ({"happens": [{"after": "PT1H"}]}, "happens[0]", "one of these fields"),
        ({"happens": [{"event": "purchase", "reaction": "push.opened"}]}, "happens[0]", "one of these fields"),
        ({"happens": [{"reaction": "opened"}]}, "happens[0]", "is no reaction"),
        ({"happens": ["PT1H push.opened purchase"]}, "happens[0]", "is no message"),
        ({"until": "P1M"}, "until", "months and years differ"),
        ({"stops": {"nowhere": "PT5S"}}, "stops.nowhere", "names no stop"),
        ({"answers": {"purchase.email": "refused"}}, "answers.purchase.email", "is no message"),
        ({"answers": {"follow-up.push": "refused"}}, "answers.follow-up.push", "sends nothing by push: it has email"),
        ({"expect": {}}, "expect", "expects nothing"),
        ({"expect": {"path": ["read", "frist"]}}, "expect.path[1]", "There is no node frist"),
        ({"expect": {"path": ["read", "first", "push-opened:timeout"]}}, "expect.path[2]", "has no exit timeout: it has next"),
        ({"expect": {"deliveries": [{"message": "hello", "channel": "email"}]}}, "expect.deliveries[0].message", "no message hello"),
        ({"expect": {"deliveries": [{"node": "purchase"}]}}, "expect.deliveries[0].node", "is no message"),
        ({"happens": ["0 purchase"], "expect": {"events": []}}, "expect.events", "1 happen, and of 0 is said"),
        ({"happens": ["0 purchase"], "expect": {"events": ["decides buy"]}}, "expect.events[0]", "There is no node buy"),
        ({"expect": {"waits": "buy"}, "until": "P1D"}, "expect.waits", "There is no node buy"),
        ({"expect": {"waits": "purchase"}}, "expect.waits", "say when to look"),
        ({"expect": {"waits": "purchase", "end": "finished"}, "until": "P1D"}, "expect.waits", "waits nowhere"),
        ({"expect": {"end_node": "finish"}}, "expect.end_node", "There is no node finish"),
        ({"expect": {"ended_after": "soon"}}, "expect.ended_after", "is no duration"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_the_field_it_is_in(changed: dict[str, Any], path: str, said: str) -> None:
    found = mistaken(scenario(**changed))
    assert list(found) == [path]
    assert said in found[path]


def test_an_error_that_is_not_drawn_may_be_expected_to_end_the_path() -> None:
    assert mistaken(scenario(expect={"path": ["read", "first:error"]})) == {}


@pytest.mark.parametrize("at", [0, SECOND, 61 * SECOND, HOUR, DAY, 91 * DAY, DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND])
def test_an_instant_is_written_as_it_is_read(at: int) -> None:
    assert script_text.instant(script_text.written(at)) == at


def test_a_reaction_to_one_of_several_messages_must_name_it() -> None:
    with pytest.raises(BadInput, match="of which message"):
        script_text.reacts(0, "email.clicked", "", use_case())


# ---- coverage --------------------------------------------------------------------------------------------------------------------


def test_stories_cover_the_nodes_they_come_to_and_the_exits_they_take() -> None:
    one = coverage(use_case().journey, [play(scenario("PT1H push.opened"))])
    assert (one.nodes, one.exits, one.percent) == (8, 8, 37)
    assert one.never_reached == ("follow-up", "thanks", "end")
    assert one.never_left == ("email-opened:next", "email-opened:timeout", "follow-up:next", "purchase:next", "thanks:next")
    assert one.sentence().startswith("nodes 5 of 8, exits 3 of 8; never reached: follow-up, thanks, end; never left: email-opened:next, ")


def test_three_stories_cover_the_use_case() -> None:
    stories = [play(scenario(*happens)) for happens in (["PT1H push.opened", "P1D purchase"], ["PT1H email.opened"], ["P4D purchase"])]
    one = coverage(use_case().journey, stories)
    assert (one.percent, one.sentence()) == (100, "nodes 8 of 8, exits 8 of 8")


def test_every_branch_of_a_condition_is_an_exit_of_its_own() -> None:
    branches = [{"id": "atlanta", "when": rule("city", "=", "Atlanta"), "next": "end"}]
    asks = version(
        {"id": "where", "kind": "condition", "branches": branches, "otherwise": "end"}, {"id": "end", "kind": "end"}, id="thank-you"
    )
    one = coverage(asks.journey, [play(scenario(), asks)])
    assert one.never_left == ("where:otherwise",)


def test_without_a_story_nothing_is_covered() -> None:
    assert coverage(use_case().journey, []).percent == 0


# ---- pauses ----------------------------------------------------------------------------------------------------------------------


def test_a_journey_is_paused_and_resumed_by_texts_and_by_objects_alike() -> None:
    texts = ("P1D pause", "P2D pause discard PT1H", "P3D pause PT5H", "P4D resume")
    objects = (
        {"after": "P1D", "pause": "hold"}, {"after": "P2D", "pause": "discard", "for": "PT1H"},
        {"after": "P3D", "pause": "hold", "for": "PT5H"}, {"after": "P4D", "resume": True},
    )  # fmt: skip
    expected = (Pauses(DAY), Pauses(2 * DAY, "discard", HOUR), Pauses(3 * DAY, "hold", 5 * HOUR), Resumes(4 * DAY))
    assert judging.script(scenario(*texts), use_case()).happenings == expected
    assert judging.script(scenario(*objects), use_case()).happenings == expected


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("P1D pause for a day", "is no pause"), ("P1D resume now", "no end of one"), ("P1D pause P15D", "lasts P14D at most"),
        ("P1D pause later", "later"), ({"after": "P1D", "resume": True, "for": "P1D"}, "there is none"),
        ({"pause": "hold", "event": "purchase"}, "one of these fields"),
    ],
)  # fmt: skip
def test_a_pause_that_cannot_be_is_a_mistake(wrong: Any, said: str) -> None:
    assert said in mistaken(scenario(wrong))["happens[0]"]


def test_an_event_definition_of_that_name_is_an_event() -> None:
    of = version(definitions=[purchase_definition(id="pause")], nodes=[
        {"id": "read", "kind": "read_segment", "segment": "everybody", "next": "n0"}, {"id": "n0", "kind": "event", "event": "pause"}
    ])  # fmt: skip
    assert isinstance(judging.script(scenario("P1D pause", journey="small"), of).happenings[0], Occurs)


def test_a_scenario_says_where_somebody_is_held() -> None:
    one = scenario("PT1H pause", until="P2D", expect={"held": "follow-up", "events": ["paused"]})
    assert differences(one) == ()
    other = scenario("PT1H pause", until="P2D", expect={"held": "thanks", "waits": "purchase"})
    assert differences(other) == (
        Difference("waits", ("purchase",), ("held before follow-up",)), Difference("held", ("thanks",), ("follow-up",)),
    )  # fmt: skip
    assert differences(scenario("PT1H pause discard", expect={"end": "journey_paused", "ended_after": "P1D"})) == ()


# ---- what nobody knows -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "told", "sent_after"),
    [
        ({}, ("uncertain", "worker_lost"), 0), ({"promise": "never_lost"}, ("sent", "sent_again"), SECOND),
        ({"class": "transactional"}, ("sent", "sent_again"), SECOND),
    ],
)  # fmt: skip
def test_of_a_message_of_which_nobody_knows_its_promise_says_whether_it_is_sent_again(
    changed: dict[str, str], told: tuple[str, str], sent_after: int
) -> None:  # fmt: skip
    world = World(messages=use_case_messages() | {"first-message": message("first-message", "email", **changed)})
    one = scenario(answers={"first.email": "uncertain"}, until="PT1H")
    found = judging.play(one, use_case(), profile(), world)
    assert [(delivery.status, delivery.reason) for delivery in found.deliveries] == [told]
    assert next(moment.at for moment in found.timeline if "waits at" in moment.sentence) == sent_after


def test_what_comes_back_of_a_message_that_is_to_be_sent_again_proves_that_it_has_arrived() -> None:
    world = World(messages=use_case_messages() | {"first-message": message("first-message", "email", promise="never_lost")})
    for does, ends in (("email.opened", ("sent", "")), ("email.unsubscribed", ("sent", ""))):
        one = scenario({"reaction": does, "of": "first"}, answers={"first.email": "uncertain"}, until="PT1H")
        (delivery,) = judging.play(one, use_case(), profile(), world).deliveries
        assert (delivery.status, delivery.reason) == ends

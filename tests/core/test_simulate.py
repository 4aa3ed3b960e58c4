"""The stories of issue A, and the rules of the gate and of messages as stories. tests/e2e asserts the same paths of the server."""

from __future__ import annotations

import pytest

from journey.errors import NotFound
from journey.events import Instant
from journey.profiles import Profile
from journey.simulation.simulate import simulate
from journey.simulation.story import Effect, Happening, Occurs, Reacts, Script, Story, World
from journey.version import Version
from tests.builders import (
    DAY,
    HOUR,
    MINUTE,
    PERSON,
    SECOND,
    THANKS,
    message,
    profile,
    purchase_definition,
    rule,
    use_case,
    use_case_messages,
    version,
)

WORLD = World(messages=use_case_messages() | {name: message(name, "email") for name in ("one", "two", "sorry")})

PUSH_OPENED = ("read:next", "first:next", "push-opened:next", "purchase:next", "thanks:next")
EMAIL_OPENED = ("read:next", "first:next", "email-opened:next", "purchase:next", "thanks:next")
SILENT = ("read:next", "first:next", "email-opened:timeout", "follow-up:next", "purchase:next", "thanks:next")


def opens(channel: str, at: Instant, of: str = "first") -> Reacts:
    return Reacts(at, of, f"{channel}.opened")


def buys(at: Instant, event_id: str = "") -> Occurs:
    return Occurs(at, "purchase", THANKS, event_id)


def story(*happenings: Happening, of: Version | None = None, who: Profile | None = None, world: World = WORLD, until: Instant | None = None,
          stops: dict[str, Instant] | None = None, failing: tuple[tuple[str, str], ...] = (),
          uncertain: tuple[tuple[str, str], ...] = ()) -> Story:  # fmt: skip
    script = Script(happenings, stops or {}, frozenset(failing), frozenset(uncertain), until)
    return simulate(of or use_case(), who or profile(), script, world)


def codes(told: Story) -> list[str]:
    return [effect.code for effect in told.effects]


# ---- the twelve of issue A -------------------------------------------------------------------------------------------------------


def test_one_who_opens_the_push_and_buys_is_thanked() -> None:
    told = story(opens("push", HOUR), buys(2 * HOUR))
    assert told.path == PUSH_OPENED
    assert told.end == "finished"
    assert told.end_node == "end"
    assert told.ended_at == 2 * HOUR
    assert told.sent == ("first:email", "first:push", "thanks:push")
    assert told.effects == (Effect("decided", "push-opened"), Effect("decided", "purchase"))


def test_one_who_opens_the_email_and_buys_is_thanked() -> None:
    told = story(opens("email", HOUR), buys(2 * HOUR))
    assert told.path == EMAIL_OPENED
    assert told.sent == ("first:email", "first:push", "thanks:push")


def test_one_who_opens_nothing_gets_the_follow_up() -> None:
    told = story(buys(2 * DAY))
    assert told.path == SILENT
    assert told.sent == ("first:email", "first:push", "follow-up:email", "thanks:push")


def test_one_who_buys_before_opening_has_bought_for_nobody() -> None:
    told = story(buys(HOUR), opens("push", 2 * HOUR), until=3 * DAY)
    assert told.path == PUSH_OPENED[:3]
    assert codes(told) == ["nobody_listening", "decided"]
    assert (told.place, told.waiting, told.end) == ("purchase", True, "")


def test_one_who_buys_right_after_opening_while_under_way_is_thanked() -> None:
    told = story(opens("push", HOUR), buys(HOUR + SECOND), stops={"purchase": 5 * SECOND})
    assert told.path == PUSH_OPENED
    assert codes(told) == ["decided", "decided"]
    assert told.ended_at == HOUR + 5 * SECOND


def test_one_who_opens_twice_has_opened_once() -> None:
    told = story(opens("push", HOUR), opens("push", 2 * HOUR), buys(3 * HOUR))
    assert told.path == PUSH_OPENED
    assert codes(told) == ["decided", "duplicate", "decided"]


def test_one_who_opens_both_is_led_by_the_first() -> None:
    told = story(opens("email", HOUR), opens("push", 2 * HOUR), buys(3 * HOUR))
    assert told.path == EMAIL_OPENED
    assert codes(told) == ["decided", "late", "decided"]


def test_one_who_opens_after_the_timeout_is_late() -> None:
    told = story(opens("email", DAY + SECOND), buys(2 * DAY))
    assert told.path == SILENT
    assert codes(told) == ["late", "decided"]


def test_an_open_accepted_at_the_deadline_never_loses_to_the_timeout() -> None:
    assert story(opens("email", DAY), buys(2 * DAY)).path == EMAIL_OPENED
    assert story(opens("email", DAY + 1), buys(2 * DAY)).path == SILENT


def test_one_without_a_token_gets_the_email_and_no_thanks() -> None:
    told = story(opens("email", HOUR), buys(2 * HOUR), who=profile(push_tokens=()))
    assert told.path == EMAIL_OPENED
    assert [(d.node, d.channel, d.status, d.reason) for d in told.deliveries] == [
        ("first", "email", "sent", ""), ("first", "push", "excluded", "no_token"), ("thanks", "push", "excluded", "no_token"),
    ]  # fmt: skip


def test_one_who_opted_out_of_everything_walks_on_and_hears_nothing() -> None:
    told = story(buys(2 * DAY), who=profile(consents={"email": False, "push": False}))
    assert told.path == SILENT
    assert told.sent == ()
    assert {d.reason for d in told.deliveries} == {"no_consent"}


def test_an_open_while_the_thank_you_is_being_sent_is_late() -> None:
    told = story(opens("push", HOUR), buys(2 * HOUR), opens("email", 2 * HOUR + SECOND), stops={"thanks": 5 * SECOND})
    assert told.path == PUSH_OPENED
    assert codes(told) == ["decided", "decided", "late"]
    assert told.ended_at == 2 * HOUR + 5 * SECOND


def test_a_stop_that_takes_long_after_the_timer_changes_nothing_but_the_hour() -> None:
    """As when the worker is killed between a timer and the end of its stop."""
    told = story(opens("email", DAY + MINUTE), buys(DAY + 2 * MINUTE), stops={"follow-up": 10 * MINUTE})
    assert told.path == SILENT
    assert codes(told) == ["late", "decided"]
    assert told.sent == ("first:email", "first:push", "follow-up:email", "thanks:push")
    assert told.ended_at == DAY + 10 * MINUTE


# ---- what is kept on the way -----------------------------------------------------------------------------------------------------


def test_an_open_while_the_first_message_is_still_being_sent_is_kept_and_wins() -> None:
    """A push may be opened before the e-mail has gone: a reaction counts from the claim of its message on (G5)."""
    told = story(opens("push", SECOND), buys(HOUR), stops={"first": 5 * SECOND})
    assert told.path == PUSH_OPENED
    assert codes(told) == ["decided", "decided"]


def test_of_two_opens_kept_the_earlier_wins_and_the_other_is_late() -> None:
    told = story(opens("email", SECOND), opens("push", 2 * SECOND), buys(HOUR), stops={"first": 5 * SECOND})
    assert told.path == EMAIL_OPENED
    assert codes(told) == ["decided", "late", "decided"]


def test_a_purchase_while_the_first_message_is_being_sent_waits_for_nobody() -> None:
    told = story(buys(SECOND), stops={"first": 5 * SECOND}, until=HOUR)
    assert codes(told) == ["nobody_listening"]
    assert told.place == "push-opened+email-opened"


def test_an_open_is_kept_over_a_wait_that_stands_between() -> None:
    waits = version(
        {"id": "hello", "kind": "message", "message": "one", "next": "pause"},
        {"id": "pause", "kind": "wait", "for": "P1D", "next": "opened"},
        {"id": "opened", "kind": "reaction", "of": "hello", "to": "email.opened", "next": "end", "timeout": {"after": "P1D"}},
        {"id": "end", "kind": "end"},
    )
    told = story(opens("email", HOUR, "hello"), of=waits)
    assert told.path == ("read:next", "hello:next", "pause:next", "opened:next")
    assert told.ended_at == DAY


def test_what_is_still_kept_when_the_story_stops_says_so() -> None:
    assert codes(story(opens("push", SECOND), stops={"first": HOUR}, until=MINUTE)) == ["kept"]


def test_an_event_that_no_definition_describes_says_so() -> None:
    refund = Occurs(HOUR, "refund", {"reason": "broken"})
    assert codes(story(refund, until=DAY)) == ["no_definition"]
    known = World(WORLD.messages, (purchase_definition(id="refund", match="refund", rule=None),))
    assert codes(story(refund, until=DAY, world=known)) == ["nobody_listening"]


def test_a_reaction_to_what_was_never_sent_cannot_be() -> None:
    told = story(opens("push", HOUR), opens("email", HOUR, "follow-up"), until=2 * HOUR, who=profile(push_tokens=()))
    assert codes(told) == ["no_delivery", "no_delivery"]


def test_after_the_end_nobody_listens() -> None:
    told = story(opens("push", HOUR), buys(2 * HOUR), buys(3 * HOUR, "again"), opens("email", 4 * HOUR))
    assert codes(told) == ["decided", "decided", "nobody_listening", "late"]
    assert told.ended_at == 2 * HOUR


def test_the_order_of_the_script_is_by_time_not_by_writing() -> None:
    assert story(buys(2 * HOUR), opens("push", HOUR)).path == PUSH_OPENED


def test_a_purchase_sent_twice_thanks_once() -> None:
    told = story(opens("push", HOUR), buys(2 * HOUR, "p-1"), buys(2 * HOUR, "p-1"))
    assert codes(told) == ["decided", "decided", "duplicate"]
    assert told.sent.count("thanks:push") == 1


# ---- messages --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "world", "reason"),
    [
        (profile(consents={"email": False}, email=None), WORLD, "no_consent"),
        (profile(email=None), WORLD, "no_address"),
        (profile(email="  "), WORLD, "no_address"),
        (profile(), World(WORLD.messages, suppressed=frozenset({("email", f"{PERSON}@Example.org")})), "suppressed"),
        (profile(), World(WORLD.messages, consent_explicit=True), "no_consent"),
    ],
)
def test_an_email_that_cannot_be_sent_says_why(who: Profile, world: World, reason: str) -> None:
    told = story(until=HOUR, who=who, world=world)
    assert [(d.status, d.reason) for d in told.deliveries if d.channel == "email"] == [("excluded", reason)]


def test_a_message_that_fails_on_one_channel_goes_on() -> None:
    told = story(failing=(("first", "email"),), until=HOUR)
    assert told.path == ("read:next", "first:next")
    assert [d.status for d in told.deliveries] == ["failed", "sent"]


def test_a_message_that_fails_and_is_excluded_otherwise_is_an_error() -> None:
    told = story(failing=(("first", "email"),), who=profile(push_tokens=()))
    assert told.path == ("read:next", "first:error")
    assert told.end == "error"
    assert told.end_node == ""


def test_a_message_of_which_nobody_knows_counts_as_sent() -> None:
    told = story(failing=(("first", "push"),), uncertain=(("first", "email"),), until=HOUR)
    assert told.path == ("read:next", "first:next")


def test_a_message_of_which_nobody_knows_was_sent_when_it_is_opened() -> None:
    told = story(opens("email", HOUR), uncertain=(("first", "email"), ("first", "push")), until=2 * HOUR)
    assert [(d.channel, d.status, d.reason) for d in told.deliveries] == [("email", "sent", ""), ("push", "uncertain", "worker_lost")]


def test_an_error_exit_is_walked() -> None:
    careful = version(
        {"id": "hello", "kind": "message", "message": "one", "next": "end", "error": "sorry"},
        {"id": "sorry", "kind": "message", "message": "sorry", "next": "end"},
        {"id": "end", "kind": "end"},
    )
    told = story(of=careful, failing=(("hello", "email"),))
    assert told.path == ("read:next", "hello:error", "sorry:next")
    assert told.end == "finished"


def test_a_node_sends_only_on_the_channels_that_it_names() -> None:
    told = story(of=version({"id": "hello", "kind": "message", "message": "first-message", "channels": ["push"]}))
    assert told.sent == ("hello:push",)


def test_a_message_that_the_world_does_not_have_is_named() -> None:
    with pytest.raises(NotFound, match="messages/first-message"):
        story(world=World())


# ---- conditions, waits, and the end of it all --------------------------------------------------------------------------------------


def cities(otherwise: str = "") -> Version:
    condition = {
        "id": "where", "kind": "condition",
        "branches": [
            {"id": "south", "when": rule("city", "=", "Atlanta"), "next": "hot"},
            {"id": "young", "when": rule("profile.birth_year", ">", 1980), "next": "cool"},
        ],
    }  # fmt: skip
    nodes = ({"id": "hot", "kind": "end"}, {"id": "cool", "kind": "end"}, {"id": "other", "kind": "end"})
    return version(condition | ({"otherwise": otherwise} if otherwise else {}), *nodes)


@pytest.mark.parametrize(
    ("who", "way", "end"),
    [
        (profile(), "where:south", "hot"),
        (profile(city="Seattle"), "where:young", "cool"),
        (profile(city="Seattle", birth_year=1980), "where:otherwise", "other"),
        (profile(city=None, birth_year="1985"), "where:otherwise", "other"),
    ],
)
def test_a_condition_takes_the_first_branch_that_is_true(who: Profile, way: str, end: str) -> None:
    told = story(of=cities("other"), who=who)
    assert told.path == ("read:next", way)
    assert told.end_node == end


def test_no_branch_is_an_end_of_its_own() -> None:
    assert story(of=cities(), who=profile(city=None, birth_year=None)).end == "no_branch"


def test_a_condition_may_ask_what_was_in_the_event() -> None:
    branches = [{"id": "lamp", "when": rule("event.product", "=", "Lamp"), "next": "lit"}]
    asks = version(
        {"id": "bought", "kind": "event", "event": "purchase", "next": "what"},
        {"id": "what", "kind": "condition", "branches": branches, "otherwise": "dark"},
        {"id": "lit", "kind": "end"},
        {"id": "dark", "kind": "end"},
    )
    assert story(buys(HOUR), of=asks).end_node == "lit"
    assert story(Occurs(HOUR, "purchase", THANKS | {"product": "Rug"}), of=asks).end_node == "dark"


def test_a_wait_in_a_gate_wins_at_its_instant_unless_an_event_of_that_instant_is_there() -> None:
    gate = version(
        {"id": "bought", "kind": "event", "event": "purchase", "next": "end", "timeout": {"after": "PT2H"}},
        {"id": "enough", "kind": "wait", "for": "PT2H", "next": "end"},
        {"id": "end", "kind": "end"},
        entry=["bought", "enough"],
    )
    assert story(of=gate).path == ("read:next", "enough:next")
    assert story(buys(2 * HOUR), of=gate).path == ("read:next", "bought:next")
    assert story(buys(2 * HOUR + 1), of=gate).path == ("read:next", "enough:next")


def test_one_who_never_buys_is_ended_by_the_global_timeout() -> None:
    told = story(opens("push", HOUR))
    assert told.path == PUSH_OPENED[:3]
    assert told.end == "global_timeout"
    assert told.ended_at == 91 * DAY


def test_an_event_at_the_global_deadline_still_counts() -> None:
    short = use_case(global_timeout="P2D")
    assert story(opens("push", HOUR), buys(2 * DAY), of=short).end == "finished"
    told = story(opens("push", HOUR), buys(2 * DAY + 1), of=short)
    assert told.end == "global_timeout"
    assert codes(told) == ["decided", "nobody_listening"]


def test_at_one_instant_the_timeout_stands_before_the_global_timeout() -> None:
    told = story(of=use_case(global_timeout="P1D"))
    assert told.path == SILENT[:4]
    assert told.end == "global_timeout"
    assert told.ended_at == DAY


def test_whoever_is_under_way_at_the_global_deadline_sends_nothing_further() -> None:
    two = version(
        {"id": "one", "kind": "message", "message": "one", "next": "two"},
        {"id": "two", "kind": "message", "message": "two"},
        global_timeout="PT1H",
    )
    told = story(of=two, stops={"one": HOUR})
    assert told.sent == ("one:email",)
    assert told.end == "global_timeout"


def test_a_journey_that_leads_nowhere_is_finished_at_once() -> None:
    told = story(of=version())
    assert told.path == ("read:next",)
    assert (told.end, told.ended_at) == ("finished", 0)


# ---- how it is told --------------------------------------------------------------------------------------------------------------


def test_the_story_is_told_in_order_and_in_plain_words() -> None:
    told = story(opens("push", HOUR), buys(2 * HOUR))
    assert [(moment.at, moment.sentence) for moment in told.timeline] == [
        (0, "enters by read"),
        (0, "first-message: sent on email, sent on push"),
        (0, "waits at push-opened or email-opened"),
        (HOUR, "push.opened decides push-opened"),
        (HOUR, "waits at purchase"),
        (2 * HOUR, "purchase decides purchase"),
        (2 * HOUR, "thank-you: sent on push"),
        (2 * HOUR, "ends: finished"),
    ]


def test_deliveries_have_the_ids_that_the_server_would_give_them() -> None:
    told = story(opens("push", HOUR), buys(2 * HOUR))
    assert [d.id for d in told.deliveries] == [
        "thank-you~c-42~1.1.email", "thank-you~c-42~1.1.push", "thank-you~c-42~1.3.push",
    ]  # fmt: skip


def test_the_same_script_tells_the_same_story() -> None:
    script = (opens("push", HOUR), buys(2 * HOUR), opens("email", 3 * HOUR))
    assert story(*script) == story(*script)

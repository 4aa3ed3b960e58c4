"""Journeys, scripts and people that Hypothesis draws, on a grid of half hours, so that instants often meet. It plays none of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from journey import review
from journey.calls import Response
from journey.events import EventDefinition
from journey.graph import EventNode, Journey, Qualification, Reaction
from journey.policies import Policies
from journey.profiles import AttributeType, ProfileDocument
from journey.rule_text import as_tree
from journey.rule_tree import Did
from journey.simulation.story import Changes, Happening, Occurs, Pauses, Reacts, Resumes, Reviews, Script, World
from journey.version import Version
from tests import builders
from tests.builders import PERSON, START

HALF_HOUR = 30 * builders.MINUTE
REFUND = EventDefinition(id="refund", match="refund", namespace="customer_id", key="customer")
NAMES = [f"n{index}" for index in range(6)]
LISTENING = ("event", "qualification", "reaction", "wait", "until", "rule")
KINDS = [
    "message",
    "event",
    "reaction",
    "reaction",
    "wait",
    "until",
    "condition",
    "split",
    "webhook",
    "update_profile",
    "qualification",
    "rule",
    "jump",
]
"""`until` is a wait until a time, `rule` one until a rule is true."""
MOVED = ["message", "event", "wait", "qualification", "rule", "qualification", "rule", "condition", "update_profile"]
"""Kinds of which profiles that are written move people on."""
CRITERIA = st.sampled_from([
    {"event": "refund"}, {"event": "purchase", "where": builders.rule("product", "=", "Lamp")},
    {"segment": "vips"}, {"segment": "romans", "direction": "leave"},
])  # fmt: skip
BEGINS = datetime.fromtimestamp(START / builders.SECOND, UTC)


def written(half_hours: int) -> str:
    """An instant so long after the beginning of the stories, as a journey writes it."""
    return f"{BEGINS + half_hours * timedelta(minutes=30):%Y-%m-%dT%H:%M:%S.%f}Z"


INSTANT = st.integers(-1, 6).map(written)
UNTIL = st.one_of(
    INSTANT,
    INSTANT.map(lambda at: {"at": at, "spread": "PT1H"}),
    st.sampled_from(["profile.starts", "profile.city", "event.starts", "profile.missing"]).map(lambda name: {"field": name}),
    st.sampled_from(["15:00-15:30", "16:30-17:00", "23:30-15:10"]).map(lambda hours: {"hours": hours, "zone": "profile"}),
    st.sampled_from([{"hours": "11:40-12:00", "weekdays": ["sun"]}, {"weekdays": ["mon"], "spread": "PT1H"}]),
)
WRITTEN: dict[str, AttributeType] = {"city": "string", "seen": "string", "vip": "boolean", "total": "number", "email": "string"}
TESTS = [
    ("city", "=", "Atlanta"), ("event.product", "=", "Rug"), ("city", "=", "Rome"), ("now.hour", ">=", 12), ("vip", "=", True),
         ("total", ">", 1), *((f"calls.n{index}.{what}", ">", 5) for index in range(1, 4) for what in ("status", "body.score")),
]  # fmt: skip
SETS: list[dict[str, Any]] = [
    {"city": "Rome", "vip": True}, {"vip": None, "email": None}, {"seen": {"field": "event.product"}}, {"seen": "{{ event.product }}"},
    {"total": {"field": "event.product"}}, {"total": "{{ profile.total | default: 1 | plus: 1 }}"},
    {"total": {"field": "calls.n1.body.score"}}, {"vip": True, "total": "{{ calls.n2.body.score }}"},
]  # fmt: skip
RESPONSES = st.dictionaries(
    st.sampled_from(["n1", "n2", "n3"]), st.builds(Response, st.sampled_from([200, 204, 404, 503]), st.sampled_from([None, {"score": 7}]))
)
LENGTHS = st.sampled_from(["PT30M", "PT1H", "PT90M", "PT2H"])


AS_ENTERED = {"field": "product", "operator": "=", "value": "entry.product", "valueSource": "field"}
PAST = [
    {"did": "purchase"}, {"did": "purchase", "at_least": 2}, {"did": "refund", "within": "PT1H"}, {"did": "email.opened"},
    {"did": "purchase", "where": builders.rule("product", "=", "Rug")}, {"in_segment": "buyers"}, {"in_segment": "quiet"},
]  # fmt: skip
SEGMENTS = {
    "vips": as_tree("vip == true"),
    "romans": as_tree('city == "Rome"'),
    "buyers": as_tree(Did(did="purchase", within="PT90M")),
    "quiet": as_tree('!in_segment("buyers") && !did("email.opened")'),
}


@st.composite
def any_version(draw: st.DrawFn, of: Sequence[str] = tuple(KINDS), criteria: int = 0) -> Version:
    """A graph without cycles: whatever stands later may be led to, several at once when all of them listen. It has so many exit criteria
    or more."""
    kinds = ["message"] + [draw(st.sampled_from(of)) for _ in NAMES[1:]]
    drawn = builders.version(
        nodes=[_entry(draw, kinds), *(_node(draw, index, kinds) for index in range(len(NAMES)))],
        reentry={"after": "P30D"},  # whoever enters again is another story
        definitions=[builders.purchase_definition(), REFUND],
        timezone="America/New_York",
        global_timeout=draw(st.sampled_from(["PT3H", "PT6H", "P2D"])),
        exit_criteria=draw(st.lists(CRITERIA, min_size=criteria, max_size=2)) if criteria or draw(st.booleans()) else [],
    )
    return Version(journey=drawn.journey, events=drawn.events, writes=WRITTEN)


@st.composite
def dated(draw: st.DrawFn, versions: st.SearchStrategy[Version]) -> Version:
    """The same with a start and an end now and then, which meet what else happens."""
    drawn = draw(versions)
    dates = {"start": draw(st.sampled_from([-1, 0, 1, 2, 4])), "end": draw(st.sampled_from([1, 2, 3, 4, 5, 6, 8]))}
    kept = {name: written(half_hours) for name, half_hours in dates.items() if draw(st.booleans())}
    return drawn if not kept else Version(journey=remade(drawn, **kept), events=drawn.events, writes=drawn.writes)


def remade(version: Version, **changed: Any) -> Journey:
    """The graph built anew, since a copy would carry along what it has cached of itself."""
    journey = version.journey
    return Journey.model_validate({name: getattr(journey, name) for name in Journey.model_fields} | changed)


BY_WRITES: list[tuple[dict[str, str], list[dict[str, Any]]]] = [
    ({"segment": "vips", "direction": "enter"}, [{"vip": True}]),
    ({"segment": "romans", "direction": "enter"}, [{"city": "Rome"}]),
    ({"segment": "romans", "direction": "leave"}, [{"city": "Rome"}, {"city": "Atlanta"}]),
]
"""Entries by a segment, each with the writes of a profile that let somebody in."""


ASKED = [
    {"where": builders.rule("profile.city", "=", "Atlanta")}, {"where": builders.rule("profile.city", "=", "Rome")},
    {"where": {"in_segment": "romans"}}, {"where": {"combinator": "or", "rules": [{"in_segment": "vips"}, {"did": "refund"}]}},
]  # fmt: skip
"""Of an event by which people enter: at once, or when their profile is written."""


def _entry(draw: st.DrawFn, kinds: list[str]) -> dict[str, Any]:
    node: dict[str, Any] = {"id": "read", "next": _onward(draw, -1, kinds)}
    if draw(st.booleans()):
        return node | {"kind": "read_segment", "segment": "everybody"}
    if draw(st.integers(0, 2)) == 0:
        return node | {"kind": "qualification"} | draw(st.sampled_from([dict(entry) for entry, _ in BY_WRITES]))
    asked: dict[str, Any] = draw(st.sampled_from([{}, *ASKED]))
    settles: dict[str, Any] = draw(st.sampled_from([{}, {}, {"settle_for": "PT30M"}, {"settle_for": "PT2H"}]))
    return node | {"kind": "event", "event": "purchase"} | asked | (settles if asked else {})


def _node(draw: st.DrawFn, index: int, kinds: list[str]) -> dict[str, Any]:
    kind = kinds[index]
    node: dict[str, Any] = {"id": NAMES[index], "kind": "wait" if kind in ("until", "rule") else kind}
    if kind == "split":
        shares = draw(st.sampled_from([{"a": 100}, {"error": 50, "b": 50}, {"a": 30, "b": 40, "c": 30}]))
        return node | {"shares": [{"id": name, "percent": part, "next": _onward(draw, index, kinds)} for name, part in shares.items()]}
    if kind == "condition":
        test = draw(st.sampled_from([*(builders.rule(*one) for one in TESTS), *PAST]))
        node["branches"] = [{"id": draw(st.sampled_from(["yes", "error"])), "when": test, "next": _onward(draw, index, kinds)}]
        return node | ({"otherwise": _onward(draw, index, kinds)} if draw(st.booleans()) else {})
    node["next"] = _onward(draw, index, kinds)
    if kind == "message":
        node["message"] = draw(st.sampled_from(["both", "both", "mail", "mail", "asks", "kept"]))
        node |= {"error": _onward(draw, index, kinds)} if draw(st.booleans()) else {}
        node |= {"hold_for_review": True} if draw(st.integers(0, 2)) == 0 else {}
    elif kind == "webhook":
        path, body = draw(st.sampled_from([("x", ""), ("{{ profile.seen }}", ""), ("x", "{{ calls.n1.body.score | json }}")]))
        node |= {"url": f"https://crm.example/{path}", "body": body}
        node |= {"error": _onward(draw, index, kinds)} if draw(st.booleans()) else {}
    elif kind == "update_profile":
        node["set"] = draw(st.sampled_from(SETS))
        node |= {"error": _onward(draw, index, kinds)} if draw(st.booleans()) else {}
    elif kind == "wait":
        node["for"] = draw(LENGTHS)
    elif kind == "jump":
        node["journey"] = "elsewhere"
    elif kind == "until":
        node["until"] = draw(UNTIL)
    elif kind == "rule":
        node["until"] = {"rule": builders.rule("city", "=", draw(st.sampled_from(["Atlanta", "Rome", "Rome"])))}
    elif kind == "qualification":
        node |= {
            "segment": draw(st.sampled_from(["vips", "romans", "quiet"])),
            "direction": draw(st.sampled_from(["enter", "enter", "leave"])),
        }
    elif kind == "event":
        node["event"] = draw(st.sampled_from(["purchase", "refund"]))
        where = draw(
            st.sampled_from(
                [None, None, builders.rule("product", "=", "Lamp"), AS_ENTERED, builders.rule("now.weekday", "=", "sun"), *PAST]
            )
        )
        node |= {"since": draw(st.sampled_from(["entry", "read", *NAMES[:index]]))} if draw(st.booleans()) else {}
        node |= {"where": where} if where is not None else {}
    else:
        earlier = [NAMES[at] for at in range(index) if kinds[at] == "message"] or [NAMES[0]]
        node |= {"of": draw(st.sampled_from(earlier)), "to": draw(st.sampled_from(["email.opened", "push.opened", "email.bounced"]))}
    if kind in ("event", "qualification", "reaction", "rule", "until") and draw(st.booleans()):
        node["timeout"] = {"after": draw(LENGTHS)} | ({"next": _onward(draw, index, kinds)} if draw(st.booleans()) else {})
    return node


def _onward(draw: st.DrawFn, index: int, kinds: list[str]) -> list[str]:
    later = list(range(index + 1, len(NAMES)))
    if not later:
        return []
    gate = [NAMES[at] for at in later if kinds[at] in LISTENING]
    if len(gate) > 1 and draw(st.booleans()):
        return draw(st.permutations(gate))[: draw(st.integers(2, 3))]
    return [NAMES[draw(st.sampled_from(later[:2]))]]


INSTANTS = st.integers(0, 9).map(lambda half_hours: half_hours * HALF_HOUR)
STARTS = f"{BEGINS + timedelta(minutes=90):%Y-%m-%dT%H:%M:%S}Z"
OCCURS = st.builds(
    lambda at, name, more, number: Occurs(
        at, name, (builders.THANKS if name == "purchase" else {"starts": STARTS}) | {"product": more}, f"e{number}"
    ),
    INSTANTS, st.sampled_from(["purchase", "purchase", "refund", "sneeze"]), st.sampled_from(["Lamp", "Rug"]), st.integers(0, 5),
)  # fmt: skip
STEERS: list[st.SearchStrategy[Happening]] = [
    st.builds(Pauses, INSTANTS, st.sampled_from(["hold", "hold", "discard"]), st.sampled_from([1, 2, 3, 5, 99]).map(HALF_HOUR.__mul__)),
    st.builds(Resumes, INSTANTS),
]
CITIES = st.dictionaries(st.just("city"), st.sampled_from(["Rome", "Rome", "Atlanta", None]), min_size=1)
WRITES = st.builds(Changes, INSTANTS, CITIES | st.dictionaries(st.just("vip"), st.sampled_from([True, True, False]), min_size=1))
LENGTH = st.integers(0, 4).map(lambda half_hours: half_hours * HALF_HOUR)


ENTERS = Occurs(0, "purchase", builders.THANKS | {"product": "Lamp"}, "enter")


@st.composite
def any_script(draw: st.DrawFn, version: Version, *, writes: int = 1, pauses: int = 0) -> Script:
    """Mostly what the journey listens for, so that something comes of it. `pauses`: how often it is paused and resumed, beside that."""
    journey = version.journey
    heard = [(node.of, node.to) for node in journey.nodes if isinstance(node, Reaction)]
    acting = [node.id for node in journey.nodes if node.kind not in ("read_segment", "reaction", "end")] or [NAMES[0]]
    other = [(name, to) for name in acting[:2] for to in ("push.clicked", "email.bounced", "email.complained", "push.unsubscribed")]
    reactions = st.sampled_from([*heard * 4, *other])
    reacts = st.builds(
        lambda at, what, soft: Reacts(at, what[0], what[1], soft=soft and what[1] == "email.bounced"), INSTANTS, reactions, st.booleans()
    )
    held = [node.id for node in journey.nodes if review.holds(journey, node.id)]
    reviews = st.builds(Reviews, INSTANTS, st.sampled_from(held or ["none"]), st.sampled_from(["approve", "approve", "discard"]))
    deliveries = st.frozensets(st.tuples(st.sampled_from(acting), st.sampled_from(["email", "push", "webhook"])), max_size=2)
    entering: tuple[Happening, ...] = (ENTERS,) if isinstance(journey.entry_node, EventNode) else ()
    if isinstance(journey.entry_node, Qualification):
        asked = {"segment": journey.entry_node.segment, "direction": journey.entry_node.direction}
        entering = tuple(Changes(0, written) for written in next(writes for entry, writes in BY_WRITES if entry == asked))
    others = [*[WRITES] * writes, *[reviews] * min(len(held), 2), *STEERS * pauses]
    drawn: list[Happening] = draw(st.lists(st.one_of(reacts, reacts, OCCURS, *others), max_size=8))
    if pauses:  # in a pause the store makes out anew what was approved and could not be made out when it is over, the simulator at once
        approved = [one.of for one in drawn if isinstance(one, Reviews) and one.verdict == "approve"]
        drawn = [one for one in drawn if not isinstance(one, Reviews) or approved.count(one.of) < 2]
    return Script(
        (*entering, *drawn),
        draw(st.dictionaries(st.sampled_from(acting), LENGTH, max_size=4)),
        draw(deliveries),
        draw(deliveries),
    )


KNOWN = {"first_name": "Ada", "city": "Atlanta", "timezone": "Europe/London", "starts": STARTS}
PEOPLE = st.builds(
    lambda consents, tokens, email: ProfileDocument.model_validate(
        {"id": PERSON, "attributes": KNOWN | ({"email": email} if email else {}), "identities": {"customer_id": PERSON},
         "consents": consents, "push_tokens": [{"token": token} for token in tokens]}
    ),
    st.dictionaries(st.sampled_from(["email", "push"]), st.booleans(), max_size=1), st.sampled_from([["t"], ["t"], []]),
    st.sampled_from(["ada@example.org", "ada@example.org", "barred@example.org", ""]),
)  # fmt: skip
ASKS = {"push": {"title": "{{ event.product }}", "body": "{{ profile.seen | default: 'no' }}"}}
"""A push that cannot be made out for whoever no event has led here."""
WORLD = World(
    messages={
        "both": builders.message("both", "email", "push"),
        "mail": builders.message("mail", "email"),
        "kept": builders.message("kept", "email", "push", promise="never_lost"),
        "asks": builders.message("asks", "email", "push", **ASKS),
    },
    definitions=(builders.purchase_definition(), REFUND),
    suppressed=frozenset({("email", "Barred@Example.org")}),
    begins=START,
    segments=SEGMENTS,
)


_CAPS = st.builds(
    lambda channels, most, within, then, number: {
        "id": f"cap-{number}", "channels": channels, "most": most, "within": within, "then": then, "retry_for": "PT1H",
    },
    st.sampled_from(["all", "email", "push"]), st.integers(1, 2), st.sampled_from(["PT30M", "PT1H", "PT3H"]),
    st.sampled_from(["drop", "retry", "wait", "wait"]), st.integers(0, 99),
)  # fmt: skip
_QUIET = st.builds(
    lambda channels, start, end, then, longest: {"channels": channels, "from": start, "to": end, "then": then, "longest": longest},
    st.sampled_from(["all", "email"]), st.sampled_from(["15:00", "15:30", "16:36"]), st.sampled_from(["16:06", "16:30", "18:00"]),
    st.sampled_from(["queue", "queue", "discard"]), st.sampled_from(["PT1H", "P1D"]),
)  # fmt: skip
ANY_POLICIES = st.builds(
    lambda caps, quiet: Policies.model_validate({"caps": caps, "quiet_hours": quiet}),
    st.lists(_CAPS, min_size=1, max_size=2), st.lists(_QUIET, max_size=2),
)  # fmt: skip
"""Caps and quiet hours around the instant at which stories begin, 15:06:40 in UTC."""
CALM = ["message", "message", "event", "reaction", "wait", "condition", "split"]
"""Kinds of which time and what people do move people on."""
TALKATIVE = builders.version(
    {"id": "n0", "kind": "message", "message": "both", "next": "n1"},
    {"id": "n1", "kind": "message", "message": "both", "hold_for_review": True, "next": ["n2", "n3"]},
    {"id": "n2", "kind": "reaction", "of": "n1", "to": "email.opened", "next": "n4"},
    {"id": "n3", "kind": "wait", "for": "PT30M", "next": "n4"},
    {"id": "n4", "kind": "message", "message": "mail", "next": "n5", "error": "n5"},
    {"id": "n5", "kind": "message", "message": "both"},
    id="talkative", global_timeout="PT9H", priority=5, exit_criteria=[{"segment": "romans"}],
    definitions=[builders.purchase_definition(), REFUND],
)  # fmt: skip
"""A journey that sends more than any cap allows; one message of it is reviewed first."""
PROMISING = builders.version(
    {"id": "n0", "kind": "message", "message": "kept", "next": "n1", "error": "n1"},
    {"id": "n1", "kind": "message", "message": "kept", "hold_for_review": True, "next": "n2", "error": "n2"},
    {"id": "n2", "kind": "message", "message": "kept", "next": "n3", "error": "n3"},
    {"id": "n3", "kind": "message", "message": "kept"},
    global_timeout="PT4H", exit_criteria=[{"event": "refund"}], definitions=[builders.purchase_definition(), REFUND],
)  # fmt: skip
"""A journey whose messages are never lost."""
NOBODY_KNOWS = frozenset((name, channel) for name in NAMES for channel in ("email", "push"))

"""A gate of many ways in every order: what comes first, at the same instant, too late, twice, or was there already.

The gate is left by a purchase, an opened mail, a rule that comes true of the person, or its timeout of two hours; behind it a second
purchase is waited for. tests/store/test_same_story.py shows that the store does the same of anything that is drawn.
"""

from __future__ import annotations

import pytest

from journey.profiles import Profile
from journey.simulation.simulate import simulate
from journey.simulation.story import Changes, Happening, Occurs, Reacts, Script, World
from tests.builders import DAY, HOUR, MINUTE, THANKS, message, profile, version

GATE = version(
    {"id": "mail", "kind": "message", "message": "mail", "next": ["opens", "buys", "moves"]},
    {"id": "opens", "kind": "reaction", "of": "mail", "to": "email.opened", "next": "again"},
    {"id": "buys", "kind": "event", "event": "purchase", "next": "again", "timeout": {"after": "PT2H", "next": "late"}},
    {"id": "moves", "kind": "wait", "until": {"rule": 'city == "Boston"'}, "next": "again"},
    {"id": "again", "kind": "event", "event": "purchase", "next": "end", "timeout": {"after": "P1D", "next": "end"}},
    {"id": "late", "kind": "end"},
    {"id": "end", "kind": "end"},
)
WORLD = World(messages={"mail": message("mail", "email")})
SLOW = {"mail": HOUR}
"""The mail takes an hour on its way: what comes meanwhile finds its person under way."""


def buys(at: int, event: str = "", source: str = "script") -> Happening:
    return Occurs(at, "purchase", THANKS, event, source)


def opens(at: int) -> Happening:
    return Reacts(at, "mail", "email.opened")


def moves(at: int, city: str = "Boston") -> Happening:
    return Changes(at, {"city": city})


@pytest.mark.behaviour(13)
@pytest.mark.parametrize(
    ("happens", "person", "stops", "path", "effects"),
    [
        # one thing
        pytest.param((), {}, {}, "buys:timeout", "", id="nothing happens"),
        pytest.param((buys(HOUR),), {}, {}, "buys again:timeout", "decided", id="an event"),
        pytest.param((opens(HOUR),), {}, {}, "opens again:timeout", "decided", id="a reaction"),
        pytest.param((moves(HOUR),), {}, {}, "moves again:timeout", "decided", id="a rule comes true"),
        pytest.param((), {"city": "Boston"}, {}, "moves again:timeout", "", id="a rule that is true already is passed at once"),
        pytest.param((moves(HOUR, "Rome"),), {}, {}, "buys:timeout", "no_effect", id="a write that makes no rule true"),
        # two things, one after the other
        pytest.param((opens(HOUR), buys(HOUR + MINUTE)), {}, {}, "opens again", "decided decided", id="a reaction, then an event"),
        pytest.param((buys(HOUR), opens(HOUR + MINUTE)), {}, {}, "buys again:timeout", "decided late", id="an event, then a reaction"),
        pytest.param((buys(HOUR), moves(HOUR + MINUTE)), {}, {}, "buys again:timeout", "decided no_effect", id="an event, then a rule"),
        pytest.param((moves(HOUR), buys(HOUR + MINUTE)), {}, {}, "moves again", "decided decided", id="a rule, then an event"),
        # at the same instant
        pytest.param((opens(HOUR), buys(HOUR)), {}, {}, "opens again", "decided decided", id="a tie goes by the order of acceptance"),
        pytest.param((buys(HOUR), opens(HOUR)), {}, {}, "buys again:timeout", "decided late", id="the same tie accepted the other way"),
        # the deadline
        pytest.param((buys(2 * HOUR),), {}, {}, "buys again:timeout", "decided", id="at the deadline an event counts"),
        pytest.param((moves(2 * HOUR),), {}, {}, "moves again:timeout", "decided", id="at the deadline a rule counts"),
        pytest.param((buys(2 * HOUR + 1),), {}, {}, "buys:timeout", "nobody_listening", id="a microsecond later it does not"),
        # twice
        pytest.param((buys(HOUR, "p-1"), buys(HOUR, "p-1")), {}, {}, "buys again:timeout", "decided duplicate", id="the same event twice"),
        pytest.param((buys(HOUR, "p-1"), buys(HOUR, "p-2")), {}, {}, "buys again", "decided decided", id="two events, each its gate"),
        pytest.param((opens(HOUR), opens(HOUR + 1)), {}, {}, "opens again:timeout", "decided duplicate", id="opened twice"),
        # early: while the mail is on its way
        pytest.param((opens(MINUTE),), {}, SLOW, "opens again:timeout", "decided", id="opened before the gate was there"),
        pytest.param((buys(MINUTE), opens(2 * MINUTE)), {}, SLOW, "buys again:timeout", "decided late", id="the earlier of two kept ones"),
        pytest.param((opens(MINUTE), buys(2 * MINUTE)), {}, SLOW, "opens again", "decided decided", id="the other decides the gate behind"),
        pytest.param(
            (moves(MINUTE), moves(2 * MINUTE, "Rome")),
            {},
            SLOW,
            "buys:timeout",
            "no_effect no_effect",
            id="a rule that was true only on the way",
        ),
        pytest.param(
            (moves(MINUTE), buys(2 * MINUTE)),
            {},
            SLOW,
            "buys again:timeout",
            "no_effect decided",
            id="an event that was kept stands before a rule that is true by now",
        ),
        pytest.param((buys(3 * HOUR + DAY),), {}, SLOW, "buys:timeout", "nobody_listening", id="the deadline counts from the arrival"),
    ],
)
def test_of_many_ways_the_first_is_taken(
    happens: tuple[Happening, ...], person: dict[str, str], stops: dict[str, int], path: str, effects: str
) -> None:
    who: Profile = profile(city=person.get("city", "Atlanta"))
    told = simulate(GATE, who, Script(happens, stops), WORLD)
    taken = [f"{node}:{exit or 'next'}" for node, _, exit in (step.partition(":") for step in path.split())]
    assert told.path == ("read:next", "mail:next", *taken)
    assert " ".join(effect.code for effect in told.effects) == effects

"""G1 to G8 hold in every order of events, timers, repeats and late arrivals: the laws as they are written, read off the timeline.

What is drawn is a journey, what happens in it and the instants at which something does; played is each order in which it may happen. None
of gate, keeping and matching is asked here. LAWS says how many journeys: some thousand stories in `make check`, more in `make test`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journey.events import EventDefinition, Instant
from journey.simulation.simulate import simulate
from journey.simulation.story import Happening, Occurs, Reacts, Script, Story, World
from journey.version import Version
from tests import builders
from tests.core import timelines
from tests.core.timelines import AT_LAST, LENGTHS, Timeline, Visit

DRAWN = int(os.environ.get("LAWS", "120"))
HALF_HOUR = 30 * builders.MINUTE
REFUND = EventDefinition(id="refund", match="refund", namespace="customer_id", key="customer")
NAMES = [f"n{number}" for number in range(6)]
LISTENING = ("event", "reaction", "wait")
WORLD = World({"both": builders.message("both", "email", "push")}, renders=False)
PERSON = builders.profile()


@dataclass(frozen=True)
class Drawn:
    """A journey, what happens in it, and when something does."""

    nodes: tuple[dict[str, Any], ...]
    entry: tuple[str, ...]
    limit: str
    happens: tuple[Happening, ...]
    instants: tuple[Instant, ...]
    stops: dict[str, Instant]

    @property
    def version(self) -> Version:
        return builders.version(
            *self.nodes, entry=list(self.entry), global_timeout=self.limit, definitions=[builders.purchase_definition(), REFUND]
        )

    def scripts(self) -> Iterator[Script]:
        """Every order in which it can happen at these instants."""
        for order in permutations(self.happens):
            told = tuple(_at(one, at) for one, at in zip(order, self.instants, strict=True))
            yield Script(told, self.stops)


def _at(one: Happening, at: Instant) -> Happening:
    return Occurs(at, one.name, one.data, one.id) if isinstance(one, Occurs) else Reacts(at, one.of, one.to)  # type: ignore[union-attr]


@st.composite
def drawings(draw: st.DrawFn) -> Drawn:
    """Half hours, so that instants meet; mostly what the journey listens for; a message first, so that there is something to react to."""
    kinds = ["message", *draw(st.lists(st.sampled_from(["message", "event", "event", "reaction", "wait"]), min_size=5, max_size=5))]

    def leads(index: int) -> list[str]:
        later = NAMES[index + 1 :]
        gate = [name for name in later if kinds[NAMES.index(name)] in LISTENING]
        if len(gate) > 1 and draw(st.booleans()):
            return draw(st.permutations(gate))[: draw(st.integers(2, 3))]
        return [draw(st.sampled_from(later[:2]))] if later else []

    length = st.sampled_from(["PT30M", "PT1H", "PT90M", "PT2H"])
    nodes: list[dict[str, Any]] = []
    for index, (name, kind) in enumerate(zip(NAMES, kinds, strict=True)):
        node: dict[str, Any] = {"id": name, "kind": kind, "next": leads(index)}
        match kind:
            case "message":
                node["message"] = "both"
            case "wait":
                node["for"] = draw(length)
            case "event":
                node["event"] = draw(st.sampled_from(["purchase", "purchase", "refund"]))
                node |= {"where": builders.rule("product", "=", "Lamp")} if draw(st.booleans()) else {}
            case "reaction":
                sent = [earlier for earlier, what in zip(NAMES[:index], kinds, strict=False) if what == "message"]
                node |= {"of": draw(st.sampled_from(sent)), "to": draw(st.sampled_from(["email.opened", "push.opened"]))}
        if kind in ("event", "reaction") and draw(st.booleans()):
            node["timeout"] = {"after": draw(length)} | ({"next": leads(index)} if draw(st.booleans()) else {})
        nodes.append(node)
    heard = [Reacts(0, node["of"], node["to"]) for node in nodes if node["kind"] == "reaction"] or [Reacts(0, "n0", "email.opened")]
    occurs = st.builds(
        lambda name, product, number: Occurs(0, name, (builders.THANKS if name == "purchase" else {}) | {"product": product}, f"e{number}"),
        st.sampled_from(["purchase", "purchase", "refund", "sneeze"]), st.sampled_from(["Lamp", "Lamp", "Rug"]), st.integers(0, 4),
    )  # fmt: skip
    happens = draw(st.lists(st.one_of(occurs, occurs, st.sampled_from(heard)), min_size=3, max_size=4))
    instants = draw(st.lists(st.integers(0, 9), min_size=len(happens), max_size=len(happens)))
    places = st.sampled_from([*NAMES, *("+".join(node["next"]) for node in nodes if len(node["next"]) > 1)])
    stops = draw(st.dictionaries(places, st.integers(1, 4).map(lambda half_hours: half_hours * HALF_HOUR), max_size=4))
    limit = draw(st.sampled_from(["PT3H", "P2D", "P2D"]))
    return Drawn(tuple(nodes), tuple(leads(-1)), limit, tuple(happens), tuple(sorted(at * HALF_HOUR for at in instants)), stops)


# ---- the laws --------------------------------------------------------------------------------------------------------------------


def could_decide(line: Timeline, visit: Visit, limit: Instant) -> list[tuple[int, str]]:
    """All that a gate could be decided by, the first first, each with the node that it fits; none of it lies behind its end.

    Who arrives has what found them on the way: by the instant, then the id. Who waits has what comes, in its order.
    """
    spent = {one.by for one in line.visits[: line.visits.index(visit)]}
    due = min([end[0] for end in visit.ends()] + [limit])
    found: list[tuple[tuple[Any, ...], int, str]] = []
    for index in line.real():
        moment = line.moment(index)
        node = next((one["id"] for one in visit.nodes if line.fits(one, index)), "")
        is_reaction = isinstance(line.happenings[index], Reacts)
        if index in spent or not node:
            continue
        if moment < visit.arrived and (is_reaction or found_on_the_way(line, visit, index)):
            found.append(((0, moment[0], _id(line, index)), index, node))
        elif visit.arrived <= moment <= (due, AT_LAST) and visit.arrived[0] <= limit:
            found.append(((1, *moment), index, node))
    return [(index, node) for _, index, node in sorted(found)]


def found_on_the_way(line: Timeline, visit: Visit, index: int) -> bool:
    """Did it come after what decided the gates before? What had been kept has the order of what is kept: the instant, then the id."""
    moment = line.moment(index)
    return all(
        moment > decided if kept is None or moment[0] != decided[0] else _id(line, index) > _id(line, kept)
        for decided, kept in visit.behind
    )


def _id(line: Timeline, index: int) -> tuple[Any, ...]:
    """How ids of one instant are ordered: those of reactions begin with the journey's name and then count the steps."""
    one = line.happenings[index]
    if isinstance(one, Reacts):
        return ("small", sorted(line.claimed.values()).index(line.claimed[one.of]), line.claimed[one.of], one.of, one.to)
    return (one.id,) if isinstance(one, Occurs) else ()


def g1_the_first_to_happen_wins(line: Timeline, visit: Visit, limit: Instant) -> None:
    able = could_decide(line, visit, limit)
    if visit.by is not None:
        assert able, f"{visit.by} could not decide {visit}"
        assert able[0][0] == visit.by, f"{visit.by} decided {visit}, and {able[0][0]} came first"


def g2_one_end_for_the_whole_gate_waits_first(line: Timeline, visit: Visit, limit: Instant) -> None:
    if visit.by is None:
        order = {node["id"]: number for number, node in enumerate(visit.nodes)}
        first = min(visit.ends(), key=lambda end: (end[0], end[1], order[end[2]]))
        assert (visit.left, visit.exit) == first[2:]


def g3_the_deadline_is_arrival_and_length(line: Timeline, visit: Visit, limit: Instant) -> None:
    if visit.by is None:
        assert visit.decided[0] == min(end[0] for end in visit.ends())


def g4_by_time_and_not_by_luck(line: Timeline, visit: Visit, limit: Instant) -> None:
    able = could_decide(line, visit, limit)
    if visit.by is None:
        assert not able, f"{able[0]} was accepted in time and {visit} was left by time"
        assert visit.decided[0] <= max(limit, visit.arrived[0])
    else:
        assert able[0][1] == visit.left, "of two nodes that one event fits, the earlier in `next`"


def g5_a_reaction_counts_from_the_claim_of_its_message_on(line: Timeline, visit: Visit, limit: Instant) -> None:
    one = line.happenings[visit.by] if visit.by is not None else None
    if isinstance(one, Reacts):
        assert line.claimed[one.of] <= line.moment(visit.by or 0)


def g6_what_decides_found_them_waiting_or_on_the_way(line: Timeline, visit: Visit, limit: Instant) -> None:
    if visit.by is not None:
        moment, is_reaction = line.moment(visit.by), isinstance(line.happenings[visit.by], Reacts)
        found_waiting = moment >= visit.arrived
        assert found_waiting or is_reaction or found_on_the_way(line, visit, visit.by), f"{visit.by} was without effect already"
        assert visit.decided == max(moment, visit.arrived)


def g8_a_timeout_without_next_goes_on_by_the_next_of_its_node(line: Timeline, visit: Visit, limit: Instant) -> None:
    number = line.visits.index(visit)
    node = line.nodes[visit.left]
    if visit.exit == "timeout" and "next" not in node["timeout"] and number + 1 < len(line.visits):
        after = node["next"]
        while after and line.nodes[after[0]]["kind"] == "message":
            after = line.nodes[after[0]]["next"]
        assert {one["id"] for one in line.visits[number + 1].nodes} == set(after)


LAWS: Sequence[Callable[[Timeline, Visit, Instant], None]] = (
    g1_the_first_to_happen_wins, g2_one_end_for_the_whole_gate_waits_first, g3_the_deadline_is_arrival_and_length,
    g4_by_time_and_not_by_luck, g5_a_reaction_counts_from_the_claim_of_its_message_on, g6_what_decides_found_them_waiting_or_on_the_way,
    g8_a_timeout_without_next_goes_on_by_the_next_of_its_node,
)  # fmt: skip


def g7_everything_has_one_effect_and_decides_one_gate_at_most(line: Timeline, story: Story) -> None:
    decided = [effect.node for effect in story.effects if effect.code == "decided"]
    assert sorted(decided) == sorted(visit.left for visit in line.visits if visit.by is not None)
    assert len(decided) == len(set(decided))
    for index, effect in enumerate(story.effects):
        one = line.happenings[index]
        if isinstance(one, Reacts) and not line.was_sent(index):
            expected = "no_delivery"
        elif line.repeats(index):
            expected = "duplicate"
        elif effect.code == "decided":
            continue
        elif isinstance(one, Reacts):
            expected = "late"
        else:
            expected = "nobody_listening" if isinstance(one, Occurs) and timelines.is_defined(one) else "no_definition"
        assert effect.code == expected, f"{one} became {effect}"


def the_end_comes_by_the_way_or_by_the_time_in_the_journey(drawn: Drawn, line: Timeline, story: Story) -> None:
    limit = LENGTHS[drawn.limit]
    if story.end == "finished":
        assert story.ended_at == line.over[0]
    else:
        assert story.end == "global_timeout"
        assert story.ended_at == max(limit, line.over[0])


@pytest.mark.complaint(1)
@pytest.mark.timeout(600)  # usually seconds; how many stories it is, is drawn
@settings(max_examples=DRAWN, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawings())
def test_g1_to_g8_hold_in_every_order_of_events_timers_repeats_and_late_arrivals(drawn: Drawn) -> None:
    version = drawn.version
    limit = LENGTHS[drawn.limit]
    for script in drawn.scripts():
        story = simulate(version, PERSON, script, WORLD)
        line = timelines.read(drawn.nodes, drawn.entry, script, story)
        for visit in line.visits:
            for law in LAWS:
                law(line, visit, limit)
        g7_everything_has_one_effect_and_decides_one_gate_at_most(line, story)
        the_end_comes_by_the_way_or_by_the_time_in_the_journey(drawn, line, story)

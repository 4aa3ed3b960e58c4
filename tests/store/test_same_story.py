"""The simulator and the store tell the same story: of any journey, whatever happens in it and however long its stops take.

The store is driven as the entrant's workflow drives it, by the proposals that the workflow makes, on a clock set by hand. All stands
on a grid of half hours, so that instants often meet: most of what could differ is in who comes first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from journey import durations, ids, walk
from journey.contract import Happened, Proposal, Record
from journey.errors import NotFound
from journey.events import Event, EventDefinition, Instant
from journey.graph import Reaction
from journey.profiles import Profile, ProfileDocument
from journey.proposing import propose
from journey.simulate import simulate
from journey.simulated_sending import exclusion
from journey.story import Effect, Happening, Occurs, Reacts, Script, Story, World
from journey.version import Version
from store import acceptance, admission, closing, definitions, messages, profiles, schema, steps, suppressions, versions
from store.acceptance import Arrived
from store.claims import Carrier
from store.claims import Policy as SendingPolicy
from store.closing import Mark
from store.steps import Opened
from store.versions import VersionRow
from store.work import Work
from tests import builders
from tests.builders import PERSON, START
from tests.fakes import SettableClock

HALF_HOUR = 30 * builders.MINUTE
REFUND = EventDefinition(id="refund", match="refund", namespace="customer_id", key="customer")
SENDING = SendingPolicy({channel: Carrier(HALF_HOUR * 100, idempotent=True) for channel in ("email", "push")})


# ---- the store's side ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """What both sides are compared by."""

    path: tuple[str, ...]
    deliveries: tuple[tuple[str, str, str, str, str], ...]
    effects: tuple[Effect, ...]
    end: tuple[str, str, Instant | None]


@dataclass
class Driver:
    """Does to the store what workflow, stop and API do, at the instants that the script says."""

    connection: Connection
    version: Version
    script: Script
    world: World
    person: ProfileDocument
    record: Record = field(default_factory=Record)
    closes_at: Instant | None = None
    proposal: Proposal | None = None
    opened: Opened | None = None
    duplicates: dict[int, str] = field(default_factory=dict)
    names: dict[int, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.entrant = ids.entrant(self.version.journey.id, PERSON, 1)
        self.clock = SettableClock(START)
        self.work = Work(self.connection, self.clock)
        self.deadline = START + durations.seconds(self.version.journey.global_timeout) * builders.SECOND
        tokens = tuple(token.token for token in self.person.push_tokens)
        self.profile = Profile(PERSON, self.person.attributes, dict(self.person.consents), tokens)

    def play(self) -> Found:
        self.admit()
        happenings = self.script.happenings
        for index in sorted(range(len(happenings)), key=lambda index: happenings[index].at):
            self.advance(happenings[index].at)
            self.happen(index, happenings[index])
        self.advance(None)
        row = self.connection.execute(select(schema.entrants)).one()
        assert self.connection.execute(select(schema.kept)).all() == []
        effects = tuple(self.effect(index) for index in range(len(happenings)))
        return Found(self.path(), self.deliveries(), effects, (row.end_reason, row.place, row.ended_at - START))

    def admit(self) -> None:
        """By the real page of a run that was given a list of one."""
        work, journey = self.work, self.version.journey
        versions.keep(work, self.version)
        versions.insert(work, VersionRow(ids.version(journey.id, 1), journey.id, 1, self.version.hash, "live", START))
        for document in self.world.messages.values():
            messages.put(work, document)
        for definition in self.world.definitions:
            definitions.put(work, definition)
        for channel, address in self.world.suppressed:
            suppressions.put(work, channel, address, "test")
        profiles.put(work, self.person)
        row = {"id": "run", "journey": journey.id, "number": 1, "version": ids.version(journey.id, 1), "profiles": [PERSON],
               "state": "reading", "cutoff": START}  # fmt: skip
        work.connection.execute(schema.runs.insert(), row)
        admitted = admission.admit_page(work, "run")
        (start,) = admitted.starts
        self.record = Record(n=0, place=start.entrant.place)
        if isinstance(walk.ask(journey, self.record.place), walk.Listen):
            self.take(steps.open_step(work, Proposal(entrant=self.entrant, n=0), SENDING))
        else:
            self.set_off(self.propose(1, self.record.place))

    def advance(self, to: Instant | None) -> None:
        """Stops close up to an instant, and timers before it fire."""
        while not self.record.end:
            at = self.closes_at if self.closes_at is not None else self.wakes_at()
            last = to if to is None or self.closes_at is not None else to - 1
            if last is not None and at > last:
                return
            self.clock.instant = START + max(at, self.clock.instant - START)
            if self.closes_at is not None:
                self.close()
            else:
                self.fire()

    def wakes_at(self) -> Instant:
        return int(self.connection.execute(select(schema.entrants.c.due)).scalar_one()) - START

    def fire(self) -> None:
        """The workflow's timer is over: it proposes what the graph says, the store may know better."""
        at = walk.ask(self.version.journey, self.record.place)
        assert isinstance(at, walk.Listen)
        until = self.connection.execute(select(schema.entrants.c.until)).scalar()
        proposal = Proposal(entrant=self.entrant, n=self.record.n + 1)
        if at.due is not None:
            proposal = self.propose(proposal.n, walk.follow(self.version.journey, at.due), at.due)
        self.set_off(proposal, at_once=until is None or until > self.deadline)

    def propose(self, n: int, place: walk.Place, left: walk.Outcome | None = None, heard: Happened | None = None) -> Proposal:
        return propose(self.version.journey, self.entrant, n, place, left, heard)

    def set_off(self, proposal: Proposal, *, at_once: bool = False) -> None:
        """A stop begins. What sends, or ends, is opened now; what does neither is one commit, at the end of its time."""
        left = walk.Outcome(proposal.left, proposal.exit) if proposal.left else None
        target = proposal.node or (walk.follow(self.version.journey, left) if left is not None else self.record.place)
        self.proposal, self.opened = proposal, None
        self.closes_at = self.clock.instant - START + self.script.stops.get(target, 0)
        if at_once or (proposal.message and self.will_send(proposal)):
            found = steps.open_step(self.work, proposal, SENDING)
            if isinstance(found, Opened):
                self.opened = found
            else:
                assert isinstance(found, Record)
                self.closes_at = None
                self.take(found)

    def will_send(self, proposal: Proposal) -> bool:
        channels = self.world.messages[proposal.message].channels
        wanted = [channel for channel in channels if not proposal.channels or channel in proposal.channels]
        return any(not exclusion(self.profile, channel, self.world) for channel in wanted)

    def close(self) -> None:
        assert self.proposal is not None
        proposal, self.closes_at = self.proposal, None
        if self.opened is None:
            found: Any = steps.open_step(self.work, proposal, SENDING)
        else:
            marks = [Mark(claim.channel, *self.answer(proposal.node, claim.channel)) for claim in self.opened.claims]
            found = closing.mark(self.work, proposal, marks)
        assert isinstance(found, Record)
        self.take(found)

    def answer(self, node: str, channel: str) -> tuple[str, str]:
        if (node, channel) in self.script.failing:
            return "failed", "refused"
        return ("uncertain", "worker_lost") if (node, channel) in self.script.uncertain else ("sent", "")

    def take(self, record: Record | Opened | Any) -> None:
        """Go on from what the store says, as the workflow does."""
        assert isinstance(record, Record)
        self.record = record
        if record.end:
            return
        if record.node:
            left = walk.Outcome(record.node, "next")
            heard = Happened(record.n, record.node, record.source, record.event)
            self.set_off(self.propose(record.n + 1, walk.follow(self.version.journey, left), left, heard))
        elif not isinstance(walk.ask(self.version.journey, record.place), walk.Listen):
            self.set_off(self.propose(record.n + 1, record.place))

    def happen(self, index: int, happening: Happening) -> None:
        self.clock.instant = START + max(happening.at, 0)
        verdict = self.accept(index, happening)
        if verdict is None:
            return
        if verdict.duplicate:
            self.duplicates[index] = "duplicate"
        for decided in verdict.decided:
            assert (decided.entrant, decided.n) == (self.entrant, self.record.n)
            self.take(replace(self.record, node=decided.node, source=decided.source, event=decided.event))

    def accept(self, index: int, happening: Happening) -> acceptance.Verdict | None:
        if isinstance(happening, Occurs):
            self.names[index] = (happening.source, happening.id)
            made = Event(happening.source, happening.id, happening.name, dict(happening.data))
            return acceptance.accept(self.work, Arrived(made, "customer_id", PERSON), acceptance.Policy())
        channel, _, kind = happening.to.partition(".")
        of = schema.deliveries.c
        rows = self.connection.execute(select(of.n).where(of.node == happening.of, of.channel == channel)).all()
        delivery = ids.delivery(self.entrant, rows[0].n if rows else 99, channel)
        self.names[index] = (ids.REACTIONS, ids.reaction(delivery, kind, happening.link))
        try:
            return acceptance.react(self.work, delivery, kind, happening.link)
        except NotFound:
            self.duplicates[index] = "no_delivery"
            return None

    # ---- what the store has of it ----

    def path(self) -> tuple[str, ...]:
        rows = self.connection.execute(select(schema.steps).order_by(schema.steps.c.n)).all()
        return tuple(_path(rows))

    def deliveries(self) -> tuple[tuple[str, str, str, str, str], ...]:
        of = schema.deliveries.c
        rows = self.connection.execute(select(schema.deliveries).order_by(of.n, of.channel)).all()
        return tuple((ids.delivery(row.entrant, row.n, row.channel), row.node, row.channel, row.status, row.reason) for row in rows)

    def effect(self, index: int) -> Effect:
        """What became of a happening in the end, by the rows that it left."""
        if index in self.duplicates:
            return Effect(self.duplicates[index])
        source, name = self.names[index]
        of, gone = schema.steps.c, schema.discards.c
        step = self.connection.execute(select(of.left).where(of.by_source == source, of.by_event == name)).scalar()
        codes = self.connection.execute(select(gone.code).where(gone.source == source, gone.event == name)).scalars().all()
        assert len(codes) == (0 if step else 1), f"{name} decided {step!r} and is a discard for {codes}"
        return Effect("decided", step) if step else Effect(codes[0])


def _path(rows: Any) -> Iterator[str]:
    for row in rows:
        if row.left:
            yield f"{row.left}:{row.left_exit}"
        if row.node:
            yield f"{row.node}:{row.outcome}"


# ---- any journey, any script -----------------------------------------------------------------------------------------------------

NAMES = [f"n{index}" for index in range(6)]
LISTENING = ("event", "reaction", "wait")
LENGTHS = st.sampled_from(["PT30M", "PT1H", "PT90M", "PT2H"])


@st.composite
def any_version(draw: st.DrawFn) -> Version:
    """A graph without cycles: whatever stands later may be led to, several at once when all of them listen."""
    kinds = ["message"] + [draw(st.sampled_from(["message", "event", "reaction", "reaction", "wait", "condition"])) for _ in NAMES[1:]]
    return builders.version(
        *(_node(draw, index, kinds) for index in range(len(NAMES))),
        definitions=[builders.purchase_definition(), REFUND],
        entry=_onward(draw, -1, kinds),
        global_timeout=draw(st.sampled_from(["PT3H", "PT6H", "P2D"])),
    )


def _node(draw: st.DrawFn, index: int, kinds: list[str]) -> dict[str, Any]:
    kind = kinds[index]
    node: dict[str, Any] = {"id": NAMES[index], "kind": kind}
    if kind == "condition":
        test = builders.rule(*draw(st.sampled_from([("city", "=", "Atlanta"), ("event.product", "=", "Rug"), ("city", "=", "Rome")])))
        node["branches"] = [{"id": draw(st.sampled_from(["yes", "error"])), "when": test, "next": _onward(draw, index, kinds)}]
        return node | ({"otherwise": _onward(draw, index, kinds)} if draw(st.booleans()) else {})
    node["next"] = _onward(draw, index, kinds)
    if kind == "message":
        node["message"] = draw(st.sampled_from(["both", "mail"]))
        node |= {"error": _onward(draw, index, kinds)} if draw(st.booleans()) else {}
    elif kind == "wait":
        node["for"] = draw(LENGTHS)
    elif kind == "event":
        node["event"] = draw(st.sampled_from(["purchase", "refund"]))
        node |= {"where": builders.rule("product", "=", "Lamp")} if draw(st.booleans()) else {}
    else:
        earlier = [NAMES[at] for at in range(index) if kinds[at] == "message"] or [NAMES[0]]
        node |= {"of": draw(st.sampled_from(earlier)), "to": draw(st.sampled_from(["email.opened", "push.opened"]))}
    if kind in ("event", "reaction") and draw(st.booleans()):
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
OCCURS = st.builds(
    lambda at, name, more, number: Occurs(at, name, (builders.THANKS if name == "purchase" else {}) | {"product": more}, f"e{number}"),
    INSTANTS, st.sampled_from(["purchase", "purchase", "refund", "sneeze"]), st.sampled_from(["Lamp", "Rug"]), st.integers(0, 5),
)  # fmt: skip
LENGTH = st.integers(0, 4).map(lambda half_hours: half_hours * HALF_HOUR)


@st.composite
def any_script(draw: st.DrawFn, version: Version) -> Script:
    """Mostly what the journey listens for, so that something comes of it."""
    journey = version.journey
    heard = [(node.of, node.to) for node in journey.nodes if isinstance(node, Reaction)]
    acting = [node.id for node in journey.nodes if node.kind in ("message", "event", "condition")] or [NAMES[0]]
    reactions = st.sampled_from([*heard, *heard, *((name, "push.clicked") for name in acting[:1])]).map(list)
    reacts = st.builds(lambda at, what: Reacts(at, *what), INSTANTS, reactions)
    deliveries = st.frozensets(st.tuples(st.sampled_from(acting), st.sampled_from(["email", "push"])), max_size=2)
    return Script(
        tuple(draw(st.lists(reacts | reacts | OCCURS, max_size=8))),
        draw(st.dictionaries(st.sampled_from(acting), LENGTH, max_size=4)),
        draw(deliveries),
        draw(deliveries),
    )


PEOPLE = st.builds(
    lambda consents, tokens, email: ProfileDocument.model_validate(
        {"id": PERSON, "attributes": {"city": "Atlanta"} | ({"email": email} if email else {}), "identities": {"customer_id": PERSON},
         "consents": consents, "push_tokens": [{"token": token} for token in tokens]}
    ),
    st.dictionaries(st.sampled_from(["email", "push"]), st.booleans(), max_size=1), st.sampled_from([["t"], ["t"], []]),
    st.sampled_from(["ada@example.org", "ada@example.org", "barred@example.org", ""]),
)  # fmt: skip
WORLD = World(
    messages={"both": builders.message("both", "email", "push"), "mail": builders.message("mail", "email")},
    definitions=(builders.purchase_definition(), REFUND),
    suppressed=frozenset({("email", "Barred@Example.org")}),
)


NODES = builders.use_case_nodes()
NODES[3]["timeout"]["after"] = "PT2H"
USE_CASE = builders.use_case(nodes=NODES, global_timeout="PT5H")


@pytest.fixture(scope="module")
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(writes=True) as opened:
        yield opened


def assert_same(connection: Connection, version: Version, script: Script, person: ProfileDocument, world: World = WORLD) -> Story:
    """Play the script to both, and leave nothing in the database."""
    driver = Driver(connection, version, script, world, person)
    with connection.begin() as transaction:
        found = driver.play()
        transaction.rollback()
    story = simulate(version, driver.profile, script, world, key=PERSON)
    told = Found(
        story.path,
        tuple((told.id, told.node, told.channel, told.status, told.reason) for told in story.deliveries),
        story.effects,
        (story.end, story.end_node, story.ended_at),
    )
    assert told == found
    return story


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(any_version().flatmap(lambda version: st.tuples(st.just(version), any_script(version))), PEOPLE)
def test_of_any_journey_the_simulator_tells_what_the_store_does(
    connection: Connection, played: tuple[Version, Script], person: ProfileDocument
) -> None:  # fmt: skip
    story = assert_same(connection, *played, person)
    for effect in story.effects:
        event(effect.code)
    event(f"ends with {story.end}")


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(any_script(USE_CASE), PEOPLE)
def test_of_the_use_case_the_simulator_tells_what_the_store_does(connection: Connection, script: Script, person: ProfileDocument) -> None:
    story = assert_same(connection, USE_CASE, script, person, replace(WORLD, messages=builders.use_case_messages()))
    event(" ".join((*story.path, story.end)))


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True, scope="session")  # where each statement goes to a server and back
@settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
@given(any_version().flatmap(lambda version: st.tuples(st.just(version), any_script(version))), PEOPLE)
def test_so_it_does_on_postgresql(connection: Connection, played: tuple[Version, Script], person: ProfileDocument) -> None:
    assert_same(connection, *played, person)

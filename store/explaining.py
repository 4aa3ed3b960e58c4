"""Why an entrant is where it is: every event that its person gave cause for, and what it meant to them there. It changes nothing.

What counted stands in the store already (steps, kept, discards); journey/explaining.py says the rest, rule by rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, bindparam, select

from journey import explaining, ids, matching, walk
from journey.errors import NotFound
from journey.events import Event, Instant
from journey.explaining import NodeSaid, Said
from journey.graph import EventNode
from journey.matching import About
from journey.version import Version
from journey.walk import Place
from store import acceptance, definitions, entrants, knowing, profiles, schema, versions
from store.acceptance import Arrived, Policy, Verdict
from store.entrants import Entrant
from store.statements import Statement
from store.versions import frozen_version
from store.work import Work

MOST = 200
"""Events of one entrant that are explained: the last ones."""
Effect = Literal["entered", "decided", "ended", "kept", "none"]


@dataclass(frozen=True, slots=True)
class Heard:
    """One event and what it meant to one entrant: it let them in, decided a gate, ended them by an exit criterion, is kept, or did
    nothing.

    `node` is the one that it decided; `code` and `sentence` say why it did nothing.

    `place` is where the entrant stood then, `waiting` whether it waited there or was under way; `nodes` is what each node there had to
    say, empty for somebody under way to a node that acts.
    """

    source: str
    id: str
    name: str
    accepted_at: Instant
    effect: Effect
    node: str
    code: str
    sentence: str
    place: tuple[str, ...]
    waiting: bool
    nodes: tuple[NodeSaid, ...]


@dataclass(frozen=True, slots=True)
class Listener:
    """An open entrant of the person of an event: where it stands, and what each node there says to the event."""

    entrant: str
    journey: str
    version: str
    place: tuple[str, ...]
    waiting: bool
    until: Instant | None
    nodes: tuple[NodeSaid, ...]


@dataclass(frozen=True, slots=True)
class Foretold:
    """What would become of an event: the verdict, word for word the one that sending it would give; every definition's opinion of it; and
    the entrants of its person, empty where nobody is found. `entries` is what each version says to it that an event of its name may open;
    whether somebody may enter, whom it wants, is in the verdict."""

    verdict: Verdict
    definitions: tuple[tuple[str, Said], ...]
    listeners: tuple[Listener, ...]
    entries: tuple[tuple[str, Said], ...] = ()


def heard(connection: Connection, entrant_id: str) -> list[Heard]:
    """The events since an entrant came in, oldest first. Raises NotFound."""
    row = connection.execute(_ENTRANT, {"entrant": entrant_id}).mappings().first()
    if row is None:
        raise NotFound(f"There is no entrant {entrant_id}.")
    version = frozen_version(connection, row["hash"])
    steps = connection.execute(_STEPS, {"entrant": entrant_id}).mappings().all()
    passage = _Passage(_walked(connection, row, steps), row, steps, _about(connection, version, row))
    known = {"entrant": entrant_id}
    passage.kept = {(kept.source, kept.event) for kept in connection.execute(_KEPT, known)}
    of_person = connection.execute(_DISCARDED, known | {"profile": row["profile"]})
    passage.discarded = {
        (one.source, one.event): (one.code, one.detail)
        for one in of_person
        if one.entrant or one.version.partition("@")[0] == row["journey"]
    }
    until = row["ended_at"] if row["ended_at"] is not None else _EVER
    of = {"profile": row["profile"], "since": row["entered_at"], "source": row["entry_source"], "entry": row["entry_event"]}
    found = connection.execute(_EVENTS, of | {"until": until}).mappings().all()
    events = [_event(one) for one in reversed(found) if ids.is_heard_in(one["source"], row["version"])]
    return [passage.hears(event) for event in events if not event.is_reaction or event.data.get("entrant") == entrant_id]


def foretell(work: Work, arrived: Arrived, policy: Policy) -> Foretold:
    """What would become of an event that is sent now. It is accepted in full: take the unit of work back."""
    named = tuple((name, explaining.definition(of, arrived.event)) for name, of in sorted(definitions.all_of(work.connection).items()))
    before = {entrant.id: entrant for entrant in _inside(work, arrived)}
    coming = replace(arrived.event, accepted_at=work.now())
    told = {one.id: _listener(work, one, coming) for one in before.values()}
    entries = tuple(_entries(work, replace(coming, profile=acceptance.profile_of(work, arrived))))
    verdict = acceptance.accept(work, arrived, policy)
    return Foretold(verdict, named, tuple(told.values()), entries)


def _entries(work: Work, event: Event) -> Iterator[tuple[str, Said]]:
    person = profiles.read(work.connection, event.profile)
    for row, definition in versions.begun_by_an_event(work.connection, event.name):
        frozen = frozen_version(work.connection, row.hash)
        entry = frozen.journey.entry_node
        if isinstance(entry, EventNode):
            about = About(person.attributes if person is not None else {}, gather=knowing.before(work.connection, frozen, event.profile))
            said = explaining.entry(entry, definition, event, about)
            if not said.fits and matching.settles_until(frozen, definition, event) is not None:
                said = replace(said, sentence=f"{said.sentence} It is asked again at each write of the profile, for {entry.settle_for}.")
            yield row.id, said


Walked = tuple[tuple[int, Version], ...]
"""The versions that somebody walked, each with the step from which on: more than one when they were carried over."""


def _walked(connection: Connection, row: RowMapping, steps: Sequence[RowMapping]) -> Walked:
    moves = [step for step in steps if step["to_version"]]
    names = [moves[0]["from_version"] if moves else row["version"], *(step["to_version"] for step in moves)]
    since = [0, *(step["n"] for step in moves)]
    return tuple((n, frozen_version(connection, versions.row(connection, name).hash)) for n, name in zip(since, names, strict=True))


@dataclass
class _Passage:
    """One entrant's way so far, asked about one event after the other."""

    walked: Walked
    row: RowMapping
    steps: Sequence[RowMapping]
    about: About
    kept: set[tuple[str, str]] | None = None
    discarded: Mapping[tuple[str, str], tuple[str, str]] | None = None

    def hears(self, event: Event) -> Heard:
        key = (event.source, event.id)
        if (self.row["entry_source"], self.row["entry_event"]) == key:
            return self._said(event, "", False, "entered", "", "", "It let the entrant in.")
        place, waiting = self._stood(event.accepted_at)
        decided = next((step for step in self.steps if (step["by_source"], step["by_event"]) == key), None)
        if decided is not None:
            before = [step for step in self.steps if step["n"] < decided["n"]]
            place = before[-1]["place"] if before else place
            return self._said(event, place, waiting, "decided", decided["left"], "", "It decided the gate.", decided["n"] - 1)
        if (self.row["won_source"], self.row["won_event"]) == key:
            return self._said(event, self.row["place"], waiting, "decided", self.row["won_node"], "", "It has decided the gate.")
        criterion, _, by = self.row["ending_detail"].partition(" (")
        if by == f"{event.source}/{event.id})":
            return self._said(event, place, waiting, "ended", "", "", f"It met the exit criterion {criterion!r}.")
        if key in (self.kept or ()):
            return self._said(event, place, waiting, "kept", "", "", "It is kept for the gate that comes next.")
        code, sentence = (self.discarded or {}).get(key, ("", ""))
        return self._said(event, place, waiting, "none", "", code, sentence or self._why_not(place, waiting))

    def _said(
        self, event: Event, place: Place, waiting: bool, effect: Effect, node: str, code: str, sentence: str, n: int | None = None
    ) -> Heard:  # fmt: skip
        """`n` is the step that led to the place; the last that was closed when the event came, when nothing is said."""
        version = self._version(self._step_at(event.accepted_at) if n is None else n)
        nodes = _nodes(version, self.row["id"], place, event, self.about)
        return Heard(
            event.source, event.id, event.name, event.accepted_at, effect, node, code, sentence, walk.nodes_of(place), waiting, nodes
        )

    def _step_at(self, at: Instant) -> int:
        """The last step that was closed by an instant."""
        return max((step["n"] for step in self.steps if step["closed_at"] is not None and step["closed_at"] <= at), default=0)

    def _version(self, n: int) -> Version:
        """The version that the entrant walked after this step."""
        return [version for since, version in self.walked if since <= n][-1]

    def _stood(self, at: Instant) -> tuple[Place, bool]:
        """Where the entrant stood at an instant, and whether it waited there: the last step that was closed by then led there."""
        moved_since = any(step["to_version"] and step["closed_at"] > at for step in self.steps)  # they keep the instant of their arrival
        if self.row["waiting"] and self.row["arrived_at"] is not None and at >= self.row["arrived_at"] and not moved_since:
            return self.row["place"], True
        place, opened = "", False
        for step in self.steps:
            if step["closed_at"] is not None and step["closed_at"] <= at:
                place, opened = step["place"], False
            elif step["opened_at"] is not None and step["opened_at"] <= at:
                opened = True
        gate = bool(place) and isinstance(walk.ask(self._version(self._step_at(at)).journey, place), walk.Listen)
        return place, gate and not opened

    def _why_not(self, place: Place, waiting: bool) -> str:
        if waiting:
            return "No node of the gate is decided by it."
        return "It found the entrant under way, and no gate behind that wanted it." if place else "The entrant was at its end."


def _nodes(version: Version, entrant: str, place: Place, event: Event, about: About) -> tuple[NodeSaid, ...]:
    if not place or not isinstance(walk.ask(version.journey, place), walk.Listen):
        return ()
    return tuple(explaining.node(version, entrant, version.journey.node(node), event, about) for node in walk.nodes_of(place))


def _inside(work: Work, arrived: Arrived) -> list[Entrant]:
    profile = acceptance.profile_of(work, arrived)
    return entrants.open_of(work, profile, arrived.event.source) if profile else []


def _listener(work: Work, entrant: Entrant, event: Event) -> Listener:
    nodes = _nodes(entrant.frozen, entrant.id, entrant.place, event, knowing.about(work, entrant))
    return Listener(entrant.id, entrant.journey, entrant.version, walk.nodes_of(entrant.place), entrant.waiting, entrant.until, nodes)


def _about(connection: Connection, version: Version, row: RowMapping) -> About:
    """What a `where` may ask beside the event, as it is now: the values of then are not kept. What was before an event is."""
    profile = profiles.read(connection, row["profile"])
    entry = _ENTRY.scalar(connection, {"source": row["entry_source"], "event": row["entry_event"]})
    before = knowing.before(connection, version, row["profile"])
    return About(profile.attributes if profile is not None else {}, entry if isinstance(entry, dict) else {}, before)


def _event(row: RowMapping) -> Event:
    data: dict[str, Any] = row["data"] if isinstance(row["data"], dict) else {}
    return Event(row["source"], row["id"], row["name"], data, row["profile"], row["occurred_at"], row["accepted_at"])


_EVER = 2**62
_events, _entrants, _steps = schema.events.c, schema.entrants.c, schema.steps.c
_ENTRANT = (
    select(schema.entrants, schema.versions.c.hash)
    .join(schema.versions, schema.versions.c.id == _entrants.version)
    .where(_entrants.id == bindparam("entrant"))
)
_STEPS = select(schema.steps).where(_steps.entrant == bindparam("entrant")).order_by(_steps.n)
_KEPT = select(schema.kept.c.source, schema.kept.c.event).where(schema.kept.c.entrant == bindparam("entrant"))
_DISCARDED = select(schema.discards).where(  # of the entrant; or of nobody, as of who may not enter their journey again
    schema.discards.c.profile == bindparam("profile"),
    schema.discards.c.event != "",
    schema.discards.c.entrant.in_([bindparam("entrant"), ""]),
)
_ENTRY = Statement(select(_events.data).where(_events.source == bindparam("source"), _events.id == bindparam("event")))
_EVENTS = (
    select(schema.events)
    .where(
        _events.profile == bindparam("profile"),
        _events.accepted_at <= bindparam("until"),
        # what let them in may have waited for that (settling.py)
        (_events.accepted_at >= bindparam("since")) | ((_events.source == bindparam("source")) & (_events.id == bindparam("entry"))),
    )
    .order_by(_events.accepted_at.desc(), _events.id.desc())
    .limit(MOST)
)

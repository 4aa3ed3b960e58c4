"""An event is accepted: in one commit it is kept, finds its person, and decides what its person waits for (D5).

What it decided is returned, to be signalled after the commit; nothing is signalled from here. An event that won nowhere and that nobody
keeps is a discard, once, with its reason (G7).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import bindparam

from journey import events, gate, ids, matching, sentences
from journey.entrance import Refusal
from journey.events import Event, EventDefinition
from journey.profiles import Profile
from store import definitions, deliveries, entering, entrants, hearing, in_review, knowing, profiles, schema, settling, versions, whose
from store.admission import Start
from store.entrants import Entrant
from store.statements import Row, Statement
from store.upserts import insert_new
from store.versions import VersionRow
from store.work import Decided, Work


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event as it came: whose it is stands in a namespace and key, or in its data, where a definition finds it."""

    event: Event
    namespace: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """Whether an unknown person is made, and how old an event may be, in seconds, to still start or wake something."""

    create_profiles: bool = True
    too_old_seconds: int = 86400


Word = Literal["duplicate", "discarded", "decided", "entered", "kept"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an event. An empty code: it decided something, let somebody in, ended them or is kept; else the code of its discard.

    `entered` are those it let in, whose workflows are to be started.
    """

    duplicate: bool = False
    code: str = ""
    detail: str = ""
    decided: tuple[Decided, ...] = ()
    entered: tuple[Start, ...] = ()

    @property
    def word(self) -> Word:
        """It in one word."""
        if self.duplicate:
            return "duplicate"
        if self.code:
            return "discarded"
        return "decided" if self.decided else "entered" if self.entered else "kept"


def accept(work: Work, arrived: Arrived, policy: Policy) -> Verdict:
    """Accept an event about somebody. A repeat of (source, id) has no second effect."""
    return _noted(work, _accept(work, arrived, policy))


def _noted(work: Work, verdict: Verdict) -> Verdict:
    work.noted["event", verdict.word] += 1
    return verdict


def _accept(work: Work, arrived: Arrived, policy: Policy) -> Verdict:
    event = arrived.event
    if not _insert(work, event):
        return Verdict(duplicate=True)
    try:
        profile = _person(work, arrived, policy)
    except whose.Unfit as unfit:
        _stamp(work, replace(event, accepted_at=work.now()))
        return _discard(work, event, unfit.code, unfit.detail)
    event = replace(event, profile=profile)
    inside = entrants.open_of(work, profile, event.source)
    event = replace(event, accepted_at=work.now())
    if event.occurred_at is not None and event.accepted_at - event.occurred_at > policy.too_old_seconds * gate.MICROSECONDS:
        _stamp(work, event)
        return _discard(work, event, "too_old", f"It happened more than {policy.too_old_seconds} s before it came.")
    return _hear(work, event, inside)


def accept_fired(work: Work, event: Event, version: VersionRow) -> Verdict:
    """Accept an event that was fired in the test session of this version: it is heard by the entrants of its person in that alone, and
    lets in nowhere else. A repeat has no second effect."""
    if not _insert(work, event):
        return Verdict(duplicate=True)
    inside = entrants.open_of(work, event.profile, event.source)
    return _hear(work, replace(event, accepted_at=work.now()), inside, ("", version.id), version)


def react(work: Work, delivery: str, kind: str, link: str = "") -> Verdict:
    """Accept that somebody has opened or clicked a delivery: a fact of the delivery, and an event for its own entrant alone (G5).

    Raises NotFound when there is no such delivery, or it was never sent. To one that is forgotten it is late, on record once.
    """
    try:
        row = deliveries.named(work, delivery)
    except deliveries.Forgotten as old:
        event = events.reaction(delivery, "", kind, profile=old.profile, link=link)
        work.discard_once("late", event.source, event.id, old.sentence)
        return _noted(work, Verdict(False, "late", old.sentence))
    return came_back(work, row, kind, link=link)


def by_machine(work: Work, delivery: str, kind: str) -> None:
    """A machine that says it is one has opened or clicked a delivery: a fact of it, which decides nothing. Raises NotFound as `react`
    does."""
    with suppress(deliveries.Forgotten):
        row = deliveries.named(work, delivery)
        deliveries.fact(work, row, f"{kind}_by_machine", work.now())
        if row.status == "uncertain":
            deliveries.was_sent(work, row)


def unsubscribe(work: Work, delivery: str) -> Verdict:
    """Somebody wants no more of this channel: as `opt_out`, and a reaction as any. Raises NotFound as `react` does."""
    try:
        row = deliveries.named(work, delivery)
    except deliveries.Forgotten as old:
        _withdraw(work, old.mode, old.profile, ids.read_delivery(delivery).channel)
        return react(work, delivery, "unsubscribed")
    opt_out(work, row)
    return came_back(work, row, "unsubscribed")


def opt_out(work: Work, row: Row) -> None:
    """The person's consent to the channel of a delivery is withdrawn, unless that was a test."""
    _withdraw(work, row.mode, row.profile, row.channel)


def came_back(work: Work, row: Row, kind: str, *, link: str = "", bounce: str = "") -> Verdict:
    """Accept a reaction to a delivery, which is a row of its table: what its person did, or its provider says of it."""
    event = events.reaction(deliveries.name_of(row), row.node, kind, profile=row.profile, link=link, bounce=bounce)
    if not _insert(work, event):
        return _noted(work, Verdict(duplicate=True))
    entrant = entrants.lock(work, row.entrant)
    now = work.now()
    deliveries.fact(work, row, kind, now)
    if row.status == "uncertain":  # what comes back was taken by the provider (M1)
        deliveries.was_sent(work, row)
        if entrant is not None and in_review.holds(entrant, row.node):
            in_review.forget(work, row.entrant, row.n)
    inside = [entrant] if entrant is not None and entrant.state == "open" else []
    return _noted(work, _hear(work, replace(event, accepted_at=now), inside, (row.entrant, row.version)))


def _withdraw(work: Work, mode: str, profile: str, channel: str) -> None:
    if mode == "live" and profiles.read(work.connection, profile) is not None:  # who was deleted meanwhile gets nothing any more anyway
        profiles.patch(work, profile, consents={channel: False})


def _hear(
    work: Work, event: Event, inside: list[Entrant], about: tuple[str, str] = ("", ""), tested: VersionRow | None = None
) -> Verdict:  # fmt: skip
    """`about` names the entrant and version that a reaction is to; for other events the one entrant inside, if there is just one. What
    was fired in a test lets in nowhere but in the version that is `tested`."""
    begun = [] if event.is_reaction else versions.begun_by_an_event(work.connection, event.name, tested)
    heard = hearing.hear(work, event, inside)
    entered, refusals, settles = _enter(work, event, begun, heard.journeys, tested)
    _stamp(work, event, won=bool(heard.decided or entered))
    if heard.journeys or entered or settles:
        return Verdict(decided=heard.decided, entered=entered)
    if refusals:
        return Verdict(code=refusals[0].code, detail=refusals[0].detail)
    if len(inside) == 1:
        about = (inside[0].id, inside[0].version)
    return _discard(work, event, *_why_not(work, event, inside), about)


def _enter(
    work: Work, event: Event, begun: Sequence[tuple[VersionRow, EventDefinition]], heard: frozenset[str], tested: VersionRow | None
) -> tuple[tuple[Start, ...], tuple[Refusal, ...], bool]:  # fmt: skip
    """Let the event's person into every live version that it opens, or into the one that is tested, but where they are inside and it
    was heard: those are `begun` by one of its name. Whoever is refused has their reason on record, for each version. The third value says
    whether a version asks again when the profile is written."""
    entered: list[Start] = []
    refusals: list[Refusal] = []
    settles = False
    profile: Profile | None = None
    entry = (event.source, event.id)
    mode = entering.LIVE if tested is None else entering.TEST
    for version, definition in begun:
        if version.journey in heard or not matching.definition_fits(definition, event):
            continue
        profile = profile or profiles.read(work.connection, event.profile) or Profile(event.profile)
        frozen = versions.frozen_version(work.connection, version.hash)
        before = knowing.before(work.connection, frozen, event.profile)
        if not matching.enters(frozen, definition, event, profile.attributes, before):
            until = matching.settles_until(frozen, definition, event)
            if until is None:
                continue
            if not matching.enters(frozen, definition, event, profiles.attributes_for_gate(work, event.profile), before):
                settling.keep(work, version.id, event, until)
                settles = True
                continue
        found = entering.let_in(work, version, event.profile, entry=entry, mode=mode, said=sentences.entered(definition.id))
        if isinstance(found, Refusal):
            entering.refuse(work, version, event.profile, found, entry=entry)
            refusals.append(found)
        else:
            entered.append(found)
    return tuple(entered), tuple(refusals), settles


def _why_not(work: Work, event: Event, inside: list[Entrant]) -> tuple[str, str]:
    if event.is_reaction:
        return "late", "Nobody waits for it any more."
    known = definitions.of_event(work.connection, event.name)
    known += [definition for entrant in inside for definition in entrant.frozen.events.values()]
    if not any(matching.definition_fits(definition, event) for definition in known):
        return "no_definition", f"No event definition fits {event.name!r} and what is in it."
    return "nobody_listening", "Its person is in no journey that waits for it now."


def _discard(work: Work, event: Event, code: str, detail: str, about: tuple[str, str] = ("", "")) -> Verdict:
    entrant, version = about
    work.discard(code, source=event.source, event=event.id, profile=event.profile, entrant=entrant, version=version, detail=detail)
    return Verdict(code=code, detail=detail)


def profile_of(work: Work, arrived: Arrived) -> str:
    """The profile id of whoever the event is about; empty when nobody is found, and nobody is made."""
    try:
        return _person(work, arrived, Policy(create_profiles=False))
    except whose.Unfit:
        return ""


def _person(work: Work, arrived: Arrived, policy: Policy) -> str:
    """The profile id of whoever the event is about: by its namespace and key, else by the first definition that fits."""
    namespace, key = arrived.namespace, arrived.key
    if not namespace:
        namespace, key = whose.named_by_definition(work, arrived.event)
    if not key:
        raise whose.Unfit("no_key", "The event names nobody: give it a namespace and a key.")
    return whose.person(work, namespace, key, create=policy.create_profiles)


def _insert(work: Work, event: Event) -> bool:
    """Keep the event; False when it is there already. It comes before all locks (D4), so its instant is stamped later."""
    row = {"source": event.source, "id": event.id, "profile": event.profile, "name": event.name, "data": event.data,
           "occurred_at": event.occurred_at, "accepted_at": event.accepted_at or None, "won": False}  # fmt: skip
    return insert_new(work.connection, schema.events, row)


def _stamp(work: Work, event: Event, *, won: bool = False) -> None:
    """Whose it is, when it was accepted, and whether it has decided a gate: known only after the locks are held."""
    stamp = {"source_": event.source, "id_": event.id, "profile": event.profile, "accepted_at": event.accepted_at, "won": won}
    work.write(_STAMP, stamp)


_STAMP = Statement(
    schema.events.update()
    .where(schema.events.c.source == bindparam("source_"), schema.events.c.id == bindparam("id_"))
    .values({name: bindparam(name) for name in ("profile", "accepted_at", "won")})
)

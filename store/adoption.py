"""Somebody whose workflow runs and whom the store does not know is adopted: an older database was restored beside a newer server.

A row is written as of an admission: step 0, led behind the entry. The workflow, wherever it is, hears of that at its next question and
goes on from there, so what it was sent since the backup may be sent again. It knows no workflow: what runs is told to it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, text

from journey import durations, gate, ids, walk
from journey.contract import LeftAlone
from journey.errors import NotFound
from journey.events import Instant
from journey.version import Version
from store import profiles, schema, versions
from store.entrants import DECIDED_DUE
from store.versions import VersionRow
from store.work import Work

ADOPTED = "adopted: its workflow was running and this database did not know of it"
_AT_ONCE = 5_000

_identities, _entrants = schema.identities.c, schema.entrants.c
_VALUES = (
    select(_identities.value)
    .where(_identities.namespace == bindparam("namespace"), _identities.value > bindparam("after"))
    .order_by(_identities.value)
    .limit(_AT_ONCE)
)  # fmt: skip
_OF_KEY = select(_entrants.id).where(
    _entrants.journey == bindparam("journey"), _entrants.mode == "live", _entrants.key == bindparam("key"), text("entrants.state = 'open'")
)


@dataclass(frozen=True, slots=True)
class Running:
    """A workflow that runs, by what it was started with: its id, the version and the hash of what that froze; and when that was."""

    entrant: str
    version: str
    hash: str
    started_at: Instant


def hidden_keys(connection: Connection, running: Sequence[Running]) -> dict[str, str]:
    """The keys that stand in these ids as their hash only, by that hash: the identities are hashed until all are found."""
    wanted: dict[str, set[str]] = {}
    for one in running:
        with contextlib.suppress(ValueError, NotFound):  # `adopt` says what is wrong with it
            name = ids.read_entrant(one.entrant)
            if name.key is None:
                frozen = versions.frozen_version(connection, versions.row(connection, one.version).hash)
                wanted.setdefault(frozen.journey.namespace, set()).add(name.readable)
    found: dict[str, str] = {}
    for namespace, readable in wanted.items():
        after = ""
        while readable and (values := connection.execute(_VALUES, {"namespace": namespace, "after": after}).scalars().all()):
            found |= {ids.readable(value): value for value in values if ids.readable(value) in readable}
            readable -= found.keys()
            after = values[-1]
    return found


def adopt(work: Work, running: Running, hidden: Mapping[str, str]) -> LeftAlone | None:
    """Write a row for a running workflow; None when it has one from now on, or had one. `hidden` is what `hidden_keys` has found."""
    try:
        name = ids.read_entrant(running.entrant)
    except ValueError:
        return LeftAlone(running.entrant, "not_an_entrant", "Its id is none that Sojourn builds: terminate it in the Temporal UI.")
    try:
        version = versions.row(work.connection, running.version)
    except NotFound:
        return LeftAlone(
            running.entrant,
            "version_unknown",
            f"{running.version} is not in this database: publish what it was, or terminate the workflow.",
        )
    if version.hash != running.hash or version.journey != name.journey:
        return LeftAlone(running.entrant, "version_changed", f"{version.id} is another graph in this database: terminate the workflow.")
    if work.connection.execute(select(_entrants.id).where(_entrants.id == running.entrant)).first() is not None:
        return None
    frozen = versions.frozen_version(work.connection, version.hash)
    namespace = frozen.journey.namespace
    key = name.key if name.key is not None else hidden.get(name.readable)
    profile = profiles.find(work.connection, namespace, key) if key is not None else None
    if key is None or profile is None:
        said = f"Nobody here has that {namespace}: import the profile and reconcile again, or terminate the workflow."
        return LeftAlone(running.entrant, "profile_unknown", said)
    inside = work.connection.execute(_OF_KEY, {"journey": name.journey, "key": key}).scalar()
    if inside is not None:
        return LeftAlone(
            running.entrant, "already_inside", f"{inside} is the same person, admitted anew since the restore: terminate this workflow."
        )
    _insert(work, running, version, frozen, key, name.number, profile)
    return None


def _insert(work: Work, running: Running, version: VersionRow, frozen: Version, key: str, number: int, profile: str) -> None:
    """Its time in the journey counts from when it entered, its time at a first gate from now."""
    now = work.now()
    place, entry = walk.first(frozen.journey), walk.entry(frozen.journey)
    waiting = isinstance(walk.ask(frozen.journey, place), walk.Listen)
    until = gate.build(frozen.journey, place, now).due_at or None if waiting else None
    last = running.started_at + durations.seconds(frozen.journey.global_timeout) * gate.MICROSECONDS
    row = {
        "id": running.entrant, "journey": version.journey, "version": version.id, "mode": "live", "key": key, "number": number,
        "profile": profile, "run": "", "entered_at": running.started_at, "state": "open", "n": 0, "closed": True, "place": place,
        "waiting": waiting, "arrived_at": now, "until": until, "due": min(until or last, last) if waiting else now + DECIDED_DUE,
    }  # fmt: skip
    work.connection.execute(schema.entrants.insert(), row)
    step = {"entrant": running.entrant, "n": 0, "node": entry, "opened_at": now, "closed_at": now, "outcome": "next", "place": place}
    work.connection.execute(schema.steps.insert(), step | {"said": ADOPTED})
    facts = [(entry, kind, "") for kind in ("entered", "arrived", "left.next")]
    facts += [(node, "arrived", "") for node in walk.nodes_of(place)] if waiting else []
    work.record(running.entrant, 0, version.id, "live", now, facts)

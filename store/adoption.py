"""Somebody whose workflow runs and whom the store does not know is adopted: an older database was restored beside a newer server.

A row is written as of an admission: step 0, led behind the entry. The workflow, wherever it is, hears of that at its next question and
goes on from there, so what it was sent since the backup may be sent again. It knows no workflow: what runs is told to it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, text

from journey import ids
from journey.contract import LeftAlone
from journey.errors import NotFound
from journey.events import Instant
from store import admission, profiles, schema, versions
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
    if name.test:
        return LeftAlone(running.entrant, "test", "It belongs to a test of before the restore: terminate the workflow, and test again.")
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
    now = work.now()  # their time in the journey counts from when they entered, their time at a first gate from now
    row = admission.row_of(running.entrant, version, frozen, "", key, name.number, profile, running.started_at, now)
    admission.insert(work, version, frozen, [row], now, ADOPTED)
    return None

"""What an update_profile node does: it writes attributes in the commit of its stop, whole or not at all. It knows no sending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from journey import liquid_values, rules, sentences, updating
from journey.contract import Proposal
from journey.errors import NotFound
from journey.events import Instant
from journey.graph import UpdateProfile
from journey.profiles import Profile
from journey.updating import Misfit
from store import changes, knowing, profiles
from store.entrants import Entrant
from store.work import Work


@dataclass(frozen=True, slots=True)
class Done:
    """How a node is left that is done within a commit: its exit, what it says of itself, its facts (node, kind, channel), and why a
    condition was left so (journey/deciding.py)."""

    exit: str
    said: str = ""
    facts: tuple[tuple[str, str, str], ...] = ()
    why: tuple[dict[str, Any], ...] = ()


def write(work: Work, entrant: Entrant, node: UpdateProfile, proposal: Proposal, now: Instant) -> Done:
    """Write what the node sets. The profile is locked before it is read, so that a value made of the one before is exact.

    A value that does not fit writes nothing, leaves by error, and is a fact with its reason.
    """
    try:
        known = profiles.locked(work, entrant.profile).attributes
    except NotFound:
        return _nothing(node, Misfit("the profile", "no_profile", ""))
    entry = knowing.entry_of(work, entrant)
    event, calls = knowing.event_of(work, proposal, entry), knowing.answered(work, entrant)
    scope = rules.Scope.of_profile(known, event=event, entry=entry, calls=calls)
    person = Profile(entrant.profile, known)
    names = liquid_values.of(person, journey=entrant.journey, entrant=entrant.id, event=event, entry=entry, calls=calls, now=now)
    found = updating.written(node, entrant.frozen.writes, scope, names)
    if isinstance(found, Misfit):
        return _nothing(node, found)
    changed = {name: value for name, value in found.items() if _differs(known, name, value)}
    if changed:
        set_off = changes.patch(work, entrant.profile, attributes=changed, own=entrant).set_off
        work.aside += [*set_off.entered, *(decided for decided in set_off.decided if decided.entrant != entrant.id)]
    return Done("next", sentences.written(node.id, found, ""))


def _nothing(node: UpdateProfile, why: Misfit) -> Done:
    """What is said of it goes to Temporal: names and codes, no word of a template or a value."""
    said = sentences.written(node.id, (), f"{why.attribute} ({why.code})")
    return Done("error", said, ((node.id, f"failed.{why.code}", ""),))


def _differs(known: Mapping[str, Any], name: str, value: Any) -> bool:
    """Would writing it change anything? 1 and true are two values."""
    if value is None or name not in known:
        return (name in known) == (value is None)
    return type(known[name]) is not type(value) or known[name] != value

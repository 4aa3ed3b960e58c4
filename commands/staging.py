"""Sets the stage for a simulation: a journey of a folder, frozen, with the person who walks and what stands around. It prints nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from commands import folder
from commands.folder import Folder
from journey import past, rules
from journey.errors import BadInput
from journey.freezing import freeze
from journey.graph import EventNode, Journey, reading
from journey.policies import NONE
from journey.profiles import Profile, ProfileDocument
from journey.rule_check import all_leaves
from journey.rule_text import as_tree
from journey.rule_tree import Group, Rule, Test
from journey.simulation import script_text
from journey.simulation.story import World
from journey.version import Version

MADE_UP = ProfileDocument.model_validate(
    {"id": "somebody", "attributes": {"email": "somebody@example.org", "first_name": "Somebody"}, "push_tokens": [{"token": "device"}]}
)
"""Who walks when the folder has nobody: reachable on every channel, and with so little known of them that no message is made out."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that a simulation plays with. `notes` say what a run would make of the person."""

    version: Version
    person: ProfileDocument
    profile: Profile
    world: World
    key: str
    notes: tuple[str, ...]


def prepare(
    path: Path, *, journey: str = "", profile: str = "", begins: str = "", responses: Sequence[str] = (), consent_explicit: bool = False
) -> Stage:  # fmt: skip
    """Reads the folder and freezes the journey. `begins` is when the person enters, now or at the start of the journey unless given;
    `responses` are what webhooks answer. Raises BadInput, or Invalid with every finding."""
    read = opened(path)
    drawn = chosen(read, path, journey)
    version = freeze(drawn, read.surroundings())
    stage = staged(read, version, person(read, drawn, profile), consent_explicit=consent_explicit)
    return replace(stage, world=at(stage.world, version, begins, responses))


def at(world: World, version: Version, begins: str, responses: Sequence[str] = ()) -> World:
    """The world at a date-time, on the journey's clock where it has no offset; now, or when the journey starts, where none is given.
    `responses` are what webhooks answer (script_text.responses). Raises BadInput."""
    starts = script_text.begins_at(begins, version, time.time_ns() // 1000)
    return replace(world, begins=starts, responses=script_text.responses(responses, version))


def staged(read: Folder, version: Version, walks: ProfileDocument, *, consent_explicit: bool = False) -> Stage:
    """The stage for one person, of a journey that is frozen already."""
    drawn = version.journey
    around = replace(world(read, consent_explicit=consent_explicit), renders=walks is not MADE_UP)
    return Stage(version, walks, seen(walks), around, walks.identities.get(drawn.namespace, ""), tuple(notes(read, drawn, walks)))


def opened(path: Path) -> Folder:
    """The folder that a path is, or is a journey's file of. Raises BadInput where it is none, or holds an error."""
    if not path.exists():
        raise BadInput(f"There is no file or folder {path}.")
    read = folder.read(folder.root_of(path))
    read.refuse_faults()
    return read


def chosen(read: Folder, path: Path, wanted: str) -> Journey:
    """The journey that is meant: the file itself, the one that is named, or the only one. Raises BadInput."""
    if path.is_file():
        for entry in read.journeys.values():
            if entry.file.resolve() == path.resolve():
                return entry.document
        raise BadInput(f"{path} is no journey: name a folder, or a file in its journeys/.")
    if wanted in read.journeys:
        return read.journeys[wanted].document
    if len(read.journeys) == 1 and not wanted:
        return next(iter(read.journeys.values())).document
    there = ", ".join(sorted(read.journeys)) or "none"
    raise BadInput(
        f"Which journey of {path}? Name one with --journey: {there}."
        if not wanted
        else f"{path} has no journey {wanted}; there are: {there}."
    )


def person(read: Folder, drawn: Journey, wanted: str) -> ProfileDocument:
    """Whoever is named; else the first that a run would let in."""
    if wanted:
        if wanted not in read.profiles:
            raise BadInput(f"The folder has no profile {wanted}: add a line to profiles.ndjson, or leave the profile out.")
        return read.profiles[wanted].document
    return next(members(read, drawn), MADE_UP)


def members(read: Folder, drawn: Journey) -> Iterator[ProfileDocument]:
    """Everybody in the folder whom a run would let in."""
    for entry in read.profiles.values():
        if not any(notes(read, drawn, entry.document)):
            yield entry.document


def seen(document: ProfileDocument) -> Profile:
    """A profile as a stop reads it."""
    tokens = tuple(token.token for token in document.push_tokens)
    return Profile(document.id, document.attributes, dict(document.consents), tokens, document.test, document.device_zone)


def world(read: Folder, *, consent_explicit: bool = False) -> World:
    """What stands around the journeys of a folder."""
    return World(
        messages={name: entry.document for name, entry in read.messages.items()},
        definitions=tuple(entry.document for entry in read.events.values()),
        suppressed=frozenset((entry.document.channel, entry.document.address) for entry in read.suppressions),
        consent_explicit=consent_explicit,
        policies=read.policies.document if read.policies is not None else NONE,
        segments=trees(read),
    )


def trees(read: Folder) -> dict[str, Rule]:
    """The rules of the folder's segments. Of what its people did nobody knows: where a segment asks for it, they did as it wants."""
    return {name: entry.document.tree for name, entry in read.segments.items()}


def notes(read: Folder, drawn: Journey, walks: ProfileDocument) -> Iterator[str]:
    """Why a run would not let this person in."""
    if walks is MADE_UP:
        yield "The folder has nobody that a run would let in: this is somebody made up, who can be reached on every channel."
        return
    entry = reading(drawn)
    if entry is not None and entry.segment in read.segments:
        rule = read.segments[entry.segment].document.tree
        if not past.may_hold(rule, rules.Scope.of_profile(walks.attributes), trees(read)):
            yield f"{walks.id} is no member of {entry.segment}: a run would not let them in."
    by = drawn.entry_node
    if isinstance(by, EventNode) and not all(rules.evaluate(part, _of_person(walks)) for part in _asked_of_person(by)):
        yield f"{walks.id} is not whom {by.id} asks for: an event of theirs would not let them in."
    if not walks.identities.get(drawn.namespace):
        yield f"{walks.id} has no identity {drawn.namespace}: a run would not let them in (no_identity)."
    if walks.test:
        yield f"{walks.id} is a test profile: a run would leave them out (test_profile)."


def _of_person(walks: ProfileDocument) -> rules.Scope:
    return rules.Scope.of_event({}, profile=walks.attributes)


def _asked_of_person(entry: EventNode) -> Iterator[Rule]:
    """What must be true of a person, whatever is in the event that lets them in."""
    tree = as_tree(entry.where) if entry.where is not None else Group()
    for part in tree.rules if isinstance(tree, Group) and tree.combinator == "and" and not tree.negated else (tree,):
        leaves = list(all_leaves(part))
        if leaves and all(isinstance(one, Test) and all(name.startswith("profile.") for name in rules.fields(one)) for one in leaves):
            yield part

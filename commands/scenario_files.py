"""Reads and plays the scenario files of a folder: `scenarios/NAME.yaml`, or one folder deeper. It prints nothing and knows no server.

Who plays is an argument: the simulator, unless the scenarios are to be played for real (demo/real_scenarios.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from commands import folder, staging
from commands.folder import ENDINGS, Folder, Placed
from journey import documents, squeezing
from journey.documents import Source
from journey.errors import BadInput, Invalid, SojournError
from journey.findings import error
from journey.freezing import freeze
from journey.profiles import Profile, ProfileDocument
from journey.simulation import judging
from journey.simulation.coverage import Coverage, coverage
from journey.simulation.judging import Difference
from journey.simulation.scenarios import Scenario
from journey.simulation.story import Story, World
from journey.version import Version

SCENARIOS = "scenarios"


@dataclass(frozen=True, slots=True)
class Ready:
    """A scenario that can be played: the frozen journey, its person as written and as a stop reads them, and what stands around. `key` is
    their value of the journey's namespace, empty when they have none."""

    scenario: Scenario
    version: Version
    person: ProfileDocument
    profile: Profile
    world: World
    key: str


@dataclass(frozen=True, slots=True)
class Played:
    """What came of playing one: its story, or why there is none; how long it took, and what must be known of it."""

    story: Story | SojournError
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


Player = Callable[[Sequence[Ready]], Sequence[Played]]
"""Plays scenarios, and tells what came of each, in their order."""


def simulated(ready: Sequence[Ready]) -> list[Played]:
    """The scenarios on the simulator, one after the other."""
    return [_simulated(one) for one in ready]


def _simulated(one: Ready) -> Played:
    began = time.perf_counter()
    try:
        story: Story | SojournError = judging.play(one.scenario, one.version, one.profile, one.world, key=one.key)
    except SojournError as fault:
        story = fault
    return Played(story, time.perf_counter() - began)


@dataclass(frozen=True, slots=True)
class Tried:
    """One scenario file. `faults` say why it could not be played, else there is a story, which met all when nothing differs.

    `notes` say what a run would make of the person, and what playing could not do; `seconds` is how long it took. `ready` is what is yet
    to be played.
    """

    id: str
    file: Path
    scenario: Scenario | None = None
    story: Story | None = None
    differences: tuple[Difference, ...] = ()
    faults: tuple[Placed, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    ready: Ready | None = None

    @property
    def passed(self) -> bool:
        return self.story is not None and not self.differences


@dataclass(slots=True)
class Suite:
    """Every scenario of a folder, and how much of each journey they come to. `seconds` is how long playing took."""

    root: Path
    tried: list[Tried] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)
    seconds: float = 0.0


def suites(path: Path) -> list[Path]:
    """The folders that a path holds: itself, or those in it. Raises BadInput when there is none with a journey."""
    if not path.exists():
        raise BadInput(f"There is no file or folder {path}.")
    if path.is_file():
        return [_root_of_file(path)]
    if (path / "journeys").is_dir() or (path / SCENARIOS).is_dir():
        return [path]
    found = sorted(inner for inner in path.iterdir() if (inner / "journeys").is_dir())
    if not found:
        raise BadInput(f"{path} holds no journeys/, and no folder that does: name a folder of documents, or a folder of such folders.")
    return found


def play(root: Path, only: Path | None = None, player: Player = simulated) -> Suite:
    """Plays every scenario of a folder, or one. Raises BadInput when the folder itself has an error, or holds none at all."""
    read = folder.read(root)
    read.refuse_faults()
    suite, versions = Suite(root), dict[str, Version | Invalid]()
    tried = [_tried(read, versions, root, file) for file in ([only] if only is not None else _files(root / SCENARIOS))]
    began = time.perf_counter()
    played = iter(player([one.ready for one in tried if one.ready is not None]))
    suite.seconds = time.perf_counter() - began
    suite.tried = [one if one.ready is None else _judged(one, one.ready, next(played)) for one in tried]
    for name, entry in sorted(read.journeys.items()):
        stories = [one.story for one in suite.tried if one.story is not None and one.scenario is not None and one.scenario.journey == name]
        if only is None or stories:
            suite.coverage.append(coverage(entry.document, stories))
    return suite


def _root_of_file(path: Path) -> Path:
    inside = [parent for parent in path.resolve().parents if parent.name == SCENARIOS]
    if not inside:
        raise BadInput(f"{path} is no scenario: these lie in a folder {SCENARIOS}/ beside journeys/.")
    return inside[-1].parent


def _files(inside: Path) -> list[Path]:
    return sorted(
        file
        for file in inside.rglob("*")
        if file.suffix in ENDINGS and file.is_file() and not any(part.startswith(".") for part in file.relative_to(inside).parts)
    )


def _tried(read: Folder, versions: dict[str, Version | Invalid], root: Path, file: Path) -> Tried:
    inside = file.resolve().relative_to((root / SCENARIOS).resolve())
    name = inside.with_suffix("").as_posix()
    try:
        source = documents.read(file.read_text(encoding="utf-8"))
    except BadInput as fault:
        return Tried(name, file, faults=(_placed(file, fault.line, fault.sentence),))
    except (UnicodeDecodeError, OSError) as fault:
        return Tried(name, file, faults=(_placed(file, 0, f"The file cannot be read as UTF-8: {fault}."),))
    found = documents.load(Scenario, source.data)
    if isinstance(found, tuple):
        said = (
            _placed(file, source.line(one.path), f"{one.path}: {one.sentence}" if one.path else one.sentence, one.path) for one in found
        )
        return Tried(name, file, faults=tuple(said))
    return _ready(read, versions, name, file, source, found)


def _ready(read: Folder, versions: dict[str, Version | Invalid], name: str, file: Path, source: Source, scenario: Scenario) -> Tried:
    faults = tuple(_unplayable(read, versions, scenario))
    if faults:
        placed = tuple(_placed(file, source.line(path), sentence, path) for path, sentence in faults)
        return Tried(name, file, scenario, faults=placed)
    frozen = versions[scenario.journey]
    assert isinstance(frozen, Version)
    try:
        version = squeezing.forced(frozen, scenario.branches)
    except BadInput as fault:
        return Tried(name, file, scenario, faults=(_placed(file, source.line(fault.where), fault.sentence, fault.where),))
    who = _person(read, version, scenario)
    stage = staging.staged(read, version, who)
    wrong = judging.mistakes(scenario, version, stage.world)
    if wrong:
        placed = tuple(_placed(file, source.line(one.path), f"{one.path}: {one.sentence}", one.path) for one in wrong)
        return Tried(name, file, scenario, faults=placed)
    profile, world = judging.around(scenario, stage.profile, stage.world)
    world = replace(world, begins=judging.begins(scenario, version))
    ready = Ready(scenario, version, who.model_copy(update={"consents": dict(profile.consents)}), profile, world, stage.key)
    return Tried(name, file, scenario, notes=stage.notes, ready=ready)


def _judged(tried: Tried, ready: Ready, played: Played) -> Tried:
    if isinstance(played.story, SojournError):
        return replace(tried, faults=(_placed(tried.file, 1, played.story.sentence),))
    differences = judging.judge(ready.scenario, played.story)
    return replace(tried, story=played.story, differences=differences, notes=(*tried.notes, *played.notes), seconds=played.seconds)


def _unplayable(read: Folder, versions: dict[str, Version | Invalid], scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Why nobody can walk: path of the field and sentence. A journey that is there is frozen once for all of its scenarios."""
    entry = read.journeys.get(scenario.journey)
    if entry is None:
        there = ", ".join(sorted(read.journeys)) or "none"
        yield "journey", f"The folder has no journey {scenario.journey}; there are: {there}."
        return
    if scenario.journey not in versions:
        try:
            versions[scenario.journey] = freeze(entry.document, read.surroundings())
        except Invalid as fault:
            versions[scenario.journey] = fault
    frozen = versions[scenario.journey]
    if isinstance(frozen, Invalid):
        yield "journey", f"{frozen.sentence} Run `sojourn validate {entry.file}`."
    if isinstance(scenario.profile, str) and scenario.profile and scenario.profile not in read.profiles:
        yield "profile", f"The folder has no profile {scenario.profile}: add it, or write the whole profile here."


def _person(read: Folder, version: Version, scenario: Scenario) -> ProfileDocument:
    if isinstance(scenario.profile, ProfileDocument):
        return scenario.profile
    return staging.person(read, version.journey, scenario.profile)


def _placed(file: Path, line: int, sentence: str, path: str = "") -> Placed:
    return Placed(file, line, error("bad_input", "", path, sentence))

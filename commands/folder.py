"""Reads a folder of documents (design section 2) with the line of every field. It knows no server and judges nothing but shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from commands import folder_profiles
from journey import documents
from journey.documents import Fault, Source
from journey.errors import BadInput
from journey.events import EventDefinition, Instant
from journey.findings import Finding, error, warning
from journey.graph import Document, Journey
from journey.messages import MessageDocument
from journey.policies import Policies
from journey.profiles import Attribute, ProfileDocument
from journey.segments import SegmentDocument
from journey.surroundings import Surroundings

Kind = Literal["attributes", "policies", "segments", "events", "messages", "journeys", "profiles", "suppressions"]

MODELS: dict[Kind, type[SegmentDocument | EventDefinition | MessageDocument | Journey]] = {
    "segments": SegmentDocument,
    "events": EventDefinition,
    "messages": MessageDocument,
    "journeys": Journey,
}
"""The folders that hold one document a file, in the order in which they are applied."""

ENDINGS = (".yaml", ".yml", ".json")
_D = TypeVar("_D", bound=Document)


class Suppression(Document):
    """An address that nothing is sent to."""

    channel: str
    address: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A finding with the file and the line it is about; line 0 is the file as a whole."""

    file: Path
    line: int
    finding: Finding


@dataclass(frozen=True, slots=True)
class Entry(Generic[_D]):
    """A document with the file it stands in. `source.data` is what was written (not for profiles), `line` the line it begins at."""

    document: _D
    file: Path
    source: Source
    line: int = 1


@dataclass(slots=True)
class Folder:
    """Everything that a folder holds, each kind by id. `faults` are the files, or parts of files, that are no document."""

    root: Path
    attributes: dict[str, Attribute] = field(default_factory=dict)
    attributes_file: Path | None = None
    policies: Entry[Policies] | None = None
    segments: dict[str, Entry[SegmentDocument]] = field(default_factory=dict)
    events: dict[str, Entry[EventDefinition]] = field(default_factory=dict)
    messages: dict[str, Entry[MessageDocument]] = field(default_factory=dict)
    journeys: dict[str, Entry[Journey]] = field(default_factory=dict)
    profiles: dict[str, Entry[ProfileDocument]] = field(default_factory=dict)
    suppressions: list[Entry[Suppression]] = field(default_factory=list)
    faults: list[Placed] = field(default_factory=list)
    unreadable: set[tuple[Kind, str]] = field(default_factory=set)  # documents that are there and have faults

    def surroundings(self, public_url: str = "", now: Instant = 0) -> Surroundings:
        """What the journeys of this folder are judged against and frozen with; without `now` nothing is said about the past."""
        return Surroundings(
            attributes=self.attributes,
            segments=_documents(self.segments),
            events=_documents(self.events),
            messages=_documents(self.messages),
            journeys=_documents(self.journeys),
            public_url=public_url,
            now=now,
        )

    def refuse_faults(self) -> None:
        """Raises BadInput with file and line of the first error, for a command that cannot go on with one; a warning stops nothing."""
        errors = [one for one in self.faults if one.finding.grade == "error"]
        if errors:
            first = errors[0]
            more = f" And {len(errors) - 1} more: run `sojourn validate {self.root}`." if len(errors) > 1 else ""
            raise BadInput(f"{first.file}:{first.line}: {first.finding.sentence}{more}", line=first.line)


def root_of(path: Path) -> Path:
    """The folder that a journey's file belongs to: the one around `journeys/`, else the one it lies in. A folder is its own."""
    if path.is_dir():
        return path
    return path.parent.parent if path.parent.name in MODELS else path.parent


def read(root: Path) -> Folder:
    """Reads all that is there. Raises BadInput when there is no such folder, or nothing in it; faults of files are collected."""
    if not root.is_dir():
        raise BadInput(f"There is no folder {root}.")
    folder = Folder(root)
    _attributes(folder)
    _policies(folder)
    for kind, model in MODELS.items():
        for file in _files(root / kind):
            _document(folder, kind, model, file)
    _profiles(folder)
    _suppressions(folder)
    if not folder.faults and not any((folder.attributes, folder.policies, *(getattr(folder, kind) for kind in MODELS), folder.profiles)):
        raise BadInput(
            f"{root} holds nothing of ours: it should have journeys/, messages/, segments/ or events/ with files in YAML or JSON."
        )
    return folder


def _documents(entries: Mapping[str, Entry[_D]]) -> dict[str, _D]:
    return {name: entry.document for name, entry in entries.items()}


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.iterdir() if file.suffix in ENDINGS and file.is_file() and not file.name.startswith("."))


def _named(root: Path, stem: str) -> Path | None:
    """The one file of this name, whatever its ending."""
    return next((root / (stem + ending) for ending in ENDINGS if (root / (stem + ending)).is_file()), None)


def _source(folder: Folder, file: Path) -> Source | None:
    try:
        return documents.read(file.read_text(encoding="utf-8"))
    except BadInput as fault:
        _fault(folder, file, fault.line, fault.sentence)
    except UnicodeDecodeError:
        _fault(folder, file, 0, "The file is not written in UTF-8.")
    except OSError as fault:
        _fault(folder, file, 0, f"The file cannot be read: {fault.strerror}.")
    return None


def _fault(folder: Folder, file: Path, line: int, sentence: str, field: str = "") -> None:
    folder.faults.append(Placed(file, line, error("bad_input", "", field, sentence)))


def _shape_faults(folder: Folder, file: Path, source: Source, found: tuple[Fault, ...], prefix: str = "") -> None:
    for fault in found:
        path = prefix + (f".{fault.path}" if prefix and fault.path and not fault.path.startswith("[") else fault.path)
        _fault(folder, file, source.line(path), f"{path}: {fault.sentence}" if path else fault.sentence, path)


def _attributes(folder: Folder) -> None:
    file = folder.attributes_file = _named(folder.root, "attributes")
    source = _source(folder, file) if file is not None else None
    if file is None or source is None or source.data is None:
        return
    if not isinstance(source.data, dict):
        _fault(folder, file, 1, "This must be an object: the name of each attribute with its type and label.")
        return
    for name, written in source.data.items():
        found = documents.load(Attribute, written)
        if isinstance(found, tuple):
            _shape_faults(folder, file, source, found, prefix=name)
        else:
            folder.attributes[name] = found


def _policies(folder: Folder) -> None:
    file = _named(folder.root, "policies")
    source = _source(folder, file) if file is not None else None
    if file is None or source is None or source.data is None:
        return
    found = documents.load(Policies, source.data)
    if isinstance(found, tuple):
        _shape_faults(folder, file, source, found)
        folder.unreadable.add(("policies", file.stem))
    else:
        folder.policies = Entry(found, file, source)


def _document(folder: Folder, kind: Kind, model: type[Any], file: Path) -> None:
    source = _source(folder, file)
    found = documents.load(model, source.data) if source is not None else ()
    if isinstance(found, tuple):
        if source is not None:
            _shape_faults(folder, file, source, found)
        folder.unreadable.add((kind, file.stem))
        return
    assert source is not None
    there = getattr(folder, kind)
    if found.id in there:
        _fault(folder, file, source.line("id"), f"{there[found.id].file.name} holds {found.id} already: give this one another id.", "id")
        return
    there[found.id] = Entry(found, file, source)
    if found.id != file.stem:
        said = f"The file is called {file.stem} and what it holds {found.id}: name it {found.id}{file.suffix}."
        folder.faults.append(Placed(file, source.line("id"), warning("file_name_differs", "", "id", said)))


def _profiles(folder: Folder) -> None:
    owners: dict[tuple[str, str], str] = {}
    for file in (folder.root / name for name in folder_profiles.FILES):
        if not file.is_file():
            continue
        try:
            for line, found in folder_profiles.read(file, folder.attributes):
                if isinstance(found, BadInput):
                    _fault(folder, file, line, found.sentence, found.where)
                else:
                    _profile(folder, file, line, found, owners)
        except UnicodeDecodeError:
            _fault(folder, file, 0, "The file is not written in UTF-8.")


def _profile(folder: Folder, file: Path, line: int, found: ProfileDocument, owners: dict[tuple[str, str], str]) -> None:
    there = folder.profiles.get(found.id)
    if there is not None:
        _fault(folder, file, line, f"The profile {found.id} stands in {there.file.name} line {there.line} already.", "id")
        return
    for namespace, value in found.identities.items():
        owner = owners.setdefault((namespace, value), found.id)
        if owner != found.id:
            _fault(folder, file, line, f"The {namespace} {value} belongs to {owner} already.", f"identities.{namespace}")
    folder.profiles[found.id] = Entry(found, file, Source(None), line)


def _suppressions(folder: Folder) -> None:
    file = _named(folder.root, "suppressions")
    source = _source(folder, file) if file is not None else None
    if file is None or source is None or source.data is None:
        return
    if not isinstance(source.data, list):
        _fault(folder, file, 1, "This must be a list of channel, address and reason.")
        return
    for index, written in enumerate(source.data):
        found = documents.load(Suppression, written)
        if isinstance(found, tuple):
            _shape_faults(folder, file, source, found, prefix=f"[{index}]")
        else:
            folder.suppressions.append(Entry(found, file, source, source.line(f"[{index}]")))

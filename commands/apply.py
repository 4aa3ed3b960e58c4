"""`sojourn apply DIR`: sends everything in a folder to the API, in the order in which one thing needs another. It deletes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from commands import folder
from commands.http import Api

Told = Callable[[str, int, int], None]
"""Hears of progress: what is being sent, how much of it is done, and of how much. Profiles count in bytes, all else in documents."""

_PATHS: tuple[tuple[Literal["segments", "events", "messages", "journeys"], str], ...] = (
    ("segments", "/v1/segments"),
    ("events", "/v1/event-definitions"),
    ("messages", "/v1/messages"),
    ("journeys", "/v1/journeys"),
)
_PROFILES = (("profiles.ndjson", "application/x-ndjson"), ("profiles.csv", "text/csv"))
_CHUNK = 65_536


@dataclass(slots=True)
class Applied:
    """What was sent, counted. `failed` are profiles that the API did not take, with the line and why (the first hundred)."""

    attributes: int = 0
    policies: int = 0
    segments: int = 0
    events: int = 0
    messages: int = 0
    journeys: int = 0
    profiles: int = 0
    suppressions: int = 0
    failed: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def apply(api: Api, root: Path, told: Told = lambda _what, _done, _of: None) -> Applied:
    """Send a folder. Nothing is sent of one that cannot be read in full: raises BadInput with file and line."""
    read = folder.read(root)
    read.refuse_faults()
    done = Applied()
    if read.attributes:
        declared = api.get("/v1/attributes") | {name: one.model_dump() for name, one in read.attributes.items()}
        api.put("/v1/attributes", declared)
        done.attributes = len(read.attributes)
        told("attributes", done.attributes, done.attributes)
    if read.policies is not None:
        api.put("/v1/policies", read.policies.source.data)
        done.policies = 1
        told("policies", 1, 1)
    for kind, path in _PATHS:
        entries = getattr(read, kind)
        for place, (name, entry) in enumerate(entries.items(), start=1):
            api.put(f"{path}/{name}", entry.source.data)
            told(kind, place, len(entries))
        setattr(done, kind, len(entries))
    for name, content_type in _PROFILES:
        if (root / name).is_file():
            _import(api, root / name, content_type, done, told)
    for place, one in enumerate(read.suppressions, start=1):
        api.put("/v1/suppressions", one.document.model_dump())
        told("suppressions", place, len(read.suppressions))
    done.suppressions = len(read.suppressions)
    return done


def _import(api: Api, file: Path, content_type: str, done: Applied, told: Told) -> None:
    answer = api.send("/v1/profiles:import", _chunks(file, told), content_type)
    done.profiles += answer["kept"]
    done.failed += answer["failed"]
    done.errors += [error | {"file": str(file)} for error in answer["errors"]]


def _chunks(file: Path, told: Told) -> Iterator[bytes]:
    size, sent = file.stat().st_size, 0
    with file.open("rb") as opened:
        while part := opened.read(_CHUNK):
            yield part
            sent += len(part)
            told("profiles", sent, size)

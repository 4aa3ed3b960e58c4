"""Reads a text of YAML 1.2 or JSON into plain data with the line of each part. It knows no documents and no files.

The scalars are those of the YAML 1.2 core schema: `on` and `22:00` are texts, and so is a date. Duplicate keys are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from journey.errors import BadInput

LONGEST = 1_000_000
"""Characters of a document."""
_DEEPEST = 60
_MOST_VALUES = 200_000  # anchors can make much out of little

_CORE = "tag:yaml.org,2002:"
_TAGS = {
    ScalarEvent: ("", "!", _CORE + "str"),
    SequenceStartEvent: ("", _CORE + "seq"),
    MappingStartEvent: ("", _CORE + "map"),
}
"""The tags that say nothing new; a tag on a scalar says that it is a text."""
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,40}", re.ASCII)
_OTHER_BASE = re.compile(r"0o[0-7]{1,40}|0x[0-9a-fA-F]{1,40}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?", re.ASCII)
_STEP = re.compile(r"\[\d+\]|\.?[^.\[\]]+")


@dataclass(frozen=True, slots=True)
class Source:
    """The data of a text, and where each part of it stands: `lines` maps a path (`nodes[3].timeout.after`) to a line from 1."""

    data: Any
    lines: Mapping[str, int] = field(default_factory=dict)

    def line(self, path: str) -> int:
        """The line of a field, of the nearest part around it when it is absent; 0 when the text has no lines."""
        steps = _STEP.findall(path)
        while steps:
            found = self.lines.get("".join(steps).lstrip("."))
            if found is not None:
                return found
            steps.pop()
        return self.lines.get("", 0)


def read(text: str) -> Source:
    """Reads one document. Raises BadInput with the line when the text is no YAML, holds a key twice, or is too large."""
    if len(text) > LONGEST:
        raise BadInput(f"The document is longer than {LONGEST} characters: split it.")
    reader = _Reader(YAML(typ="rt", pure=True).parse(text.removeprefix("\ufeff")))
    try:
        return Source(reader.document(), reader.lines)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 0
        why = ": ".join(part for part in (error.context, error.problem) if part)
        raise BadInput(f"Line {line} is no YAML: {why}.", line=line) from error
    except (YAMLError, ValueError) as error:
        raise BadInput(f"The text is no YAML: {error}.") from error


class _Reader:
    """Turns the events of a YAML text into plain data, and notes the line of each part. Stops where the text gets too deep."""

    def __init__(self, events: Iterator[Event]) -> None:
        self.events = events
        self.lines: dict[str, int] = {}
        self.count = 0
        self.anchors: dict[str, tuple[Any, int]] = {}  # what it names, and how many values that holds

    def document(self) -> Any:
        data, seen = None, False
        for event in self.events:
            if isinstance(event, DocumentStartEvent) and seen:
                raise BadInput(f"Line {_line(event)}: a second document begins: one file holds one.", line=_line(event))
            if isinstance(event, NodeEvent):
                data, seen = self.value(event, "", 0), True
        return data

    def value(self, event: NodeEvent, path: str, depth: int) -> Any:
        line = _line(event)
        self.lines.setdefault(path, line)
        if isinstance(event, AliasEvent):
            return self.alias(event)
        before = self.count
        self.add(1, depth, line)
        tag = str(getattr(event, "ctag", None) or "")
        if tag not in _TAGS.get(type(event), ()):
            raise BadInput(f"Line {line}: the tag {tag} means nothing here; leave it out.", line=line)
        data: Any
        if isinstance(event, MappingStartEvent):
            data = self.mapping(path, depth)
        elif isinstance(event, SequenceStartEvent):
            data = [self.value(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(self.until(SequenceEndEvent))]
        elif isinstance(event, ScalarEvent):
            data = _scalar(event, line)
        if event.anchor is not None:
            self.anchors[event.anchor] = (data, self.count - before)
        return data

    def mapping(self, path: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_event in self.until(MappingEndEvent):
            line = _line(key_event)
            key = _scalar(key_event, line) if isinstance(key_event, ScalarEvent) else None
            if not isinstance(key, str):
                raise BadInput(f"Line {line}: a key is a text; put it in quotes.", line=line)
            inner = f"{path}.{key}" if path else key
            if key in found:
                raise BadInput(f"Line {line}: {key} stands twice; keep one of them.", where=inner, line=line)
            self.lines.setdefault(inner, line)
            found[key] = self.value(self.following(), inner, depth + 1)
        return found

    def until(self, end: type[Event]) -> Iterator[NodeEvent]:
        for event in self.events:
            if isinstance(event, end):
                return
            assert isinstance(event, NodeEvent)
            yield event

    def following(self) -> NodeEvent:
        event = next(self.events)
        assert isinstance(event, NodeEvent)
        return event

    def alias(self, event: AliasEvent) -> Any:
        line = _line(event)
        if event.anchor not in self.anchors:
            raise BadInput(f"Line {line}: *{event.anchor} names nothing that stands before it.", line=line)
        data, size = self.anchors[event.anchor]
        self.add(size, 0, line)
        return data

    def add(self, values: int, depth: int, line: int) -> None:
        self.count += values
        if depth > _DEEPEST or self.count > _MOST_VALUES:
            raise BadInput(f"Line {line}: the document is nested too deeply, or its anchors unfold into too much.", line=line)


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1


def _scalar(event: ScalarEvent, line: int) -> Any:
    text = str(event.value)
    if event.style is not None or event.ctag is not None:
        return _whole(text, line)
    if text in _NULL:
        return None
    if text in _TRUTH:
        return _TRUTH[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else _whole(text, line)


def _whole(text: str, line: int) -> str:
    """JSON writes what lies beyond 16 bits as two escapes: they are one character. Half of a pair is none; NUL no database keeps."""
    if "\0" in text:
        raise BadInput(f"Line {line}: the text holds a NUL character: take it out.", line=line)
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise BadInput(f"Line {line}: the text holds half of a character (a lone surrogate).", line=line) from error

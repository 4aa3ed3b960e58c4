"""Reads a text of YAML 1.2 or JSON into plain data with the line of each field, and data into a document. It knows no files.

The scalars are those of the YAML 1.2 core schema: `on` and `22:00` are texts, and so is a date. Duplicate keys are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from journey.errors import BadInput
from journey.graph import THING_ID

LONGEST = 1_000_000
"""Characters of a document."""
_DEEPEST = 60
_MOST_VALUES = 200_000  # anchors can make much out of little
_NAMED_AT_MOST = 5

_CORE = "tag:yaml.org,2002:"
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,40}", re.ASCII)
_OTHER_BASE = re.compile(r"0o[0-7]{1,40}|0x[0-9a-fA-F]{1,40}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?", re.ASCII)
_STEP = re.compile(r"\[\d+\]|\.?[^.\[\]]+")
_MODEL = TypeVar("_MODEL", bound=BaseModel)


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


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the shape of a document: the path of the field, and a sentence."""

    path: str
    sentence: str


def read(text: str) -> Source:
    """Reads one document. Raises BadInput with the line when the text is no YAML, holds a key twice, or is too large."""
    if len(text) > LONGEST:
        raise BadInput(f"The document is longer than {LONGEST} characters: split it.")
    yaml = YAML(typ="rt", pure=True)
    try:
        root = yaml.compose(text.removeprefix("\ufeff"))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 0
        why = ": ".join(part for part in (error.context, error.problem) if part)
        raise BadInput(f"Line {line} is no YAML: {why}.", line=line) from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise BadInput(f"The text is no YAML: {error}.") from error
    reader = _Reader()
    data = reader.value(root, "", 0) if root is not None else None
    return Source(data, reader.lines)


def read_json(text: str) -> Any:
    """Reads one line of JSON: faster than `read`, and without lines. Raises BadInput when it is none, or holds a key twice."""
    try:
        return json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"This is no JSON: {error}.") from error


def load(model: type[_MODEL], data: Any) -> _MODEL | tuple[Fault, ...]:
    """The document that the data is, or everything that is wrong with its shape."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        return faults(error, data)
    except BadInput as error:
        return (Fault(error.where, error.sentence),)


def parse(model: type[_MODEL], data: Any) -> _MODEL:
    """The document that the data is. Raises BadInput; `where` is the path of the first fault, the sentence names them."""
    found = load(model, data)
    if isinstance(found, tuple):
        raise refusal(found)
    return found


def parse_as(shape: Any, data: Any) -> Any:
    """As `parse`, for a shape that is no model: `dict[str, Attribute]`."""
    try:
        return TypeAdapter(shape).validate_python(data)
    except ValidationError as error:
        raise refusal(faults(error, data)) from error


def refusal(found: tuple[Fault, ...]) -> BadInput:
    """One error of several faults."""
    sentences = [f"{fault.path}: {fault.sentence}" if fault.path else fault.sentence for fault in found]
    more = len(sentences) - _NAMED_AT_MOST
    said = " ".join(sentences[:_NAMED_AT_MOST]) + (f" And {more} more." if more > 0 else "")
    return BadInput(said, where=found[0].path)


def faults(error: ValidationError, data: Any) -> tuple[Fault, ...]:
    """What pydantic found, with paths as the document has them: without the names of the union members that were tried."""
    return faults_of(error.errors(include_url=False), data)


def faults_of(errors: Iterable[ErrorDetails], data: Any) -> tuple[Fault, ...]:
    """As `faults`, for errors that have left their exception already."""
    shapes: dict[str, list[str]] = {}
    sentences: dict[str, str] = {}
    for one in errors:
        path = _path(one["loc"], data, absent=one["type"] == "missing")
        if one["type"] in _EXPECTED:
            shapes.setdefault(path, []).append(_EXPECTED[one["type"]])
            sentences[path] = f"This must be {' or '.join(dict.fromkeys(shapes[path]))}."
        else:
            sentences.setdefault(path, _sentence(one))
    # Of a union each member that was tried reports: the one that got furthest into the data is the one that was meant.
    return tuple(Fault(path, said) for path, said in sentences.items() if not any(_inside(other, path) for other in sentences))


class _Reader:
    """Turns composed nodes into plain data, and notes the line of each."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.count = 0

    def value(self, node: Node, path: str, depth: int) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self.count += 1
        if depth > _DEEPEST or self.count > _MOST_VALUES:
            raise BadInput(f"Line {line}: the document is nested too deeply, or its anchors unfold into too much.", line=line)
        if isinstance(node, MappingNode):
            return self.mapping(node, path, depth)
        if isinstance(node, SequenceNode):
            return [self.value(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(node.value)]
        return _scalar(node, line)  # type: ignore[arg-type]  # a composed node is one of the three

    def mapping(self, node: MappingNode, path: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = _scalar(key_node, line) if isinstance(key_node, ScalarNode) else None
            if not isinstance(key, str):
                raise BadInput(f"Line {line}: a key is a text; put it in quotes.", line=line)
            inner = f"{path}.{key}" if path else key
            if key in found:
                raise BadInput(f"Line {line}: {key} stands twice; keep one of them.", where=inner, line=line)
            self.lines.setdefault(inner, line)
            found[key] = self.value(value_node, inner, depth + 1)
        return found


def _scalar(node: ScalarNode, line: int) -> Any:
    tag, text = str(node.tag), node.value
    if not tag.startswith(_CORE):
        raise BadInput(f"Line {line}: the tag {tag} means nothing here; leave it out.", line=line)
    if node.style is not None or tag == _CORE + "str":
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
    """JSON writes what lies beyond 16 bits as two escapes: they are one character. Half of a pair is none."""
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise BadInput(f"Line {line}: the text holds half of a character (a lone surrogate).", line=line) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise BadInput(f"{key} stands twice in one object; keep one of them.", where=key)
        found[key] = value
    return found


def _path(loc: tuple[int | str, ...], data: Any, *, absent: bool) -> str:
    """The location without what is no part of the document: kinds of nodes, and names of union members."""
    path, here, in_list = "", data, False
    for position, part in enumerate(loc):
        if isinstance(part, int):
            path += f"[{part}]"
            here = here[part] if isinstance(here, list | tuple) and part < len(here) else None
            in_list = True
            continue
        is_kind = in_list and isinstance(here, dict) and here.get("kind") == part
        in_list = False
        is_last = position == len(loc) - 1
        if isinstance(here, dict) and not is_kind and (part in here or (absent and is_last)):
            path += f".{part}" if path else part
            here = here.get(part)
    return path


_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "an object with named fields",
    "model_type": "an object with named fields",
    "model_attributes_type": "an object with named fields",
}


def _sentence(one: ErrorDetails) -> str:
    context = one.get("ctx", {})
    match one["type"]:
        case "extra_forbidden":
            return "There is no such field here."
        case "missing":
            return "This field is required."
        case "string_pattern_mismatch" if context["pattern"] == THING_ID:
            return f"{one['input']!r} is no id: it begins with a letter and holds up to 63 of a-z, 0-9 and -."
        case "union_tag_invalid" if context["discriminator"] == "'kind'":
            return f"There is no kind {context['tag']!r}: it is one of {context['expected_tags'].replace(chr(39), '')}."
        case "union_tag_not_found" if context["discriminator"] == "'kind'":
            return "The field kind is required: it says what this node is."
        case "literal_error":
            return f"This must be {context['expected']}, not {one['input']!r}."
    return one["msg"].removeprefix("Value error, ") + "."


def _inside(inner: str, outer: str) -> bool:
    return inner != outer and inner.startswith(outer) and (not outer or inner[len(outer)] in ".[")

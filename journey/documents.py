"""Makes a document of data, or says what is wrong with its shape, by path. It knows no files.

Where the data comes from a text, `read` gives it with the line of each field.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from journey import document_fields
from journey.errors import BadInput
from journey.graph import OPTIONAL_NAMESPACE, THING_ID
from journey.nearest import meant
from journey.profiles import PROFILE_ID
from journey.simulation.scenarios import CARRIER, EVENT, EVENT_CODES, PATH_STEP
from journey.yaml_text import LONGEST, Source, read

__all__ = ["LONGEST", "Fault", "Source", "faults", "faults_of", "load", "parse", "parse_as", "read", "refusal", "sentence"]

_NAMED_AT_MOST = 5
_MODEL = TypeVar("_MODEL", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the shape of a document: the path of the field, and a sentence."""

    path: str
    sentence: str


def load(model: type[_MODEL], data: Any) -> _MODEL | tuple[Fault, ...]:
    """The document that the data is, or everything that is wrong with its shape."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        return faults(error, data, model)
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
        raise refusal(faults(error, data, shape)) from error


def refusal(found: tuple[Fault, ...]) -> BadInput:
    """One error of several faults."""
    sentences = [f"{fault.path}: {fault.sentence}" if fault.path else fault.sentence for fault in found]
    more = len(sentences) - _NAMED_AT_MOST
    said = " ".join(sentences[:_NAMED_AT_MOST]) + (f" And {more} more." if more > 0 else "")
    return BadInput(said, where=found[0].path)


def faults(error: ValidationError, data: Any, shape: Any = None) -> tuple[Fault, ...]:
    """What pydantic found, with paths as the document has them: without the names of the union members that were tried. `shape` is what
    the data should have been, to say which field was meant by one that there is not."""
    return faults_of(error.errors(include_url=False), data, shape)


def faults_of(errors: Iterable[ErrorDetails], data: Any, shape: Any = None) -> tuple[Fault, ...]:
    """As `faults`, for errors that have left their exception already."""
    shapes: dict[str, list[str]] = {}
    sentences: dict[str, str] = {}
    for one in errors:
        path = _path(one["loc"], data, absent=one["type"] == "missing")
        if one["type"] in _EXPECTED:
            shapes.setdefault(path, []).append(_EXPECTED[one["type"]])
            sentences[path] = f"This must be {' or '.join(dict.fromkeys(shapes[path]))}."
        else:
            known = document_fields.at(shape, one["loc"]) if one["type"] == "extra_forbidden" else ()
            sentences.setdefault(path, sentence(one) + meant(str(one["loc"][-1]), known))
    # Of a union each member that was tried reports: the one that got furthest into the data is the one that was meant.
    return tuple(Fault(path, said) for path, said in sentences.items() if not any(_inside(other, path) for other in sentences))


def _path(loc: tuple[int | str, ...], data: Any, *, absent: bool) -> str:
    """The location without what is no part of the document: kinds of nodes, and names of union members."""
    path, here, in_list = "", data, False
    for position, part in enumerate(loc):
        if isinstance(part, int) and isinstance(here, dict):
            continue  # one thing that stands where several may
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


def sentence(one: ErrorDetails) -> str:
    """What is wrong, for people; where it is wrong the path says."""
    context = one.get("ctx", {})
    match one["type"]:
        case "extra_forbidden":
            return "There is no such field here."
        case "missing":
            return "This field is required."
        case "string_pattern_mismatch" if context["pattern"] in _PATTERNS:
            return f"{one['input']!r} is no {_PATTERNS[context['pattern']]}"
        case "union_tag_invalid" if context["discriminator"] == "'kind'":
            return f"There is no kind {context['tag']!r}: it is one of {context['expected_tags'].replace(chr(39), '')}."
        case "union_tag_not_found" if context["discriminator"] == "'kind'":
            return "The field kind is required: it says what this node is."
        case "less_than_equal" | "less_than" | "greater_than_equal" | "greater_than":
            ((bound, limit),) = context.items()
            return f"This must be {_BOUNDS[bound]} {limit}, not {one['input']!r}."
        case "string_too_long":
            return f"This may be up to {context['max_length']} characters long."
        case "string_too_short" if context["min_length"] == 1:
            return "This must not be empty."
        case "literal_error":
            return f"This must be {context['expected']}, not {one['input']!r}."
    return one["msg"].removeprefix("Value error, ") + "."


_BOUNDS = {"le": "at most", "lt": "less than", "ge": "at least", "gt": "more than"}
_PATTERNS = {
    THING_ID: "id: it begins with a letter and holds up to 63 of a-z, 0-9 and -.",
    OPTIONAL_NAMESPACE: "namespace: it begins with a letter and holds up to 63 of letters, digits, _ and -.",
    PROFILE_ID: "id of a profile: it holds no / and stands on one line.",
    PATH_STEP: "step of a path: write NODE, or NODE:EXIT.",
    EVENT: f"way for an event to end: write decides NODE, {', '.join(EVENT_CODES)}, or `kept then` and one of these.",
    CARRIER: "delivery: write NODE.CHANNEL, as in first.email.",
}


def _inside(inner: str, outer: str) -> bool:
    return inner != outer and inner.startswith(outer) and (not outer or inner[len(outer)] in ".[")

"""Reads JSON as strictly as every part of us needs it. It knows no request.

Python reads more than JSON is (NaN, half a character), a database keeps less (no NUL in a text), and of a field that stands twice one value
would be lost: all of it is refused here, once. Where one text holds the calls of many people, it is read leniently and judged call by call,
so that one odd value takes no other call with it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

from journey.errors import BadInput

DEEPEST = 64
"""Levels of nesting."""
_BIGGEST_INTEGER = 2**63 - 1
_SUSPECT = re.compile(rb"\\u|[0-9]{19}")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class BadJson(BadInput):
    """The text is no JSON, or holds what no part of us could keep (HTTP 400)."""

    code = "json_invalid"


class _Twice(dict[str, Any]):
    """An object in which a field stands twice; `sentence` says which."""

    sentence = ""


def read(text: bytes, what: str = "The body", *, once: bool = True) -> Any:
    """The value of a JSON text in UTF-8; `what` it is stands in the sentences.

    Raises BadJson for whatever is none, and for what could not be kept: NaN, infinities, whole numbers beyond 64 bits, NUL, half a
    character, more than 64 levels, a field that stands twice in its object. Where it need not stand but `once`, the last counts.
    """
    value = _parsed(text, what, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_refusing_twice if once else None)
    # Most texts can hold nothing of what is looked for, and the look is dearer than the reading.
    if _SUSPECT.search(text) or text.count(b"[") + text.count(b"{") > DEEPEST:
        judge(value, what)
    return value


def read_leniently(text: bytes, what: str = "The body") -> Any:
    """As `read`, but what is written as JSON and could not be kept is in the value (NaN and too large numbers as floats that are not
    finite): whoever asks gives each part to `judge`. Raises BadJson only for a text that cannot be taken apart."""
    return _parsed(text, what, parse_int=_whole)


def read_apart(text: bytes, *, once: bool = True) -> Any:
    """As `read`; but of an array, an item that could not be kept is in its place as the BadJson that says why, and the others are read."""
    try:
        return read(text, once=once)
    except BadJson:
        value = _parsed(text, "The body", parse_int=_whole, object_pairs_hook=_object if once else None)
        if not isinstance(value, list):
            raise
        return [_or_why_not(item) for item in value]


def _or_why_not(item: Any) -> Any:
    try:
        judge(item, "It")
    except BadJson as error:
        return error
    return item


def _parsed(text: bytes, what: str, **hooks: Any) -> Any:
    try:
        return json.loads(text.decode("utf-8-sig"), **hooks)
    except UnicodeDecodeError as error:
        raise BadJson(f"{what} is no JSON: it is not in UTF-8.") from error
    except json.JSONDecodeError as error:
        raise BadJson(f"{what} is no JSON: {error.msg.removesuffix(' at')} at line {error.lineno}, column {error.colno}.") from error
    except RecursionError as error:
        raise BadJson(f"{what} is nested deeper than {DEEPEST} levels.") from error
    except ValueError as error:  # a whole number of thousands of digits
        raise BadJson(f"{what} holds a number that is too long: send it as a text.") from error


def _no_constant(name: str) -> Any:
    raise BadJson(f"The body is no JSON: {name} is no number there. Leave the value out, or send null.")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise BadJson(f"The number {text[:40]} is too large to be kept: send it as a text.")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    twice = _Twice(made)
    twice.sentence = f"The field {Counter(name for name, _ in pairs).most_common(1)[0][0][:40]!r} stands twice in one object: send it once."
    return twice


def _refusing_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = _object(pairs)
    if isinstance(made, _Twice):
        raise BadJson(made.sentence)
    return made


def _whole(text: str) -> int | float:
    return int(text) if len(text) <= 20 else math.inf  # beyond them it is no number of 64 bits, and int() may refuse to read it


def judge(value: Any, what: str = "The body") -> None:
    """Raises BadJson for a value that holds what could not be kept. Not recursive: what is looked for includes too deep a nesting."""
    ahead: list[tuple[Any, int]] = [(value, 1)]
    while ahead:
        found, depth = ahead.pop()
        if depth > DEEPEST:
            raise BadJson(f"{what} is nested deeper than {DEEPEST} levels.")
        if isinstance(found, str):
            _sound(found, what)
        elif isinstance(found, int) and abs(found) > _BIGGEST_INTEGER:
            raise BadJson(f"{what} holds a whole number beyond 64 bits: send it as a text.")
        elif isinstance(found, float) and not math.isfinite(found):
            raise BadJson(f"{what} holds NaN, an infinity or a number that is too large: leave it out, or send it as a text.")
        elif isinstance(found, list):
            ahead += [(item, depth + 1) for item in found]
        elif isinstance(found, dict):
            if isinstance(found, _Twice):
                raise BadJson(found.sentence)
            for name, item in found.items():
                _sound(name, what)
                ahead.append((item, depth + 1))


def _sound(text: str, what: str) -> None:
    if "\0" in text:
        raise BadJson(f"{what} holds a NUL character (\\u0000): take it out.")
    if _LONE_SURROGATE.search(text):
        raise BadJson(f"{what} holds half of a character (a lone surrogate, as \\ud800 alone): take it out.")

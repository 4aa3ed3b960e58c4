"""Takes what is personal out of words that others wrote, before they are put down where people look who need not know it: logs.

An id of ours stays: the key in an entrant's id is hashed when it looks like an address. It knows no logger.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from journey.profiles import Profile

MASK = "***"
_ADDRESS = re.compile(r"[^\s<>\"'(),;:=@]+@(?!\d+(?:~wind-down)?(?![\w.-]))[^\s<>\"'(),;:=@]+")
"""Anything that may be an address, but for the name of a version, as in thank-you@1."""
_SHORTEST = 2


def masked(words: str, private: Iterable[str] = ()) -> str:
    """The words without addresses, and without these values where they stand as words of their own."""
    for value in sorted({value for value in private if len(value) >= _SHORTEST}, key=len, reverse=True):
        if value in words:
            words = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", MASK, words)
    return _ADDRESS.sub(MASK, words)


def masked_behind_the_place(words: str, private: Iterable[str] = ()) -> str:
    """The same of a sentence that begins with a place in a document of ours, as `Message 'thanks-de', email html, line 2: `: whoever has
    `de` for a language must not hide which message it is."""
    place, colon, why = words.partition(": ")
    return f"{place}{colon}{masked(why, private)}" if colon else masked(words, private)


def private_values(profile: Profile, event: Mapping[str, Any] | None = None) -> set[str]:
    """Everything of a person that could be echoed: id, attributes, push tokens, and what was in an event."""
    return {profile.id, *profile.push_tokens, *_texts(profile.attributes), *_texts(event or {})}


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
    elif value is not None and not isinstance(value, bool):
        yield str(value)

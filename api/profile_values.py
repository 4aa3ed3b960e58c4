"""What a profile may hold, however it arrives. It compares no value with the declared attributes: people's data is kept as it comes."""

from __future__ import annotations

import json
import re
from typing import Any

from journey.errors import BadInput
from journey.graph import NAMESPACE
from journey.profiles import ProfileDocument, is_identity

LARGEST_VALUE = 16_384
"""Characters of one attribute, written as JSON."""
MOST_ATTRIBUTES = 500
MOST_OF_THE_REST = 50
"""Identities, consents and push tokens of one profile."""
_ID_BYTES = 200
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_WORD = re.compile(NAMESPACE)


def check(profile: ProfileDocument) -> None:
    """Raises BadInput for what no profile may hold; `where` is the path of the field."""
    if len(profile.id.encode()) > _ID_BYTES:
        raise BadInput(f"A profile's id has at most {_ID_BYTES} bytes.", where="id")
    check_entries(profile.attributes, profile.identities, profile.consents, len(profile.push_tokens))


def check_entries(attributes: dict[str, Any], identities: dict[str, Any], consents: dict[str, Any], push_tokens: int) -> None:
    """As `check`, for the parts of a profile; a None among them is a part to be taken out."""
    _few("attributes", len(attributes), MOST_ATTRIBUTES)
    for name, value in attributes.items():
        _attribute(name, value)
    _few("identities", len(identities), MOST_OF_THE_REST)
    for namespace, value in identities.items():
        _word("identities", namespace)
        if value is not None and not is_identity(value):
            raise BadInput("An identity is a text of 1 to 500 characters, on one line.", where=f"identities.{namespace}")
    _few("consents", len(consents), MOST_OF_THE_REST)
    for channel in consents:
        _word("consents", channel)
    _few("push_tokens", push_tokens, MOST_OF_THE_REST)


def _attribute(name: str, value: Any) -> None:
    if not _NAME.fullmatch(name):
        raise BadInput("The name of an attribute has 1 to 200 characters, on one line.", where="attributes")
    # Only a text, a list or an object can be large; the others need not be written out.
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else ""
    if len(written) > LARGEST_VALUE:
        raise BadInput(f"The attribute {name} is longer than {LARGEST_VALUE} characters.", where=f"attributes.{name}")


def _word(field: str, name: str) -> None:
    if not _WORD.fullmatch(name):
        raise BadInput(f"{name[:80]!r} is no name among the {field}: a letter, then up to 62 letters, digits, _ and -.", where=field)


def _few(field: str, count: int, most: int) -> None:
    if count > most:
        raise BadInput(f"A profile holds at most {most} {field.replace('_', ' ')}; this one has {count}.", where=field)

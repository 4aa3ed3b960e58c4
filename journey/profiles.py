"""A person as a journey sees them. It knows no store."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field, StrictBool

from journey.graph import Document

AttributeType = Literal["string", "integer", "number", "boolean", "datetime"]
ProfileId = str
PROFILE_ID = r"^[^/\x00-\x1f]+$"
_IDENTITY = re.compile(r"[^\x00-\x1f\x7f]{1,500}")


def is_identity(value: str) -> bool:
    """Whether a text can name a person in a namespace: 1 to 500 characters on one line, and not blank."""
    return _IDENTITY.fullmatch(value) is not None and bool(value.strip())


class Attribute(Document):
    """A declared field of profiles."""

    type: AttributeType
    label: str = ""


class PushToken(Document):
    """One device of a person. `timezone` is where it is, as the app says; quiet hours go by it."""

    token: str = Field(min_length=1, max_length=4096)
    platform: str = ""
    timezone: str = Field("", max_length=100)


class ProfileDocument(Document):
    """A profile as it is put and shown. `consents` maps a channel to true or false; absent is allowed (M6)."""

    id: str = Field(min_length=1, max_length=200, pattern=PROFILE_ID)
    attributes: dict[str, Any] = Field(default_factory=dict)
    identities: dict[str, str] = Field(default_factory=dict)
    consents: dict[str, StrictBool] = Field(default_factory=dict)
    push_tokens: tuple[PushToken, ...] = ()
    test: StrictBool = False

    @property
    def device_zone(self) -> str:
        """Where the last of their devices is that says so; empty when none does."""
        return next((token.timezone for token in reversed(self.push_tokens) if token.timezone), "")


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile as a stop reads it: everything that sending and deciding need, at one moment."""

    id: str
    attributes: dict[str, Any] = field(default_factory=dict)
    consents: dict[str, bool] = field(default_factory=dict)
    push_tokens: tuple[str, ...] = ()
    test: bool = False
    device_zone: str = ""

    @property
    def email(self) -> str:
        """The address, empty when there is none that is a text."""
        address = self.attributes.get("email")
        return address.strip() if isinstance(address, str) else ""

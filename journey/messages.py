"""What is written to people: the document of a message, and a message rendered for one person. rendering.py makes one of the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from journey.calls import RenderedCall
from journey.graph import Document, ThingId


class EmailContent(Document):
    """An e-mail in Liquid. `from` falls back to the setting MAIL_FROM; `text` is made of the HTML when it is absent."""

    sender: str = ""
    subject: str = ""
    html: str = ""
    text: str = ""

    model_config = Document.model_config | {"alias_generator": lambda name: "from" if name == "sender" else name}


class PushContent(Document):
    """A push in Liquid."""

    title: str = ""
    body: str = ""
    url: str = ""
    data: dict[str, str] = Field(default_factory=dict)


Promise = Literal["never_twice", "never_lost"]
"""What is kept when it cannot be known whether a provider took a message, on a channel where a repeat would arrive twice."""


class MessageDocument(Document):
    """A message; its channels are the keys that are present.

    `class` decides on unsubscribe headers, and on `promise` where that is absent: whether a crash in the middle of sending may cost a
    transactional message a repeat, or a marketing message a loss.
    """

    id: ThingId
    name: str = ""
    kind: Literal["marketing", "transactional"] = "marketing"
    promise: Promise | None = None
    email: EmailContent | None = None
    push: PushContent | None = None

    model_config = Document.model_config | {"alias_generator": lambda name: "class" if name == "kind" else name}

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple(channel for channel in CHANNELS if getattr(self, channel) is not None)

    @property
    def may_repeat(self) -> bool:
        """Is it sent again when nobody knows whether it was taken? Else it ends uncertain."""
        return (self.promise or ("never_lost" if self.kind == "transactional" else "never_twice")) == "never_lost"


CHANNELS = ("email", "push")


@dataclass(frozen=True, slots=True)
class FilledEmail:
    """An e-mail made out for one person, before links are tracked and anything is signed: what somebody who reviews it sees."""

    sender: str
    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class FilledPush:
    """The same of a push."""

    title: str
    body: str
    url: str = ""
    data: dict[str, str] = field(default_factory=dict)


Filled = FilledEmail | FilledPush


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """An e-mail for one person: everything that goes on the wire."""

    to: str
    sender: str
    subject: str
    html: str
    text: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RenderedPush:
    """A push for one person, to all of their devices: one delivery (M3). `opened_token` is what the app posts back when it is opened."""

    tokens: tuple[str, ...]
    title: str
    body: str
    url: str = ""
    data: dict[str, str] = field(default_factory=dict)
    opened_token: str = ""


Rendered = RenderedEmail | RenderedPush | RenderedCall
"""What a provider is given: a message made out for one person, or a call."""

"""A message made out for one person: Liquid filled in, links tracked, headers set. It knows no provider, no clock and no store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from journey import addresses, ids, liquid_text, plain_text, tracking
from journey.errors import RenderError
from journey.messages import (
    EmailContent,
    Filled,
    FilledEmail,
    FilledPush,
    MessageDocument,
    PushContent,
    Rendered,
    RenderedEmail,
    RenderedPush,
)
from journey.profiles import Profile
from journey.tracking import Signer

NAMES = ("profile", "event", "entry", "calls", "journey", "unsubscribe_url", "now")
"""What Liquid sees. `now` only where the caller gave an instant."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Context:
    """Whom a message is for, and in what.

    `delivery` is the delivery's id; `event` the data of the event that led here and `entry` of the one by which they entered, each empty
    without one; `public_url` where links lead; `default_sender` stands in for an e-mail without `from`; `now` is what Liquid's `now` gives,
    anything its filter `date` can read; `calls` is what webhooks of the journey have answered this person (journey/calls.py: known).
    """

    profile: Profile
    delivery: str
    journey: str
    event: Mapping[str, Any]
    public_url: str
    signer: Signer
    default_sender: str
    now: Any = None
    entry: Mapping[str, Any] = field(default_factory=dict)
    calls: Mapping[str, Any] = field(default_factory=dict)


UNSUBSCRIBE = "https://unsubscribe.invalid/here"
"""Stands for the link to unsubscribe as long as a message is only looked at: whoever reviews it must not unsubscribe its person."""


class _Filling:
    """The templates of one message for one person; a fault becomes a RenderError that names the message, channel, part and line."""

    def __init__(self, message: str, channel: str, context: Context, unsubscribe: str) -> None:
        self.message, self.channel = message, channel
        profile = context.profile
        self.values: dict[str, Any] = {
            "profile": {**profile.attributes, "id": profile.id},
            "event": context.event,
            "entry": context.entry,
            "calls": context.calls,
            "journey": context.journey,
            "unsubscribe_url": unsubscribe,
        }
        if context.now is not None:
            self.values["now"] = context.now

    def text(self, part: str, template: str, *, html: bool = False) -> str:
        try:
            return _CONTROL.sub("", liquid_text.fill(template, self.values, html=html))
        except liquid_text.Fault as fault:
            raise self.error(part, fault.sentence, fault.line) from fault

    def line(self, part: str, template: str) -> str:
        """One line: what stands in a header must not begin another."""
        return " ".join(self.text(part, template).split())

    def error(self, part: str, sentence: str, line: int = 0) -> RenderError:
        return RenderError(_where(self.message, self.channel, part, line) + sentence + ".")


def render(document: MessageDocument, channel: str, context: Context) -> Rendered:
    """The part of a message that goes on this channel. Raises RenderError, also when the message has nothing for it."""
    return finish(_fill(document, channel, context, _unsubscribe(context)), document, context)


def for_review(document: MessageDocument, channel: str, context: Context) -> Filled:
    """The same as somebody who reviews it is to see it, and as `finish` takes it when it is to be sent: what would go wrong then goes
    wrong here. Raises RenderError."""
    filled = _fill(document, channel, context, UNSUBSCRIBE)
    finish(filled, document, context)
    return filled


def finish(filled: Filled, document: MessageDocument, context: Context) -> Rendered:
    """What is sent of a message that is made out: addressed, with tracked links and signed tokens, and for an e-mail the pixel and, when
    it is marketing, one-click unsubscribe headers.

    The same delivery gives the same Message-ID every time. Raises RenderError.
    """
    if isinstance(filled, FilledPush):
        return _push(filled, context)
    return _email(filled, document, context)


def _fill(document: MessageDocument, channel: str, context: Context, unsubscribe: str) -> Filled:
    filling = _Filling(document.id, channel, context, unsubscribe)
    if channel == "email" and document.email is not None:
        return _filled_email(document.email, filling, context)
    if channel == "push" and document.push is not None:
        return _filled_push(document.push, filling)
    raise RenderError(f"The message {document.id} has nothing for {channel}.")


def _filled_email(content: EmailContent, filling: _Filling, context: Context) -> FilledEmail:
    sender = addresses.read(filling.line("from", content.sender) if content.sender else context.default_sender)
    if sender is None:
        raise filling.error("from", "it is no address; write `from` as in Shop <news@shop.example>, or set the default sender")
    subject = filling.line("subject", content.subject)
    html = filling.text("html", content.html, html=True)
    text = filling.text("text", content.text) if content.text else plain_text.of_html(html)
    if not html.strip() and not text.strip():
        raise filling.error("html", "nothing is left of it for this person; an e-mail needs a text")
    return FilledEmail(str(sender), subject, html, text)


def _filled_push(content: PushContent, filling: _Filling) -> FilledPush:
    title, body = filling.line("title", content.title), filling.text("body", content.body).strip()
    if not title and not body:
        raise filling.error("body", "nothing is left of it for this person; a push needs a title or a body")
    data = {key: filling.text(f"data.{key}", value) for key, value in content.data.items()}
    return FilledPush(title, body, filling.line("url", content.url), data)


def _email(filled: FilledEmail, document: MessageDocument, context: Context) -> RenderedEmail:
    unsubscribe = _unsubscribe(context)
    subject, html, text = (part.replace(UNSUBSCRIBE, unsubscribe) for part in (filled.subject, filled.html, filled.text))
    headers = {"Message-ID": ids.message_id(context.delivery, filled.sender.rpartition("@")[2].rstrip(">"))}
    if document.kind == "marketing":
        headers["List-Unsubscribe"] = f"<{unsubscribe}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if html:
        html = _tracked(html, document.id, unsubscribe, context)
    return RenderedEmail(context.profile.email, filled.sender, subject, html, text, headers)


def _tracked(html: str, message: str, unsubscribe: str, context: Context) -> str:
    try:
        html = tracking.track_links(html, context.delivery, signer=context.signer, public_url=context.public_url, unsubscribe=unsubscribe)
    except ValueError as error:  # half a character pair, which no link can carry
        raise RenderError(_where(message, "email", "html") + "a link holds a character that cannot be written.") from error
    pixel = tracking.opened_url(context.public_url, context.signer.sign("o", context.delivery))
    return tracking.add_pixel(html, pixel)


def _push(filled: FilledPush, context: Context) -> RenderedPush:
    """The push for all devices of the person."""
    unsubscribe = _unsubscribe(context)
    title, body, url = (part.replace(UNSUBSCRIBE, unsubscribe) for part in (filled.title, filled.body, filled.url))
    data = {key: value.replace(UNSUBSCRIBE, unsubscribe) for key, value in filled.data.items()}
    return RenderedPush(context.profile.push_tokens, title, body, url, data, context.signer.sign("p", context.delivery))


def _unsubscribe(context: Context) -> str:
    return tracking.unsubscribe_url(context.public_url, context.signer.sign("u", context.delivery))


def _where(message: str, channel: str, part: str, line: int = 0) -> str:
    return f"Message {message!r}, {channel} {part}{f', line {line}' if line else ''}: "

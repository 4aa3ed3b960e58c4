"""Reactions that cannot come, because nothing in the message could tell them. It knows no graph beyond the two nodes."""

from __future__ import annotations

from collections.abc import Iterator

from journey import tracking
from journey.findings import Finding, warning
from journey.graph import Journey, Message, Reaction
from journey.surroundings import Surroundings


def check(journey: Journey, surroundings: Surroundings) -> Iterator[Finding]:
    """Each reaction to an e-mail."""
    for node in journey.by_id.values():
        sent = journey.by_id.get(node.of) if isinstance(node, Reaction) else None
        if not isinstance(node, Reaction) or not isinstance(sent, Message):
            continue
        message = surroundings.messages.get(sent.message)
        email = message.email if message is not None else None
        if message is None or email is None or (sent.channels and "email" not in sent.channels):
            continue
        if node.to == "email.opened" and not email.html.strip() and email.text.strip():
            said = f"The e-mail of {message.id} is text alone, and only a picture in html can tell an open: write html, or wait otherwise."
            yield warning("open_not_seen", node.id, "to", said)
        if node.to == "email.clicked" and (email.html.strip() or email.text.strip()) and not tracking.can_be_clicked(email.html):
            said = f"The e-mail of {message.id} has no link in html that could be counted: put one into it, or wait for something else."
            yield warning("nothing_to_click", node.id, "to", said)

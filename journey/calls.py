"""A call of a webhook, and what was answered: the shapes, what an answer means, and whom it is made to. It knows no Liquid and no HTTP.

A call is a delivery like a message, on a channel of its own; its account is the host, which has its own rate and its own breaker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from journey.graph import Webhook

CHANNEL = "webhook"
LARGEST_BODY = 32_768
"""Bytes of an answer that are kept for later; a larger body is left out, with the reason."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
TRANSIENT = frozenset({408, 425, 429})
"""Answers that mean later, as do all from 500 on."""

LeftOut = Literal["", "too_large", "not_json"]


@dataclass(frozen=True, slots=True)
class Response:
    """What a webhook answered: its status, and its body where that is JSON of at most LARGEST_BODY bytes; else `left_out` says why not."""

    status: int
    body: Any = None
    left_out: LeftOut = ""


@dataclass(frozen=True, slots=True)
class RenderedCall:
    """A call made out for one person: everything that goes on the wire, but for the signature."""

    url: str
    method: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True)
class ToCall:
    """A webhook as it is claimed and sent: what a message says of itself, said of a call. It goes to a system, so nothing holds it back."""

    node: Webhook
    id: str = ""
    channels: tuple[str, ...] = (CHANNEL,)
    kind: str = "transactional"
    may_repeat: bool = True

    @property
    def host(self) -> str:
        return host_of(self.node.url)


def meaning(status: int) -> Literal["took", "later", "refused"]:
    """What a status means: taken, to be tried again, or refused for good. A redirect is a refusal: it is not followed."""
    if 200 <= status < 300:
        return "took"
    return "later" if status in TRANSIENT or status >= 500 else "refused"


def known(responses: Mapping[str, Response]) -> dict[str, Any]:
    """What `calls` stands for: NODE.status and NODE.body of every node that was answered.

    A rule's names hold no `-`: the node get-score is `calls.get_score` too, which no other node can be, since ids hold no `_`.
    """
    found: dict[str, Any] = {}
    for node, response in responses.items():
        found[node] = found[named(node)] = {"status": response.status, "body": response.body}
    return found


def named(node: str) -> str:
    """The id of a node as rules and Liquid write it behind `calls.`."""
    return node.replace("-", "_")


def host_of(url: str) -> str:
    """The host of a webhook's url, with its port unless that is the usual one; empty where the url names none.

    What stands before the path is written out, never Liquid: so whom a call is made to is known before it is made out for anybody.
    """
    try:
        parts = urlsplit(_before_the_path(url))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port}" if host and port not in (None, usual) else shown


def account(host: str) -> str:
    """The name by which rate and breaker know a host."""
    return f"{CHANNEL}:{host}"


def _before_the_path(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    for sign in "/?#":
        rest = rest.partition(sign)[0]
    return f"{scheme}{mark}{rest}"

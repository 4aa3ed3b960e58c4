"""The one port of what carries a channel, and the answers it can give. Each provider passes tests/providers' one contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from journey.calls import Response
from journey.messages import Rendered


@dataclass(frozen=True, slots=True)
class Took:
    """The provider accepted it. `dead_tokens` are push tokens it says are gone for good; `response` is what a webhook answered."""

    provider_id: str = ""
    dead_tokens: tuple[str, ...] = ()
    response: Response | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider will never take it: a permanent answer. `code` is stable (docs/messages.md), `detail` the provider's own words.

    `asked` False says that we know so ourselves: of an earlier call that nobody answered it says nothing.
    """

    code: str
    detail: str = ""
    dead_tokens: tuple[str, ...] = ()
    asked: bool = True
    response: Response | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """The provider may take it later: a transient answer. `retry_after` in seconds, when it said so.

    `asked` False says that it was not asked at all, since we had no connection free: then this is no try. `unanswered` says that the
    whole call went out and nothing came back: an idempotent provider is asked again by the same key, which does no harm, but if that
    never happens nobody knows whether the person was reached.
    """

    detail: str = ""
    retry_after: float | None = None
    asked: bool = True
    unanswered: bool = False
    response: Response | None = None


@dataclass(frozen=True, slots=True)
class Uncertain(Later):
    """The whole message was handed over and no answer came back: the provider may have taken it.

    Only providers at risk (not idempotent) give this answer. It is a Later for who would rather send twice than lose a message; who
    would never send twice looks for it first.
    """


Answer = Took | Refused | Later


class Provider(Protocol):
    """Carries rendered messages of one channel.

    `idempotent` says whether the same delivery id given twice reaches the person once. `longest_call` is the bound in seconds that the
    provider keeps on one call. `deliver` gives an answer for whatever the other side said, and raises only on faults of ours; a
    connection that cannot be made, or breaks before the other side has accepted, is Later.
    """

    channel: str
    name: str
    idempotent: bool
    longest_call: float

    async def deliver(self, delivery: str, message: Rendered) -> Answer: ...

    async def close(self) -> None: ...

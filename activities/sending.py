"""One delivery: rendered for its person and handed to the provider of its channel. It knows no store; what came of it is a Mark."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from activities import metrics
from journey import call_rendering, ids, liquid_values, rendering
from journey.calls import ToCall
from journey.errors import RenderError
from journey.masking import masked, masked_behind_the_place, private_values
from journey.messages import MessageDocument, Rendered
from journey.tracking import Signer
from providers.port import Answer, Later, Provider, Refused, Took, Uncertain
from store.claims import SENT_AGAIN, UNANSWERED, Carrier, Policy
from store.closing import Mark
from store.in_review import Shown
from store.send_rates import SendRates
from store.steps import Opened
from store.taking import Claim

_log = logging.getLogger("sojourn.sending")
_LONGEST_DETAIL = 500
_GRACE = 10.0
"""Seconds that a lease lasts beyond the provider's longest call."""
LONGEST_RETRY_AFTER = 86_400.0
"""A pause is obeyed up to a day: who is told to come again in a year would never be heard of."""


@dataclass(frozen=True)
class Sending:
    """The providers by channel, how fast they may be sent to, and what every message needs. `inbox` takes what is only tested."""

    providers: Mapping[str, Provider]
    signer: Signer
    public_url: str
    mail_from: str
    rates: SendRates = field(default_factory=SendRates)
    inbox: Mapping[str, Provider] = field(default_factory=dict)

    def policy(self, *, consent_explicit: bool = False) -> Policy:
        """What the store must know to hand out claims."""
        return Policy(_carriers(self.providers), consent_explicit, self.rates, _carriers(self.inbox, rated=False))

    async def carry(self, claim: Claim, opened: Opened) -> Mark:
        """Render and send. Raises only when the provider itself broke: then nobody knows, and the lease decides."""
        try:
            message = self._render(claim, opened)
        except RenderError as error:
            said = _short(masked_behind_the_place(error.sentence, _private(opened)))
            _log.warning("%s cannot be rendered: %s", claim.delivery, said)
            return Mark(claim.channel, "failed", error.code, asked=False, detail=said)
        answer = await self._hand_over(claim, message, opened)
        said = "" if isinstance(answer, Took) else _short(masked(answer.detail, _private(opened)))
        mark = partial(Mark, claim.channel, detail=said)
        match answer:
            case Took(provider_id, dead_tokens, response):
                return mark("sent", provider_id=provider_id, dead_tokens=dead_tokens, response=response)
            case Refused(code, _, dead_tokens, asked, response):
                _log.warning("%s was refused: %s %s", claim.delivery, code, said)
                return mark("failed", code, dead_tokens=dead_tokens, asked=asked, response=response)
            case Uncertain() if not opened.document.may_repeat:
                _log.warning("%s may have been taken, or not: %s", claim.delivery, said)
                return mark("uncertain", "no_answer")
            case Uncertain(_, retry_after):
                _log.warning("%s may have been taken, or not, and is sent again: %s", claim.delivery, said)
                return mark("claimed", SENT_AGAIN, retry_after=_bounded(retry_after), token=claim.token)
            case Later(_, retry_after, asked, unanswered, response):
                _log.info("%s is to be tried again: %s", claim.delivery, said)
                reason, wait = UNANSWERED if unanswered else "", _bounded(retry_after)
                return mark("claimed", reason, retry_after=wait, token=claim.token, asked=asked, response=response)

    async def _hand_over(self, claim: Claim, message: Rendered, opened: Opened) -> Answer:
        if opened.session is not None and not opened.session.really(claim.channel):
            return await self.inbox[claim.channel].deliver(claim.delivery, message)
        return await metrics.timed(claim.channel, self.providers[claim.channel].deliver(claim.delivery, message))

    def _render(self, claim: Claim, opened: Opened) -> Rendered:
        if isinstance(opened.document, ToCall):
            values = liquid_values.of(
                opened.profile,
                journey=opened.journey,
                entrant=opened.entrant,
                event=opened.event,
                entry=opened.entry,
                calls=opened.calls,
                now=opened.at,
            )
            return call_rendering.render(opened.document.node, values | {"delivery": claim.delivery})
        context = self._context(claim.delivery, opened)
        if claim.channel in opened.approved:
            return rendering.finish(opened.approved[claim.channel], opened.document, context)
        return rendering.render(opened.document, claim.channel, context)

    def shown(self, channel: str, n: int, opened: Opened) -> Shown:
        """What is to be seen by whoever reviews a message: as it would be sent on this channel now, or why it cannot be."""
        assert isinstance(opened.document, MessageDocument), "only messages are reviewed"
        try:
            context = self._context(ids.delivery(opened.entrant, n, channel), opened)
            return Shown(channel, rendering.for_review(opened.document, channel, context))
        except RenderError as error:
            return Shown(channel, error=error.sentence)

    def _context(self, delivery: str, opened: Opened) -> rendering.Context:
        return rendering.Context(
            profile=opened.profile, delivery=delivery, journey=opened.journey, event=opened.event, entry=opened.entry,
            public_url=self.public_url, signer=self.signer, default_sender=self.mail_from,
            now=datetime.fromtimestamp(opened.at / 1_000_000, UTC), calls=opened.calls,
        )  # fmt: skip


def _carriers(providers: Mapping[str, Provider], *, rated: bool = True) -> dict[str, Carrier]:
    return {
        channel: Carrier(int((provider.longest_call + _GRACE) * 1_000_000), provider.idempotent, f"{channel}:{provider.name}", rated)
        for channel, provider in providers.items()
    }


def _bounded(retry_after: float | None) -> float:
    return min(retry_after or 0.0, LONGEST_RETRY_AFTER)


def _short(words: str) -> str:
    """As much as is kept with a delivery of what a provider or a template said, which may be a page."""
    return words if len(words) <= _LONGEST_DETAIL else words[: _LONGEST_DETAIL - 1] + "…"


def _private(opened: Opened) -> set[str]:
    return private_values(opened.profile, {**opened.entry, **opened.event})

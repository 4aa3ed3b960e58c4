"""Who may send a delivery, and whether it may be sent at all. A delivery belongs to its lease; nobody owns a step (D3).

Consent, suppression and address are looked up here, at the moment of sending, never earlier.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, or_, select

from journey import ids
from journey.events import Instant
from journey.messages import MessageDocument
from journey.profiles import Profile
from store import schema, suppressions
from store.entrants import DECIDED_DUE, Entrant
from store.send_rates import SendRates
from store.statements import Row, Statement
from store.work import Work

MOST_TRIES = 20
"""Transient answers in a row before a delivery has failed; with the pauses below this is about an hour (M2)."""
LONGEST_PAUSE = 300.0
SENT_AGAIN = "sent_again"
"""The reason on a delivery that may have been sent before, and is sent again because losing it would be worse."""
LONGEST_LOOK = 5.0
"""Seconds after which an attempt that met somebody else's lease looks again: whoever holds it may be done long before it runs out."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """What the store must know of a channel's provider: how long a claim on it lasts, whether a repeat reaches the person twice, and
    the account whose rate a message to it counts for."""

    lease: Instant
    idempotent: bool
    account: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """What sending is held to. A channel without a carrier cannot be sent on."""

    carriers: Mapping[str, Carrier] = field(default_factory=dict)
    consent_explicit: bool = False
    rates: SendRates = field(default_factory=SendRates)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send one delivery, until its lease runs out."""

    channel: str
    token: str
    delivery: str
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else has the claim, the provider asked for a pause, or it is not yet our turn: come back in so many seconds."""

    seconds: float


@dataclass(slots=True)
class Taken:
    """What an attempt may send now, in how many seconds it should look after the rest, and by when all of it should be done."""

    claims: list[Claim] = field(default_factory=list)
    look: float | None = None
    due: Instant = 0

    def look_in(self, seconds: float) -> None:
        self.look = seconds + 0.01 if self.look is None else min(self.look, seconds + 0.01)


def claim(work: Work, entrant: Entrant, n: int, node: str, document: MessageDocument, channels: tuple[str, ...], profile: Profile,
          policy: Policy, now: Instant) -> Taken:  # fmt: skip
    """Insert the deliveries of a step that opens: those that may be sent are claimed, the others excluded with their reason.

    One whose turn at its provider has not come is nobody's until then.
    """
    wanted = [channel for channel in document.channels if not channels or channel in channels]
    reasons = _exclusions(work, wanted, profile, policy)
    rows: list[dict[str, Any]] = []
    taken = Taken()
    for channel in wanted:
        reason = reasons.get(channel, "")
        its_turn = now if reason else turn(work, channel, policy, now)
        token = "" if reason or its_turn > now else secrets.token_hex(8)
        lease = now + policy.carriers[channel].lease if token else None
        rows.append({
            "entrant": entrant.id, "n": n, "channel": channel, "version": entrant.version, "mode": entrant.mode, "node": node,
            "message": document.id, "profile": entrant.profile, "status": "excluded" if reason else "claimed", "reason": reason,
            "token": token, "lease": lease, "tries": 0, "marked_at": now if reason else None,
            "not_before": its_turn if its_turn > now else None, "slot": its_turn if its_turn > now else None,
        })  # fmt: skip
        if lease is not None:
            taken.claims.append(Claim(channel, token, ids.delivery(entrant.id, n, channel)))
            taken.due = max(taken.due, lease)
        elif not reason:
            taken.look_in(_seconds(its_turn, now))
            taken.due = max(taken.due, its_turn + DECIDED_DUE)
    if rows:
        _INSERT.run(work.connection, rows)
    return taken


def reclaim(work: Work, entrant: Entrant, n: int, document: MessageDocument, policy: Policy, now: Instant) -> Taken:
    """Take over the deliveries of a step that is open and not finished.

    A live lease is left alone. One whose holder died between claim and answer is taken over when a repeat does no harm. When it might
    reach the person twice, the message's promise decides: *uncertain* (never_twice), or sent again (never_lost). Whoever has opened it
    has got it: then it is sent, and is not sent again.
    """
    taken = Taken()
    changed: list[dict[str, Any]] = []
    for row in of_step(work, entrant.id, n):
        if row.status != "claimed":
            continue
        leased, waits = _seconds(row.lease, now), _seconds(row.not_before, now)
        at_risk = row.token and not policy.carriers[row.channel].idempotent
        if leased > 0:
            taken.look_in(min(leased, LONGEST_LOOK - 0.01))
        elif may_have_gone(row) and has_arrived(work, row):
            changed.append(change(row, **OVER, status="sent", reason="", marked_at=now))
        elif waits > 0:
            taken.look_in(waits)
        elif at_risk and not document.may_repeat:
            changed.append(change(row, **OVER, status="uncertain", reason="worker_lost", marked_at=now))
        elif row.slot is None and (its_turn := turn(work, row.channel, policy, now)) > now:
            changed.append(change(row, not_before=its_turn, slot=its_turn))
            taken.look_in(_seconds(its_turn, now))
        else:
            token, lease = secrets.token_hex(8), now + policy.carriers[row.channel].lease
            reason = SENT_AGAIN if at_risk else row.reason
            changed.append(change(row, reason=reason, token=token, lease=lease, not_before=None, slot=None))
            taken.claims.append(Claim(row.channel, token, ids.delivery(entrant.id, n, row.channel), row.tries))
            taken.due = max(taken.due, lease)
    save(work, changed)
    return taken


def give_up(work: Work, entrant: Entrant, n: int, now: Instant) -> None:
    """The entrant must end: what is not on its way is not sent any more, and what a lost worker had in hand may have been."""
    changed: list[dict[str, Any]] = []
    for row in of_step(work, entrant.id, n):
        if row.status != "claimed" or _seconds(row.lease, now) > 0:
            continue
        if not may_have_gone(row):
            changed.append(change(row, **OVER, status="excluded", reason="ended", marked_at=now))
        elif has_arrived(work, row):
            changed.append(change(row, **OVER, status="sent", reason="", marked_at=now))
        elif row.token:
            changed.append(change(row, **OVER, status="uncertain", reason="worker_lost", marked_at=now))
        else:
            changed.append(change(row, **OVER, status="uncertain", reason="no_answer", marked_at=now))
    save(work, changed)


def may_have_gone(row: Row) -> bool:
    """Was an open delivery, which nobody has in hand now, perhaps taken by the provider already?"""
    return bool(row.token) or row.reason == SENT_AGAIN


def has_arrived(work: Work, row: Row) -> bool:
    """Does a fact prove that the person has got this delivery, whatever became of our call?"""
    return _ARRIVED.first(work.connection, {"entrant": row.entrant, "step": row.n, "of": row.channel}) is not None


def turn(work: Work, channel: str, policy: Policy, now: Instant) -> Instant:
    """When the next message may go to the channel's provider: now, or an instant to wait for."""
    return policy.rates.turn(work, channel, policy.carriers[channel].account or channel, now)


def _seconds(until: Instant | None, now: Instant) -> float:
    """How long it is until then; nothing or less when there is no such instant, or it is past."""
    return 0.0 if until is None else (until - now) / 1_000_000


def pause(tries: int) -> float:
    """Seconds to wait after this many transient answers."""
    return min(2.0 ** max(tries - 1, 0), LONGEST_PAUSE)


def of_step(work: Work, entrant: str, n: int) -> Sequence[Row]:
    """The deliveries of a step, in the order of their channels."""
    return _OF_STEP.all(work.connection, {"entrant": entrant, "step": n})


def change(row: Row, **values: Any) -> dict[str, Any]:
    """A delivery as it is to stand from now on; what is not named stays."""
    key = {"entrant_": row.entrant, "n_": row.n, "channel_": row.channel}
    return key | {name: values[name] if name in values else getattr(row, name) for name in _CHANGING}


def save(work: Work, changed: list[dict[str, Any]]) -> None:
    """Write deliveries down as `change` has made them."""
    if changed:
        _SAVE.run(work.connection, changed)


def why_not(work: Work, channel: str, profile: Profile, policy: Policy) -> str:
    """Why this person cannot be sent to on a channel now; empty when they can."""
    return _exclusions(work, [channel], profile, policy).get(channel, "")


def _exclusions(work: Work, channels: list[str], profile: Profile, policy: Policy) -> dict[str, str]:
    """Why a channel cannot be used for this person, in the order consent, address or token, suppression."""
    reasons: dict[str, str] = {}
    addresses: list[tuple[str, str]] = []
    for channel in channels:
        if channel not in policy.carriers:
            reasons[channel] = "no_provider"
        elif not profile.consents.get(channel, not policy.consent_explicit):
            reasons[channel] = "no_consent"
        elif channel == "email" and not profile.email:
            reasons[channel] = "no_address"
        elif channel == "push" and not profile.push_tokens:
            reasons[channel] = "no_token"
        elif channel == "email":
            addresses.append((channel, profile.email))
    if addresses:
        barred = suppressions.of(work.connection, addresses)
        reasons |= {channel: "suppressed" for channel, address in addresses if (channel, address) in barred}
    return reasons


_INSERT = Statement(schema.deliveries.insert())
_OF_STEP = Statement(
    select(schema.deliveries)
    .where(schema.deliveries.c.entrant == bindparam("entrant"), schema.deliveries.c.n == bindparam("step"))
    .order_by(schema.deliveries.c.channel)
)
_ARRIVED = Statement(
    select(schema.facts.c.kind).where(
        schema.facts.c.entrant == bindparam("entrant"), schema.facts.c.n == bindparam("step"), schema.facts.c.channel == bindparam("of"),
        or_(*(schema.facts.c.kind == kind for kind in ("opened", "clicked", "unsubscribed"))),
    ).limit(1)
)  # fmt: skip
OVER: dict[str, Any] = {"token": "", "lease": None, "not_before": None, "slot": None}
_CHANGING = ("status", "reason", "token", "lease", "tries", "not_before", "provider_id", "marked_at", "slot")
_SAVE = Statement(
    schema.deliveries.update()
    .where(*(schema.deliveries.c[name] == bindparam(f"{name}_") for name in ("entrant", "n", "channel")))
    .values({name: bindparam(name) for name in _CHANGING})
)

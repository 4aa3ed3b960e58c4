"""Who may send a delivery, and whether it may be sent at all. A delivery belongs to its lease; nobody owns a step (D3).

Consent, suppression and address are looked up here, at the moment of sending, never earlier.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import bindparam, select

from journey import calls, ids
from journey.events import Instant
from journey.holding import Held
from journey.policies import CAPPED
from journey.policies import HELD as POLICIES
from journey.review import IN_REVIEW
from journey.tries import LONGEST_PAUSE as LONGEST_PAUSE
from journey.tries import SENT_AGAIN as SENT_AGAIN
from journey.tries import pause as pause
from journey.version import Session
from store import exclusions, holding, schema, traces
from store.entrants import DECIDED_DUE, Entrant
from store.holding import Asking
from store.send_rates import SendRates
from store.statements import Row, Statement
from store.taking import Claim, Taken
from store.traces import UNANSWERED as UNANSWERED
from store.work import Work

MOST_TRIES = 20
"""Transient answers in a row before a delivery has failed; with the pauses below this is about an hour (M2)."""
LONGEST_LOOK = 5.0
"""Seconds after which an attempt that met somebody else's lease looks again: whoever holds it may be done long before it runs out."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """What the store must know of a channel's provider: how long a claim on it lasts, whether a repeat reaches the person twice, and
    the account whose rate a message to it counts for, unless it has none (`rated`). The account of a webhook's call is its host."""

    lease: Instant
    idempotent: bool
    account: str = ""
    rated: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    """What sending is held to. A channel without a carrier cannot be sent on; `inbox` carries what is only tested."""

    carriers: Mapping[str, Carrier] = field(default_factory=dict)
    consent_explicit: bool = False
    rates: SendRates = field(default_factory=SendRates)
    inbox: Mapping[str, Carrier] = field(default_factory=dict)

    def of(self, session: Session | None) -> Policy:
        """What sending to an entrant is held to: what is only tested goes to the inbox, and uses up no rate."""
        if session is None:
            return self
        real = {channel: carrier for channel, carrier in self.carriers.items() if session.really(channel)}
        return replace(self, carriers=real | {channel: carrier for channel, carrier in self.inbox.items() if not session.really(channel)})


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else has the claim, the provider asked for a pause, or it is not yet our turn: come back in so many seconds.

    `held` is a sentence, and not empty, when nothing but the policies hold it back, which may take days.
    """

    seconds: float
    held: str = ""


def claim(work: Work, asking: Asking, node: str, channels: tuple[str, ...], policy: Policy) -> Taken:
    """Insert the deliveries of a step that opens: those that may be sent are claimed, the others excluded with their reason.

    One whose turn at its provider has not come, or that policies hold back, is nobody's until then.
    """
    entrant, document = asking.entrant, asking.document
    wanted = [channel for channel in document.channels if not channels or channel in channels]
    judged = exclusions.again(work, entrant, node, wanted) or _judge(work, asking, wanted, policy)
    taken, rows = Taken(), list[dict[str, Any]]()
    for channel in wanted:
        new = {
            "entrant": entrant.id, "n": asking.n, "channel": channel, "version": entrant.version, "mode": entrant.mode, "node": node,
            "message": document.id, "profile": entrant.profile, "tries": 0, "asked_at": asking.asked_at, "priority": asking.priority,
            "mail": ids.mail(ids.delivery(entrant.id, asking.n, channel)) if channel == "email" else "", "sent_to": "",
        }  # fmt: skip
        verdict = judged.get(channel)
        stands = _go(work, asking, channel, policy, taken) if verdict is None else _held(asking, channel, verdict, taken)
        rows.append(new | stands)
    if rows:
        work.write(_INSERT, rows)
    return taken


def reclaim(work: Work, asking: Asking, policy: Policy, *, keep_back: bool = False) -> Taken:
    """Take over the deliveries of a step that is open and not finished.

    A live lease is left alone. One whose holder died between claim and answer is taken over when a repeat does no harm. When it might
    reach the person twice, the message's promise decides: *uncertain* (never_twice), or sent again (never_lost). What something
    has come back of was taken: then it is sent, and is not sent again. Who has said no meanwhile gets no repeat; what nobody can have
    got yet is judged anew by consent, suppression and policies. With `keep_back` nothing is taken over to be sent: the journey is paused.
    """
    taken, now = Taken(), asking.now
    changed: list[dict[str, Any]] = []
    anew: list[Row] = []
    for row in of_step(work, asking.entrant.id, asking.n):
        if row.status != "claimed":
            continue
        if row.reason == IN_REVIEW:
            taken.in_review.append(row.channel)
            continue
        leased, waits = _seconds(row.lease, now), _seconds(row.not_before, now)
        at_risk = row.token and not policy.carriers[row.channel].idempotent
        if leased > 0:
            taken.look_in(min(leased, LONGEST_LOOK - 0.01))
        elif traces.may_have_gone(row) and traces.was_taken(work, row):
            changed.append(change(row, **OVER, status="sent", reason="", marked_at=now))
        elif keep_back and (not at_risk or asking.document.may_repeat):
            taken.kept_back = True
        elif waits > 0:
            taken.look_in(waits, row.channel, row.reason if row.reason in POLICIES else "")
            taken.due = max(taken.due, row.not_before + DECIDED_DUE)
        elif at_risk and not asking.document.may_repeat:
            changed.append(_uncertain(row, now))
        elif not traces.may_have_gone(row):
            anew.append(row)
        elif exclusions.of(work, [row.channel], asking.profile, policy.carriers, consent_explicit=policy.consent_explicit):
            changed.append(_uncertain(row, now))  # they have said no meanwhile
        else:
            reason = SENT_AGAIN if at_risk else row.reason
            changed.append(change(row, **_go(work, asking, row.channel, policy, taken, row, reason)))
    judged = _judge(work, asking, [row.channel for row in anew], policy) if anew else {}
    for row in anew:
        verdict = judged.get(row.channel)
        stands = _go(work, asking, row.channel, policy, taken, row) if verdict is None else _held(asking, row.channel, verdict, taken)
        changed.append(change(row, **stands))
    save(work, changed)
    return taken


def _judge(work: Work, asking: Asking, channels: list[str], policy: Policy) -> dict[str, Held]:
    """Why not to send now, by channel: what forbids it to this person, then their review, else what the policies say."""
    excluded = exclusions.of(work, channels, asking.profile, policy.carriers, consent_explicit=policy.consent_explicit)
    found = {channel: Held(reason) for channel, reason in excluded.items()}
    if asking.review:
        return dict.fromkeys(channels, Held(IN_REVIEW)) | found
    return found | holding.judge(work, asking, [channel for channel in channels if channel not in found])


def _held(asking: Asking, channel: str, verdict: Held, taken: Taken) -> dict[str, Any]:
    """A delivery that does not go now: excluded, or nobody's until its time comes. In line for a place it is seen by those behind it."""
    if verdict.reason == IN_REVIEW:
        taken.in_review.append(channel)
        return OVER | {"status": "claimed", "reason": IN_REVIEW, "marked_at": None, "counts_at": None}
    if verdict.until is None:
        return OVER | {"status": "excluded", "reason": verdict.reason, "marked_at": asking.now, "counts_at": None}
    taken.look_in(_seconds(verdict.until, asking.now), channel, verdict.reason)
    taken.due = max(taken.due, verdict.until + DECIDED_DUE)
    return OVER | {
        "status": "claimed", "reason": verdict.reason, "marked_at": None, "not_before": verdict.until,
        "counts_at": verdict.until if asking.counts and verdict.reason == CAPPED else None,
    }  # fmt: skip


def _go(
    work: Work, asking: Asking, channel: str, policy: Policy, taken: Taken, before: Row | None = None, reason: str = ""
) -> dict[str, Any]:
    """A delivery that may go: claimed, or nobody's until its turn at the provider. `before` is how it stood, when it was there."""
    now = asking.now
    has_turn = before is not None and before.slot is not None
    its_turn = now if has_turn else turn(work, channel, policy, now, asking.host)
    if asking.exempt and not asking.host:
        its_turn = now  # it does not stand in line: its turn is one less for those behind
    stands = {"status": "claimed", "reason": reason, "marked_at": None, "counts_at": its_turn if asking.counts else None,
              "sent_to": traces.address_of(channel, asking.profile)}  # fmt: skip
    if its_turn > now:
        taken.look_in(_seconds(its_turn, now))
        taken.due = max(taken.due, its_turn + DECIDED_DUE)
        return stands | {"token": before.token if before is not None else "", "lease": None, "not_before": its_turn, "slot": its_turn}
    token, lease = secrets.token_hex(8), now + policy.carriers[channel].lease
    taken.claims.append(
        Claim(channel, token, ids.delivery(asking.entrant.id, asking.n, channel), before.tries if before is not None else 0)
    )
    taken.due = max(taken.due, lease)
    return stands | {"token": token, "lease": lease, "not_before": None, "slot": None}


def give_up(work: Work, entrant: Entrant, n: int, now: Instant) -> None:
    """The entrant must end: what is not on its way is not sent any more, and what a lost worker had in hand may have been."""
    changed = []
    for row in of_step(work, entrant.id, n):
        if row.status != "claimed" or _seconds(row.lease, now) > 0:
            continue
        if not traces.may_have_gone(row):
            changed.append(change(row, **OVER, status="excluded", reason="ended", marked_at=now, counts_at=None))
        elif traces.was_taken(work, row):
            changed.append(change(row, **OVER, status="sent", reason="", marked_at=now))
        else:
            changed.append(_uncertain(row, now))
    save(work, changed)


def _uncertain(row: Row, now: Instant) -> dict[str, Any]:
    """A delivery that may have arrived, and is not sent again."""
    return change(row, **OVER, status="uncertain", reason="worker_lost" if row.token else "no_answer", marked_at=now)


def turn(work: Work, channel: str, policy: Policy, now: Instant, host: str = "") -> Instant:
    """When the next message may go to the channel's provider, or the next call to this host: now, or an instant to wait for."""
    if not policy.carriers[channel].rated:
        return now
    account = calls.account(host) if host else policy.carriers[channel].account or channel
    return policy.rates.turn(work, channel, account, now)


def _seconds(until: Instant | None, now: Instant) -> float:
    """How long it is until then; nothing or less when there is no such instant, or it is past."""
    return 0.0 if until is None else (until - now) / 1_000_000


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
        work.write(_SAVE, changed)


_INSERT = Statement(schema.deliveries.insert())
_OF_STEP = Statement(
    select(schema.deliveries)
    .where(schema.deliveries.c.entrant == bindparam("entrant"), schema.deliveries.c.n == bindparam("step"))
    .order_by(schema.deliveries.c.channel)
)
OVER: dict[str, Any] = {"token": "", "lease": None, "not_before": None, "slot": None}
_CHANGING = (
    "status", "reason", "detail", "token", "lease", "tries", "not_before", "provider_id", "marked_at", "slot", "counts_at", "sent_to",
)  # fmt: skip
_SAVE = Statement(
    schema.deliveries.update()
    .where(*(schema.deliveries.c[name] == bindparam(f"{name}_") for name in ("entrant", "n", "channel")))
    .values({name: bindparam(name) for name in _CHANGING})
)

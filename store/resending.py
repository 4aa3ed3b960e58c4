"""An uncertain delivery is sent once more, because somebody asked for it: claimed anew, whatever has become of its entrant since.

It stays *uncertain* until a provider took it, so that a crash in the middle leaves it as it was: it is never sent twice by itself. What
it knows of a step is what was written down when that was opened.
"""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, bindparam, select

from journey import calls, gate, ids
from journey.contract import ResendStart
from journey.errors import Conflict, NotFound
from journey.events import Instant
from journey.profiles import Profile
from store import claims, entrants, exclusions, in_review, knowing, messages, profiles, records, responses, schema, steps, traces
from store.claims import Busy, Policy
from store.closing import Mark
from store.entrants import Entrant
from store.statements import Row, Statement
from store.steps import Opened
from store.taking import Claim
from store.upserts import insert_new
from store.work import CounterKey, Work

RESENT = "resent"


def wanted(connection: Connection, delivery: str) -> tuple[ResendStart, str]:
    """How to begin sending a delivery once more, and its version. Raises NotFound, and Conflict unless it is uncertain."""
    row = _named(connection, delivery)
    if row is None:
        raise NotFound(f"There is no delivery {delivery}.")
    if row.status != "uncertain":
        raise Conflict(f"The delivery {delivery} is {row.status}: only an uncertain one is sent once more.")
    return ResendStart(delivery, row.marked_at), row.version


def open_again(work: Work, start: ResendStart, policy: Policy) -> Opened | Busy | str:
    """Claim the delivery anew; a text says how it stands when there is nothing to send, or nothing any more."""
    entrant, row = _locked(work, start)
    session = entrant.frozen.session
    policy, now = policy.of(session), work.now()
    if row.status != "uncertain" or row.marked_at != start.since:
        return _told(row.status, row.reason)
    held = (max(row.lease or 0, row.not_before or 0) - now) / gate.MICROSECONDS
    if held > 0:
        return Busy(min(held + 0.01, claims.LONGEST_LOOK) if row.lease else held + 0.01)
    if row.token:
        return _stays_uncertain(work, row, "worker_lost", now)
    profile = profiles.read(work.connection, entrant.profile) or Profile(entrant.profile)
    excluded = exclusions.of(work, [row.channel], profile, policy.carriers, consent_explicit=policy.consent_explicit)
    if reason := excluded.get(row.channel):
        return _stays_uncertain(work, row, reason, now)
    tries = row.tries if row.reason == "resending" else 0
    call = steps.to_call(entrant, row.node) if row.channel == calls.CHANNEL else None
    host = call.host if call is not None else ""
    if row.slot is None and (turn := claims.turn(work, row.channel, policy, now, host)) > now:
        claims.save(work, [claims.change(row, reason="resending", tries=tries, not_before=turn, slot=turn)])
        return Busy((turn - now) / gate.MICROSECONDS + 0.01)
    token, lease = secrets.token_hex(8), now + policy.carriers[row.channel].lease
    claims.save(work, [claims.change(row, reason="resending", tries=tries, token=token, lease=lease, not_before=None, slot=None,
                                    sent_to=traces.address_of(row.channel, profile))])  # fmt: skip
    step = records.step(work, entrant.id, row.n)
    document = call or messages.at(work.connection, row.message, step.revision)
    entry = knowing.entry_of(work, entrant)
    event = knowing.last_event(work, entrant.id, row.n, step.by_source, step.by_event, entry)
    claim, answers = Claim(row.channel, token, start.delivery, tries), knowing.answered(work, entrant)
    approved = in_review.approved(in_review.rows_of(work, entrant.id, row.n)) if in_review.holds(entrant, row.node) else {}
    return Opened(
        (claim,), document, profile, entrant.journey, event, now, entry=entry, entrant=entrant.id, calls=answers, session=session,
        approved=approved,
    )  # fmt: skip


def mark_again(work: Work, start: ResendStart, answer: Mark) -> Busy | str:
    """Write down what came of it: sent, or uncertain as before with the reason; Busy when the provider asked for a pause."""
    entrant, row = _locked(work, start)
    now = work.now()
    if answer.dead_tokens:
        profiles.drop_push_tokens(work, entrant.profile, answer.dead_tokens)
    if answer.status == "sent":
        counts_at = now if row.counts_at is not None else None
        over = claims.OVER | {"provider_id": answer.provider_id, "marked_at": now, "counts_at": counts_at, "detail": ""}
        sent = claims.change(row, **over, status="sent", reason=RESENT)
        claims.save(work, [sent])
        if in_review.holds(entrant, row.node):
            in_review.forget(work, entrant.id, row.n)
        if answer.response is not None:
            responses.keep(work, entrant.id, row.n, row.node, answer.response, now)
        _fact(work, row, now)
        return _told("sent", RESENT)
    if row.status != "uncertain" or row.token != answer.token:  # an open or a late answer has told how it was
        return _told(row.status, row.reason)
    if answer.status != "claimed":
        return _stays_uncertain(work, row, answer.reason, now, answer.detail)
    if answer.reason == claims.SENT_AGAIN:  # the whole message went out: who asked may ask again
        return _stays_uncertain(work, row, "no_answer", now, answer.detail)
    tries = row.tries + answer.asked
    if answer.asked and tries >= claims.MOST_TRIES:
        return _stays_uncertain(work, row, "retries_exhausted", now, answer.detail)
    wait = max(claims.pause(tries), answer.retry_after or 0)
    paused = claims.change(row, tries=tries, detail=answer.detail, token="", lease=None, not_before=now + int(wait * gate.MICROSECONDS))
    claims.save(work, [paused])
    return Busy(wait)


def _stays_uncertain(work: Work, row: Row, reason: str, now: Instant, detail: str = "") -> str:
    """The instant is another from now on: who asks again begins anew, and a repeat of this one finds that it is over."""
    claims.save(work, [claims.change(row, **claims.OVER, reason=reason, detail=detail, marked_at=max(now, row.marked_at + 1))])
    return _told("uncertain", reason)


def _told(status: str, reason: str) -> str:
    return f"{status} ({reason})" if reason else status


def _locked(work: Work, start: ResendStart) -> tuple[Entrant, Row]:
    """The delivery, under the lock of its entrant, which everybody holds who changes one."""
    entrant = entrants.lock(work, ids.read_delivery(start.delivery).entrant)
    row = _named(work.connection, start.delivery)
    if entrant is None or row is None:
        raise NotFound(f"There is no delivery {start.delivery}: restore the database that it is in.")
    return entrant, row


def _named(connection: Connection, delivery: str) -> Row | None:
    try:
        name = ids.read_delivery(delivery)
    except ValueError:
        return None
    return _NAMED.first(connection, {"entrant": name.entrant, "step": name.n, "of": name.channel})


def _fact(work: Work, row: Row, now: Instant) -> None:
    fact = {"entrant": row.entrant, "n": row.n, "node": row.node, "kind": RESENT, "channel": row.channel, "at": now}
    if insert_new(work.connection, schema.facts, fact):
        work.counted[CounterKey(row.version, row.mode, row.node, RESENT, row.channel)] += 1


_NAMED = Statement(
    select(schema.deliveries).where(
        schema.deliveries.c.entrant == bindparam("entrant"), schema.deliveries.c.n == bindparam("step"),
        schema.deliveries.c.channel == bindparam("of"),
    )
)  # fmt: skip

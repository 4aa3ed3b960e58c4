"""The second commit of a stop: the answers are marked, and whoever marks the last delivery closes the step (D1, D3).

Closing is one commit: outcome, place, deadline, kept events decided, facts. A mark is never refused: what a provider has taken, it has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam

from journey import ends, events, gate, keeping, matching, sentences, walk
from journey.calls import Response
from journey.contract import Proposal, Record
from journey.events import Instant
from store import claims, entrants, finishing, in_review, knowing, parking, profiles, records, responses, schema, traces
from store.entrants import Entrant
from store.statements import Row, Statement
from store.work import INSERT_STEPS, Work


@dataclass(frozen=True, slots=True)
class Mark:
    """What became of one delivery. `status` is sent, failed or uncertain; `claimed` with `retry_after` means that a transient answer came.

    `token` is that of the claim it was sent by: a transient answer counts only as long as nobody else has taken the delivery over.
    `asked` False is an answer of our own, before the provider was asked: a transient one is no try, and a failure says nothing of an
    earlier call that nobody answered. `response` is what a webhook answered. `detail` says in words why it is not sent, without what is
    personal.
    """

    channel: str
    status: str
    reason: str = ""
    provider_id: str = ""
    dead_tokens: tuple[str, ...] = ()
    retry_after: float | None = None
    token: str = ""
    asked: bool = True
    response: Response | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Opening:
    """A step that is opened in the commit that closes it: its row so far, and its facts."""

    step: dict[str, Any]
    facts: list[tuple[str, str, str]]


Standing = dict[str, tuple[str, str]]
"""Channel to status and reason of the deliveries of a step."""


def mark(work: Work, proposal: Proposal, marks: list[Mark]) -> Record | None:
    """Write answers down; the Record when that closed the step or it was closed before, None while a delivery is still out."""
    entrant = entrants.lock(work, proposal.entrant)
    assert entrant is not None, "an entrant that was opened is there"
    now = work.now()
    rows = {row.channel: row for row in claims.of_step(work, entrant.id, proposal.n)}
    changed = {
        answer.channel: _marked(work, rows[answer.channel], answer, now) for answer in marks if _counts(rows[answer.channel], answer)
    }
    claims.save(work, list(changed.values()))
    if in_review.holds(entrant, proposal.node):
        in_review.forget(work, entrant.id, proposal.n)
    for answer in marks:
        if answer.response is not None and answer.channel in changed:
            responses.keep(work, entrant.id, proposal.n, rows[answer.channel].node, answer.response, now)
        if answer.dead_tokens:
            profiles.drop_push_tokens(work, entrant.profile, answer.dead_tokens)
    if entrant.n != proposal.n or entrant.closed:
        return records.last_record(work, entrant)
    found = standing_of(rows.values()) | {channel: (row["status"], row["reason"]) for channel, row in changed.items()}
    if any(status == "claimed" for status, _ in found.values()):
        _put_off(work, entrant, changed.values())
        return None
    return close(work, entrant, proposal, now, standing=found)


def _put_off(work: Work, entrant: Entrant, changed: Iterable[dict[str, Any]]) -> None:
    """Somebody whose provider asked for a pause is not overdue before it is over."""
    pauses = [row["not_before"] + entrants.DECIDED_DUE for row in changed if row["not_before"] is not None]
    if pauses:
        entrant.due = max(entrant.due or 0, *pauses)
        entrants.save(work, entrant)


def standing_of(rows: Iterable[Row]) -> Standing:
    """How the deliveries of a step stand."""
    return {row.channel: (row.status, row.reason) for row in rows}


def _outcome(standing: Standing) -> str:
    """How a message node is left, by what became of its deliveries (M1)."""
    found = {status for status, _ in standing.values()}
    return "error" if "failed" in found and not found & {"sent", "uncertain"} else "next"


def _why_failed(standing: Standing | None, facts: Iterable[tuple[str, str, str]]) -> str:
    """The code of the first failure: of a delivery, or of what was done in this commit."""
    if standing is not None:
        return next(reason for status, reason in standing.values() if status == "failed")
    return next((kind.removeprefix("failed.") for _, kind, _ in facts if kind.startswith("failed.")), "")


def _counts(row: Row, answer: Mark) -> bool:
    """A mark is never refused while a delivery is open; to try again what is over would open it again."""
    if answer.status == "claimed":
        return row.status == "claimed" and answer.token in ("", row.token)
    return row.status == "claimed" or (row.status == "uncertain" and answer.status != "uncertain")


def _marked(work: Work, row: Row, answer: Mark, now: Instant) -> dict[str, Any]:
    """The delivery with the answer on it: a transient one is a try and a pause, one too many of them a failure (M2).

    One that may have been sent before stays marked as such, and is *uncertain* where another has failed by its tries.
    """
    again = claims.SENT_AGAIN in (row.reason, answer.reason)
    unanswered = again or claims.UNANSWERED in (row.reason, answer.reason)
    lost = answer.status == "failed" and not answer.asked and unanswered  # we cannot send it any more, and it may have arrived
    counts = now if row.counts_at is not None and (answer.status != "failed" or lost) else None
    over: dict[str, Any] = {"provider_id": answer.provider_id, "detail": answer.detail, "token": "", "lease": None, "not_before": None}
    over |= {"marked_at": now, "counts_at": counts}
    if (answer.status == "uncertain" or answer.reason == claims.SENT_AGAIN) and traces.was_taken(work, row):
        return claims.change(row, **over, status="sent", reason="")
    if answer.status == "sent" and again:
        return claims.change(row, **over, status="sent", reason=claims.SENT_AGAIN)
    if lost:
        return claims.change(row, **over, status="uncertain", reason=claims.UNANSWERED)
    if answer.status != "claimed":
        return claims.change(row, **over, status=answer.status, reason=answer.reason)
    tries = row.tries + answer.asked
    if answer.asked and tries >= claims.MOST_TRIES and again:
        return claims.change(row, **over, status="uncertain", reason=claims.UNANSWERED, tries=tries)
    if answer.asked and tries >= claims.MOST_TRIES:
        return claims.change(row, **over | {"counts_at": None}, status="failed", reason="retries_exhausted", tries=tries)
    wait = max(claims.pause(tries), answer.retry_after or 0)
    not_before = now + int(wait * gate.MICROSECONDS)
    over |= {"not_before": not_before, "marked_at": None, "counts_at": not_before if counts is not None else None}
    kept = claims.SENT_AGAIN if again else claims.UNANSWERED if unanswered else ""
    return claims.change(row, **over, reason=kept, tries=tries)


def close(
    work: Work, entrant: Entrant, proposal: Proposal, now: Instant, *, standing: Standing | None = None, branch: str = "",
    said: str = "", opened: Opening | None = None,
) -> Record:  # fmt: skip
    """Close step n of an entrant: `standing` are its deliveries, all marked; `branch` is the exit of what was done in this commit, and
    `said` what that says of itself.

    `opened` is what an opening in the same commit has not written yet: the step is then one row that is written once.
    """
    facts = list(opened.facts) if opened is not None else []
    parts = []
    if proposal.left:
        parts.append(sentences.left(proposal.left, proposal.exit, heard=bool(proposal.event)))
    outcome = branch
    parts.append(said)
    if standing is not None:
        if in_review.holds(entrant, proposal.node):
            in_review.forget(work, entrant.id, proposal.n)
        outcome = _outcome(standing)
        facts += _of_deliveries(proposal.node, standing)
        shown = {channel: f"{status} ({reason})" if reason else status for channel, (status, reason) in standing.items()}
        parts.append(sentences.sent(proposal.message or proposal.node, shown))
    landing = proposal.landings[outcome]
    if parking.parks(entrant, landing, now):
        return parking.park(work, entrant, proposal, _why_failed(standing, facts), now)
    reason = entrant.must_end or landing.reason
    if proposal.node:
        facts.append((proposal.node, f"left.{outcome}", ""))
    entrant.closed, entrant.place, entrant.arrived_at, entrant.held = True, landing.place, now, ""
    if reason:
        facts += _end(work, entrant, reason, now, landing.place if landing.reason else "")
    else:
        facts += arrive(work, entrant, proposal, now)
        parts += [sentences.no_time(node) for node, end in (entrant.ends or {}).items() if end is None]
    parts.append(sentences.went(entrant.place if entrant.waiting else "", reason, entrant.ended_by))
    sentence = sentences.joined(*parts)
    work.record(entrant.id, proposal.n, entrant.version, entrant.mode, now, facts)
    closed = {"closed_at": now, "outcome": outcome, "place": entrant.place, "said": sentence}
    if opened is not None:
        work.write(INSERT_STEPS, opened.step | closed)
    else:
        work.write(_CLOSE, {"entrant_": entrant.id, "n_": proposal.n, **closed})
    _save(work, entrant)
    return records.record(work, entrant, now, sentence)


def arrive(work: Work, entrant: Entrant, proposal: Proposal, now: Instant, won: str = "") -> list[tuple[str, str, str]]:
    """Arrive at a place in the commit that closes a step: at a gate the clock starts, and what was kept is decided (G3, G6).

    Whoever is carried over arrived before now, and their clock runs from then; `won` is what the node is called here that has decided
    their gate already.
    """
    journey, arrived_at = entrant.frozen.journey, now if entrant.arrived_at is None else entrant.arrived_at
    source, event = entrant.won_source, entrant.won_event
    entrant.won_node = entrant.won_source = entrant.won_event = ""
    entrant.until, entrant.ends, entrant.waiting, entrant.due = None, None, False, now + entrants.DECIDED_DUE
    if not isinstance(walk.ask(journey, entrant.place), walk.Listen):
        return []
    found = ends.ends(journey, entrant.place, entrant.key, arrived_at, lambda: knowing.scope(work, entrant, proposal))
    at = gate.build(journey, entrant.place, arrived_at, found)
    entrant.until, entrant.ends = at.due_at, found or None
    if won:
        entrant.won_node, entrant.won_source, entrant.won_event = won, source, event
    else:
        entrant.waiting, entrant.due = True, entrant.next_instant
        decide_arrival(work, entrant, at, now, proposal.node)
    return [(node.id, "arrived", "") for node in at.nodes] + without_time(found)


def without_time(found: gate.Ends) -> list[tuple[str, str, str]]:
    """A fact of each wait that is over at once, since its field holds no time that can be read."""
    return [(node, "no_time", "") for node, end in found.items() if end is None]


def decide_arrival(work: Work, entrant: Entrant, at: gate.Gate, now: Instant, came_to: str = "") -> None:
    """The earliest kept event that fits wins; where none does, a rule that is waited for may be true already. Kept events that do not
    win are without effect, but those that can still be heard stay. `came_to` is the node where they have acted in this very commit, if
    they did."""
    kept = entrants.kept(work, entrant)
    by_rule = any(matching.waits_for_rule(node) for node in at.nodes)
    if not kept and not by_rule:
        return
    about = knowing.about(work, entrant)
    passed = {came_to: now, **knowing.been(work, entrant)}
    won = keeping.arrive(entrant.frozen, at, entrant.id, kept, about, passed)
    if won is None and by_rule:
        person = profiles.attributes_for_gate(work, entrant.profile)
        won = gate.already(at, events.came_true(entrant.id, entrant.n), matching.holds(person, about)) if at.open_at(now) else None
    if won is not None:
        entrant.decide(won, now)
    entrant.keeps = False
    for one in kept:
        stays = keeping.stays(entrant.frozen, entrant.place, entrant.id, one, won, about, passed)
        if won is not None and one.event == won.event:
            entrants.forget(work, entrant, one.event, won=True)
        elif stays is None:
            entrants.forget(work, entrant, one.event)
        else:
            entrant.keeps = True
            if stays != one:
                entrants.keep_back(work, entrant, one.event)


def end_waiting(work: Work, entrant: Entrant, reason: str, now: Instant) -> Record:
    """End an entrant that waits or is between two nodes: a step of its own, with nothing done."""
    entrant.n, entrant.closed = entrant.n + 1, True
    facts = [(node, f"left.{reason}", "") for node in walk.nodes_of(entrant.place)] if entrant.gate_here() is not None else []
    facts += _end(work, entrant, reason, now, "")
    said = sentences.went("", reason, entrant.ended_by)
    work.write(
        INSERT_STEPS,
        {"entrant": entrant.id, "n": entrant.n, "opened_at": now, "closed_at": now, "outcome": reason, "place": "", "said": said},
    )
    work.record(entrant.id, entrant.n, entrant.version, entrant.mode, now, facts)
    _save(work, entrant)
    return records.record(work, entrant, now, said)


def _end(work: Work, entrant: Entrant, reason: str, now: Instant, end_node: str) -> list[tuple[str, str, str]]:
    """The last facts of an entrant. What is still kept for it is without effect from now on."""
    entrant.state, entrant.end_reason, entrant.ended_at = "ended", reason, now
    entrant.waiting, entrant.due, entrant.until, entrant.ends, entrant.place, entrant.held = False, None, None, None, end_node, ""
    entrant.won_node = entrant.won_source = entrant.won_event = entrant.parked = entrant.parked_why = ""
    for one in entrants.kept(work, entrant):
        entrants.forget(work, entrant, one.event)
    entrant.keeps = False
    ended = (end_node, f"ended.{reason}", "")
    return [(end_node, "arrived", ""), ended] if end_node else [ended]


def _save(work: Work, entrant: Entrant) -> None:
    """Write the row; the last one out of a closed version finishes it."""
    entrants.save(work, entrant)
    if entrant.state == "ended" and entrant.version_state == "closed":
        finishing.finish_if_empty(work, entrant.version)


def _of_deliveries(node: str, standing: Standing) -> list[tuple[str, str, str]]:
    facts = [(node, f"excluded.{reason}" if status == "excluded" else status, channel) for channel, (status, reason) in standing.items()]
    again = claims.SENT_AGAIN
    return facts + [(node, again, channel) for channel, (status, reason) in standing.items() if (status, reason) == ("sent", again)]


_CLOSE = Statement(
    schema.steps.update()
    .where(schema.steps.c.entrant == bindparam("entrant_"), schema.steps.c.n == bindparam("n_"))
    .values({name: bindparam(name) for name in ("closed_at", "outcome", "place", "said")})
)

"""The first commit of a stop: a step is opened, once. Whatever the workflow proposes, what counts is what stands here (D1).

`open_step` answers with a Record when the step is closed in the same commit or the proposal is refused, with Opened when there is
something to send, with Busy when somebody else is sending it. store/closing.py is the second commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from journey import deciding, sentences, walk
from journey.calls import ToCall
from journey.contract import Proposal, Record
from journey.errors import NotFound
from journey.events import Instant
from journey.graph import Jump, UpdateProfile, Webhook
from journey.messages import Filled, MessageDocument
from journey.policies import NONE
from journey.profiles import Profile
from journey.version import Session
from journey.walk import Outcome
from store import (
    claims,
    closing,
    entrants,
    halting,
    in_review,
    jumping,
    knowing,
    messages,
    moving,
    parking,
    profiles,
    records,
    successions,
    writing,
)
from store.claims import Busy, Policy
from store.closing import Opening
from store.entrants import Entrant
from store.holding import Asking
from store.messages import ToSend
from store.statements import Row
from store.taking import Claim, Taken
from store.work import INSERT_STEPS, Work
from store.writing import Done


@dataclass(frozen=True, slots=True)
class Opened:
    """A step that is open: what is to be sent or called, for whom, the event that led here, and what webhooks have answered so far.

    `to_render` are the channels to be made out for a review, of this `revision` of the message; `approved` is what was, by channel.
    """

    claims: tuple[Claim, ...]
    document: MessageDocument | ToCall
    profile: Profile
    journey: str
    event: Mapping[str, Any]
    at: Instant
    look: float | None = None  # seconds until something else of the step is to be looked after
    entry: Mapping[str, Any] = field(default_factory=dict)  # the event that let them in
    held: str = ""  # a sentence, when nothing but policies or a review hold that back
    priority: int = 0  # of the journey
    entrant: str = ""
    calls: Mapping[str, Any] = field(default_factory=dict)  # what webhooks have answered so far
    session: Session | None = None  # of the test that it belongs to
    revision: int | None = None
    to_render: tuple[str, ...] = ()
    approved: Mapping[str, Filled] = field(default_factory=dict)


def open_step(work: Work, proposal: Proposal, policy: Policy) -> Record | Opened | Busy:
    """Open step n as proposed, or say what the store knows better."""
    entrant = entrants.lock_to_act(work, proposal.entrant)
    if entrant is None:
        raise NotFound(f"There is no entrant {proposal.entrant}: restore the database that its run was admitted into.")
    policy = policy.of(entrant.frozen.session)
    if entrant.parked and entrant.state == "open":
        entrant.ending = parking.over(entrant, work.now())
        if not entrant.ending:
            return parking.record(work, entrant, work.now())
    if proposal.n == entrant.n and not entrant.closed:
        step = records.step(work, entrant.id, entrant.n)
        return _resume(work, entrant, proposal, policy, step) if _is_own(step, proposal) else records.last_record(work, entrant)
    if entrant.n == 0 and entrant.waiting and not entrant.held and not entrant.must_end and entrant.due != entrant.next_instant:
        entrant.due = entrant.next_instant  # let in by no run, and its workflow is there: from now on it waits
        entrants.save(work, entrant)
    if entrant.state != "open" or proposal.n != entrant.n + 1 or not entrant.closed:
        return records.last_record(work, entrant, ahead=proposal.n > entrant.n + 1)
    now = work.now()
    if entrant.must_end:
        return closing.end_waiting(work, entrant, entrant.must_end, now)
    way = successions.way(work, entrant)
    if way is not None:
        return moving.move(work, entrant, way, now)
    if entrant.successor:
        moving.stay(work, entrant)
    decided = _decided(entrant, now)
    if decided is None and now >= entrant.global_deadline:
        return closing.end_waiting(work, entrant, "global_timeout", now)
    if not _agrees(entrant, proposal, decided):
        return records.last_record(work, entrant)
    if entrant.may_not_act and halting.acts(entrant, proposal):
        return halting.halted_at_gate(work, entrant, proposal, now)
    return _open(work, entrant, proposal, policy, now)


def _decided(entrant: Entrant, now: Instant) -> Outcome | None:
    """How the gate where it stands is decided by now; None when it is not, or stands at none."""
    gate = entrant.gate_here()
    if gate is None:
        return None
    if entrant.won_node:
        return Outcome(entrant.won_node, "next")
    return gate.due_exit if gate.due_at is not None and gate.due_at <= min(now, entrant.global_deadline) else None


def _agrees(entrant: Entrant, proposal: Proposal, decided: Outcome | None) -> bool:
    if not proposal.landings:  # the workflow does not know how to go on, and asks
        return False
    if entrant.gate_here() is None:
        return proposal.left == ""
    if decided is None or decided != Outcome(proposal.left, proposal.exit):
        return False
    return (proposal.source, proposal.event) == (entrant.won_source, entrant.won_event)


def _open(work: Work, entrant: Entrant, proposal: Proposal, policy: Policy, now: Instant) -> Record | Opened | Busy:
    n = proposal.n
    facts: list[tuple[str, str, str]] = []
    if proposal.left:
        facts.append((proposal.left, f"left.{proposal.exit}", ""))
        facts += [(node, "left.other", "") for node in walk.nodes_of(entrant.place) if node != proposal.left]
    if proposal.node:
        facts.append((proposal.node, "arrived", ""))
    entrant.n, entrant.closed, entrant.waiting, entrant.until, entrant.ends = n, False, False, None, None
    entrant.won_node = entrant.won_source = entrant.won_event = ""
    step = {"entrant": entrant.id, "n": n, "left": proposal.left, "left_exit": proposal.exit, "by_source": proposal.source,
            "by_event": proposal.event, "node": proposal.node, "revision": None, "opened_at": now}  # fmt: skip
    if not proposal.channels and not proposal.message:
        done = _done(work, entrant, proposal, now)
        facts += done.facts
        step["why"] = list(done.why) or None
        return closing.close(work, entrant, proposal, now, branch=done.exit, said=done.said, opened=Opening(step, facts))
    content = _content(work, entrant, proposal)
    step["revision"] = content.revision
    asking = replace(_asking(work, entrant, n, content, now, now), review=in_review.holds(entrant, proposal.node))
    taken = claims.claim(work, asking, proposal.node, tuple(proposal.channels), policy)
    if taken.in_review:
        in_review.hold(work, asking, proposal.node, content.revision or 0, taken)
    if not taken.claims and taken.look is None:
        standing = closing.standing_of(claims.of_step(work, entrant.id, n))
        return closing.close(work, entrant, proposal, now, standing=standing, opened=Opening(step, facts))
    work.write(INSERT_STEPS, step)
    work.record(entrant.id, n, entrant.version, entrant.mode, now, facts)
    entrant.place, entrant.due = proposal.node, taken.due
    entrants.save(work, entrant)
    return _opened(work, asking, proposal, taken, content.revision)


def _asking(work: Work, entrant: Entrant, n: int, message: ToSend, asked_at: Instant, now: Instant) -> Asking:
    profile = profiles.read(work.connection, entrant.profile) or Profile(entrant.profile)
    return Asking(entrant, n, message.document, profile, message.policies, asked_at, now)


def _opened(
    work: Work, asking: Asking, proposal: Proposal, taken: Taken, revision: int | None, reviews: in_review.Rows | None = None
) -> Opened | Busy:  # fmt: skip
    """What there is to send or to make out now, or how long there is nothing."""
    held = sentences.held(proposal.message, taken.held) if taken.held else ""
    if not taken.claims and not taken.to_render and taken.look is not None:
        return Busy(taken.look, held)
    entry = knowing.entry_of(work, asking.entrant)
    event, answers = knowing.event_of(work, proposal, entry), knowing.answered(work, asking.entrant)
    return Opened(
        tuple(taken.claims), asking.document, asking.profile, asking.entrant.journey, event, asking.now, taken.look, entry, held,
        asking.priority, asking.entrant.id, answers, asking.entrant.frozen.session, revision, taken.to_render,
        in_review.approved(reviews or {}),
    )  # fmt: skip


def _is_own(step: Row, proposal: Proposal) -> bool:
    """Is this the proposal that the open step was opened with? A task that ran again may know less, or something else."""
    opened = (step.left, step.left_exit, step.by_source, step.by_event, step.node)
    return opened == (proposal.left, proposal.exit, proposal.source, proposal.event, proposal.node)


def _resume(work: Work, entrant: Entrant, proposal: Proposal, policy: Policy, step: Row) -> Record | Opened | Busy:
    """A repeat of an open step finishes it."""
    now = work.now()
    if entrant.may_not_act:
        entrant.ending = entrant.ending or halting.ending(entrant, now)
    if entrant.must_end:
        claims.give_up(work, entrant, proposal.n, now)
    reviewed = in_review.holds(entrant, proposal.node)
    reviews = in_review.rows_of(work, entrant.id, proposal.n) if reviewed else {}
    asked_at = in_review.asked_at(work, entrant.id, proposal.n) if reviewed else step.opened_at
    asking = _asking(work, entrant, proposal.n, _content(work, entrant, proposal, step), asked_at, now)
    taken = claims.reclaim(work, asking, policy, keep_back=entrant.may_not_act)
    if taken.in_review and not taken.kept_back:
        in_review.look(work, asking, reviews, taken)
    if taken.kept_back and taken.look is None:
        return halting.halted(work, entrant, proposal.node, now)
    if not taken.claims and taken.look is None:
        return closing.close(work, entrant, proposal, now, standing=closing.standing_of(claims.of_step(work, entrant.id, proposal.n)))
    if taken.claims or taken.due > (entrant.due or 0):
        entrant.due = taken.due
        entrants.save(work, entrant)
    return _opened(work, asking, proposal, taken, step.revision, reviews)


def _content(work: Work, entrant: Entrant, proposal: Proposal, step: Row | None = None) -> ToSend:
    """What is sent or called; `step` is the open one that is gone on with."""
    if proposal.host:
        return ToSend(None, to_call(entrant, proposal.node), NONE)
    if step is None:
        return messages.to_send(work.connection, proposal.message)
    return messages.being_sent(work.connection, proposal.message, step.revision)


def to_call(entrant: Entrant, node_id: str) -> ToCall:
    """What is called there."""
    node = entrant.frozen.journey.node(node_id)
    assert isinstance(node, Webhook)
    return ToCall(node)


def _done(work: Work, entrant: Entrant, proposal: Proposal, now: Instant) -> Done:
    """What is done within the commit: a profile is written, a way is decided, or there is nothing to do."""
    if not proposal.node:
        return Done("")
    journey = entrant.frozen.journey
    node = journey.node(proposal.node)
    if isinstance(node, UpdateProfile):
        return writing.write(work, entrant, node, proposal, now)
    if isinstance(node, Jump):
        return jumping.jump(work, entrant, node)
    decision = deciding.decide(journey, proposal.node, entrant.key, lambda asked: knowing.scope(work, entrant, proposal, asked))
    return Done(decision.exit, why=decision.why)

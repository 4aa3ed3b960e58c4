"""A stop whose message is held for review: what is made out is kept, and the step stays open until every delivery is judged and over.

It is the walk's side; store/reviews.py is that of whoever reviews. Both change a review only under the lock of its entrant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import bindparam, exists, func, select
from sqlalchemy import delete as sql_delete

from journey import review
from journey.events import Instant
from journey.messages import Filled, FilledEmail, FilledPush
from store import claims, entrants, records, schema
from store.entrants import DECIDED_DUE, Entrant
from store.holding import Asking
from store.statements import Row, Statement
from store.taking import Taken
from store.work import Work

Rows = Mapping[str, Row]
"""The reviews of a step by channel."""

_reviews, _deliveries = schema.reviews.c, schema.deliveries.c
_AGAIN = {"rendered_at": None, "content": None, "error": ""}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a message looks like to whoever reviews it: its content, or why it has none."""

    channel: str
    content: Filled | None = None
    error: str = ""


def holds(entrant: Entrant, node: str) -> bool:
    """Is what this node sends to them held for review?"""
    return review.holds(entrant.frozen.journey, node)


def rows_of(work: Work, entrant: str, n: int) -> Rows:
    """What is kept of a step."""
    return {row.channel: row for row in _OF_STEP.all(work.connection, {"entrant": entrant, "step": n})}


def hold(work: Work, asking: Asking, node: str, revision: int, taken: Taken) -> None:
    """Their channels wait for a review from now on; the first thing to be done is to make them out."""
    add(work, asking.entrant, asking.n, node, asking.document.id, revision, taken.in_review, asking.now)
    taken.to_render = tuple(taken.in_review)
    taken.due = max(taken.due, asking.now + DECIDED_DUE)
    taken.look_in(0)


def add(
    work: Work, entrant: Entrant, n: int, node: str, message: str, revision: int, channels: Sequence[str], now: Instant
) -> None:  # fmt: skip
    """Reviews that are yet to be made out."""
    row = {"entrant": entrant.id, "n": n, "journey": entrant.journey, "version": entrant.version, "node": node, "message": message,
           "profile": entrant.profile, "revision": revision, "content": None, "error": "", "since": now, "rendered_at": None,
           "approved_at": None}  # fmt: skip
    work.connection.execute(schema.reviews.insert(), [row | {"channel": channel} for channel in channels])


def look(work: Work, asking: Asking, rows: Rows, taken: Taken) -> None:
    """When to look after what waits for its review again: at once where it is to be made out, else when their time is over. Then nothing
    more goes, and they end."""
    entrant, now = asking.entrant, asking.now
    if now >= entrant.global_deadline:
        entrant.ending = entrant.must_end or "global_timeout"
        claims.give_up(work, entrant, asking.n, now)
        return
    taken.to_render = tuple(channel for channel in taken.in_review if rows[channel].rendered_at is None)
    taken.due = max(taken.due, now + DECIDED_DUE if taken.to_render else entrant.global_deadline + DECIDED_DUE)
    for channel in taken.in_review:
        if channel in taken.to_render:
            taken.look_in(0)
        else:
            taken.look_in((entrant.global_deadline - now) / 1_000_000, channel, review.IN_REVIEW)


def asked_at(work: Work, entrant: str, n: int) -> Instant:
    """When a message was first to be sent: when it was approved last, if it was."""
    return int(_ASKED_AT.scalar(work.connection, {"entrant": entrant, "step": n}))


def approved(rows: Rows) -> dict[str, Filled]:
    """What was approved, by channel: that is what is sent, whatever message and profile have become since."""
    return {channel: read(channel, row.content) for channel, row in rows.items() if row.approved_at is not None and row.content}


def read(channel: str, content: Mapping[str, Any]) -> Filled:
    """A message as it is kept."""
    return FilledEmail(**content) if channel == "email" else FilledPush(**content)


def keep(work: Work, entrant_id: str, n: int, revision: int | None, shown: Sequence[Shown]) -> None:
    """Keep what was made out of a revision of the message, unless another is asked for meanwhile. What was approved before it could be made
    out goes now; if it still cannot be, it waits for its review as before."""
    entrant = entrants.lock(work, entrant_id)
    assert entrant is not None, "it was opened"
    if records.step(work, entrant_id, n).revision != revision:
        return
    now, rows = work.now(), rows_of(work, entrant_id, n)
    waiting = {row.channel: row for row in claims.of_step(work, entrant_id, n) if row.reason == review.IN_REVIEW}
    for one in shown:
        row = rows.get(one.channel)
        if row is None or one.channel not in waiting or row.rendered_at is not None:
            continue
        goes = row.approved_at is not None and not one.error
        content = asdict(one.content) if one.content is not None else None
        _change(work, row, revision=revision, content=content, error=one.error, rendered_at=now, approved_at=now if goes else None)
        if goes:
            _let_go(work, waiting[one.channel], now)


def approve(work: Work, row: Row, delivery: Row, now: Instant) -> None:
    """It goes as it was made out."""
    _change(work, row, approved_at=now)
    _let_go(work, delivery, now)


def discard(work: Work, delivery: Row, now: Instant) -> None:
    """It does not go; what was made out is kept no longer."""
    over = claims.OVER | {"status": "excluded", "reason": review.DISCARDED, "marked_at": now, "counts_at": None}
    claims.save(work, [claims.change(delivery, **over)])
    forget(work, delivery.entrant, delivery.n)


def _let_go(work: Work, delivery: Row, now: Instant) -> None:
    """From now on it is judged and sent as any other, and is due since now."""
    claims.save(work, [claims.change(delivery, reason="")])
    _DUE.run(work.connection, {"entrant_": delivery.entrant, "step": delivery.n, "channel_": delivery.channel, "asked_at": now})


def render_again(work: Work, row: Row, revision: int, *, approved_at: Instant | None = None) -> None:
    """It is made out anew, of the newest message, at the next look. `approved_at`: it goes then, if it can be made out."""
    _change(work, row, **_AGAIN, approved_at=approved_at)
    _REVISION.run(work.connection, {"entrant_": row.entrant, "step": row.n, "revision": revision})


def forget(work: Work, entrant: str, n: int) -> None:
    """What is over is not kept. What nobody knows of may be sent once more by hand, as it was approved."""
    still = _deliveries.status.in_(("claimed", "uncertain"))
    of_row = (_deliveries.entrant == _reviews.entrant, _deliveries.n == _reviews.n, _deliveries.channel == _reviews.channel)
    work.connection.execute(sql_delete(schema.reviews).where(_reviews.entrant == entrant, _reviews.n == n, ~exists().where(*of_row, still)))


def _change(work: Work, row: Row, **values: Any) -> None:
    key = {"entrant_": row.entrant, "n_": row.n, "channel_": row.channel}
    _SAVE.run(work.connection, key | {name: values[name] if name in values else getattr(row, name) for name in _CHANGING})


_CHANGING = ("revision", "content", "error", "rendered_at", "approved_at")
_KEY = tuple(_reviews[name] == bindparam(f"{name}_") for name in ("entrant", "n", "channel"))
_OF_STEP = Statement(select(schema.reviews).where(_reviews.entrant == bindparam("entrant"), _reviews.n == bindparam("step")))
_SAVE = Statement(schema.reviews.update().where(*_KEY).values({name: bindparam(name) for name in _CHANGING}))
_DUE = Statement(
    schema.deliveries.update()
    .where(
        _deliveries.entrant == bindparam("entrant_"), _deliveries.n == bindparam("step"), _deliveries.channel == bindparam("channel_"),
    )
    .values(asked_at=bindparam("asked_at"))
)  # fmt: skip
_ASKED_AT = Statement(
    select(func.max(_deliveries.asked_at)).where(_deliveries.entrant == bindparam("entrant"), _deliveries.n == bindparam("step"))
)
_REVISION = Statement(
    schema.steps.update()
    .where(schema.steps.c.entrant == bindparam("entrant_"), schema.steps.c.n == bindparam("step"))
    .values(revision=bindparam("revision"))
)

"""Calls that carry an `Idempotency-Key`: who runs one, and what was answered. It knows no HTTP: a call is a hash, an answer is bytes.

The row is inserted before the call runs, and its key is unique: of all processes that are asked at one moment one inserts it. Whoever died
in the middle leaves a row without an answer, which holds for LOCK and is then taken over.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select, update

from journey import gate
from journey.events import Instant
from store.schema import answers
from store.statements import Statement
from store.upserts import insert_into
from store.work import Work

LOCK = 120 * gate.MICROSECONDS
"""So long a call keeps its key without having answered: longer than the longest call. No statement runs for more than 30 s there."""
KEPT = 86_400 * gate.MICROSECONDS
"""So long an answer is kept."""

_OURS = answers.c.key == bindparam("of"), answers.c.attempt == bindparam("by")
_FOUND = Statement(select(answers).where(answers.c.key == bindparam("of")))
_FINISH = Statement(
    update(answers).where(*_OURS).values({name: bindparam(f"its_{name}") for name in ("status", "headers", "body", "until")})
)
_GIVE_BACK = Statement(delete(answers).where(*_OURS))


def _beginning(dialect: str) -> Statement:
    """Insert a row, or take over one that is over; anything else stays as it is."""
    new = insert_into(dialect, answers)
    taken_over = {column.name: new.excluded[column.name] for column in answers.columns if not column.primary_key}
    return Statement(new.on_conflict_do_update(index_elements=["key"], set_=taken_over, where=answers.c.until <= new.excluded.since))


_BEGIN = {dialect: _beginning(dialect) for dialect in ("sqlite", "postgresql")}


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: the status, the headers in their order, and the body as it is."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """The key is somebody's. `same` says whether it was the same call, `answer` is None while that runs, since `running` microseconds;
    its lock holds for `left` more."""

    same: bool
    answer: Answer | None
    running: Instant
    left: Instant


def begin(work: Work, key: str, call: str, attempt: str) -> Taken | None:
    """Take a key for a call that is about to run: None when it is ours, else whose it is. Both `key` and `call` are hashes."""
    now = work.now()
    row = {"key": key, "call": call, "attempt": attempt, "since": now, "until": now + LOCK, "status": None, "headers": None, "body": None}
    if _BEGIN[work.dialect].run(work.connection, row):
        return None
    found = _FOUND.first(work.connection, {"of": key})
    if found is None:  # given back since: whoever comes again has it
        return Taken(True, None, 0, 0)
    answer = None
    if found.status is not None:
        answer = Answer(found.status, tuple((name, value) for name, value in found.headers), bytes(found.body))
    return Taken(found.call == call, answer, now - found.since, found.until - now)


def keep(work: Work, key: str, attempt: str, answer: Answer) -> None:
    """Keep what was answered. Of an attempt that another one has taken over from, nothing is kept."""
    of = {"of": key, "by": attempt, "its_status": answer.status, "its_headers": [list(one) for one in answer.headers]}
    _FINISH.run(work.connection, of | {"its_body": answer.body, "its_until": work.now() + KEPT})


def give_back(work: Work, key: str, attempt: str) -> None:
    """Forget that it ran, so that a repeat runs again."""
    _GIVE_BACK.run(work.connection, {"of": key, "by": attempt})


def forget(work: Work, most: int) -> int:
    """Forget up to `most` answers that are no longer kept, and locks of calls that never answered; how many."""
    old = select(answers.c.key).where(answers.c.until <= work.now()).limit(most)
    return work.connection.execute(delete(answers).where(answers.c.key.in_(old))).rowcount

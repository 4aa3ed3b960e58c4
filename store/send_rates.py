"""How fast a provider may be sent to: turns at its account, counted in the store for all processes, taken in blocks (D3).

A turn is an instant. `send_slots` holds the first one that nobody has taken; a process takes a block of them with one upsert, in the
commit that opens a step, and hands them out from memory. Nothing is asked where no rate is set.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Insert, bindparam, case
from sqlalchemy.dialects import postgresql, sqlite

from journey.events import Instant
from journey.gate import MICROSECONDS
from store import schema
from store.database import Database
from store.work import Work

T = TypeVar("T")
BLOCK_SECONDS = 0.5
"""How much of the rate a process takes at once: small, since turns that it does not use in their time are nobody's."""


@dataclass(slots=True, eq=False)
class _Block:
    """Turns that a unit of work has taken. Until that is known to be committed, only the same transaction may use them."""

    turns: deque[Instant]
    transaction: Any
    committed: bool = False
    void: bool = False


class SendRates:
    """The rates of one process: messages a second by channel, or by account where that is named. What is not named has no ceiling.

    A block whose commit failed is void: the store knows nothing of it and gives its turns to whoever asks next. One of which nobody
    heard whether it was committed, or that was taken and not used in time, lapses: at most BLOCK_SECONDS of turns are lost, and none
    is ever used twice.
    """

    def __init__(self, per_second: Mapping[str, float] | None = None) -> None:
        self._per_second = dict(per_second or {})
        self._blocks: dict[str, list[_Block]] = {}
        self._mutex = threading.Lock()
        self._running = threading.local()  # `taken`: by the unit of work that this thread runs

    def turn(self, work: Work, channel: str, account: str, now: Instant) -> Instant:
        """When the next message may go to this account: now, where no rate is set or the turn has come, else an instant to wait for."""
        rate = self._per_second.get(account, self._per_second.get(channel))
        if rate is None:
            return now
        interval = MICROSECONDS / rate
        found = self._from_memory(work, account, now - int(interval))
        if found is None:
            found = self._take(work, account, now, interval, max(int(rate * BLOCK_SECONDS), 1))
        return max(found, now)

    async def write(self, database: Database, unit: Callable[[Work], T], rank: int = 0) -> T:
        """As `database.write`; what the unit takes is used by others only when it is committed."""
        if not self._per_second:
            return await database.write(unit, rank)
        taken: list[_Block] = []

        def guarded(work: Work) -> T:
            self._void(taken)  # a unit may be run again after a commit that failed
            self._running.taken = taken
            try:
                return unit(work)
            except BaseException:
                self._void(taken)
                raise
            finally:
                self._running.taken = None

        try:
            done = await database.write(guarded, rank)
        except BaseException:
            self._void(taken)
            raise
        for block in taken:
            block.committed = True
        return done

    def _void(self, taken: list[_Block]) -> None:
        for block in taken:
            block.void = True
        taken.clear()

    def _from_memory(self, work: Work, account: str, not_before: Instant) -> Instant | None:
        """The next turn of a block that may be used here. Turns that are past are not caught up: that would be a burst."""
        transaction = work.connection.get_transaction()
        with self._mutex:
            blocks = self._blocks.setdefault(account, [])
            for block in tuple(blocks):
                while block.turns and block.turns[0] < not_before:
                    block.turns.popleft()
                if block.void or not block.turns:
                    blocks.remove(block)
                elif block.committed or block.transaction is transaction:
                    return block.turns.popleft()
        return None

    def _take(self, work: Work, account: str, now: Instant, interval: float, size: int) -> Instant:
        """Take a block, and return its first turn."""
        width = int(interval * size)
        values = {"account": account, "first": now + width, "now": now, "width": width}
        end = int(work.connection.execute(_take_of(work.connection), values).scalar_one())
        block = _Block(deque(end - width + int(interval * number) for number in range(size)), work.connection.get_transaction())
        first = block.turns.popleft()
        with self._mutex:
            self._blocks[account].append(block)
        taken: list[_Block] | None = getattr(self._running, "taken", None)
        if taken is not None:
            taken.append(block)
        return first


def _take_of(connection: Connection) -> Insert:
    """Move the account on by a block, from now when it has stood still, and say where it stands then."""
    table = schema.send_slots
    insert: Any = postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
    begins = case((table.c.next_at > bindparam("now"), table.c.next_at), else_=bindparam("now"))
    statement: Insert = (
        insert.values(account=bindparam("account"), next_at=bindparam("first"))
        .on_conflict_do_update(index_elements=["account"], set_={"next_at": begins + bindparam("width")})
        .returning(table.c.next_at)
    )
    return statement

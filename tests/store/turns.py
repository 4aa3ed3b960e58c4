"""Transactions that take turns statement by statement, in an order drawn by lot, each on a PostgreSQL connection of its own.

Whoever waits for a lock of another is passed over until it has it, as the server would have it. Nothing is slept for: a player is
waited for until it asks for its next turn, has ended, or is seen waiting for a lock.
"""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event

from store.clock import Clock
from store.counting import add_up
from store.engines import open_engine
from store.work import Work

Unit = Callable[[Work], Any]
_LOOK = 0.0007
"""Seconds after which a player is looked after that has neither ended nor asked: twice as long as most statements take."""
_WAITS_FOR_A_LOCK = "SELECT 1 FROM pg_stat_get_activity(%s) WHERE wait_event_type = 'Lock'"
"""Of one backend; the view pg_stat_activity goes through all of them."""


_PATIENT = "SET lock_timeout = '60s'"


class _Gated(psycopg.RawCursor[Any]):
    """A cursor that asks for its turn before each statement."""

    def execute(self, *arguments: Any, **named: Any) -> Any:
        player = _playing.__dict__.get("player")
        if player is not None:
            player.wait_for_its_turn()
        return super().execute(*arguments, **named)


_playing = threading.local()


class Player:
    """One process: its connection, in a thread of its own, in which it runs a unit of work to its commit."""

    def __init__(self, engine: Engine, clock: Clock, slot: int) -> None:
        self._engine, self._clock, self._slot = engine, clock, slot
        self._units: queue.SimpleQueue[Unit | None] = queue.SimpleQueue()
        self._turn = threading.Semaphore(0)
        self._told = threading.Condition()
        self.state = "idle"  # idle, running, asks
        self.result: Any = None
        self.pid = 0
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()

    def begins(self, unit: Unit) -> None:
        self.state, self.result = "running", None
        self._units.put(unit)

    def goes(self) -> None:
        """It may run one statement."""
        self.state = "running"
        self._turn.release()

    def rests(self, seconds: float) -> bool:
        """Wait until it asks for its next turn or has ended."""
        with self._told:
            return self._told.wait_for(lambda: self.state != "running", seconds)

    def ends(self) -> None:
        self._units.put(None)
        self._thread.join()

    def wait_for_its_turn(self) -> None:
        self._tell("asks")
        self._turn.acquire()

    def _tell(self, state: str) -> None:
        with self._told:
            self.state = state
            self._told.notify_all()

    def _play(self) -> None:
        with self._engine.connect() as connection:
            driven: Any = connection.connection.dbapi_connection
            self.pid = driven.info.backend_pid
            connection.exec_driver_sql(_PATIENT)  # who holds the lock gets its turn when the machine has one for it
            connection.commit()
            _playing.player = self
            while (unit := self._units.get()) is not None:
                try:
                    self.result = self._commit(connection, unit)
                except Exception as error:
                    self.result = error
                self._tell("idle")

    def _commit(self, connection: Connection, unit: Unit) -> Any:
        work = Work(connection, self._clock)
        with connection.begin():
            done = unit(work)
            add_up(work, work.counted, self._slot)
        return done


class Table:
    """Where players sit; `play` runs a unit for each of them and returns what came of them, in their order."""

    def __init__(self, url: str, clock: Clock, seats: int) -> None:
        self._engine = open_engine(url)
        event.listen(self._engine, "connect", _gate)
        self._players = [Player(self._engine, clock, slot) for slot in range(seats)]
        self._looking = psycopg.connect(url, autocommit=True)

    def play(self, units: Sequence[Unit], lots: random.Random) -> list[Any]:
        playing = self._players[: len(units)]
        for player, unit in zip(playing, units, strict=True):
            player.begins(unit)
        waiting = list(playing)  # for a lock, or still on their way to their first statement
        while True:
            waiting = [player for player in waiting if not player.rests(_LOOK) and not self._passed_over(player)]
            asking = [player for player in playing if player.state == "asks"]
            if asking and not waiting:
                chosen = lots.choice(asking)
                chosen.goes()
                waiting = [chosen]
            elif all(player.state == "idle" for player in playing):
                return [player.result for player in playing]
            elif not waiting:
                waiting = [player for player in playing if player.state == "running"]

    def _passed_over(self, player: Player) -> bool:
        return self._looking.execute(_WAITS_FOR_A_LOCK, [player.pid]).fetchone() is not None

    def ends(self) -> None:
        for player in self._players:
            player.ends()
        self._looking.close()
        self._engine.dispose()


def _gate(connection: Any, _record: Any) -> None:
    connection.cursor_factory = _Gated

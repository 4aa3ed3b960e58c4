"""The store's clock: the one clock that deadlines are measured by, whatever anybody does to the clocks of machines."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from journey.events import Instant

Source = Callable[[], Instant]
"""Gives an instant in microseconds; of a steady one only the differences mean something."""

_log = logging.getLogger("sojourn.store")
_SAMPLES = 3
_SMALL = 1_000_000
"""A correction of up to a second back is none that anybody sees: the clock stands still meanwhile."""
BELIEVED = 12 * 3600 * 1_000_000
"""How far a clock may have been set back between two processes and not be followed: a wrong time zone, or summer time, is no more."""


class Clock(Protocol):
    """Tells the instant it is now."""

    def now(self) -> Instant: ...


def wall() -> Instant:
    """The clock of this machine, which its owner may set."""
    return time.time_ns() // 1000


def steady() -> Instant:
    """What nobody sets; where the system has one, the clock that also counts while the machine sleeps."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return (time.monotonic_ns() if boottime is None else time.clock_gettime_ns(boottime)) // 1000


class SystemClock:
    """The clock of this machine as it was at the start of the process, carried on by the steady one: setting it back moves no deadline.

    `least` is the last instant of an earlier process. A clock that was set back while none ran begins there, or every deadline and every
    lease would last longer by as much. One that is further back than BELIEVED is right: it was the other that was wrong.
    """

    def __init__(self, *, wall: Source = wall, steady: Source = steady, least: Instant = 0) -> None:
        start = wall()
        behind = least - start
        if behind > _SMALL:
            followed = behind <= BELIEVED
            said = "it goes on from there" if followed else "deadlines of before come later by as much"
            _log.warning("The clock of this machine is %.1f s behind what the store has last: %s", behind / 1_000_000, said)
            start = least if followed else start
        self._steady = steady
        self._offset = start - steady()

    def now(self) -> Instant:
        return self._steady() + self._offset


class ServerClock:
    """The clock of the database server, which all machines share: how far it is ahead is measured now and then, never while somebody waits.

    Small corrections never move it back. A large one is followed: processes that do not agree would take each other's leases for dead.
    """

    def __init__(self, ask: Source, *, steady: Source = steady) -> None:
        self._ask, self._steady = ask, steady
        self._last: Instant = 0
        self._mutex = threading.Lock()
        self._offset = self._measured()

    def now(self) -> Instant:
        with self._mutex:
            self._last = max(self._last, self._steady() + self._offset)
            return self._last

    def measure(self) -> None:
        """Ask the server again. What goes wrong is raised, and the clock goes on as before."""
        offset = self._measured()
        with self._mutex:
            back = self._last - (self._steady() + offset)
            if back > _SMALL:
                _log.warning("The clock of the database server was set back by %.1f s: deadlines follow it", back / 1_000_000)
                self._last = 0
            self._offset = offset

    def _measured(self) -> Instant:
        """The quickest of a few answers says it best: the server read its clock somewhere between question and answer."""
        found: list[tuple[Instant, Instant]] = []
        for _ in range(_SAMPLES):
            before = self._steady()
            told = self._ask()
            after = self._steady()
            found.append((after - before, told - (before + after) // 2))
        return min(found)[1]

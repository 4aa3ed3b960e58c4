"""The store's clock: the one clock that deadlines are measured by."""

from __future__ import annotations

import time
from typing import Protocol

from journey.events import Instant


class Clock(Protocol):
    """Tells the instant it is now."""

    def now(self) -> Instant: ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> Instant:
        return time.time_ns() // 1000

"""Time in a real story: it stands still until the player moves it on, and stops take as long as the script says. It knows no store.

All of it runs on one loop. The player moves the clock only while nobody looks at it, so that every decision is taken at an instant of the
story, however slow the machine is.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from journey.events import Instant


@dataclass
class StoryClock:
    """The store's clock while a story is played; microseconds."""

    instant: Instant

    def now(self) -> Instant:
        return self.instant


@dataclass
class Pace:
    """Who may go on, and who waits for what instant.

    `holds` are calls and steps that take until an instant. While the story is `still`, an event is being accepted, and no stop begins. A
    stop that would leave a gate since its time is up is let through only while it is `due`: before that an event of the same instant
    still counts. `looking` are those that may look at the clock just now.
    """

    clock: StoryClock
    still: bool = False
    due: bool = False
    over: bool = False
    looking: int = 0
    holds: dict[str, Instant] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def changed(self) -> None:
        """Whoever waits for something looks again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def change(self) -> None:
        """Wait until something has changed."""
        await self._changed.wait()

    @contextlib.contextmanager
    def look(self) -> Iterator[None]:
        """The clock stays where it is while the block runs."""
        self.looking += 1
        try:
            yield
        finally:
            self.looking -= 1
            self.changed()

    async def until(self, name: str, at: Instant) -> None:
        """Wait until the story has come to an instant."""
        try:
            while self.clock.now() < at and not self.over:
                if self.holds.get(name) != at:
                    self.holds[name] = at
                    self.changed()
                await self.change()
        finally:
            self.holds.pop(name, None)

    def held(self, name: str) -> Instant | None:
        """Until when something takes that is under way; None when it is not held up."""
        at = self.holds.get(name)
        return at if at is not None and at > self.clock.now() else None

    def move_to(self, at: Instant) -> None:
        """Time goes on; never backwards."""
        self.clock.instant = max(self.clock.instant, at)
        self.changed()

    def end(self) -> None:
        """The story is over: nobody waits for anything any more."""
        self.over = True
        self.changed()

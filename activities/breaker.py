"""Keeps a slow or failing provider from holding up everybody: who may try it on the fast path, which holds a place of its worker.

A state machine of one provider in one process. It knows no provider, no store and no clock: seconds are given to it, and only their
differences mean something.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_IN_FLIGHT = 24
"""Stops on the fast path with one provider at a time: three quarters of the workflow tasks that a worker holds at once."""
BAD_IN_A_ROW = 3
FIRST_REST = 5.0
LONGEST_REST = 60.0


@dataclass(slots=True, eq=False)
class Pass:
    """The right to try the provider once. A probe finds out whether a provider that rests is well again."""

    probe: bool = False


class Breaker:
    """Closed, everybody is let through, up to `most` at a time. After `bad` calls in a row that gave no answer in time, or a transient
    one, it is open: nobody is, for `rest` seconds. Then one probe at a time is, which closes it again or doubles the rest.
    """

    def __init__(
        self, *, most: int = MOST_IN_FLIGHT, bad: int = BAD_IN_A_ROW, rest: float = FIRST_REST, longest_rest: float = LONGEST_REST
    ) -> None:
        self._most, self._bad, self._first_rest, self._longest_rest = most, bad, rest, longest_rest
        self._in_flight = 0
        self._in_a_row = 0
        self._rest = rest
        self._open_until: float | None = None
        self._probe: Pass | None = None

    @property
    def is_open(self) -> bool:
        """Is the provider given a rest, so that there is no sense in waiting for a place?"""
        return self._open_until is not None

    def enter(self, now: float) -> Pass | None:
        """A pass, to be given back by `leave`; None when the provider rests, or has as many calls as it may."""
        if self._open_until is not None:
            if now < self._open_until or self._probe is not None:
                return None
            self._probe = Pass(probe=True)
        elif self._in_flight >= self._most:
            return None
        self._in_flight += 1
        return self._probe or Pass()

    def leave(self, given: Pass, now: float, good: bool | None) -> None:
        """Give a pass back. `good` says whether an answer came that was none of "later"; None that the provider was not asked."""
        self._in_flight -= 1
        if given.probe:
            self._probe = None
            if good:
                self._open_until, self._rest, self._in_a_row = None, self._first_rest, 0
            elif good is not None:
                self._rest = min(self._rest * 2, self._longest_rest)
                self._open_until = now + self._rest
        elif good is None or self._open_until is not None:
            return  # a call that was begun before the rest says nothing about its end
        elif good:
            self._in_a_row = 0
        else:
            self._in_a_row += 1
            if self._in_a_row >= self._bad:
                self._open_until = now + self._rest

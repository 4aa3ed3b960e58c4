"""When a journey reads its segment, as it is written: once, or again and again. It knows the shape alone; occurrences.py counts the times.

In a draft only `kind` is required. Every time is local: it is meant in the journey's timezone.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StrictInt, Tag

from journey.until import Weekdays


class _Plan(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class _Repeating(_Plan):
    begins: str = Field(default="", alias="from")
    until: str = ""


class Once(_Plan):
    """At one local moment, `2026-12-24T09:00`."""

    kind: Literal["once"]
    at: str = ""


class Daily(_Repeating):
    """Every day at this time, or every so many days, counted from the day of `from`."""

    kind: Literal["daily"]
    at: str = ""
    every: Annotated[StrictInt, Field(ge=1, le=366)] = 1


class Weekly(_Repeating):
    """On these days of the week, `mon` or `mon..fri`; every so many weeks, counted from the week of `from`."""

    kind: Literal["weekly"]
    days: Weekdays = ()
    at: str = ""
    every: Annotated[StrictInt, Field(ge=1, le=52)] = 1


class Monthly(_Repeating):
    """On these days of the month, 1 to 31 or `last`; a month that lacks one of them goes without it."""

    kind: Literal["monthly"]
    days: tuple[Annotated[StrictInt, Field(ge=1, le=31)] | Literal["last"], ...] = ()
    at: str = ""


class Cron(_Repeating):
    """At every minute that five fields name: minute, hour, day of the month, month, day of the week."""

    kind: Literal["cron"]
    expression: str = ""


Schedule = Annotated[Once | Daily | Weekly | Monthly | Cron, Field(discriminator="kind")]
Repeating = Daily | Weekly | Monthly | Cron

WordOrSchedule = Annotated[
    Annotated[str, Tag("word")] | Annotated[Schedule, Tag("times")], Discriminator(lambda raw: "word" if isinstance(raw, str) else "times")
]
"""As an entry has it; told apart first, so that what is wrong is said of what was meant."""
AT_ONCE, BY_HAND = "asap", "manual"
"""The two schedules that are a word: at the publish, and when somebody starts a run."""

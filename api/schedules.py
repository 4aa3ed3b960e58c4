"""When a journey lets people in next, as answers show it. It begins nothing."""

from __future__ import annotations

from pydantic import BaseModel
from sqlalchemy import Connection

from api.instants import Moment
from journey import schedule_words
from store import schedules, versions

SHOWN = 5


class OccurrenceModel(BaseModel):
    """One time: its name by the clocks of the journey's timezone, and the instant."""

    local: str
    at: Moment


class ScheduleModel(BaseModel):
    """A schedule in words, and its next times."""

    says: str
    timezone: str
    next: list[OccurrenceModel]


def schedule_shown(connection: Connection, journey_id: str) -> ScheduleModel | None:
    """The schedule of the version that lets in; None when no further run will begin by itself."""
    there = schedules.find(connection, journey_id)
    if there is None:
        return None
    journey = versions.frozen_version(connection, versions.row(connection, there.version).hash).journey
    schedule = schedules.of(journey)
    upcoming = schedules.upcoming(connection, journey_id, SHOWN)
    if schedule is None or not upcoming:
        return None
    times = [OccurrenceModel.model_validate({"local": one.local, "at": one.at}) for one in upcoming]
    return ScheduleModel(says=schedule_words.spoken(schedule), timezone=journey.timezone, next=times)

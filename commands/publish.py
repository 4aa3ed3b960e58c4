"""`sojourn publish ID`: freezes a journey's draft as its next version and lets people in. It judges nothing: the API does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from commands.http import Api, journey_path


def publish(api: Api, journey: str, told: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The answer of the API; `told` says what becomes of people inside. Raises Invalid with every finding when the draft is not valid."""
    answer: dict[str, Any] = api.post(f"{journey_path(journey)}:publish", told)
    return answer


def sentences(answer: Mapping[str, Any]) -> Iterator[str]:
    """What was done, for people."""
    yield f"{answer['version']} is live."
    if answer.get("closed"):
        stay = "" if answer.get("succeeded") else "; those inside walk on"
        yield f"{answer['closed']} lets in nobody more{stay}."
    if answer.get("succeeded"):
        yield f"Those inside {' and '.join(answer['succeeded'])} go on in {answer['version']}, where they can."
    if answer.get("run") and not answer.get("begins_at"):  # of a later start the note tells
        yield f"{answer['run']} reads the segment now."
    if answer.get("schedule"):
        times = ", ".join(one["local"] for one in answer["schedule"]["next"])
        yield f"It reads its segment {answer['schedule']['says']} ({answer['schedule']['timezone']}): next {times}."
    for finding in answer.get("findings", ()):
        yield f"warning {finding['code']}" + (f" at {finding['node']}" if finding["node"] else "") + f": {finding['sentence']}"
    if answer.get("note"):
        yield answer["note"]

"""What ends a person wherever they are in a journey: which of its exit criteria an event meets. It knows no store and no gate."""

from __future__ import annotations

from journey import changes, matching
from journey.events import Event
from journey.graph import ExitCriterion
from journey.matching import NOTHING, About
from journey.version import Version

REASON = "exit_criteria"


def met_by(version: Version, event: Event, about: About = NOTHING) -> str:
    """The first criterion that this event meets, in words; empty when it meets none."""
    for criterion in version.journey.exit_criteria:
        if criterion.event and matching.fits_definition(version, criterion.event, criterion.where, event, about):
            return words(criterion)
        if criterion.segment and changes.moved(event, criterion.segment, criterion.direction):
            return words(criterion)
    return ""


def words(criterion: ExitCriterion) -> str:
    """A criterion as records show it, without its rule: `event purchase`, `enters vip`."""
    if criterion.event:
        return f"event {criterion.event}"
    return f"{'enters' if criterion.direction == 'enter' else 'leaves'} {criterion.segment}"

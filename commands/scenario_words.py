"""What came of a scenario in lines of words, for the terminal and for a CI server. It plays nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from commands.simulate import after
from journey.simulation.judging import Difference
from journey.simulation.story import Moment


def lines(difference: Difference) -> Iterator[str]:
    """Both sides of an expectation line by line: `-` was expected and did not happen, `+` happened and was not expected."""
    matcher = difflib.SequenceMatcher(None, difference.expected, difference.happened, autojunk=False)
    for what, start, end, other_start, other_end in matcher.get_opcodes():
        if what == "equal":
            yield from (f"  {line}" for line in difference.expected[start:end])
        else:
            yield from (f"- {line}" for line in difference.expected[start:end])
            yield from (f"+ {line}" for line in difference.happened[other_start:other_end])


def moments(timeline: Sequence[Moment]) -> Iterator[str]:
    """What happened, a line a moment."""
    when = [after(moment.at) for moment in timeline]
    width = max((len(one) for one in when), default=0)
    yield from (f"{at:>{width}}  {moment.sentence}" for at, moment in zip(when, timeline, strict=True))

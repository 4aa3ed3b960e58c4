"""For each finding there is an example, and the example has it: the code, with its grade, at its node and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from commands import validate as validating
from journey.errors import Invalid
from journey.events import EventDefinition
from journey.findings import Finding, blocking
from journey.freezing import freeze
from journey.graph import Journey
from journey.messages import MessageDocument
from journey.policies import Policies
from journey.segments import SegmentDocument
from journey.validation import judging, succession
from journey.validation.policies import of_policies
from tests.findings.every import EXAMPLES
from tests.findings.example import Example, Publish


def found(example: Example, folder: Path) -> tuple[Finding, ...]:
    match example.judged:
        case Journey() as journey:
            return judging.validate(journey, example.around)
        case MessageDocument() as message:
            return tuple(judging.of_message(message, example.around))
        case SegmentDocument() as segment:
            return tuple(judging.of_segment(segment, example.around))
        case EventDefinition() as event:
            return tuple(judging.of_event(event))
        case Policies() as policies:
            return tuple(of_policies(policies))
        case Publish() as publish:
            return succession.check(publish.succession, publish.new, publish.older)
        case files:
            for name, text in files.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text, encoding="utf-8")
            return tuple(one.finding for one in validating.validate(folder))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.code)
def test_an_example_has_its_finding_and_no_other(example: Example, tmp_path: Path) -> None:
    judged = found(example, tmp_path)
    wanted = (example.code, example.grade, example.node, example.field)
    assert wanted in [(one.code, one.grade, one.node, one.field) for one in judged]
    assert {one.code for one in judged} == {example.code, *example.beside}
    for one in judged:
        assert is_a_sentence(one.sentence), one.sentence


def is_a_sentence(said: str) -> bool:
    """One that fits on a screen and shows nothing of the inside."""
    return said.endswith(".") and 20 < len(said) < 240 and "  " not in said and "None" not in said


@pytest.mark.parametrize("example", [one for one in EXAMPLES if isinstance(one.judged, Journey)], ids=lambda example: example.code)
def test_an_error_forbids_a_publish_and_a_warning_does_not(example: Example) -> None:
    assert isinstance(example.judged, Journey)
    if example.grade == "error":
        with pytest.raises(Invalid) as refused:
            freeze(example.judged, example.around)
        assert example.code in [one.code for one in blocking(refused.value.findings)]
    else:
        assert freeze(example.judged, example.around).journey.id == "small"

"""`sojourn schema` gives editors what they complete and judge files by."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from cli import app
from commands import schema
from journey import documents
from journey.errors import BadInput

EXAMPLE = Path(__file__).parents[2] / "examples" / "three-cities"


def test_what_is_printed_judges_a_journey_of_the_example_and_a_slip_in_it() -> None:
    printed = CliRunner().invoke(app, ["schema", "journey"])
    judge = jsonschema.Draft202012Validator(json.loads(printed.stdout))
    drawn = documents.read((EXAMPLE / "journeys" / "thank-you.yaml").read_text()).data
    assert list(judge.iter_errors(drawn)) == []
    assert list(judge.iter_errors(drawn | {"timezones": "UTC"})) != []


def test_a_kind_that_there_is_not_is_told_with_the_one_that_was_meant() -> None:
    with pytest.raises(BadInput, match="There is no document 'journy': name one of attributes"):
        schema.of("journy")

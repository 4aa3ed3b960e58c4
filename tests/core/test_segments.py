"""A segment as a document."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from journey.errors import RuleError
from journey.rule_text import parse
from journey.segments import SegmentDocument


def segment(rule: object, segment_id: str = "vips") -> SegmentDocument:
    return SegmentDocument.model_validate({"id": segment_id, "name": "VIPs", "rule": rule})


def test_text_and_tree_of_one_rule_have_one_hash() -> None:
    text = segment('city = "Bern" && vip')
    tree = segment(
        {
            "rules": [
                {"id": "1", "field": "city", "operator": "=", "value": "Bern"},
                {"id": "2", "field": "vip", "operator": "=", "value": True},
            ]
        }
    )
    assert text.tree == parse('city == "Bern" && vip == true')
    assert text.hash == tree.hash == segment('city="Bern"&&vip', "others").hash


@pytest.mark.parametrize("other", ["n = true", "n = 1.0", 'n = "1"', "n != 1", "!(n = 1)"])
def test_another_rule_has_another_hash(other: str) -> None:
    assert segment(other).hash != segment("n = 1").hash


def test_a_faulty_rule_is_told_when_it_is_read() -> None:
    with pytest.raises(RuleError):
        assert segment("n =").tree


def test_a_segment_has_a_rule() -> None:
    with pytest.raises(ValidationError):
        SegmentDocument.model_validate({"id": "vips"})


@pytest.mark.parametrize("said", [0, 1, "false", "no"])
def test_only_true_turns_a_group_around(said: object) -> None:
    with pytest.raises(ValidationError, match="not"):
        segment({"not": said, "rules": []})

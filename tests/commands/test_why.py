"""What `sojourn why` says of a rule that was not true: each test that was not as it had to be."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from commands import why
from journey.rule_explaining import explain
from journey.rule_text import as_tree
from journey.rule_tree import Group
from journey.rule_tree import Test as Leaf
from journey.rules import Scope

PERSON: dict[str, Any] = {"city": "Bern", "spent": 120, "vip": True}
TREE = Group(rules=(Leaf(field="vip", operator="=", value=True), Group()))


@pytest.mark.parametrize(
    ("rule", "sentences"),
    [
        ('city == "Bern" && spent > 200', ["spent > 200 is not so: 120"]),
        ('city == "Chur" || spent > 200', ["city = 'Chur' is not so: 'Bern'", "spent > 200 is not so: 120"]),
        ("!vip", ["vip = True is so, and must not be: True"]),
        ('!(spent == 120 && vip) && spent > 100', ["spent = 120 is so, and must not be: 120", "vip = True is so, and must not be: True"]),
        ('!(city == "Chur" || !(spent > 200)) ', ["spent > 200 is not so: 120"]),
        ("town != 'Bern'", ["town != 'Bern' is not so: town is missing"]),
        (TREE, ["an empty group matches nothing"]),
        ("vip", []),
    ],
)  # fmt: skip
def test_each_test_that_was_not_as_it_had_to_be_is_named(rule: Any, sentences: list[str]) -> None:
    explained = asdict(explain(as_tree(rule), Scope.of_profile(PERSON)))
    assert [said.strip() for said in why._not_so(explained)] == sentences

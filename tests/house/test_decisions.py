"""Decisions are numbered once each, and the list names every one of them."""

from __future__ import annotations

import re

from tests.house.source import HOUSE, text

RECORDS = sorted(path.name for path in (HOUSE / "docs" / "decisions").glob("0*.md"))


def test_each_decision_has_a_number_of_its_own_without_a_gap() -> None:
    assert [name[:4] for name in RECORDS] == [f"{number:04}" for number in range(1, len(RECORDS) + 1)]


def test_the_list_names_every_decision_in_order() -> None:
    assert re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", text("docs/decisions/README.md")) == RECORDS


def test_a_record_says_its_own_number() -> None:
    assert [text(f"docs/decisions/{name}")[2:6] for name in RECORDS] == [name[:4] for name in RECORDS]

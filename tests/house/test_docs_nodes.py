"""docs/nodes.md has every kind of node with its own fields and exits, as the model has them."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from pydantic import BaseModel

from journey.graph import Node, NodeBase
from tests.house.source import text

KINDS: dict[str, type[NodeBase]] = {get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(get_args(Node)[0])}
EXITS = {"next", "error", "timeout", "otherwise"}
ROWS = {
    kind: (fields, exits)
    for kind, fields, exits in re.findall(r"^\| `(?!kind)(\w+)` \| [^|]+ \| ([^|]*) \| ([^|]*) \|$", text("docs/nodes.md"), re.MULTILINE)
}


def named(cell: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", cell))


def fields_of(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def test_every_kind_is_described_and_no_other() -> None:
    assert set(ROWS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_described_with_its_own_fields_and_exits(kind: str) -> None:
    own = fields_of(KINDS[kind]) - fields_of(NodeBase) - {"kind"}
    fields, exits = ROWS[kind]
    assert named(fields) == own - EXITS
    assert named(exits) == own & EXITS


def test_every_page_that_it_leads_to_is_there() -> None:
    for target in re.findall(r"\]\(([a-z-]+\.md)\)", text("docs/nodes.md")):
        assert text(f"docs/{target}")

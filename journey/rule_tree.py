"""The tree of a rule, in the shape that react-querybuilder writes. It knows no text and no evaluation: rule_text.py and rules.py do."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StrictBool, StrictFloat, StrictInt, StrictStr, Tag

Operator = Literal[
    "=", "!=", "<", "<=", ">", ">=", "in", "notIn", "contains", "beginsWith", "endsWith", "null", "notNull",
]  # fmt: skip
Scalar = StrictBool | StrictInt | StrictFloat | StrictStr


class Test(BaseModel):
    """A leaf: a field compared with a value, or with another field when `value_source` is `field`.

    A bare field is the subject's (an attribute in a segment, a data field in an event's rule or `where`); `profile.x`, `event.x`
    and `entry.x` name the others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    field: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...] | None = None
    value_source: Literal["value", "field"] = Field(default="value", alias="valueSource")
    id: str = Field(default="", exclude=True)  # react-querybuilder writes one into every node; it means nothing


class Group(BaseModel):
    """Tests joined by `and` or `or`, the whole turned around by `not`. An empty group matches nothing, `not` or no `not`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    combinator: Literal["and", "or"] = "and"
    rules: tuple[Rule, ...] = ()
    negated: StrictBool = Field(default=False, alias="not")
    id: str = Field(default="", exclude=True)  # see Test.id


class Did(BaseModel):
    """A leaf: the person did something at least so often. `did` is the id of an event definition, or a reaction as `email.opened`.

    `within` is a duration back from now, empty for ever; `where` is a rule over the data of each event.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    did: str
    within: str = ""
    at_least: StrictInt = 1
    where: Rule | None = None
    id: str = Field(default="", exclude=True)  # see Test.id


class InSegment(BaseModel):
    """A leaf: the person is a member of a segment."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    in_segment: str
    id: str = Field(default="", exclude=True)  # see Test.id


Leaf = Test | Did | InSegment


def _kind(raw: Any) -> str:
    if isinstance(raw, dict):
        own = next((name for name in ("did", "in_segment") if name in raw), "")
        return own or ("test" if "field" in raw or "operator" in raw else "group")  # an empty group may be written with none of its keys
    return "group" if isinstance(raw, Group) else "did" if isinstance(raw, Did) else "in_segment" if isinstance(raw, InSegment) else "test"


Rule = Annotated[
    Union[  # noqa: UP007 Tag needs Union
        Annotated[Group, Tag("group")], Annotated[Test, Tag("test")], Annotated[Did, Tag("did")], Annotated[InSegment, Tag("in_segment")],
    ],
    Discriminator(_kind),
]  # fmt: skip
Group.model_rebuild()
Did.model_rebuild()

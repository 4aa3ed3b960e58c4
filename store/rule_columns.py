"""One value inside a document in SQL, as an attribute of a profile, and what SQLite and PostgreSQL say differently of it.

It knows no rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import sqlalchemy as sql
from sqlalchemy import Column, ColumnElement, Float, Integer, Numeric, Text, and_, case, cast, func, literal, not_, or_
from sqlalchemy.dialects.postgresql import JSONB

from journey.rules import kind, number

Condition = ColumnElement[bool] | bool
"""A condition, or what it comes to when that is known beforehand: SQL about nothing is long and slow."""

_SMALLEST_INTEGER, _LARGEST_INTEGER = Decimal(-(2**63)), Decimal(2**63 - 1)
_LARGEST = Decimal("1.797693134862315807e308")


def every(*parts: Condition) -> Condition:
    """All of them are true."""
    if any(part is False for part in parts):
        return False
    open_parts = [part for part in parts if not isinstance(part, bool)]
    return and_(*open_parts) if open_parts else True


def some(*parts: Condition) -> Condition:
    """One of them is true, or more."""
    if any(part is True for part in parts):
        return True
    open_parts = [part for part in parts if not isinstance(part, bool)]
    return or_(*open_parts) if open_parts else False


def no(part: Condition) -> Condition:
    """It is false."""
    return not part if isinstance(part, bool) else not_(part)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison. `text`, `number` and `is_true` mean something only where the type has been checked."""

    is_missing: Condition
    is_text: Condition
    is_number: Condition
    is_boolean: Condition
    is_true: Condition
    text: ColumnElement[str]
    number: ColumnElement[Any]


class Sql(Protocol):
    """What the databases say differently."""

    def inside(self, document: Column[Any], path: list[str]) -> Side:
        """What a column of JSON holds at a path of plain names."""

    def number(self, value: float) -> ColumnElement[Any]:
        """A number of a rule, bound so that it loses no digit."""

    def contains(self, text: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[bool]: ...

    def begins_with(self, text: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[bool]: ...

    def ends_with(self, text: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[bool]: ...


class Sqlite:
    """JSON is text here; its functions give SQL values of the same type, and texts compare by code point."""

    def inside(self, document: Column[Any], path: list[str]) -> Side:
        where = "$." + ".".join(f'"{name}"' for name in path)
        what = func.coalesce(func.json_type(document, where, type_=Text), _word("null"))
        value: ColumnElement[Any] = func.json_extract(document, where)
        return Side(
            is_missing=what == _word("null"),
            is_text=what == _word("text"),
            is_number=what.in_([_word("integer"), _word("real")]),
            is_boolean=what.in_([_word("true"), _word("false")]),
            is_true=what == _word("true"),
            text=value,
            number=value,
        )

    def number(self, value: float) -> ColumnElement[Any]:
        held = number(value)
        return literal(held, sql.BigInteger) if isinstance(held, int) else literal(held, Float)

    def contains(self, text: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[bool]:
        return func.instr(text, part, type_=Integer) > 0

    def begins_with(self, text: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[bool]:
        return func.substr(text, 1, _length(part), type_=Text) == part

    def ends_with(self, text: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[bool]:
        return func.substr(text, _length(text) - _length(part) + 1, type_=Text) == part


class Postgres:
    """JSON is cast to JSONB, whose numbers are decimals; texts compare by code point under the collation C."""

    def inside(self, document: Column[Any], path: list[str]) -> Side:
        read = cast(document, JSONB)
        what = func.coalesce(func.jsonb_typeof(func.jsonb_extract_path(read, *path), type_=Text), _word("null"))
        text = func.jsonb_extract_path_text(read, *path, type_=Text)
        is_number = what == _word("number")
        return Side(
            is_missing=what == _word("null"),
            is_text=what == _word("string"),
            is_number=is_number,
            is_boolean=what == _word("boolean"),
            is_true=and_(what == _word("boolean"), text == _word("true")),
            text=text.collate("C"),
            number=_decimal(is_number, cast(text, Numeric)),
        )

    def number(self, value: float) -> ColumnElement[Any]:
        held = number(value)
        return literal(Decimal(repr(float(held) if held == _SMALLEST_INTEGER else held)), Numeric)

    def contains(self, text: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[bool]:
        return func.strpos(text, part, type_=Integer) > 0

    def begins_with(self, text: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[bool]:
        return func.left(text, _length(part), type_=Text) == part

    def ends_with(self, text: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[bool]:
        return func.right(text, _length(part), type_=Text) == part


def constant(value: Any, database: Sql) -> Side:
    """A value of a rule; what cannot be compared is of no type."""
    what = kind(value)
    return Side(
        is_missing=what == "",
        is_text=what == "text",
        is_number=what == "number",
        is_boolean=what == "boolean",
        is_true=value is True,
        text=literal(value if what == "text" else "", Text),
        number=database.number(value if what == "number" else 0),
    )


def _word(text: str) -> ColumnElement[str]:
    return sql.literal_column(f"'{text}'", Text)


def _length(text: ColumnElement[str]) -> ColumnElement[int]:
    return func.length(text, type_=Integer)


def _decimal(is_number: ColumnElement[bool], exact: ColumnElement[Decimal]) -> ColumnElement[Any]:
    """As journey.rules.number: beyond 64 bits a float, beyond floats infinite. Only CASE keeps PostgreSQL from casting a text first.

    A float is kept as the shortest decimal that reads as it, so the smallest integer, which floats next to it equal, is kept as one too.
    """
    rounded = cast(cast(cast(exact, sql.Double), Text), Numeric)
    endless = cast(case((exact > 0, _word("Infinity")), else_=_word("-Infinity")), Numeric)
    return case(
        (not_(is_number), sql.null()),
        (and_(exact > literal(_SMALLEST_INTEGER, Numeric), exact <= literal(_LARGEST_INTEGER, Numeric)), exact),
        (func.abs(exact) > literal(_LARGEST, Numeric), endless),
        else_=rounded,
    )

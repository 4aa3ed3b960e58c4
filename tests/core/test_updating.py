"""What an update_profile node writes: constants, Liquid and fields, of the type that the attribute is declared as, whole or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from journey import updating
from journey.graph import UpdateProfile
from journey.profiles import AttributeType
from journey.rules import Scope
from journey.updating import Misfit

TYPES: dict[str, AttributeType] = {
    "name": "string", "count": "integer", "total": "number", "vip": "boolean", "seen_at": "datetime",
}  # fmt: skip
NAMES: dict[str, Any] = {
    "profile": {"count": 2, "name": "Ada"},
    "event": {"total": 12.5, "items": 3},
    "calls": {"crm": {"body": {"score": 7}}},
}


def written(**values: Any) -> dict[str, Any] | Misfit:
    node = UpdateProfile(id="note", kind="update_profile", set=values)
    scope = Scope.of_profile(NAMES["profile"], event=NAMES["event"], calls=NAMES["calls"])
    return updating.written(node, TYPES, scope, NAMES)


def test_a_constant_is_written_as_it_is_and_null_takes_an_attribute_out() -> None:
    assert written(name="Bo", count=3, total=1.5, vip=True, seen_at="2026-01-02") == {
        "name": "Bo", "count": 3, "total": 1.5, "vip": True, "seen_at": "2026-01-02",
    }  # fmt: skip
    assert written(name=None) == {"name": None}


def test_liquid_gives_a_text_that_is_read_as_the_declared_type() -> None:
    assert written(
        name="{{ profile.name | upcase }}", count="{{ profile.count | plus: 1 }}", total=" {{ event.total }} ", vip="{{ true }}",
        seen_at="{{ '2026-01-02T03:04:05Z' }}",
    ) == {"name": "ADA", "count": 3, "total": 12.5, "vip": True, "seen_at": "2026-01-02T03:04:05Z"}  # fmt: skip


def test_a_field_is_taken_as_it_stands() -> None:
    assert written(total={"field": "event.total"}, count={"field": "calls.crm.body.score"}, name={"field": "profile.name"}) == {
        "total": 12.5, "count": 7, "name": "Ada",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "attribute", "code"),
    [
        ({"count": "{{ profile.name }}"}, "count", "value_does_not_fit"),
        ({"count": {"field": "event.total"}}, "count", "value_does_not_fit"),
        ({"count": {"field": "profile.name"}}, "count", "value_does_not_fit"),
        ({"vip": "{{ profile.count }}"}, "vip", "value_does_not_fit"),
        ({"vip": {"field": "profile.count"}}, "vip", "value_does_not_fit"),
        ({"name": {"field": "profile.count"}}, "name", "value_does_not_fit"),
        ({"seen_at": "{{ profile.name }}"}, "seen_at", "value_does_not_fit"),
        ({"seen_at": "{{ '2026-02-31' }}"}, "seen_at", "value_does_not_fit"),
        ({"name": "{% for n in (1..1000) %}{{ '01234567890123456789' }}{% endfor %}"}, "name", "value_does_not_fit"),
        ({"total": {"field": "event.price"}}, "total", "value_missing"),
        ({"total": "{{ event.price }}"}, "total", "render_error"),
        ({"vip": True, "total": "{{ event.price }}"}, "total", "render_error"),
    ],
)
def test_what_does_not_fit_writes_nothing_at_all_and_says_which_and_why(values: dict[str, Any], attribute: str, code: str) -> None:
    found = written(**values)
    assert isinstance(found, Misfit)
    assert (found.attribute, found.code) == (attribute, code)


def test_json_knows_no_integers_so_three_point_nought_is_one() -> None:
    assert updating.fit(3.0, "integer") == 3
    assert type(updating.fit(3.0, "integer")) is int
    assert not updating.fits(3.5, "integer")
    assert not updating.fits(True, "integer")
    assert not updating.fits("3", "integer")
    assert not updating.fits(float("nan"), "number")

"""What somebody did, and which segments hold them: the evaluator and the database say the same of everybody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from journey import ids, past
from journey.errors import RuleError
from journey.events import Event, EventDefinition
from journey.rule_text import parse
from journey.rule_tree import Rule
from journey.rules import Scope, evaluate
from journey.segments import SegmentDocument
from store import rule_sql, schema, segments
from store.rule_sql import Around
from store.work import Work
from tests import made_up_rules
from tests.builders import DAY, HOUR, START
from tests.fakes import SettableClock

DEFINITIONS = {
    "bought": EventDefinition(id="bought", match="Order Completed"),
    "named": EventDefinition(id="named", rule='a == "a" || b'),
    "left": EventDefinition(id="left", match="left", rule="a != null"),
}
SEGMENTS = {
    "vip": parse('did("bought", {at_least: 2}) || vip'),
    "nested": parse('in_segment("vip") && !did("left", {within: "P1D"})'),
    "circle": parse('in_segment("round") || a == 1'),
    "round": parse('in_segment("circle")'),
}
NOW = START + 2 * DAY
AROUND = Around(NOW, DEFINITIONS, SEGMENTS)


@pytest.fixture(scope="module")
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        yield connection


Person = tuple[dict[str, Any], list[Event]]


@contextmanager
def kept(connection: Connection, people: list[Person]) -> Iterator[None]:
    """These people and what they did are in the database for a while."""
    with connection.begin() as transaction:
        rows = [
            {"id": str(place), "attributes": who, "consents": {}, "push_tokens": [], "test": False, "created_at": 0, "updated_at": 0}
            for place, (who, _) in enumerate(people)
        ]
        connection.execute(schema.profiles.insert(), rows)
        done = [
            {"source": one.source, "id": f"{place}-{number}", "profile": str(place), "name": one.name, "data": one.data,
             "occurred_at": None, "accepted_at": one.accepted_at, "won": False}
            for place, (_, events) in enumerate(people) for number, one in enumerate(events)
        ]  # fmt: skip
        if done:
            connection.execute(schema.events.insert(), done)
        yield
        transaction.rollback()


def asked(connection: Connection, rule: Rule, around: Around = AROUND) -> list[int]:
    dialect: rule_sql.Dialect = "postgresql" if connection.dialect.name == "postgresql" else "sqlite"
    query = select(schema.profiles.c.id).where(rule_sql.where(rule, dialect, around))
    return sorted(int(place) for place in connection.execute(query).scalars())


def holds(rule: Rule, who: dict[str, Any], events: list[Event]) -> bool:
    """Is the rule true of somebody, by what the core gathers and evaluates?"""
    done = [one for one in events if one.accepted_at <= NOW]
    known = past.Segments(SEGMENTS, DEFINITIONS, who, done, NOW)
    scope = past.known(
        Scope.of_profile(who), past.needs([rule]), NOW, clock=dict, events=done, definitions=DEFINITIONS, member=known.has
    )  # fmt: skip
    return evaluate(rule, scope)


def did(name: str, after: int, source: str = "shop", **data: Any) -> Event:
    return Event(source, f"{name}-{after}", name, data, accepted_at=START + after)


EVENTS = st.lists(
    st.builds(
        lambda name, after, data, ours: did(name, after, ids.REACTIONS if ours else "shop", **data),
        st.sampled_from(["Order Completed", "Order Completed", "left", "email.opened", "bought"]),
        st.sampled_from([0, 2 * DAY - HOUR - 1, 2 * DAY - HOUR, DAY, DAY - 1, 2 * DAY, 2 * DAY + 1]),
        made_up_rules.attributes, st.booleans(),
    ),
    max_size=5,
)  # fmt: skip
PEOPLE = st.lists(st.tuples(made_up_rules.attributes, EVENTS), min_size=1, max_size=5)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rule=made_up_rules.rules_over_the_past, people=PEOPLE)
def test_the_evaluator_and_the_database_agree_on_what_everybody_did(connection: Connection, rule: Rule, people: list[Person]) -> None:
    expected = [place for place, (who, events) in enumerate(people) if holds(rule, who, events)]
    event("nobody" if not expected else "everybody" if len(expected) == len(people) else "some")
    with kept(connection, people):
        assert asked(connection, rule) == expected


BOUGHT = [did("Order Completed", 0, total=50), did("Order Completed", DAY, total=150), did("email.opened", DAY, ids.REACTIONS)]


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ('did("bought")', True),
        ('did("bought", {at_least: 2})', True),
        ('did("bought", {at_least: 3})', False),
        ('did("bought", {within: "P1D"})', True),  # a day ago to the microsecond
        ('did("bought", {within: "PT86399S"})', False),
        ('did("bought", {within: "P2D", at_least: 2})', True),
        ('did("bought", {where: total > 100})', True),
        ('did("bought", {where: total > 100, within: "P3D", at_least: 2})', False),
        ('did("bought", {where: total > profile.least})', True),
        ('!did("bought")', False),
        ('did("email.opened")', True),
        ('did("email.clicked")', False),
        ('did("unknown")', False),
        ('!did("unknown")', True),
        ('in_segment("vip") && city == "Bern"', True),
        ('in_segment("nested")', True),
        ('in_segment("circle")', False),
        ('in_segment("unknown") || !in_segment("vip")', False),
    ],
)
def test_each_question_about_the_past(connection: Connection, text: str, true: bool) -> None:
    who = {"city": "Bern", "least": 100}
    assert holds(parse(text), who, BOUGHT) is true
    with kept(connection, [(who, BOUGHT), (who, [])]):
        assert (0 in asked(connection, parse(text))) is true


def test_a_segment_is_asked_with_the_segments_and_events_that_are_there(engine: Engine) -> None:
    with engine.connect().execution_options(writes=True) as opened:
        transaction = opened.begin()
        work = Work(opened, SettableClock(NOW))
        segments.put(work, SegmentDocument(id="vip", rule="vip"))
        segments.put(work, SegmentDocument(id="both", rule='in_segment("vip") && city == "Bern"'))
        rows = [{"id": name, "attributes": who, "consents": {}, "push_tokens": [], "test": False, "created_at": 0, "updated_at": 0}
                for name, who in {"a": {"vip": True, "city": "Bern"}, "b": {"city": "Bern"}}.items()]  # fmt: skip
        opened.execute(schema.profiles.insert(), rows)
        assert [segments.is_member(opened, "both", name, NOW) for name in ("a", "b", "nobody")] == [True, False, False]
        assert not segments.is_member(opened, "gone", "a", NOW)
        with pytest.raises(RuleError, match="vip -> both -> vip"):
            segments.put(work, SegmentDocument(id="vip", rule='in_segment("both")'))
        transaction.rollback()

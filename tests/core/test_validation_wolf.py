"""Warnings that are not given: what is close to a mistake and none."""

from __future__ import annotations

from typing import Any

import pytest

from journey.graph import Journey
from journey.profiles import Attribute
from journey.validation.judging import of_journey
from tests.findings.example import BUY, CALL, END, OPENED, SEND, WAIT, choosing, email, journey, surroundings
from tests.findings.of_time import NOW, until

_REACT = {**SEND, "next": "opened"}
_LABELLED = [{"id": "good", "kind": "end", "label": "Bought"}, {"id": "bad", "kind": "end", "name": "Gone"}]


def said(judged: Journey, **around: Any) -> list[str]:
    return [one.code for one in of_journey(judged, surroundings(**({"now": NOW} | around)))]


@pytest.mark.parametrize(
    "drawn",
    [
        journey(WAIT, END),
        journey(choosing("vip", otherwise="bad", branches=[{"id": "b0", "when": "vip", "next": "good"}]), *_LABELLED),
        journey({**CALL, "error": []}, END),
        journey({**CALL, "error": [], "next": []}),
        journey({**CALL, "error": [], "next": "send"}, SEND, END, on_error="park"),
    ],
)
def test_of_exits_and_ends(drawn: Journey) -> None:
    assert said(drawn) == []


@pytest.mark.parametrize(
    "drawn",
    [
        until(at="2026-01-01T00:01"),
        until(at="2026-01-01", zone="profile"),  # in Honolulu it is yesterday
        until(at="2025-12-31T20:00", zone="profile"),
        journey({"id": "wait", "kind": "wait", "until": "2025-12-31T20:00", "next": "end"}, END, timezone="America/New_York"),
        journey(choosing('now.date <= "2026-01-01"'), END),
        journey(choosing('now.date > "2020-01-01"'), END),
        journey(choosing('now.date == "2025-12-31"'), END, timezone="America/New_York"),
        journey(WAIT, END, end="2026-01-01T00:01"),
    ],
)
def test_of_dates(drawn: Journey) -> None:
    quiet = surroundings(now=NOW, attributes={"timezone": Attribute(type="string")})
    assert [one.code for one in of_journey(drawn, quiet)] == []


def test_of_dates_where_nobody_knows_what_time_it_is() -> None:
    assert said(until(at="2000-01-01"), now=0) == []
    assert said(journey(choosing('now.date < "2000-01-01"'), END, end="2000-01-01"), now=0) == []


@pytest.mark.parametrize(
    ("html", "to"),
    [
        ("<p>Hello</p>", "email.opened"),
        ('<a href="https://shop.example/">Look</a>', "email.clicked"),
        ("<A HREF='{{ profile.city }}/x'>Look</A>", "email.clicked"),
        ('<a class="x" href = https://shop.example>Look</a>', "email.clicked"),
        ("<a{% if profile.vip %} href='https://shop.example/'{% endif %}>Look</a>", "email.clicked"),
    ],
)
def test_of_what_a_mail_can_tell(html: str, to: str) -> None:
    assert said(journey(_REACT, {**OPENED, "to": to}, END), messages={"mail": email("mail", html)}) == []


@pytest.mark.parametrize("html", ['<a href="{{ unsubscribe_url }}">stop</a>', '<a href="mailto:a@b.example">x</a>', '<a name="top">x</a>',
                                  '<a data-track="off" href="https://shop.example/">x</a>', "https://shop.example/"])  # fmt: skip
def test_nothing_to_click(html: str) -> None:
    judged = journey(_REACT, {**OPENED, "to": "email.clicked"}, END)
    assert said(judged, messages={"mail": email("mail", html)}) == ["nothing_to_click"]


def test_of_the_time_that_paths_take() -> None:
    long = {**WAIT, "id": "long", "for": "P60D", "next": "buy"}
    for then in ({**BUY, "timeout": {"after": "P31D", "next": "end"}}, {**BUY, "timeout": {"after": "P90D", "next": "end"}}):
        assert said(journey(long, then, END)) == [], "who buys comes to the end in time"
    late = {**BUY, "next": "good", "timeout": {"after": "P32D", "next": "bad"}}
    assert said(journey(long, late, *_LABELLED)) == ["never_in_time"]
    assert said(journey(long, late, *_LABELLED, global_timeout="P92D")) == []


@pytest.mark.parametrize(("nodes", "codes"), [(48, []), (49, ["many_nodes"]), (998, ["many_nodes"]), (999, ["too_many_nodes"])])
def test_of_how_many_nodes_there_are(nodes: int, codes: list[str]) -> None:
    chain = [{**WAIT, "id": f"w{n}", "for": "PT1M", "next": f"w{n + 1}"} for n in range(nodes)]
    assert said(journey(*chain, {**END, "id": f"w{nodes}"})) == codes

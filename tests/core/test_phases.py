"""The log of a test: how far somebody is, and how each node looks for them."""

from __future__ import annotations

import pytest

from journey import phases
from journey.phases import Phase, Walked

ENTRY = Walked("", "", "read", "next", ("first",))
FIRST = Walked("", "", "first", "next", ("push-opened", "email-opened"))


@pytest.mark.parametrize(
    ("reason", "phase"),
    [
        ("", "running"), ("finished", "finished"), ("no_branch", "finished"), ("removed", "finished"), ("exit_criteria", "finished"),
        ("error", "error"), ("terminated", "error"), ("global_timeout", "timed_out"),
    ],
)  # fmt: skip
def test_the_phase_follows_from_the_end(reason: str, phase: Phase) -> None:
    assert phases.phase(reason) == phase


def test_who_waits_at_a_gate_is_at_each_of_its_nodes() -> None:
    looks = phases.looks([ENTRY, FIRST], FIRST.place, is_open=True)
    assert looks == {"read": "passed", "first": "passed", "push-opened": "here", "email-opened": "here"}


def test_the_node_that_decided_is_passed_and_the_other_left() -> None:
    opened = Walked("email-opened", "next", "", "", ("purchase",))
    looks = phases.looks([ENTRY, FIRST, opened], ("purchase",), is_open=True)
    assert (looks["push-opened"], looks["email-opened"], looks["purchase"]) == ("left", "passed", "here")


def test_a_timeout_and_an_error_are_seen() -> None:
    silent = Walked("email-opened", "timeout", "follow-up", "error", ("end",))
    looks = phases.looks([ENTRY, FIRST, silent], ("end",), is_open=False)
    assert (looks["email-opened"], looks["follow-up"], looks["end"]) == ("timed_out", "error", "passed")


def test_a_message_that_is_on_its_way_is_where_they_are() -> None:
    assert phases.looks([ENTRY, Walked("", "", "first", "", ())], ("first",), is_open=True)["first"] == "here"

"""Writing a profile and calling a webhook, as stories: who sees what was written and answered, and by which exit one goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from journey.calls import Response
from journey.profiles import Profile
from journey.simulation.simulate import simulate
from journey.simulation.story import Occurs, Script, Story, World
from journey.version import Version
from tests.builders import HOUR, THANKS, message, profile, rule, version

WORLD = World(messages={"vip": message("vip", "email"), "other": message("other", "email")})
END = {"id": "end", "kind": "end"}
VIP = {"id": "vip", "kind": "message", "message": "vip", "next": "end"}
OTHER = {"id": "other", "kind": "message", "message": "other", "next": "end"}


def choosing(*test: Any) -> dict[str, Any]:
    return {"id": "which", "kind": "condition", "branches": [{"id": "yes", "when": rule(*test), "next": "vip"}], "otherwise": "other"}


def webhook(**changed: Any) -> dict[str, Any]:
    return {"id": "get-score", "kind": "webhook", "url": "https://crm.example/{{ profile.id }}", "next": "which"} | changed


def update(**changed: Any) -> dict[str, Any]:
    return {"id": "note", "kind": "update_profile", "set": {"vip": True}, "next": "which"} | changed


def writing(*nodes: Mapping[str, Any]) -> Version:
    return Version(journey=version(*nodes).journey, events=version(*nodes).events, writes={"vip": "boolean", "total": "number"})


def play(of: Version, *happenings: Occurs, responses: Mapping[str, Response] | None = None, who: Profile | None = None,
         failing: frozenset[tuple[str, str]] = frozenset()) -> Story:  # fmt: skip
    return simulate(of, who or profile(), Script(happenings, failing=failing), replace(WORLD, responses=responses or {}))


def test_what_is_written_is_seen_by_the_next_node() -> None:
    told = play(writing(update(), choosing("vip", "=", True), VIP, OTHER, END))
    assert told.path == ("read:next", "note:next", "which:yes", "vip:next")
    assert told.attributes["vip"] is True


def test_what_is_made_of_an_event_is_written_when_it_has_come() -> None:
    buy = {"id": "buy", "kind": "event", "event": "purchase", "next": "note"}
    of = writing(buy, update(set={"total": "{{ event.total | times: 2 }}"}, next="end"), END)
    assert play(of, Occurs(HOUR, "purchase", THANKS | {"total": 2.5}, "p")).attributes["total"] == 5.0


def test_what_does_not_fit_goes_by_the_error_exit_or_ends_with_error_and_says_why() -> None:
    broken = update(set={"vip": True, "total": {"field": "event.total"}})
    told = play(writing(broken | {"error": "other"}, choosing("vip", "=", True), VIP, OTHER, END))
    assert told.path == ("read:next", "note:error", "other:next")
    assert "vip" not in told.attributes
    assert "note writes nothing: total has no value: event.total is missing" in [moment.sentence for moment in told.timeline]
    assert play(writing(broken, choosing("vip", "=", True), VIP, OTHER, END)).end == "error"


def test_a_webhook_answers_and_a_condition_looks_at_the_answer() -> None:
    of = version(webhook(), choosing("calls.get_score.body.score", ">", 5), VIP, OTHER, END)
    told = play(of, responses={"get-score": Response(200, {"score": 7})})
    assert told.path == ("read:next", "get-score:next", "which:yes", "vip:next")
    assert told.sent == ("get-score:webhook", "vip:email")
    assert play(of).path[-1] == "other:next"


def test_a_webhook_that_refuses_goes_by_the_error_exit_where_its_status_can_be_looked_at() -> None:
    of = version(webhook(error="which"), choosing("calls.get_score.status", "=", 404), VIP, OTHER, END)
    told = play(of, responses={"get-score": Response(404)})
    assert told.path == ("read:next", "get-score:error", "which:yes", "vip:next")
    assert (told.deliveries[0].status, told.deliveries[0].reason) == ("failed", "call_refused")
    gone = play(of, failing=frozenset({("get-score", "webhook")}))
    assert (gone.deliveries[0].reason, gone.path[-1]) == ("call_refused", "other:next")


def test_one_that_is_away_until_all_tries_are_used_up_has_failed() -> None:
    told = play(version(webhook(), choosing("city", "=", "x"), VIP, OTHER, END), responses={"get-score": Response(503)})
    assert (told.end, told.deliveries[0].reason) == ("error", "retries_exhausted")


def test_a_call_that_cannot_be_made_out_for_this_person_has_failed() -> None:
    of = version(webhook(url="https://crm.example/{{ profile.phone }}"), choosing("city", "=", "x"), VIP, OTHER, END)
    assert (play(of).end, play(of).deliveries[0].reason) == ("error", "render_error")

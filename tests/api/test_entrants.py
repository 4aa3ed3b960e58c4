"""Entrants, deliveries and discards over HTTP, from rows written by hand."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from httpx import AsyncClient

from commands.why import sentences
from journey.rule_explaining import as_data, explain
from journey.rule_text import parse
from journey.rules import Scope
from store import journeys, schema
from store.database import Database
from store.work import Work
from tests import stock


@pytest.fixture
async def inside(database: Database) -> str:
    """Somebody whom a first message has reached by email, and who waits; returns the id."""

    def write(work: Work) -> str:
        stock.put_use_case(work)
        journeys.publish(work, "thank-you", stock.PUBLIC_URL)
        entrant = stock.entrant(work, "a b")
        steps = [
            {"n": 0, "place": "first", "said": "entered"},
            {"n": 1, "node": "first", "revision": 1, "outcome": "next", "place": "push-opened+email-opened", "said": "first-message: sent"},
        ]
        for step in steps:
            work.connection.execute(schema.steps.insert(), {"entrant": entrant, "opened_at": work.now(), "closed_at": work.now()} | step)
        for channel, status, reason in (("email", "sent", ""), ("push", "excluded", "no_token")):
            work.connection.execute(
                schema.deliveries.insert(),
                {"entrant": entrant, "n": 1, "channel": channel, "version": "thank-you@1", "mode": "live", "node": "first",
                 "message": "first-message", "profile": "a b", "status": status, "reason": reason, "marked_at": work.now()},
            )  # fmt: skip
        for number in range(3):
            work.discard("late", source="shop", event=f"e-{number}", profile="a b", version="thank-you@1", detail="too late")
        return entrant

    return await database.write(write)


async def test_the_story_of_one_entrant(api: AsyncClient, inside: str) -> None:
    found = await api.get("/v1/entrants/" + inside.replace("%", "%25"))
    assert found.status_code == 200
    story = found.json()
    assert (story["entrant"]["id"], story["entrant"]["state"], story["entrant"]["place"]) == (
        inside,
        "open",
        ["push-opened", "email-opened"],
    )
    assert [(step["n"], step["node"], step["outcome"], step["place"], step["said"]) for step in story["path"]] == [
        (0, "", "", ["first"], "entered"),
        (1, "first", "next", ["push-opened", "email-opened"], "first-message: sent"),
    ]
    assert story["path"][1]["opened_at"].endswith("Z")
    assert [one["what"] for one in story["waiting"]["awaited"]] == ["push.opened of first", "email.opened of first"]
    assert story["waiting"]["then"] == ["follow-up"]
    assert story["waiting"]["until"] > story["waiting"]["since"]
    assert [(one["channel"], one["status"], one["reason"]) for one in story["deliveries"]] == [
        ("email", "sent", ""),
        ("push", "excluded", "no_token"),
    ]


async def test_an_unknown_entrant_is_not_found(api: AsyncClient) -> None:
    missing = await api.get("/v1/entrants/nobody")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")


async def test_entrants_are_found_by_each_filter(api: AsyncClient, inside: str) -> None:
    for wanted in (
        {"journey": "thank-you"},
        {"node": "email-opened"},
        {"state": "open"},
        {"profile": "a b"},
        {"run": "thank-you.run.1"},
        {},
    ):
        found = (await api.get("/v1/entrants", params=wanted)).json()
        assert [one["id"] for one in found["items"]] == [inside], wanted
    for other in ({"journey": "other"}, {"node": "opened"}, {"state": "ended"}, {"profile": "b"}, {"version": "thank-you@2"}):
        assert (await api.get("/v1/entrants", params=other)).json() == {"items": [], "next": None}, other
    assert (await api.get("/v1/entrants", params={"state": "lost"})).status_code == 422


async def test_pages_follow_each_other(api: AsyncClient, database: Database, inside: str) -> None:
    await database.write(lambda work: stock.entrant(work, "z"))
    for address, key in (("/v1/entrants", "id"), ("/v1/deliveries", "id"), ("/v1/discards", "event")):
        whole = [one[key] for one in (await api.get(address)).json()["items"]]
        seen: list[str] = []
        cursor = ""
        while True:
            page = (await api.get(address, params={"limit": 1, "cursor": cursor})).json()
            seen += [one[key] for one in page["items"]]
            if page["next"] is None:
                break
            cursor = page["next"]
        assert seen == whole
        assert len(whole) > 1
        assert (await api.get(address, params={"cursor": "bm9uZQ"})).status_code == 422


async def test_deliveries_are_found_by_each_filter(api: AsyncClient, inside: str) -> None:
    for wanted in ({"channel": "push"}, {"status": "excluded"}, {"reason": "no_token"}):
        found = (await api.get("/v1/deliveries", params=wanted)).json()["items"]
        assert [one["id"] for one in found] == [f"{inside}.1.push"], wanted
    for all_of_it in ({"journey": "thank-you"}, {"entrant": inside}, {"profile": "a b"}, {"message": "first-message"}, {"node": "first"}):
        assert len((await api.get("/v1/deliveries", params=all_of_it)).json()["items"]) == 2, all_of_it


@pytest.mark.usefixtures("inside")
async def test_discards_are_found_by_each_filter(api: AsyncClient) -> None:
    for wanted in ({"code": "late"}, {"journey": "thank-you"}, {"profile": "a b"}, {"source": "shop"}):
        found = (await api.get("/v1/discards", params=wanted)).json()["items"]
        assert [one["event"] for one in found] == ["e-2", "e-1", "e-0"], wanted
    one = (await api.get("/v1/discards", params={"event": "e-1"})).json()["items"]
    assert [(found["code"], found["detail"]) for found in one] == [("late", "too late")]
    assert one[0]["at"].endswith("Z")


async def test_a_condition_says_of_each_branch_that_was_tried_why(api: AsyncClient, database: Database, inside: str) -> None:
    rule = parse('city == "Bern" && !(income > 100000)')
    told = {"branch": "rich", **as_data(explain(rule, Scope.of_profile({"city": "Bern", "income": 200_000})))}
    step = {"entrant": inside, "n": 2, "node": "choose", "outcome": "otherwise", "said": "goes on", "why": [told]}
    await database.write(lambda work: work.connection.execute(schema.steps.insert(), step | {"closed_at": work.now()}))
    story = (await api.get(f"/v1/entrants/{quote(inside)}")).json()
    assert [step["why"] for step in story["path"][:2]] == [[], []]
    (branch,) = story["path"][2]["why"]
    assert (branch["branch"], branch["verdict"], branch["combinator"]) == ("rich", False, "and")
    assert [part["found"] for part in branch["parts"]] == ["Bern", None]
    assert branch["parts"][1]["negated"]
    said = [one.strip() for one in sentences(story | {"heard": []})]
    assert "the branch rich of choose is not taken" in said

"""What people do with a message, as it comes back over HTTP; and that looking alone does nothing."""

from __future__ import annotations

import httpx
import pytest

from api.services import Services
from journey.contract import Happened
from journey.tracking import Kind, Signer
from store import profiles, reports
from store.database import Database
from tests.api import waiting
from tests.builders import use_case_journey
from tests.fakes import FakeWorkflows

LINK = "https://shop.example/roasts/zürich?a=1&b=%C3%BC#top"


def address(services: Services, kind: Kind, delivery: str = waiting.FIRST_MAIL, link: str = "") -> str:
    return f"/{kind}/{services.signer.sign(kind, delivery, link)}" + (".gif" if kind == "o" else "")


async def test_loading_the_picture_decides_the_gate_of_its_reader(
    anonymous: httpx.AsyncClient, services: Services, database: Database, workflows: FakeWorkflows
) -> None:
    entrant = await waiting.for_an_open(database)
    answer = await anonymous.get(address(services, "o"))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.content.startswith(b"GIF89a")
    assert "no-store" in answer.headers["cache-control"]
    assert await waiting.won(database) == "email-opened"
    assert workflows.signals == [(entrant, Happened(1, "email-opened", "sojourn", f"{waiting.FIRST_MAIL}:opened"))]


@pytest.mark.complaint(15)
async def test_a_picture_loaded_twice_is_one_open(
    anonymous: httpx.AsyncClient, services: Services, database: Database, workflows: FakeWorkflows
) -> None:
    await waiting.for_an_open(database)
    for _ in range(2):
        assert (await anonymous.get(address(services, "o"))).status_code == 200
    assert len(workflows.signals) == 1
    assert await waiting.facts(database) == [("opened", "email")]


PHONE = "Mozilla/5.0 (Linux; Android 9; CUBOT Build/PPR1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36"
PROXY = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


@pytest.mark.complaint(15)
@pytest.mark.parametrize(
    ("headers", "machine"),
    [
        ({"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}, True),
        ({"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"}, True),
        ({"User-Agent": "Barracuda Sentinel (EE)"}, True),
        ({"User-Agent": PHONE, "Sec-Purpose": "prefetch;prerender"}, True),
        ({"User-Agent": PHONE, "X-Purpose": "preview"}, True),
        ({"User-Agent": PHONE}, False),
        ({"User-Agent": PROXY}, False),
        ({"User-Agent": "Mozilla/5.0"}, False),
        ({"User-Agent": ""}, False),
    ],
)
@pytest.mark.parametrize(("kind", "done"), [("o", "opened"), ("c", "clicked")])
async def test_a_machine_that_says_it_is_one_counts_apart_and_decides_nothing(
    anonymous: httpx.AsyncClient, services: Services, database: Database, workflows: FakeWorkflows, kind: Kind, done: str,
    headers: dict[str, str], machine: bool,
) -> None:  # fmt: skip
    await waiting.for_an_open(database)
    for _ in range(2):
        answer = await anonymous.get(address(services, kind, link=LINK if kind == "c" else ""), headers=headers)
        assert answer.status_code == (200 if kind == "o" else 302), "it gets what it asks for"
    assert await waiting.facts(database) == [(f"{done}_by_machine" if machine else done, "email")]
    assert len(workflows.signals) == (kind == "o" and not machine)
    report = await database.read(lambda connection: reports.report(connection, "thank-you@1", use_case_journey()))
    email = next(node for node in report.nodes if node.node == "first").channels["email"]
    assert (email.opened + email.clicked, email.opened_by_machine + email.clicked_by_machine) == ((0, 1) if machine else (1, 0))


async def test_an_open_that_comes_too_late_is_a_fact_of_its_delivery_and_a_discard(
    anonymous: httpx.AsyncClient, services: Services, database: Database
) -> None:
    await waiting.for_a_purchase(database)
    assert (await anonymous.get(address(services, "o"))).status_code == 200
    assert await waiting.facts(database) == [("opened", "email")]
    assert await waiting.discards(database) == ["late"]


async def test_a_click_leads_to_the_link_of_the_message(anonymous: httpx.AsyncClient, services: Services, database: Database) -> None:
    await waiting.for_an_open(database)
    answer = await anonymous.get(address(services, "c", link=LINK))
    assert answer.status_code == 302
    assert answer.headers["location"] == "https://shop.example/roasts/z%C3%BCrich?a=1&b=%C3%BC#top"
    assert await waiting.facts(database) == [("clicked", "email")]


@pytest.mark.parametrize("link", ["", "javascript:alert(1)", "//evil.example", "/v1/profiles"])
async def test_a_click_leads_nowhere_but_to_the_web(
    anonymous: httpx.AsyncClient, services: Services, database: Database, link: str
) -> None:
    await waiting.for_an_open(database)
    answer = await anonymous.get(address(services, "c", link=link))
    assert answer.status_code == 404
    assert await waiting.facts(database) == []


@pytest.mark.complaint(16)
async def test_an_app_says_that_its_push_was_opened(
    anonymous: httpx.AsyncClient, services: Services, database: Database, workflows: FakeWorkflows
) -> None:
    await waiting.for_an_open(database)
    answer = await anonymous.post("/v1/push/opened", json={"token": services.signer.sign("p", waiting.FIRST_PUSH)})
    assert (answer.status_code, answer.content) == (204, b"")
    assert await waiting.won(database) == "push-opened"
    assert len(workflows.signals) == 1


@pytest.mark.parametrize("body", ["{}", '{"token": ""}', '{"token": 7}', "[]"])
async def test_an_app_that_names_no_token_is_told(anonymous: httpx.AsyncClient, body: str) -> None:
    assert (await anonymous.post("/v1/push/opened", content=body)).status_code == 422


@pytest.mark.complaint(14)
async def test_looking_without_acting_has_no_effect(anonymous: httpx.AsyncClient, services: Services, database: Database) -> None:
    await waiting.for_an_open(database)
    assert (await anonymous.head(address(services, "o"))).status_code == 200
    assert (await anonymous.head(address(services, "c", link=LINK))).status_code == 302
    assert (await anonymous.head(address(services, "u"))).status_code == 200
    page = await anonymous.get(address(services, "u"))
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert '<form method="post">' in page.text
    assert await waiting.facts(database) == []
    assert (await database.read(lambda c: profiles.get(c, "c-42"))).consents == {}


@pytest.mark.complaint(14)
@pytest.mark.parametrize("body", ["List-Unsubscribe=One-Click", ""])
async def test_unsubscribing_in_one_click_or_by_the_button_withdraws_the_consent(
    anonymous: httpx.AsyncClient, services: Services, database: Database, body: str
) -> None:
    await waiting.for_an_open(database)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for _ in range(2):
        assert (await anonymous.post(address(services, "u"), content=body, headers=headers)).status_code == 200
    assert (await database.read(lambda c: profiles.get(c, "c-42"))).consents == {"email": False}


@pytest.mark.complaint(16)
async def test_a_forged_or_foreign_token_gets_404_and_has_no_effect(
    anonymous: httpx.AsyncClient, services: Services, database: Database
) -> None:
    await waiting.for_an_open(database)
    foreign = Signer("the secret of another installation")
    for kind in ("o", "c", "u"):
        made = foreign.sign(kind, waiting.FIRST_MAIL, LINK if kind == "c" else "")
        for token in (
            made,
            "x",
            services.signer.sign("p", waiting.FIRST_PUSH),
            address(services, kind)[3:].removesuffix(".gif")[:-1] + "~",
        ):
            end = ".gif" if kind == "o" else ""
            assert (await anonymous.get(f"/{kind}/{token}{end}")).status_code == 404
            assert (await anonymous.head(f"/{kind}/{token}{end}")).status_code == 404
            assert (await anonymous.post(f"/u/{token}")).status_code == 404
    assert (await anonymous.post("/v1/push/opened", json={"token": foreign.sign("p", waiting.FIRST_PUSH)})).status_code == 404
    assert await waiting.facts(database) == []
    assert await waiting.won(database) == ""


async def test_a_token_of_a_delivery_that_is_not_there_gets_404(anonymous: httpx.AsyncClient, services: Services) -> None:
    for kind in ("o", "c"):
        assert (await anonymous.get(address(services, kind, "thank-you~c-1~1.1.email", LINK if kind == "c" else ""))).status_code == 404
    assert (await anonymous.post(address(services, "u", "no-delivery"))).status_code == 404


async def test_a_person_who_follows_a_broken_link_gets_a_page(anonymous: httpx.AsyncClient, services: Services) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    gone = address(services, "u", "thank-you~c-1~1.1.email")
    for answer in (await anonymous.get("/c/x", headers=browser), await anonymous.post(gone, headers=browser)):
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "This link does not work" in answer.text
        assert "c-1" not in answer.text


async def test_a_web_page_may_read_why_its_push_was_refused(anonymous: httpx.AsyncClient) -> None:
    for body, status in (('{"token": "x"}', 404), ("{}", 422)):
        answer = await anonymous.post("/v1/push/opened", content=body)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "*")

"""`/metrics` as Prometheus reads it: what was done is counted, and no label says who did it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from api.services import Services
from store.database import Database
from store.work import Work
from tests.api.conftest import WRITE_KEY


def samples(text: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(text):
        yield from family.samples


async def counted(client: httpx.AsyncClient, name: str, **labels: str) -> float:
    """The value of a series; 0 when nothing was counted yet."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    return sum(one.value for one in samples(answer.text) if one.name == name and labels.items() <= one.labels.items())


async def test_whoever_scrapes_needs_no_key_and_gets_the_text_format(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/metrics")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert {"sojourn_entrants_open", "sojourn_database_commit_seconds", "process_cpu_seconds"} <= {
        family.name for family in text_string_to_metric_families(answer.text)
    }


async def test_a_call_is_counted_by_its_template_and_its_status(api: httpx.AsyncClient) -> None:
    series = {"name": "sojourn_http_requests_total", "method": "GET", "route": "/v1/profiles/{profile_id}", "status": "404"}
    before = await counted(api, **series)
    assert (await api.get("/v1/profiles/ada@people.example")).status_code == 404

    assert await counted(api, **series) == before + 1
    assert await counted(api, "sojourn_http_request_seconds_count", method="GET", route="/v1/profiles/{profile_id}") >= 1


async def test_an_address_that_is_none_and_a_method_that_is_none_share_one_series(api: httpx.AsyncClient) -> None:
    before = await counted(api, "sojourn_http_requests_total", method="other", route="none")
    for path in ("/nothing/of/ada", "/nothing/of/ben"):
        await api.request("BREW", path)

    assert await counted(api, "sojourn_http_requests_total", method="other", route="none") == before + 2


@pytest.mark.parametrize(
    ("user", "verdict", "code"), [("nobody-yet", "discarded", "no_definition"), ("", "discarded", "no_key")], ids=["unheard", "nameless"]
)
async def test_an_event_is_counted_by_its_verdict_and_a_discard_by_its_code(
    api: httpx.AsyncClient, user: str, verdict: str, code: str
) -> None:
    event = {"id": f"e-{user}", "name": "sale", "data": {}} | ({"namespace": "customer_id", "key": user} if user else {})
    before = [await counted(api, "sojourn_events_accepted_total", verdict=one) for one in (verdict, "duplicate")]
    discards = await counted(api, "sojourn_discards_total")
    for _ in range(2):
        assert (await api.post("/v1/events", json=event)).status_code == 202

    assert [await counted(api, "sojourn_events_accepted_total", verdict=one) for one in (verdict, "duplicate")] == [
        one + 1 for one in before
    ]
    assert await counted(api, "sojourn_discards_total") == discards + 1


async def test_what_a_failed_unit_of_work_would_have_counted_is_not(database: Database, anonymous: httpx.AsyncClient) -> None:
    before = await counted(anonymous, "sojourn_discards_total", code="too_late_for_this")
    with pytest.raises(RuntimeError):
        await database.write(discards_and_fails)

    assert await counted(anonymous, "sojourn_discards_total", code="too_late_for_this") == before


async def test_with_the_database_away_the_process_shows_its_own_numbers(anonymous: httpx.AsyncClient, services: Services) -> None:
    await services.database.close()
    answer = await anonymous.get("/metrics")

    assert answer.status_code == 200
    assert [one.value for one in samples(answer.text) if one.name == "sojourn_store_read"] == [0]
    assert "sojourn_entrants_open" not in answer.text


async def test_no_write_key_and_no_person_stands_in_any_line(api: httpx.AsyncClient) -> None:
    await api.post("/v1/track", json={"userId": "ada@people.example", "event": "Bought"}, auth=(WRITE_KEY, ""))
    await api.get("/o/some-token.gif")
    told = (await api.get("/metrics")).text

    for private in ("ada@people.example", WRITE_KEY, "some-token", "Bought"):
        assert private not in told


def discards_and_fails(work: Work) -> None:
    work.discard("too_late_for_this")
    raise RuntimeError("taken back")

"""What Segment's libraries for browsers and apps ask for before they send anything."""

from __future__ import annotations

import httpx

WRITE_KEY = "a-write-key-for-tests"


async def test_a_page_may_read_the_settings_of_a_write_key(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get(f"/v1/projects/{WRITE_KEY}/settings", headers={"Origin": "https://shop.example"})
    assert answer.status_code == 200
    assert answer.json()["integrations"] == {"Segment.io": {"apiKey": WRITE_KEY}}
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_no_library_is_to_report_about_itself(anonymous: httpx.AsyncClient) -> None:
    """Kotlin's reports would go to Segment, wherever its calls go."""
    assert (await anonymous.get(f"/v1/projects/{WRITE_KEY}/settings")).json()["metrics"] == {"sampleRate": 0}


async def test_a_key_that_there_is_not_has_no_settings_and_the_page_may_read_that_too(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/v1/projects/another-key/settings")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "SOJOURN_WRITE_KEYS" in answer.json()["detail"]
    assert answer.headers["access-control-allow-origin"] == "*"

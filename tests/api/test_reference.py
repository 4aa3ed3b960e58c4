"""The reference of the API: what it shows can be sent as it stands."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from api import examples

NAMES = {
    "journey_id": "thank-you", "message_id": "hello", "segment_id": "three-cities", "definition_id": "purchase", "profile_id": "p-003",
}  # fmt: skip


async def test_every_body_that_the_reference_shows_is_understood(api: httpx.AsyncClient) -> None:
    paths = (await api.get("/openapi.json")).json()["paths"]
    shown: list[tuple[str, str, str, Any]] = []
    for path, item in paths.items():
        for method, operation in item.items():
            for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
                example = body.get("example") or body["schema"].get("examples", [None])[0]
                assert example is not None, (method, path, media_type)
                shown.append((method, path.format(**NAMES), media_type, example))
    for method, path, media_type, example in shown:
        content = example if isinstance(example, str) else json.dumps(example)
        headers = {"Content-Type": media_type}
        answer = await api.request(method, path, content=content.encode(), headers=headers)
        assert answer.status_code not in (400, 413, 415, 422), (method, path, answer.text)


async def test_no_example_is_of_a_call_that_there_is_not(api: httpx.AsyncClient) -> None:
    paths = (await api.get("/openapi.json")).json()["paths"]
    assert set(examples.BODIES) <= set(paths)


@pytest.mark.parametrize("part", ["bytes=0-3", "bytes=abc", "bytes=99999999-", "lines=1"])
async def test_a_file_of_the_reference_comes_whole_whatever_part_is_asked_for(anonymous: httpx.AsyncClient, part: str) -> None:
    whole = await anonymous.get("/docs/favicon.png")
    answer = await anonymous.get("/docs/favicon.png", headers={"Range": part})
    assert (answer.status_code, answer.content) == (200, whole.content)


async def test_a_parameter_that_a_call_does_not_take_is_refused_by_name(api: httpx.AsyncClient, anonymous: httpx.AsyncClient) -> None:
    refused = await api.get("/v1/deliveries?journey=thank-you&stauts=failed")
    assert (refused.status_code, refused.json()["where"]) == (422, "stauts")
    assert "it takes journey, version" in refused.json()["detail"]
    assert refused.json()["detail"].endswith("Perhaps status is meant.")
    assert (await api.get("/v1/attributes?a=1")).json()["detail"] == "There is no parameter 'a' here: it takes none."
    assert (await api.get("/healthz?a=1")).status_code == 200
    del anonymous.headers["Authorization"]
    assert (await anonymous.get("/v1/attributes?a=1")).status_code == 401

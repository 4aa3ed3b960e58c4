"""The demonstration from first to last, on a stack that runs: apply, publish, play, count. It prints nothing; `told` hears how it goes."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx

from commands import apply as applying
from commands.http import Api
from demo import cast
from demo.cast import JOURNEY
from demo.catchers import MailCatcher, PushCatcher
from demo.players import Players
from journey.errors import SojournError

DAY = "after: P1D"
SHORT = "after: PT30S"
WRITE_KEY = "demo-write-key"
Told = Callable[[str], None]
Moment = Literal["written to", "buying"]
Meanwhile = Callable[[Moment], Awaitable[None]]
"""What somebody else does while people are written to, and while they buy; it is awaited."""


@dataclass(frozen=True)
class Result:
    """What came of it: counted at the catchers and by the API, and what was expected. `differences` are sentences, none when all agrees."""

    counted: dict[str, Any]
    report: dict[str, Any]
    differences: tuple[str, ...]


def shortened(example: Path, target: Path) -> str:
    """Copy the example with its one day made half a minute; returns the line that was changed, as it stands now."""
    shutil.copytree(example, target)
    file = target / "journeys" / f"{JOURNEY}.yaml"
    text = file.read_text(encoding="utf-8")
    if text.count(DAY) != 1:
        raise SojournError(f"{file} should say {DAY!r} once.")
    file.write_text(text.replace(DAY, SHORT), encoding="utf-8")
    return next(line.strip() for line in file.read_text(encoding="utf-8").splitlines() if SHORT in line)


async def _nothing(_: Moment) -> None:
    """Nobody does anything."""


async def perform(
    folder: Path, api_url: str, admin_key: str, mail: MailCatcher, push: PushCatcher, told: Told,
    *, transport: httpx.AsyncBaseTransport | None = None, meanwhile: Meanwhile = _nothing, patience: float = 180.0,
) -> Result:  # fmt: skip
    """Play the example. The calls of its people go by `transport`. Raises when it does not get to its end in time."""
    players, expected = cast.of(folder)
    told("applies the example")
    await asyncio.to_thread(_apply, folder, api_url, admin_key)
    headers = {"Authorization": f"Bearer {admin_key}"}
    async with httpx.AsyncClient(base_url=api_url, headers=headers, timeout=30, trust_env=False, transport=transport) as api:
        people = Players(players, api, mail, push, WRITE_KEY)
        published = await api.post(f"/v1/journeys/{JOURNEY}:publish")
        published.raise_for_status()
        run = published.json()["run"]
        told(f"published {published.json()['version']}; {run} reads the segment")
        async with asyncio.timeout(patience):
            await asyncio.gather(people.open_all(), meanwhile("written to"))
            told(f"{people.opened} people have opened a message; the others let the half minute pass")
            await _until(api, lambda report: _node(report, "purchase")["inside"] == expected.entered, told)
            told("everybody buys")
            await asyncio.gather(people.buy_all(), meanwhile("buying"))
            report = await _until(api, lambda report: report["totals"]["inside"] == 0, told)
        counted = _counted(report, (await api.get(f"/v1/journeys/{JOURNEY}/runs/{run}")).json(), mail, push)
        return Result(counted, report, tuple(_differences(counted, expected.as_json(), report)))


async def _until(api: httpx.AsyncClient, reached: Callable[[dict[str, Any]], bool], told: Told) -> dict[str, Any]:
    while True:
        report: dict[str, Any] = (await api.get(f"/v1/journeys/{JOURNEY}/report")).raise_for_status().json()
        if reached(report):
            return report
        totals = report["totals"]
        told(f"{totals['entered']} entered, {_node(report, 'purchase')['inside']} wait for a purchase, {totals['finished']} finished")
        await asyncio.sleep(0.5)


def _apply(folder: Path, api_url: str, admin_key: str) -> None:
    with Api(api_url, admin_key) as api:
        applying.apply(api, folder)


def _counted(report: dict[str, Any], run: dict[str, Any], mail: MailCatcher, push: PushCatcher) -> dict[str, Any]:
    """The numbers: e-mails and pushes at the catchers, the rest from the API."""
    totals = report["totals"]
    return {
        "members": run["read"] - totals["discards"].get("test_profile", 0),
        "entered": totals["entered"],
        "emails": len(mail.messages),
        "pushes": len({one.delivery for one in push.pushes}),  # a push service knows a repeat by its key
        "by_path": {
            "push-opened": _node(report, "push-opened")["left"].get("next", 0),
            "email-opened": _node(report, "email-opened")["left"].get("next", 0),
            "silent": _node(report, "email-opened")["left"].get("timeout", 0),
        },
        "finished": totals["finished"],
        "excluded": dict(sorted(totals["excluded"].items())),
        "discards": dict(sorted(totals["discards"].items())),
    }


def _differences(counted: dict[str, Any], expected: dict[str, Any], report: dict[str, Any]) -> list[str]:
    found = [f"{name}: {counted[name]}, yet the example demands {wanted}" for name, wanted in expected.items() if counted[name] != wanted]
    for name, channel in (("emails", "email"), ("pushes", "push")):
        sent = sum(node["channels"].get(channel, {}).get("sent", 0) for node in report["nodes"])
        if sent != counted[name]:
            found.append(f"{name}: {counted[name]} arrived, yet the API says that {sent} were sent")
    return found + list(report["differences"])


def _node(report: dict[str, Any], node: str) -> dict[str, Any]:
    return next(one for one in report["nodes"] if one["node"] == node)

"""A mail server and a push service misbehave in every way they can: as what does each delivery end, and what had the catcher got?

What is measured here once in full, tests/e2e/test_providers_answer.py holds case by case.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.catchers import MailBehaviour, PushBehaviour
from tests.chaos.conftest import FULL
from tests.chaos.tables import TABLES
from tests.e2e.world import World, eventually, profile_of, world

PEOPLE = 3
FOR_EVER = 1_000_000


@dataclass(frozen=True)
class Case:
    """What one of the two does, and what must become of everybody's delivery: where it hangs on a moment, one or the other."""

    name: str
    does: MailBehaviour | PushBehaviour
    ends: str
    promise: str = "never_twice"
    recovers: int = FOR_EVER
    """Tries after which it is well again."""

    @property
    def channel(self) -> str:
        return "email" if isinstance(self.does, MailBehaviour) else "push"


CASES = (
    Case("550 to the address", MailBehaviour(at="RCPT", answer="550 5.1.1 nobody"), "failed address_refused"),
    Case("554 after the last line", MailBehaviour(at="END", answer="554 5.7.1 spam"), "failed message_refused"),
    Case("451 to the address, then well", MailBehaviour(at="RCPT", answer="451 4.7.1 later", times=2 * PEOPLE), "sent"),
    Case("421 to the sender, then well", MailBehaviour(at="MAIL", answer="421 4.3.2 closing", times=PEOPLE), "sent"),
    Case("breaks off before the mail, then well", MailBehaviour(at="DATA", drop=True, times=PEOPLE), "sent"),
    Case("breaks off in the middle of a mail", MailBehaviour(at="BODY", drop=True, times=PEOPLE), "uncertain no_answer|sent"),
    Case("breaks off in the middle of a mail", MailBehaviour(at="BODY", drop=True, times=PEOPLE), "sent sent_again|sent", "never_lost"),
    Case("breaks off after the last line", MailBehaviour(at="END", drop=True, times=PEOPLE), "uncertain no_answer"),
    Case("breaks off after the last line", MailBehaviour(at="END", drop=True, times=PEOPLE), "sent sent_again", "never_lost"),
    Case("garbage after the last line", MailBehaviour(at="END", answer="garbage", times=PEOPLE), "uncertain no_answer"),
    Case("garbage after the last line", MailBehaviour(at="END", answer="garbage", times=PEOPLE), "sent sent_again", "never_lost"),
    Case("garbage to the address, then well", MailBehaviour(at="RCPT", answer="garbage", times=PEOPLE), "sent"),
    Case("400", PushBehaviour(status=400), "failed message_refused"),
    Case("404 that says UNREGISTERED", PushBehaviour(status=404, body=b'{"error": "UNREGISTERED"}'), "failed unregistered"),
    Case("429 with Retry-After: 2, then well", PushBehaviour(status=429, headers={"Retry-After": "2"}), "sent", recovers=PEOPLE),
    Case("503, then well", PushBehaviour(status=503), "sent", recovers=PEOPLE),
    Case("no answer, the connection breaks, then well", PushBehaviour(drop=True), "sent", recovers=PEOPLE),
    Case("garbage with status 200", PushBehaviour(body=b"\x00\xff<html>"), "sent"),
    Case("garbage with status 500, then well", PushBehaviour(status=500, body=b"\x00\xff<html>"), "sent", recovers=PEOPLE),
)


async def set_up(here: World, number: int, case: Case) -> list[str]:
    content = {"email": {"subject": "News", "html": "<p>News</p>"}, "push": {"title": "News", "body": "News"}}[case.channel]
    name = f"case-{number}"
    await here.put(f"/v1/messages/{name}", {"id": name, "promise": case.promise, case.channel: content})
    nodes = [
        {"id": "read", "kind": "read_segment", "segment": "nobody", "schedule": "manual", "next": "news"},
        {"id": "news", "kind": "message", "message": name, "next": "end"},
        {"id": "end", "kind": "end"},
    ]
    await here.put(f"/v1/journeys/{name}", {"id": name, "namespace": "customer_id", "nodes": nodes})
    assert (await here.api.post(f"/v1/journeys/{name}:publish")).status_code == 200
    keys = [f"{name}-{one}" for one in range(PEOPLE)]
    for key in keys:
        await here.put(f"/v1/profiles/{key}", profile_of(key))
    return keys


async def play(here: World, number: int, case: Case) -> None:
    keys = await set_up(here, number, case)
    mails, pushes = len(here.mail.messages), len(here.push.pushes)
    if isinstance(case.does, MailBehaviour):
        here.mail.behave(case.does)
    else:
        here.push.behave(case.does)
    answer = await here.api.post(f"/v1/journeys/case-{number}/runs", json={"profiles": keys})
    assert answer.status_code == 201

    async def called() -> int:
        return len(here.push.pushes) - pushes

    if case.recovers != FOR_EVER:
        await eventually(called, lambda times: times >= case.recovers, "a call for everybody", 60)
        here.push.behave()

    async def deliveries() -> list[dict[str, Any]]:
        return list((await here.api.get("/v1/deliveries", params={"journey": f"case-{number}"})).json()["items"])

    done = await eventually(
        deliveries, lambda found: len(found) == PEOPLE and all(one["status"] != "claimed" for one in found), f"an end of {case}", 120
    )
    here.mail.behave()
    here.push.behave()
    ends = Counter(f"{one['status']} {one['reason']}".strip() for one in done)
    if case.channel == "email":
        arrived = len(here.mail.messages) - mails
    else:
        arrived = len({push.delivery for push in here.push.pushes[pushes:]})
    TABLES.add(
        "A provider misbehaves", channel=case.channel, does=case.name, promise=case.promise if case.channel == "email" else "",
        people=PEOPLE, ended_as=", ".join(f"{end} {times}" for end, times in sorted(ends.items())), arrived=arrived,
        tries_later=sum(one["tries"] for one in done),
    )  # fmt: skip
    assert set(ends) <= set(case.ends.split("|")), case


@pytest.mark.skipif(not FULL, reason="each case has a test of its own in tests/e2e")
@pytest.mark.timeout(400)
async def test_whatever_a_provider_answers_every_delivery_comes_to_the_end_that_is_promised(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        await here.put("/v1/segments/nobody", {"id": "nobody", "rule": 'city = "Nowhere"'})
        for number, case in enumerate(CASES):
            await play(here, number, case)

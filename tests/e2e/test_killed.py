"""Sojourn is killed in the middle of things, with SIGKILL, and comes back: nobody is lost, and what may go out once goes out once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.catchers import MailBehaviour, MailCatcher, PushBehaviour, PushCatcher
from demo.temporal_cli import ensure
from demo.temporal_server import temporal_server
from settings import Settings
from store import acceptance, admission, journeys
from tests.e2e import world
from tests.e2e.world import ADMIN_KEY, JOURNEY, World, eventually, settings_for
from worker import opened

ROOT = Path(__file__).parents[2]


class Killable:
    """`sojourn dev` as a process of its own beside a Temporal server that outlives it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None

    async def comes(self, api: httpx.AsyncClient) -> None:
        settings = self._settings
        environment = os.environ | {
            "SOJOURN_DATA_DIR": str(settings.data_dir), "SOJOURN_TEMPORAL_ADDRESS": settings.temporal_address,
            "SOJOURN_API_PORT": str(settings.api_port), "SOJOURN_ADMIN_KEY": settings.admin_key, "SOJOURN_SECRET": settings.secret,
            "SOJOURN_SMTP_URL": settings.smtp_url, "SOJOURN_PUSH_URL": settings.push_url,
            "SOJOURN_WRITE_KEYS": f"{world.WRITE_KEY}=customer_id",
        }  # fmt: skip
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from cli import main; main()", "dev", cwd=ROOT, env=environment,
            stdout=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

        async def answers() -> bool:
            try:
                return (await api.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(answers, bool, "an API that answers", patience=60)

    async def is_killed(self) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        self._process = None

    async def goes(self) -> None:
        if self._process is not None:
            await self.is_killed()


class Beside(World):
    """A world whose API and worker are in the process that is killed; only the catchers and the server are here."""

    def __init__(self, killable: Killable, api: httpx.AsyncClient, mail: MailCatcher, push: PushCatcher, settings: Settings) -> None:
        self.killable, self.api, self.mail, self.push, self.settings = killable, api, mail, push, settings

    async def delivery(self, key: str, channel: str, node: str) -> dict[str, Any]:
        story = await self.story(key)
        return next((one for one in story.get("deliveries", ()) if (one["channel"], one["node"]) == (channel, node)), {})


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Beside]:
    async with AsyncExitStack() as open_things:
        enter = open_things.enter_async_context
        mail, push = await enter(MailCatcher()), await enter(PushCatcher())
        server = await enter(temporal_server(ensure()))
        settings = settings_for(tmp_path, mail, push, server)
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        api = await enter(httpx.AsyncClient(base_url=settings.api_url, headers=headers, timeout=20, trust_env=False))
        killable = Killable(settings)
        await killable.comes(api)
        try:
            yield Beside(killable, api, mail, push, settings)
        finally:
            await killable.goes()


@pytest.mark.complaint(2)
async def test_killed_while_the_timer_runs_the_follow_up_goes_out_once(there: Beside) -> None:
    await there.set_up(timeout="PT3S")
    await there.person()
    await there.publish()
    await there.waits_at("push-opened", "email-opened")
    await there.killable.is_killed()
    await asyncio.sleep(4)  # the timer fires at the server while nobody is there to be told
    await there.killable.comes(there.api)
    await there.waits_at("purchase")

    assert there.mails() == ["Ada, we roasted one for Atlanta", "The Atlanta roast is still here"]
    assert await there.path() == ["first:next", "email-opened:timeout", "follow-up:next"]


@pytest.mark.timeout(240)
async def test_killed_between_the_timer_and_the_end_of_its_stop_nothing_goes_out_twice_and_the_journey_goes_on(
    there: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "PATIENCE", 90.0)  # a dead worker's claim on the mail server is waited out: 40 s
    await there.set_up(timeout="PT4S")
    await there.person("silent")
    await there.person("opens")
    await there.publish()
    await there.waits_at("push-opened", "email-opened", key="opens")
    await there.opens_push("opens")
    await there.waits_at("purchase", key="opens")
    there.mail.behave(MailBehaviour(at="END", delay=3))  # the server has the whole mail, and is slow to say so
    there.push.behave(PushBehaviour(delay=3))
    await there.buys("opens")
    await eventually(lambda: there.delivery("silent", "email", "follow-up"), bool, "the follow-up on its way")
    await asyncio.sleep(0.5)  # long enough for the claim to have reached the mail server, whose answer takes longer
    await there.killable.is_killed()
    there.mail.behave()
    there.push.behave()
    await there.killable.comes(there.api)

    await there.waits_at("purchase", key="silent")
    follow_up = await there.delivery("silent", "email", "follow-up")
    assert (follow_up["status"], follow_up["reason"]) == ("uncertain", "worker_lost")
    assert there.mails().count("The Atlanta roast is still here") <= 1
    await eventually(
        lambda: there.story("opens"), lambda story: bool(story) and story["entrant"]["end_reason"] == "finished", "the thank-you"
    )
    thanks = [push.delivery for push in there.push.pushes if push.body["title"] == "Thank you, Ada!"]
    assert len(set(thanks)) == 1, "the repeat carries the same idempotency key"
    assert (await there.api.get(f"/v1/journeys/{JOURNEY}/report")).json()["differences"] == []
    assert [one["status"] for one in (await there.api.get("/v1/deliveries", params={"status": "uncertain"})).json()["items"]] == [
        "uncertain"
    ]


@pytest.mark.timeout(240)
async def test_killed_while_an_uncertain_mail_is_sent_once_more_it_is_uncertain_again_within_a_minute(
    there: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "PATIENCE", 90.0)  # 15 s without a sign of life, and the rest of the dead worker's claim of 40 s
    there.mail.behave(MailBehaviour(drop=True))
    await there.set_up()
    await there.person(push_tokens=[])
    await there.publish()
    await eventually(lambda: uncertain(there), lambda found: found == ["no_answer"], "that nobody knows whether it arrived")
    (mail,) = (await there.api.get("/v1/deliveries", params={"status": "uncertain"})).json()["items"]
    there.mail.behave(MailBehaviour(at="END", delay=30))
    assert (await there.api.post(f"/v1/deliveries/{mail['id']}:resend")).status_code == 202
    await eventually(lambda: uncertain(there), lambda found: found == ["resending"], "the second attempt")
    await there.killable.is_killed()
    there.mail.behave()
    await there.killable.comes(there.api)

    await eventually(lambda: uncertain(there), lambda found: found == ["worker_lost"], "that nobody knows it once more")
    assert (await there.api.post(f"/v1/deliveries/{mail['id']}:resend")).status_code == 202
    await eventually(lambda: uncertain(there), lambda found: found == [], "the third attempt")
    assert len(there.mails()) == 1


async def uncertain(there: Beside) -> list[str]:
    return [one["reason"] for one in (await there.api.get("/v1/deliveries", params={"status": "uncertain"})).json()["items"]]


@pytest.mark.complaint(5)
async def test_people_admitted_by_a_process_that_died_before_starting_them_are_started_by_the_next(there: Beside) -> None:
    await there.set_up()
    await there.person()
    await there.killable.is_killed()
    async with opened(there.settings, providers={}) as process:  # admits in the store, and starts nobody
        from_the_store = await _admit_without_starting(process)
    assert from_the_store == ["thank-you~c-42~1"]
    await there.killable.comes(there.api)

    await there.waits_at("push-opened", "email-opened")
    assert there.mails() == ["Ada, we roasted one for Atlanta"]


async def _admit_without_starting(process: Any) -> list[str]:
    published = await process.database.write(lambda work: journeys.publish(work, JOURNEY, "https://sojourn.example"))
    admitted = await process.database.write(lambda work: admission.admit_page(work, published.run))
    return [start.entrant.entrant for start in admitted.starts]


async def test_somebody_whose_signal_was_lost_with_the_process_is_told_by_the_next(there: Beside) -> None:
    await there.set_up()
    await there.person()
    await there.publish()
    await there.waits_at("push-opened", "email-opened")
    await there.killable.is_killed()
    async with opened(there.settings, providers={}) as process:  # accepts the open, and dies before it signals
        verdict = await process.database.write(lambda work: acceptance.react(work, "thank-you~c-42~1.1.email", "opened"))
    assert [decided.node for decided in verdict.decided] == ["email-opened"]
    await there.killable.comes(there.api)

    await there.waits_at("purchase")
    assert await there.path() == ["first:next", "email-opened:next"]


async def test_killed_while_people_are_held_and_again_while_they_are_let_go_on_nobody_is_lost_and_nobody_written_to_twice(
    there: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "PATIENCE", 60.0)
    await there.set_up(timeout="PT2S")
    people = await there.people(30)
    await there.publish()
    for key in people:
        await there.waits_at("push-opened", "email-opened", key=key)
    assert (await there.api.post(f"/v1/journeys/{JOURNEY}:pause")).status_code == 200

    async def held() -> int:
        return int((await there.report())["totals"]["held"])

    async def accounted_for() -> int:
        return await held() + there.mails().count("The Atlanta roast is still here")

    await eventually(accounted_for, lambda found: found == 30, "everybody held, but who was just being written to")
    before = await held()
    await there.killable.is_killed()
    await there.killable.comes(there.api)
    assert await held() == before

    assert (await there.api.post(f"/v1/journeys/{JOURNEY}:resume", json={"rate": 5})).json()["held"] == before
    await eventually(held, lambda found: found < before - 4, "some have gone on")
    await there.killable.is_killed()
    await there.killable.comes(there.api)
    for key in people:
        await there.waits_at("purchase", key=key)
    assert there.mails().count("The Atlanta roast is still here") <= 30
    stories = [await there.story(key) for key in people]
    follow_ups = [one["status"] for story in stories for one in story["deliveries"] if one["node"] == "follow-up"]
    assert len(follow_ups) == 30
    assert set(follow_ups) <= {"sent", "uncertain"}, "whose mail was in the hands of the process that died may have got it"
    recipients = [mail.to for mail in there.mail.messages if mail.subject == "The Atlanta roast is still here"]
    assert len(recipients) == len(set(recipients))
    assert (await there.report())["differences"] == []


@pytest.mark.behaviour(7)
async def test_killed_in_the_middle_of_waking_people_for_a_new_version_nobody_is_lost_or_written_to_twice(there: Beside) -> None:
    await there.set_up()
    people = await there.people(30)
    await there.publish()
    for key in people:
        await there.waits_at("push-opened", "email-opened", key=key)
    await there.set_up(timeout="PT12H")
    answer = await there.api.post(f"/v1/journeys/{JOURNEY}:publish", json={"people": "flow_in", "rate": 10})
    assert answer.json()["succeeded"] == ["thank-you@1"]

    async def moved() -> int:
        return len((await there.api.get("/v1/entrants", params={"version": "thank-you@2"})).json()["items"])

    await eventually(moved, lambda found: found >= 5, "some who have moved")
    await there.killable.is_killed()
    await there.killable.comes(there.api)
    await eventually(moved, lambda found: found == len(people), "everybody in the new version", patience=60)
    for key in people:
        story = await there.story(key)
        assert [step["outcome"] for step in story["path"]] == ["next", "next", "moved"]
        assert len(story["waiting"]["awaited"]) == 2
    assert (len(there.mails()), len(there.pushes())) == (30, 30)
    assert (await there.report())["totals"]["moved_in"] == 30


@pytest.mark.behaviour(11)
async def test_killed_between_the_approval_of_a_message_and_its_send_it_goes_once_as_it_was_approved(there: Beside) -> None:
    nodes = [
        {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "next": "first"},
        {"id": "first", "kind": "message", "message": "thank-you", "hold_for_review": True, "next": "end"},
        {"id": "end", "kind": "end"},
    ]
    await there.set_up(journey={"id": JOURNEY, "namespace": "customer_id", "nodes": nodes})
    await there.person()
    await there.publish()

    async def seen() -> list[str]:
        return [one["subject"] for one in (await there.api.get("/v1/reviews")).json()["items"] if one["rendered_at"]]

    await eventually(seen, lambda found: found == ["Thank you, Ada!"], "a push in review")
    there.push.behave(PushBehaviour(status=503, headers={"Retry-After": "2"}))
    assert (await there.api.post(f"/v1/journeys/{JOURNEY}:approve", json={"node": "first"})).json()["count"] == 1
    changed = world.profile_of("c-42")
    await there.put("/v1/profiles/c-42", changed | {"attributes": changed["attributes"] | {"first_name": "Eve"}})

    async def tried() -> int:
        return len(there.push.pushes)

    await eventually(tried, bool, "a push that is put off")
    await there.killable.is_killed()
    there.push.behave()
    await there.killable.comes(there.api)

    await eventually(there.story, lambda story: bool(story) and story["entrant"]["end_reason"] == "finished", "the end")
    assert {(push.delivery, push.body["title"]) for push in there.push.pushes} == {("thank-you~c-42~1.1.push", "Thank you, Ada!")}
    assert (await there.delivery("c-42", "push", "first"))["status"] == "sent"
    assert len(there.push.pushes) == 2, "one was put off, and one taken"

"""What a mail server and a push service may answer, and where it leads somebody. What they have taken is sent once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from demo.catchers import MailBehaviour, PushBehaviour
from tests.e2e.agreement import agrees
from tests.e2e.world import JOURNEY, World, eventually

MAIL_ONLY = {"id": "mail", "kind": "message", "message": "follow-up", "next": "end"}
PUSH_ONLY = {"id": "push", "kind": "message", "message": "thank-you", "next": "end"}
BOTH = {"id": "both", "kind": "message", "message": "first-message", "next": "end"}
REFUSED = MailBehaviour(at="RCPT", answer="550 5.1.1 nobody of that name")


async def test_an_address_refused_for_good_leads_to_the_error_exit(here: World) -> None:
    await set_up(here, MAIL_ONLY | {"error": "push"}, PUSH_ONLY)
    here.mail.behave(REFUSED)

    assert await goes(here) == "finished"
    assert await here.path() == ["mail:error", "push:next"]
    assert await deliveries(here) == ["mail:email failed address_refused", "push:push sent"]
    assert "550 5.1.1 nobody of that name" in (await here.story())["deliveries"][0]["detail"]
    assert await sent_at_the_catchers(here) == (0, 1)
    await agrees(here)


async def test_without_an_error_exit_it_is_the_end_for_that_reason(here: World) -> None:
    await set_up(here, MAIL_ONLY)
    here.mail.behave(REFUSED)

    assert await goes(here) == "error"
    assert await here.path() == ["mail:error"]
    assert (await here.report())["totals"]["ended"] == {"error": 1}
    await agrees(here)


async def test_a_message_that_reached_them_on_one_channel_is_no_error(here: World) -> None:
    await set_up(here, BOTH | {"error": "push"}, PUSH_ONLY)
    here.mail.behave(REFUSED)

    assert await goes(here) == "finished"
    assert await here.path() == ["both:next"]
    assert await deliveries(here) == ["both:email failed address_refused", "both:push sent"]
    await agrees(here)


async def test_a_mail_server_that_asks_to_come_again_gets_the_mail_a_second_later(here: World) -> None:
    await set_up(here, BOTH)
    here.mail.behave(MailBehaviour(at="RCPT", answer="451 4.7.1 greylisted", times=1))

    assert await goes(here) == "finished"
    assert await deliveries(here) == ["both:email sent", "both:push sent"]
    assert await sent_at_the_catchers(here) == (1, 1)
    assert await seconds_of_the_step(here) >= 1
    await agrees(here)


async def test_a_push_service_that_asks_for_a_pause_gets_it_and_then_the_same_push(here: World) -> None:
    await set_up(here, BOTH)
    here.push.behave(PushBehaviour(status=429, headers={"Retry-After": "2"}))
    await here.person()
    await here.publish()
    await eventually(lambda: tries(here, "push"), lambda number: number == 1, "the first answer")
    here.push.behave()

    assert await here.ends() == "finished"
    assert await deliveries(here) == ["both:email sent", "both:push sent"]
    assert await sent_at_the_catchers(here) == (1, 2)
    assert {push.delivery for push in here.push.pushes} == {"thank-you~c-42~1.1.push"}, "the service can tell that it is the same"
    assert await seconds_of_the_step(here) >= 2
    await agrees(here)


async def test_a_push_service_that_is_down_for_a_moment_gets_the_push_when_it_is_back(here: World) -> None:
    await set_up(here, PUSH_ONLY)
    here.push.behave(PushBehaviour(status=503))
    await here.person()
    await here.publish()
    await eventually(lambda: tries(here, "push"), lambda number: number == 1, "the first answer")
    here.push.behave(PushBehaviour(drop=True))
    await eventually(lambda: tries(here, "push"), lambda number: number == 2, "the second")
    here.push.behave()

    assert await here.ends() == "finished"
    assert await deliveries(here) == ["push:push sent"]
    assert len({push.delivery for push in here.push.pushes}) == 1


async def test_a_device_without_the_app_is_forgotten_and_the_others_get_the_push(here: World) -> None:
    await set_up(here, PUSH_ONLY)
    here.push.behave(PushBehaviour(body=b'{"id": "1", "unregistered": ["old"]}'))
    await here.person(push_tokens=[{"token": "old"}, {"token": "new"}])
    await here.publish()

    assert await here.ends() == "finished"
    assert await deliveries(here) == ["push:push sent"]
    assert await tokens(here) == ["new"]
    assert here.push.pushes[0].body["tokens"] == ["old", "new"]


async def test_one_whose_last_device_is_without_the_app_takes_the_error_exit_and_has_no_token_from_then_on(here: World) -> None:
    await set_up(here, PUSH_ONLY | {"next": "again", "error": "again"}, PUSH_ONLY | {"id": "again"})
    here.push.behave(PushBehaviour(status=404, body=b'{"error": "UNREGISTERED"}'))

    assert await goes(here) == "finished"
    assert await here.path() == ["push:error", "again:next"]
    assert await deliveries(here) == ["push:push failed unregistered", "again:push excluded no_token"]
    assert await tokens(here) == []  # the simulator's people keep their devices, so it is not asked


async def test_a_message_that_cannot_be_rendered_leads_to_the_error_exit(here: World) -> None:
    await set_up(here, PUSH_ONLY | {"id": "broken", "message": "broken", "error": "push"}, PUSH_ONLY)
    broken = {"id": "broken", "class": "transactional", "push": {"title": "Hello", "body": "{{ 1 | divided_by: profile.first_name }}"}}
    await here.put("/v1/messages/broken", broken)

    assert await goes(here) == "finished"
    assert await here.path() == ["broken:error", "push:next"]
    assert await deliveries(here) == ["broken:push failed render_error", "push:push sent"]
    assert here.pushes() == ["Thank you, Ada!"]
    await agrees(here)


# ---- words for the above --------------------------------------------------------------------------------------------------------


async def set_up(here: World, *nodes: dict[str, Any]) -> None:
    """The example with these nodes behind its entry."""
    entry = {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "next": nodes[0]["id"]}
    await here.set_up(journey={"id": JOURNEY, "namespace": "customer_id", "nodes": [entry, *nodes, {"id": "end", "kind": "end"}]})


async def goes(here: World) -> str:
    """Ada enters, and comes to an end; its reason."""
    await here.person()
    await here.publish()
    return await here.ends()


async def deliveries(here: World) -> list[str]:
    found = (await here.story())["deliveries"]
    return [" ".join(filter(None, (f"{one['node']}:{one['channel']}", one["status"], one["reason"]))) for one in found]


async def tries(here: World, channel: str) -> int:
    story = await here.story()
    return next((int(one["tries"]) for one in story.get("deliveries", ()) if one["channel"] == channel), 0)


async def tokens(here: World) -> list[str]:
    profile = (await here.api.get("/v1/profiles/c-42")).json()
    return [one["token"] for one in profile["push_tokens"]]


async def sent_at_the_catchers(here: World) -> tuple[int, int]:
    return len(here.mail.messages), len(here.push.pushes)


async def seconds_of_the_step(here: World) -> float:
    step = (await here.story())["path"][1]
    return (datetime.fromisoformat(step["closed_at"]) - datetime.fromisoformat(step["opened_at"])).total_seconds()

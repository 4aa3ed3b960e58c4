"""The use case on real servers: what arrived, and which way somebody went. The simulator must say the same of each."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from commands import folder
from demo.catchers import PushBehaviour
from journey import freezing, ids
from journey.contract import Happened
from journey.profiles import Profile
from journey.simulation.simulate import simulate
from journey.simulation.story import Happening, Occurs, Reacts, Script
from journey.simulation.story import World as Surroundings
from store import acceptance
from tests.e2e.world import EXAMPLE, JOURNEY, PURCHASE, World, eventually

SECOND = 1_000_000
HELLO_MAIL, HELLO_PUSH, FOLLOW_UP, THANKS = "first:email", "first:push", "follow-up:email", "thanks:push"
BOTH = [HELLO_MAIL, HELLO_PUSH]
OPENED_PUSH = ["first:next", "push-opened:next", "purchase:next", "thanks:next"]
OPENED_EMAIL = ["first:next", "email-opened:next", "purchase:next", "thanks:next"]
SILENT = ["first:next", "email-opened:timeout", "follow-up:next", "purchase:next", "thanks:next"]
GATE = ("push-opened", "email-opened")


@pytest.mark.complaint(16)
async def test_one_who_opens_the_push_buys_and_is_thanked_by_push(here: World) -> None:
    await admitted(here)
    await here.opens_push()
    await here.waits_at("purchase")
    await here.buys()

    await came(here, OPENED_PUSH, [*BOTH, THANKS], {})
    simulated(OPENED_PUSH, [*BOTH, THANKS], Reacts(1 * SECOND, "first", "push.opened"), buys(2))


async def test_one_who_opens_the_email_buys_and_is_thanked_by_push(here: World) -> None:
    await admitted(here)
    await here.opens_email()
    await here.waits_at("purchase")
    await here.buys()

    await came(here, OPENED_EMAIL, [*BOTH, THANKS], {})
    simulated(OPENED_EMAIL, [*BOTH, THANKS], Reacts(1 * SECOND, "first", "email.opened"), buys(2))


async def test_one_who_opens_nothing_gets_the_follow_up(here: World) -> None:
    await admitted(here, timeout="PT1S")
    await here.waits_at("purchase")
    await here.buys()

    await came(here, SILENT, [*BOTH, FOLLOW_UP, THANKS], {})
    simulated(SILENT, [*BOTH, FOLLOW_UP, THANKS], buys(2), timeout="PT1S")


async def test_a_purchase_before_opening_is_nobodys(here: World) -> None:
    await admitted(here)
    await here.buys(message_id="too-early")
    await here.opens_email()
    await here.waits_at("purchase")
    assert here.pushes() == [title(HELLO_PUSH)]
    await here.buys()

    await came(here, OPENED_EMAIL, [*BOTH, THANKS], {"nobody_listening": 1})
    simulated(OPENED_EMAIL, [*BOTH, THANKS], buys(1), Reacts(2 * SECOND, "first", "email.opened"), buys(3))


async def test_a_purchase_right_after_opening_counts_although_its_person_is_under_way(here: World) -> None:
    await admitted(here)
    await here.worker_goes()
    await here.opens_push()
    await here.buys()
    await here.worker_comes()

    await came(here, OPENED_PUSH, [*BOTH, THANKS], {})
    under_way = {"purchase": 5 * SECOND}
    simulated(OPENED_PUSH, [*BOTH, THANKS], Reacts(1 * SECOND, "first", "push.opened"), buys(2), stops=under_way)


async def test_a_message_opened_twice_is_opened_once(here: World) -> None:
    await admitted(here)
    await here.opens_email()
    await here.opens_email()
    await here.waits_at("purchase")
    await here.opens_email()
    await here.buys()

    await came(here, OPENED_EMAIL, [*BOTH, THANKS], {})
    assert node(await here.report(), "first")["channels"]["email"]["opened"] == 1
    twice = [Reacts(second * SECOND, "first", "email.opened") for second in (1, 2)]
    simulated(OPENED_EMAIL, [*BOTH, THANKS], *twice, buys(3))


async def test_an_open_after_the_timeout_is_late_and_changes_nothing(here: World) -> None:
    await admitted(here, timeout="PT1S")
    await here.waits_at("purchase")
    await here.opens_push()
    await here.buys()

    await came(here, SILENT, [*BOTH, FOLLOW_UP, THANKS], {"late": 1})
    late = Reacts(3 * SECOND, "first", "push.opened")
    simulated(SILENT, [*BOTH, FOLLOW_UP, THANKS], late, buys(4), timeout="PT1S")


@pytest.mark.complaint(1)
async def test_an_open_before_the_deadline_wins_although_its_signal_comes_after_the_timer(here: World) -> None:
    await admitted(here, timeout="PT2S")
    delivery = ids.delivery(ids.entrant(JOURNEY, "c-42", 1), 1, "email")
    verdict = await here.process.database.write(lambda work: acceptance.react(work, delivery, "opened"))  # accepted, and not signalled
    await here.waits_at("purchase")  # the timer has fired and found the gate decided
    for decided in verdict.decided:
        await here.process.workflows.happened(decided.entrant, Happened(decided.n, decided.node, decided.source, decided.event))
    await here.buys()

    await came(here, OPENED_EMAIL, [*BOTH, THANKS], {})
    simulated(OPENED_EMAIL, [*BOTH, THANKS], Reacts(1 * SECOND, "first", "email.opened"), buys(3), timeout="PT2S")


async def test_one_without_a_device_gets_the_email_alone(here: World) -> None:
    await admitted(here, push_tokens=[])
    await here.opens_email()
    await here.waits_at("purchase")
    await here.buys()

    await came(here, OPENED_EMAIL, [HELLO_MAIL], {})
    excluded = {"first": {"no_token": 1}, "thanks": {"no_token": 1}}
    assert {name: node(await here.report(), name)["channels"]["push"]["excluded"] for name in excluded} == excluded
    simulated(OPENED_EMAIL, [HELLO_MAIL], Reacts(1 * SECOND, "first", "email.opened"), buys(2), tokens=())


async def test_one_who_opted_out_of_email_gets_none_and_walks_on(here: World) -> None:
    await admitted(here, timeout="PT1S", consents={"email": False})
    await here.waits_at("purchase")
    await here.buys()

    await came(here, SILENT, [HELLO_PUSH, THANKS], {})
    simulated(SILENT, [HELLO_PUSH, THANKS], buys(3), timeout="PT1S", consents={"email": False})


async def test_an_open_while_the_thank_you_is_being_sent_does_not_send_it_again(here: World) -> None:
    await admitted(here)
    await here.opens_push()
    await here.waits_at("purchase")
    here.push.behave(PushBehaviour(delay=0.8))
    await here.buys()
    await eventually(lambda: count(len(here.push.pushes)), lambda pushes: pushes == 2, "the thank-you on its way")
    await here.opens_email()

    await came(here, OPENED_PUSH, [*BOTH, THANKS], {"late": 1})
    under_way = {"thanks": 5 * SECOND}
    both = (Reacts(1 * SECOND, "first", "push.opened"), buys(2), Reacts(3 * SECOND, "first", "email.opened"))
    simulated(OPENED_PUSH, [*BOTH, THANKS], *both, stops=under_way)


# ---- words for the above --------------------------------------------------------------------------------------------------------


async def admitted(here: World, *, timeout: str = "P1D", **profile: Any) -> None:
    """One person is let in, has been written to, and waits."""
    await here.set_up(timeout=timeout)
    await here.person(**profile)
    await here.publish()
    if timeout == "P1D":
        await here.waits_at(*GATE)
    else:
        await eventually(here.story, lambda story: bool(story) and len(story["path"]) > 1 and bool(story["path"][1]["closed_at"]), "step 1")


async def came(here: World, path: list[str], sent: list[str], discards: dict[str, int]) -> None:
    """The end, the path, what arrived at the catchers, and what had no effect."""
    assert await here.ends() == "finished"
    assert await here.path() == path
    assert sorted(here.mails()) == sorted(title(one) for one in sent if one.endswith("email"))
    assert sorted(here.pushes()) == sorted(title(one) for one in sent if one.endswith("push"))
    assert await here.discards() == discards
    report = await here.report()
    assert report["differences"] == []
    assert report["totals"]["inside"] == 0


def simulated(path: list[str], sent: list[str], *happenings: Happening, timeout: str = "P1D", stops: dict[str, int] | None = None,
              tokens: tuple[str, ...] = ("device",), consents: dict[str, bool] | None = None) -> None:  # fmt: skip
    """The simulator says the same."""
    example = folder.read(EXAMPLE)
    written = example.journeys[JOURNEY].document.model_dump_json(by_alias=True).replace("P1D", timeout)
    journey = type(example.journeys[JOURNEY].document).model_validate_json(written)
    version = freezing.freeze(journey, example.surroundings())
    known = {"first_name": "Ada", "city": "Atlanta", "birth_year": 1985, "email": "c-42@people.example"}
    messages = {name: entry.document for name, entry in example.messages.items()}
    profile = Profile("c-42", known, consents or {}, tokens)
    story = simulate(version, profile, Script(happenings, stops or {}), Surroundings(messages))
    assert [step for step in story.path if step != "read:next"] == path
    assert sorted(story.sent) == sorted(sent)
    assert story.end == "finished"


def buys(second: int) -> Occurs:
    return Occurs(second * SECOND, "Order Completed", PURCHASE, id=f"buy-{second}")


def title(sent: str) -> str:
    """Subject or title of a message of the example, as Ada gets it."""
    return {
        HELLO_MAIL: "Ada, we roasted one for Atlanta", HELLO_PUSH: "A roast for Atlanta", FOLLOW_UP: "The Atlanta roast is still here",
        THANKS: "Thank you, Ada!",
    }[sent]  # fmt: skip


def node(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(dict(one) for one in report["nodes"] if one["node"] == name)


async def count(number: int) -> int:
    await asyncio.sleep(0)
    return number

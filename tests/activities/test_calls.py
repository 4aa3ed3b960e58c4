"""A stop that calls a webhook: as a message is sent, with a breaker and places of its host alone, and an answer that is kept."""

from __future__ import annotations

import asyncio
import time

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.breaker import BAD_IN_A_ROW
from activities.sending import Sending
from activities.stops import MOST_ORDINARY, Stops
from journey.calls import RenderedCall, Response
from journey.contract import Proposal, Record
from journey.tracking import Signer
from journey.version import Version
from providers.port import Later, Refused, Took
from store import admission, responses
from store.database import Database
from tests import builders
from tests.activities.world import ScriptedProvider, publish
from tests.store.driver import next_proposal

ASK = {
    "id": "ask",
    "kind": "webhook",
    "url": "https://crm.example/{{ profile.id }}",
    "body": "{{ profile.first_name | json }}",
    "next": "tell",
}
TELL = {"id": "tell", "kind": "webhook", "url": "https://shop.example/{{ calls.ask.body.score }}", "next": "end"}
VERSION = Version(journey=builders.journey(ASK, TELL, {"id": "end", "kind": "end"}), events={})


@pytest.fixture
def hooks() -> ScriptedProvider:
    return ScriptedProvider("webhook", answers=[Took(response=Response(200, {"score": 7}))], idempotent=True)


@pytest.fixture
def stops(database: Database, hooks: ScriptedProvider) -> Stops:
    return Stops(database, Sending({"webhook": hooks}, Signer("a-secret-of-tests"), "https://sojourn.example", "shop@example.org"))


@pytest.fixture
async def first_call(database: Database) -> Proposal:
    run = await database.write(lambda work: publish(work, VERSION, ["ada"]))
    (start,) = (await database.write(lambda work: admission.admit_page(work, run))).starts
    return next_proposal(VERSION.journey, start.entrant.entrant, Record(0, start.entrant.place))


async def test_a_call_is_made_out_and_what_is_answered_is_there_for_the_next(
    fast: ActivityEnvironment, stops: Stops, first_call: Proposal, hooks: ScriptedProvider, database: Database
) -> None:
    record = await fast.run(stops.stop, first_call)
    assert (record.n, record.place) == (1, "tell")
    ((delivery, call),) = hooks.calls
    assert delivery == f"{first_call.entrant}.1.webhook"
    assert call == RenderedCall("https://crm.example/ada", "POST", {"Content-Type": "application/json"}, '"Ada"')
    kept = await database.read(lambda connection: responses.of(connection, first_call.entrant))
    assert kept == {"ask": Response(200, {"score": 7})}
    ended = await fast.run(stops.stop, next_proposal(VERSION.journey, first_call.entrant, record))
    assert ended.end == "finished"
    assert isinstance(hooks.calls[1][1], RenderedCall)
    assert hooks.calls[1][1].url == "https://shop.example/7"


async def test_what_cannot_be_made_out_is_not_called_and_leads_to_the_error_exit(
    fast: ActivityEnvironment, stops: Stops, first_call: Proposal, hooks: ScriptedProvider
) -> None:
    hooks.answers = [Took(response=Response(204))]
    record = await fast.run(stops.stop, first_call)
    ended = await fast.run(stops.stop, next_proposal(VERSION.journey, first_call.entrant, record))
    assert (ended.end, ended.said) == ("error", "tell: failed (render_error) on webhook; ended: error")
    assert len(hooks.calls) == 1


async def test_a_transient_answer_is_waited_for_and_a_refusal_is_not(
    fast: ActivityEnvironment, durable: ActivityEnvironment, stops: Stops, first_call: Proposal, hooks: ScriptedProvider
) -> None:
    hooks.answers = [Later("503", 7.0, response=Response(503)), Refused("call_refused", "410", response=Response(410))]
    with pytest.raises(ApplicationError) as raised:
        await fast.run(stops.stop, first_call)
    assert raised.value.next_retry_delay is not None
    assert raised.value.next_retry_delay.total_seconds() == 7


async def test_a_host_that_is_slow_holds_up_nobody_who_calls_another(
    fast: ActivityEnvironment, durable: ActivityEnvironment, stops: Stops, first_call: Proposal, hooks: ScriptedProvider
) -> None:
    hooks.seconds = 1.4  # longer than the fast path waits
    with pytest.raises(ApplicationError):
        await fast.run(stops.stop, first_call)
    await stops.drain()
    hooks.seconds = 0
    slow = stops.breakers["webhook:crm.example"]
    for _ in range(BAD_IN_A_ROW):
        given = slow.enter(time.monotonic())
        if given is not None:
            slow.leave(given, time.monotonic(), False)
    assert slow.is_open
    stops.ordinary["webhook:crm.example"] = MOST_ORDINARY
    record = await fast.run(stops.stop, Proposal(entrant=first_call.entrant, n=1))
    second = next_proposal(VERSION.journey, first_call.entrant, record)
    assert second.host == "shop.example"
    assert (await fast.run(stops.stop, second)).end == "finished"


async def test_a_call_that_was_begun_is_marked_whoever_waits_for_it(
    fast: ActivityEnvironment, durable: ActivityEnvironment, stops: Stops, first_call: Proposal, hooks: ScriptedProvider
) -> None:
    hooks.seconds = 1.4
    with pytest.raises(ApplicationError):
        await fast.run(stops.stop, first_call)
    await asyncio.sleep(0)
    await stops.drain()
    assert (await durable.run(stops.stop, first_call)).place == "tell"
    assert len(hooks.calls) == 1

"""A stop sends once, marks whatever comes back, and hands over to the next attempt when it cannot wait (D2, D3, M1, M2)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import prometheus_client
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.breaker import BAD_IN_A_ROW, Breaker
from activities.sending import Sending
from activities.stops import FAST_SECONDS, MOST_ORDINARY, Stops
from journey.contract import Proposal, Record, Removal
from journey.messages import RenderedEmail, RenderedPush
from providers.port import Answer, Later, Refused, Took, Uncertain
from store import messages, profiles, schema
from store.database import Database
from store.send_rates import SendRates
from tests import builders
from tests.activities.world import ScriptedProvider, blocked_behind_the_answer
from tests.fakes import SettableClock

GATE = "push-opened+email-opened"
SECOND = builders.SECOND


@pytest.fixture
def stops(database: Database, sending: Sending) -> Stops:
    return Stops(database, sending)


async def statuses(database: Database) -> dict[str, str]:
    of = schema.deliveries.c
    rows = await database.read(lambda c: c.execute(select(of.channel, of.status, of.reason)).all())
    return {row.channel: f"{row.status}:{row.reason}" if row.reason else row.status for row in rows}


async def again(environment: ActivityEnvironment, stops: Stops, proposal: Proposal) -> timedelta:
    """The stop wants to be tried again: after how long."""
    with pytest.raises(ApplicationError) as raised:
        await environment.run(stops.stop, proposal)
    assert raised.value.type == "Again"
    assert raised.value.next_retry_delay is not None
    return raised.value.next_retry_delay


# ---- what is sent ----------------------------------------------------------------------------------------------------------------


async def test_a_stop_sends_on_every_channel_and_says_where_it_led(
    fast: ActivityEnvironment, stops: Stops, first_stop: Proposal, email: ScriptedProvider, push: ScriptedProvider
) -> None:
    record = await fast.run(stops.stop, first_stop)
    assert (record.n, record.place, record.seconds) == (1, GATE, 86400.0)
    ((delivery, mail),) = email.calls
    assert delivery == f"{first_stop.entrant}.1.email"
    assert isinstance(mail, RenderedEmail)
    assert (mail.to, mail.subject) == ("ada@example.org", "Hello Ada")
    ((delivery, note),) = push.calls
    assert delivery == f"{first_stop.entrant}.1.push"
    assert isinstance(note, RenderedPush)
    assert note.tokens == ("token-1",)


async def test_a_stop_that_is_run_twice_sends_once(
    fast: ActivityEnvironment, durable: ActivityEnvironment, stops: Stops, first_stop: Proposal, email: ScriptedProvider
) -> None:
    record = await fast.run(stops.stop, first_stop)
    assert await durable.run(stops.stop, first_stop) == record
    assert len(email.calls) == 1


@pytest.mark.complaint(2)
async def test_two_attempts_at_once_send_once(
    durable: ActivityEnvironment, stops: Stops, first_stop: Proposal, email: ScriptedProvider
) -> None:
    email.seconds = 0.05
    results = await asyncio.gather(*(durable.run(stops.stop, first_stop) for _ in range(5)), return_exceptions=True)
    records = [result for result in results if isinstance(result, Record)]
    assert len(records) >= 1
    assert all(record.place == GATE for record in records)
    assert len(email.calls) == 1


async def test_what_a_provider_says_of_dead_tokens_is_forgotten_with_it(
    fast: ActivityEnvironment, stops: Stops, first_stop: Proposal, push: ScriptedProvider, database: Database
) -> None:
    push.answers = [Refused("unregistered", dead_tokens=("token-1",))]
    await fast.run(stops.stop, first_stop)
    found = await database.read(lambda c: profiles.read(c, "ada"))
    assert found is not None
    assert found.push_tokens == ()
    assert await statuses(database) == {"email": "sent", "push": "failed:unregistered"}


async def test_a_template_that_cannot_be_filled_in_is_a_failure_of_its_channel(
    fast: ActivityEnvironment, stops: Stops, first_stop: Proposal, database: Database, email: ScriptedProvider
) -> None:
    broken = builders.message("first-message", "email", "push", email={"subject": "{{ 1 | divided_by: 0 }}", "html": "<p>Hello</p>"})
    await database.write(lambda work: messages.put(work, broken))
    assert (await fast.run(stops.stop, first_stop)).place == GATE
    assert email.calls == []
    assert await statuses(database) == {"email": "failed:render_error", "push": "sent"}


async def test_an_answer_that_never_came_is_uncertain_and_is_not_sent_again(
    fast: ActivityEnvironment, stops: Stops, first_stop: Proposal, database: Database, email: ScriptedProvider
) -> None:
    email.answers = [Uncertain("the line went dead")]
    assert (await fast.run(stops.stop, first_stop)).place == GATE
    assert await statuses(database) == {"email": "uncertain:no_answer", "push": "sent"}


async def test_what_must_not_be_lost_is_sent_again_when_no_answer_came(
    durable: ActivityEnvironment, stops: Stops, first_stop: Proposal, database: Database, email: ScriptedProvider, clock: SettableClock
) -> None:  # fmt: skip
    kept = builders.message("first-message", "email", "push", promise="never_lost")
    await database.write(lambda work: messages.put(work, kept))
    email.answers = [Uncertain("the line went dead"), Took()]
    assert await again(durable, stops, first_stop) == timedelta(seconds=1)
    assert await statuses(database) == {"email": "claimed:sent_again", "push": "sent"}
    clock.instant += SECOND
    assert (await durable.run(stops.stop, first_stop)).place == GATE
    assert await statuses(database) == {"email": "sent:sent_again", "push": "sent"}
    mails = [mail for _, mail in email.calls if isinstance(mail, RenderedEmail)]
    assert len({mail.headers["Message-ID"] for mail in mails}) == 1
    assert len(mails) == 2


# ---- answers that ask for patience -----------------------------------------------------------------------------------------------


async def test_after_a_transient_answer_the_stop_comes_again_after_the_pause(
    durable: ActivityEnvironment, stops: Stops, first_stop: Proposal, email: ScriptedProvider, clock: SettableClock
) -> None:
    email.answers = [Later("busy"), Later("busy"), Took()]
    for seconds in (1, 2):
        assert await again(durable, stops, first_stop) == timedelta(seconds=seconds)
        clock.instant += seconds * SECOND
    assert (await durable.run(stops.stop, first_stop)).place == GATE
    assert [delivery for delivery, _ in email.calls] == [f"{first_stop.entrant}.1.email"] * 3


async def test_of_two_pauses_the_shorter_counts(
    durable: ActivityEnvironment, stops: Stops, first_stop: Proposal, email: ScriptedProvider, push: ScriptedProvider
) -> None:
    """The other channel need not wait for the one that is asked to wait for long."""
    email.answers, push.answers = [Later("busy", retry_after=300.0)], [Later("busy")]
    assert await again(durable, stops, first_stop) == timedelta(seconds=1)


async def test_an_attempt_that_comes_before_the_pause_is_over_gets_the_rest(
    durable: ActivityEnvironment, stops: Stops, first_stop: Proposal, email: ScriptedProvider, clock: SettableClock
) -> None:
    email.answers = [Later("busy", retry_after=90.0), Took()]
    await again(durable, stops, first_stop)
    clock.instant += 60 * SECOND
    assert timedelta(seconds=30) <= await again(durable, stops, first_stop) < timedelta(seconds=31)
    assert len(email.calls) == 1


async def test_a_pause_of_years_is_a_day(
    durable: ActivityEnvironment, stops: Stops, first_stop: Proposal, email: ScriptedProvider, clock: SettableClock
) -> None:
    email.answers = [Later("busy", retry_after=999_999_999.0), Took()]
    assert await again(durable, stops, first_stop) == timedelta(days=1)
    clock.instant += builders.DAY
    assert (await durable.run(stops.stop, first_stop)).place == GATE


async def test_a_provider_that_breaks_is_a_fault_of_ours_and_leaves_the_other_channel_alone(
    durable: ActivityEnvironment, stops: Stops, first_stop: Proposal, email: ScriptedProvider, database: Database
) -> None:
    email.answers = [RuntimeError("a bug")]
    with pytest.raises(RuntimeError, match="a bug"):
        await durable.run(stops.stop, first_stop)
    assert await statuses(database) == {"email": "claimed", "push": "sent"}
    assert await again(durable, stops, first_stop) <= timedelta(seconds=5)


# ---- a provider that is slow, or may not be sent to so fast --------------------------------------------------------------------


async def test_a_provider_that_rests_is_left_to_the_durable_path_and_nothing_is_written(
    fast: ActivityEnvironment, durable: ActivityEnvironment, stops: Stops, first_stop: Proposal, email: ScriptedProvider, database: Database
) -> None:  # fmt: skip
    for _ in range(BAD_IN_A_ROW):
        given = stops.breakers["email"].enter(0)
        assert given is not None
        stops.breakers["email"].leave(given, time.monotonic() + 1000, False)
    await again(fast, stops, first_stop)
    assert await statuses(database) == {}
    assert email.calls == []
    assert (await durable.run(stops.stop, first_stop)).place == GATE


async def test_who_does_not_write_by_a_slow_provider_takes_the_fast_path_all_the_same(
    fast: ActivityEnvironment, stops: Stops, first_stop: Proposal, push: ScriptedProvider
) -> None:
    stops.breakers["email"] = Breaker(most=0)
    first_stop.channels = ["push"]
    assert (await fast.run(stops.stop, first_stop)).place == GATE
    assert len(push.calls) == 1


def resting(provider: str) -> float | None:
    return prometheus_client.REGISTRY.get_sample_value("sojourn_provider_resting", {"provider": provider})


@pytest.mark.parametrize(("answer", "opens"), [(Later("busy"), True), (Refused("address_refused"), False), (RuntimeError("a bug"), False)])
async def test_what_a_provider_says_on_the_fast_path_tells_whether_it_is_well(
    fast: ActivityEnvironment, stops: Stops, first_stop: Proposal, email: ScriptedProvider, answer: Answer | Exception, opens: bool
) -> None:
    stops.breakers["email"] = Breaker(bad=1)
    email.answers = [answer]
    with contextlib.suppress(ApplicationError, RuntimeError):
        await fast.run(stops.stop, first_stop)
    assert stops.breakers["email"].is_open == opens
    assert not stops.breakers["push"].is_open
    assert resting("email") == float(opens)


async def test_on_the_durable_path_a_slow_provider_has_so_many_places_and_who_finds_none_comes_less_and_less_often(
    durable: ActivityEnvironment, stops: Stops, first_stop: Proposal, email: ScriptedProvider, database: Database
) -> None:
    stops.ordinary["email"] = MOST_ORDINARY
    waits = []
    for attempt in (1, 3, 9):
        durable.info = replace(durable.info, attempt=attempt)
        waits.append((await again(durable, stops, first_stop)).total_seconds())
    assert waits == [2, 8, 30]
    assert await statuses(database) == {}
    stops.ordinary["email"] = 0
    assert (await durable.run(stops.stop, first_stop)).place == GATE
    assert stops.ordinary["email"] == 0
    assert len(email.calls) == 1


async def test_whoever_waits_for_a_turn_comes_back_at_that_turn(
    fast: ActivityEnvironment, durable: ActivityEnvironment, sending: Sending, first_stop: Proposal, email: ScriptedProvider,
    database: Database, clock: SettableClock,
) -> None:  # fmt: skip
    slowly = Stops(database, replace(sending, rates=SendRates({"email": 0.05})))
    await database.write(lambda work: SendRates({"email": 0.05}).turn(work, "email", "email:scripted", work.now()))
    assert timedelta(seconds=20) <= await again(fast, slowly, first_stop) < timedelta(seconds=21), "another process has the turn before"
    assert await statuses(database) == {"email": "claimed", "push": "sent"}
    clock.instant += 12 * SECOND
    assert timedelta(seconds=8) <= await again(durable, slowly, first_stop) < timedelta(seconds=9)
    clock.instant += 8 * SECOND
    assert (await durable.run(slowly.stop, first_stop)).place == GATE
    assert len(email.calls) == 1


# ---- who cannot wait -------------------------------------------------------------------------------------------------------------


async def test_the_fast_path_leaves_a_slow_call_running_and_it_is_marked(
    fast: ActivityEnvironment, durable: ActivityEnvironment, stops: Stops, first_stop: Proposal, email: ScriptedProvider, database: Database
) -> None:  # fmt: skip
    email.seconds = FAST_SECONDS + 0.3
    await again(fast, stops, first_stop)
    assert await statuses(database) == {"email": "claimed", "push": "sent"}
    assert await again(durable, stops, first_stop) <= timedelta(seconds=5)
    await stops.drain()
    assert await statuses(database) == {"email": "sent", "push": "sent"}
    assert (await durable.run(stops.stop, first_stop)).place == GATE
    assert len(email.calls) == 1


async def test_an_attempt_that_is_cancelled_finishes_its_calls_before_the_process_ends(
    durable: ActivityEnvironment, stops: Stops, first_stop: Proposal, email: ScriptedProvider, push: ScriptedProvider, database: Database
) -> None:  # fmt: skip
    email.seconds = push.seconds = 0.3
    attempt = asyncio.create_task(durable.run(stops.stop, first_stop))
    while not (email.calls and push.calls):
        await asyncio.sleep(0.01)
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    await stops.drain()
    assert await statuses(database) == {"email": "sent", "push": "sent"}
    assert (await durable.run(stops.stop, first_stop)).place == GATE


async def test_a_slow_provider_that_breaks_after_all_leaves_it_to_the_lease(
    fast: ActivityEnvironment, stops: Stops, first_stop: Proposal, email: ScriptedProvider, database: Database
) -> None:
    email.seconds, email.answers = FAST_SECONDS + 0.1, [RuntimeError("a bug")]
    await again(fast, stops, first_stop)
    await stops.drain()
    assert await statuses(database) == {"email": "claimed", "push": "sent"}


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")  # a writer of PostgreSQL tries again by itself
async def test_an_answer_that_cannot_be_written_down_just_now_is_written_down_later(
    durable: ActivityEnvironment, stops: Stops, first_stop: Proposal, email: ScriptedProvider, database: Database, tmp_path: Path
) -> None:  # fmt: skip
    """Else what was sent would count as uncertain, or be sent again."""
    with blocked_behind_the_answer(email, database, tmp_path), pytest.raises(OperationalError, match="locked"):
        await durable.run(stops.stop, first_stop)
    await stops.drain()
    assert await statuses(database) == {"email": "sent", "push": "sent"}
    assert (await durable.run(stops.stop, first_stop)).place == GATE


async def test_one_who_is_removed_ends_at_the_next_stop(
    durable: ActivityEnvironment, stops: Stops, first_stop: Proposal, email: ScriptedProvider
) -> None:
    await durable.run(stops.remove, Removal(first_stop.entrant, "removed"))
    assert (await durable.run(stops.stop, first_stop)).end == "removed"
    assert email.calls == []

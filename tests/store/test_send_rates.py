"""A provider's account is sent to at its rate and no faster, by however many processes; nothing is asked where no rate is set (D3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise

import pytest
from sqlalchemy import event

from journey.contract import Record
from store import claims, messages, schema
from store.claims import Busy
from store.closing import Mark
from store.database import Database
from store.send_rates import BLOCK_SECONDS, SendRates
from store.steps import Opened
from store.work import Work
from tests.builders import SECOND, START, message, profile, use_case, use_case_messages
from tests.fakes import SettableClock
from tests.store.driver import AT_RISK, LEASE, Driver, Store, check, let_in, publish, sent

USE_CASE = use_case()
ACCOUNT = "email:smtp"


@pytest.fixture
async def second(database: Database, clock: SettableClock) -> AsyncIterator[Database]:
    """Another process on the same database."""
    opened = Database(database.engine.url.render_as_string(hide_password=False), clock)
    yield opened
    await opened.close()


async def turns(rates: SendRates, database: Database, count: int) -> list[int]:
    """The turns of so many units of work that wait at the same time."""

    def unit(work: Work) -> int:
        return rates.turn(work, "email", ACCOUNT, work.now())

    return list(await asyncio.gather(*(rates.write(database, unit) for _ in range(count))))


async def in_turn(rates: SendRates, database: Database, count: int) -> list[int]:
    """The turns of so many units of work, one after the other."""
    return [(await turns(rates, database, 1))[0] for _ in range(count)]


async def test_turns_come_at_the_rate_and_the_first_at_once(database: Database, clock: SettableClock) -> None:
    rates, begin = SendRates({"email": 50}), clock.now()
    found = await in_turn(rates, database, 60)
    assert found == [begin + number * SECOND // 50 for number in range(60)]


async def test_two_processes_together_keep_the_rate(database: Database, second: Database, clock: SettableClock) -> None:
    one, other = SendRates({"email": 50}), SendRates({"email": 50})
    found: list[int] = []
    for _ in range(6):
        for taken in await asyncio.gather(turns(one, database, 10), turns(other, second, 15)):
            found += taken
    assert len(set(found)) == len(found), "no turn is used twice"
    in_order = sorted(found)
    assert all(later - earlier >= SECOND // 50 for earlier, later in pairwise(in_order))
    assert in_order[-1] - in_order[0] <= (len(found) / 50 + 10 * BLOCK_SECONDS) * SECOND, "and hardly any is lost"


async def test_accounts_and_channels_do_not_share_a_rate(database: Database, clock: SettableClock) -> None:
    rates = SendRates({"email": 1})

    def unit(work: Work) -> list[int]:
        found = [rates.turn(work, "email", account, work.now()) for account in (ACCOUNT, "email:other", ACCOUNT)]
        return [*found, *(rates.turn(work, "push", "push:http", work.now()) for _ in range(3))]

    assert [turn - clock.now() for turn in await rates.write(database, unit)] == [0, 0, SECOND, 0, 0, 0]


async def test_turns_that_nobody_used_in_their_time_are_not_caught_up_in_a_burst(database: Database, clock: SettableClock) -> None:
    rates = SendRates({"email": 50})
    await turns(rates, database, 1)
    clock.instant += 60 * SECOND
    found = await in_turn(rates, database, 50)
    assert found == [clock.now() + number * SECOND // 50 for number in range(50)]


async def test_a_block_whose_unit_failed_is_nobodys_and_is_taken_again(database: Database, second: Database, clock: SettableClock) -> None:
    rates, begin = SendRates({"email": 50}), clock.now()

    def fails(work: Work) -> None:
        rates.turn(work, "email", ACCOUNT, work.now())
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        await rates.write(database, fails)
    others = await in_turn(SendRates({"email": 50}), second, 25)
    ours = await in_turn(rates, database, 25)
    assert sorted(others + ours) == [begin + number * SECOND // 50 for number in range(50)]


async def test_a_block_whose_commit_failed_is_nobodys_and_is_taken_again(
    database: Database, second: Database, clock: SettableClock
) -> None:
    rates, begin = SendRates({"email": 50}), clock.now()

    def break_the_commit(_connection: object) -> None:
        raise RuntimeError("the disk is full")

    event.listen(database.engine, "commit", break_the_commit)
    with pytest.raises(RuntimeError, match="the disk is full"):
        await turns(rates, database, 10)
    event.remove(database.engine, "commit", break_the_commit)
    others = await in_turn(SendRates({"email": 50}), second, 25)
    ours = await in_turn(rates, database, 25)
    assert sorted(others + ours) == [begin + number * SECOND // 50 for number in range(50)]


async def test_a_unit_that_did_not_take_a_block_does_not_use_one_that_is_not_known_to_be_committed(
    database: Database, clock: SettableClock
) -> None:
    """Its own commit would stand, and the block's might not."""
    rates, begin = SendRates({"email": 50}), clock.now()
    assert await database.write(lambda work: rates.turn(work, "email", ACCOUNT, work.now())) == begin  # nobody says that it is committed
    assert await in_turn(rates, database, 2) == [begin + SECOND // 2, begin + SECOND // 2 + SECOND // 50], "the rest of the first lapses"


# ---- a step with a turn to wait for --------------------------------------------------------------------------------------------------


def let_in_two(store: Store, *channels: str, rate: float = 1) -> list[Driver]:
    publish(store, USE_CASE, use_case_messages() | {"first-message": message("first-message", *channels)})
    policy = replace(AT_RISK, rates=SendRates({"email": rate}))
    return let_in(store, USE_CASE, [profile("ada"), profile("ben")], policy=policy)


def test_a_transactional_message_does_not_stand_in_line_and_those_behind_wait_a_turn_longer(store: Store) -> None:
    ada, ben = let_in_two(store, "email")
    ada.stop()
    store.write(lambda work: messages.put(work, message("first-message", "email", **{"class": "transactional"})))
    assert isinstance(ben.open(ben.proposal()), Opened)
    assert store.row(schema.send_slots, account="email").next_at == START + 2 * SECOND


def test_whoever_comes_second_waits_for_the_turn_and_no_try_is_counted(store: Store) -> None:
    ada, ben = let_in_two(store, "email")
    ada.stop()
    proposal = ben.proposal()
    found = ben.open(proposal)
    assert isinstance(found, Busy)
    assert 1 <= found.seconds < 1.1
    row = store.row(schema.deliveries, entrant=ben.entrant)
    assert (row.status, row.token, row.lease, row.tries, row.not_before) == ("claimed", "", None, 0, START + SECOND)
    assert store.row(schema.entrants, id=ben.entrant).due > START + SECOND, "nobody looks after him before"
    early = ben.open(proposal)
    assert isinstance(early, Busy)
    assert early.seconds == found.seconds
    store.clock.instant += SECOND
    assert ben.stop().place == "push-opened+email-opened"
    assert ben.deliveries() == {"1.email": "sent"}
    check(store, USE_CASE)


def test_the_other_channel_does_not_wait_and_the_attempt_looks_again_at_the_turn(store: Store) -> None:
    ada, ben = let_in_two(store, "email", "push", rate=0.1)
    ada.stop()
    proposal = ben.proposal()
    found = ben.open(proposal)
    assert isinstance(found, Opened)
    assert [claim.channel for claim in found.claims] == ["push"]
    assert found.look is not None
    assert 10 <= found.look < 10.1
    assert ben.mark(proposal, sent(found.claims[0])) is None
    store.clock.instant += 10 * SECOND
    ben.stop()
    assert ben.deliveries() == {"1.email": "sent", "1.push": "sent"}


def test_every_further_try_takes_a_turn_of_its_own(store: Store) -> None:
    ada, ben = let_in_two(store, "email", rate=0.1)
    proposal = ada.proposal()
    found = ada.open(proposal)
    assert isinstance(found, Opened)
    ada.mark(proposal, Mark("email", "claimed", token=found.claims[0].token))
    assert isinstance(ben.open(ben.proposal()), Busy)
    store.clock.instant += int(claims.pause(1)) * SECOND
    again = ada.open(proposal)
    assert isinstance(again, Busy)
    assert 19 <= again.seconds < 19.1, "behind the second"
    store.clock.instant += 19 * SECOND
    ada.stop()
    assert ada.deliveries() == {"1.email": "sent"}


def test_what_a_lost_sender_had_is_still_in_doubt_while_it_waits_for_another_turn(store: Store) -> None:
    publish(store, USE_CASE, use_case_messages() | {"first-message": message("first-message", "email", promise="never_lost")})
    policy = replace(AT_RISK, rates=SendRates({"email": 0.01}))
    ada, ben = let_in(store, USE_CASE, [profile("ada"), profile("ben")], policy=policy)
    proposal = ada.proposal()
    assert isinstance(ada.open(proposal), Opened)
    ben.open(ben.proposal())
    store.clock.instant += LEASE
    assert isinstance(ada.open(proposal), Busy)
    store.react(ada.entrant, 1, "email.opened")
    assert isinstance(ada.open(proposal), Record)
    assert ada.deliveries() == {"1.email": "sent"}


def test_without_a_rate_nobody_asks_the_store(store: Store) -> None:
    publish(store, USE_CASE, use_case_messages())
    (ada,) = let_in(store, USE_CASE, [profile("ada")])
    ada.stop()
    assert store.rows(schema.send_slots) == []

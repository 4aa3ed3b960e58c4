"""Whom the sweep looks after, how often, and what it does with somebody whose workflow is gone; and how many are overdue and stalled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from journey.contract import EntrantStart, Happened
from store import adoption, overdue, removal, schema
from store.adoption import Running
from store.closing import Mark
from store.database import Database
from store.terminating import end_terminated
from store.work import Work
from tests import stock
from tests.builders import HOUR, MINUTE, SECOND, profile, purchase, use_case, use_case_messages
from tests.store.driver import LEASE, Driver, Store, check, let_in, publish
from tests.store.test_query_plans import plan, scans, statements

PATIENCE = MINUTE


@pytest.fixture
def ada(store: Store) -> Driver:
    """Somebody who is just admitted."""
    publish(store, use_case(), use_case_messages())
    return let_in(store, use_case(), [profile("ada")])[0]


def taken(store: Store, patience: int = PATIENCE, most: int = 100) -> list[str]:
    return [owed.entrant for owed in store.write(lambda work: overdue.take(work, patience, most))]


def opened_and_untold(store: Store, ada: Driver) -> None:
    """Her gate is decided, and the signal is lost."""
    ada.stop()
    store.react(ada.entrant, 1, "push.opened")


# ---- who is looked after -----------------------------------------------------------------------------------------------------------


def test_somebody_decided_who_has_not_gone_on_a_minute_later_is_owed_the_signal(store: Store, ada: Driver) -> None:
    opened_and_untold(store, ada)
    store.clock.instant += 69 * SECOND
    assert taken(store) == []
    store.clock.instant += 2 * SECOND

    (owed,) = store.write(lambda work: overdue.take(work, PATIENCE, 10))
    assert owed.happened is not None
    assert (owed.entrant, owed.happened.n, owed.happened.node, owed.again) == (ada.entrant, 1, "push-opened", False)


def test_somebody_who_waits_is_looked_after_a_minute_after_the_deadline(store: Store, ada: Driver) -> None:
    ada.stop()
    store.clock.instant = ada.row().due + 59 * SECOND
    assert taken(store) == []
    store.clock.instant += 2 * SECOND
    assert taken(store) == [ada.entrant]


def test_somebody_admitted_and_never_started_is_looked_after(store: Store, ada: Driver) -> None:
    assert taken(store) == []
    store.clock.instant += 71 * SECOND
    assert taken(store) == [ada.entrant]
    restart = overdue.restart(store.connection, ada.entrant)
    assert restart is not None
    assert restart.start == EntrantStart(ada.entrant, "thank-you@1", "first", 0)


def test_somebody_told_to_end_is_looked_after_with_the_reason(store: Store, ada: Driver) -> None:
    ada.stop()
    store.write(lambda work: removal.tell(work, ada.entrant, "removed"))
    store.clock.instant += 71 * SECOND
    (owed,) = store.write(lambda work: overdue.take(work, PATIENCE, 10))
    assert (owed.entrant, owed.ending, owed.happened) == (ada.entrant, "removed", None)


def test_whoever_has_ended_is_not_looked_after(store: Store, ada: Driver) -> None:
    ada.walk_to("purchase")
    ada.note(store.accept(purchase("p-1"), "ada"))
    assert ada.stop().end == "finished"
    store.clock.instant += 1000 * HOUR
    assert taken(store) == []


def test_whoever_stays_overdue_is_looked_after_less_and_less_often(store: Store, ada: Driver) -> None:
    ada.stop()
    due = ada.row().due
    looks: list[int] = []
    for minute in range(1, 8 * 60):
        store.clock.instant = due + minute * MINUTE + SECOND
        looks += [minute] * len(taken(store))
    assert looks == [1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363, 423]


def test_whoever_has_moved_since_is_looked_after_at_once_again(store: Store, ada: Driver) -> None:
    ada.stop()
    store.clock.instant = ada.row().due + HOUR
    assert taken(store) == [ada.entrant]
    assert ada.stop().place == "purchase"
    ada.note(store.accept(purchase("p-1"), "ada"))
    store.clock.instant += 71 * SECOND
    (owed,) = store.write(lambda work: overdue.take(work, PATIENCE, 10))
    assert not owed.again
    store.clock.instant += HOUR
    (owed,) = store.write(lambda work: overdue.take(work, PATIENCE, 10))
    assert owed.again


def test_the_oldest_come_first_and_no_more_than_are_wanted(store: Store) -> None:
    publish(store, use_case(), use_case_messages())
    entrants = []
    for name in ("cem", "ada", "bob"):
        entrants.append(let_in(store, use_case(), [profile(name)])[0].entrant)
        store.clock.instant += SECOND
    store.clock.instant += HOUR
    assert taken(store, most=2) == entrants[:2]
    assert taken(store, most=2) == entrants[2:]
    assert taken(store, most=2) == []


def test_a_stopped_version_is_wound_down_until_everybody_is_told(store: Store, ada: Driver) -> None:
    ada.stop()
    assert overdue.to_wind_down(store.connection, store.clock.now()) == []
    store.connection.execute(schema.versions.update().values(state="stopped"))
    assert overdue.to_wind_down(store.connection, store.clock.now()) == [("thank-you@1", "journey_stopped")]
    store.write(lambda work: removal.tell_page(work, "thank-you@1", "journey_stopped", 10))
    assert overdue.to_wind_down(store.connection, store.clock.now()) == []
    store.clock.instant += 71 * SECOND
    (owed,) = store.write(lambda work: overdue.take(work, PATIENCE, 10))
    assert owed.ending == "journey_stopped"


# ---- the numbers -------------------------------------------------------------------------------------------------------------------


@pytest.mark.complaint(5)
def test_overdue_is_a_minute_past_due_and_stalled_ten(store: Store, ada: Driver) -> None:
    ada.stop()
    counted = {}
    for seconds in (0, 59, 61, 599, 601):
        store.clock.instant = ada.row().due + seconds * SECOND
        counted[seconds] = overdue.counts(store.connection, store.clock.now())
    assert counted == {0: (0, 0), 59: (0, 0), 61: (1, 0), 599: (1, 0), 601: (1, 1)}
    taken(store)
    assert overdue.counts(store.connection, store.clock.now()) == (1, 1), "to be looked after does not make it less overdue"


def test_somebody_whose_provider_asked_for_a_pause_is_neither_overdue_nor_looked_after(store: Store, ada: Driver) -> None:
    proposal = ada.proposal()
    ada.open(proposal)
    ada.mark(proposal, Mark("push", "sent"), Mark("email", "claimed", retry_after=3600.0))
    store.clock.instant += HOUR - SECOND
    assert (overdue.counts(store.connection, store.clock.now()), taken(store)) == ((0, 0), [])
    store.clock.instant += 72 * SECOND
    assert (overdue.counts(store.connection, store.clock.now()), taken(store)) == ((1, 0), [ada.entrant])


# ---- started again -----------------------------------------------------------------------------------------------------------------


def test_somebody_with_an_open_step_is_started_again_from_the_last_closed_one(store: Store, ada: Driver) -> None:
    ada.stop()
    store.clock.instant = ada.row().due
    ada.open(ada.proposal())
    restart = overdue.restart(store.connection, ada.entrant)
    assert restart is not None
    assert (restart.start, restart.hash) == (EntrantStart(ada.entrant, "thank-you@1", "push-opened+email-opened", 1), use_case().hash)


def test_nobody_who_has_ended_is_started_again(store: Store, ada: Driver) -> None:
    store.write(lambda work: end_terminated(work, ada.entrant))
    assert overdue.restart(store.connection, ada.entrant) is None
    assert overdue.restart(store.connection, "nobody~at-all~1") is None


# ---- ended, since the workflow was ended from outside ------------------------------------------------------------------------------


def test_somebody_terminated_while_waiting_ends_with_facts_and_counters(store: Store, ada: Driver) -> None:
    ada.stop()
    assert store.write(lambda work: end_terminated(work, ada.entrant))
    assert (ada.row().state, ada.row().end_reason) == ("ended", "terminated")
    assert not store.write(lambda work: end_terminated(work, ada.entrant)), "once is enough"
    assert let_in(store, use_case(), [profile("ada")])[0].entrant == "thank-you~ada~2"
    check(store, use_case())


def test_somebody_terminated_while_a_message_is_on_its_way_ends_when_its_answer_is_known(store: Store, ada: Driver) -> None:
    proposal = ada.proposal()
    ada.open(proposal)
    assert not store.write(lambda work: end_terminated(work, ada.entrant))
    ended = ada.mark(proposal, Mark("email", "sent"), Mark("push", "sent"))
    assert ended is not None
    assert ended.end == "terminated"
    assert ada.deliveries() == {"1.email": "sent", "1.push": "sent"}
    check(store, use_case())


def test_somebody_terminated_whose_worker_died_while_sending_ends_when_the_lease_is_over(store: Store, ada: Driver) -> None:
    ada.stop()
    store.clock.instant = ada.row().due
    ada.open(ada.proposal())
    assert not store.write(lambda work: end_terminated(work, ada.entrant))
    store.clock.instant += LEASE + SECOND
    assert store.write(lambda work: end_terminated(work, ada.entrant))
    assert ada.row().end_reason == "terminated"
    assert ada.deliveries()["2.email"].startswith("uncertain")
    assert ada.path()[-2:] == ("email-opened:timeout", "follow-up:next")
    check(store, use_case())


def test_a_reason_to_end_that_stands_already_stays(store: Store, ada: Driver) -> None:
    store.write(lambda work: removal.tell(work, ada.entrant, "removed"))
    store.write(lambda work: end_terminated(work, ada.entrant))
    assert ada.row().end_reason == "removed"


# ---- adopted -----------------------------------------------------------------------------------------------------------------------


def adopt(store: Store, entrant: str, **changed: Any) -> str:
    running = replace(Running(entrant, "thank-you@1", use_case().hash, store.clock.now()), **changed)
    refused = store.write(lambda work: adoption.adopt(work, running, adoption.hidden_keys(work.connection, [running])))
    return refused.code if refused is not None else ""


def test_somebody_adopted_stands_behind_the_entry_and_walks_on(store: Store, ada: Driver) -> None:
    store.write(lambda work: end_terminated(work, ada.entrant))
    entered = store.clock.now() - HOUR
    assert adopt(store, "thank-you~ada~7", started_at=entered) == ""
    again = Driver(store, use_case().journey, "thank-you~ada~7", ada.record)
    assert again.row().entered_at == entered
    assert again.ask().place == "first"
    assert again.walk_to("purchase").place == "purchase"
    assert adopt(store, "thank-you~ada~7") == "", "who is here already stays as they are"
    assert again.row().place == "purchase"
    check(store, use_case())


def test_a_key_that_is_hidden_in_its_id_is_found_among_the_identities(store: Store, ada: Driver) -> None:
    store.write(lambda work: end_terminated(work, ada.entrant))
    (bob,) = let_in(store, use_case(), [profile("bob@people.example")])
    assert "bob" not in bob.entrant
    store.write(lambda work: end_terminated(work, bob.entrant))
    assert adopt(store, bob.entrant[:-1] + "2") == ""
    assert store.row(schema.entrants, id=bob.entrant[:-1] + "2").profile == "bob@people.example"


def test_whoever_cannot_be_adopted_is_left_alone_with_the_reason(store: Store, ada: Driver) -> None:
    assert adopt(store, "thank-you~ada~2") == "already_inside"
    assert adopt(store, "thank-you~nobody~1") == "profile_unknown"
    assert adopt(store, "thank-you~h-0123~1") == "profile_unknown"
    assert adopt(store, "thank-you~ada~2", version="thank-you@9") == "version_unknown"
    assert adopt(store, "thank-you~ada~2", hash="another") == "version_changed"
    assert adopt(store, "other~ada~2") == "version_changed"
    assert adopt(store, "somebody-else's") == "not_an_entrant"
    assert len(store.rows(schema.entrants)) == 1


# ---- what it costs -----------------------------------------------------------------------------------------------------------------


def test_a_quiet_sweep_reads_the_due_part_of_an_index_however_many_wait(store: Store, ada: Driver) -> None:
    if store.connection.dialect.name != "sqlite":
        pytest.skip("how PostgreSQL finds rows depends on how many there are")
    ada.stop()
    with statements(store) as seen:
        taken(store)
        overdue.counts(store.connection, store.clock.now())
    assert len([line for line in plans(store, seen) if "entrants USING INDEX entrants_due (due<?)" in line]) == len(seen) == 2
    with statements(store) as more:
        overdue.to_wind_down(store.connection, store.clock.now())
        overdue.restart(store.connection, ada.entrant)
        overdue.page(store.connection, "", 10)
    assert [line for line in plans(store, seen + more) if "TEMP B-TREE" in line] == []
    assert scans(store, [one for one in seen + more if "ORDER BY entrants.id" not in one and "versions.state" not in one]) == []


def plans(store: Store, seen: list[str]) -> list[str]:
    return [line for statement in seen for line in plan(store, statement)]


async def test_what_decided_a_gate_is_told_as_it_was(database: Database) -> None:
    def people(work: Work) -> None:
        stock.entrant(work, "ada", waiting=False, won_node="email-opened", won_source="sojourn", won_event="e-1", due=-MINUTE)

    await database.write(people)
    (owed,) = await database.write(lambda work: overdue.take(work, 0, 10))
    assert owed.happened == Happened(1, "email-opened", "sojourn", "e-1")
    assert await database.read(lambda connection: overdue.states(connection, [owed.entrant, "x~y~1"])) == {owed.entrant: "open"}
    assert [one.entrant for one in await database.read(lambda connection: overdue.page(connection, "", 10))] == [owed.entrant]
    assert [one.entrant for one in await database.read(lambda connection: overdue.among(connection, [owed.entrant, "x"]))] == [owed.entrant]

"""A profile is written, and in the same commit it is decided what that sets off among the people inside."""

from __future__ import annotations

from typing import Any

import pytest

from journey.contract import Proposal, Record
from journey.profiles import Profile
from journey.segments import SegmentDocument
from journey.version import Version
from store import changes, profiles, schema, segments, steps
from store.changes import SetOff
from store.steps import Opened
from store.work import Decided
from tests.builders import DAY, HOUR, MINUTE, message, profile, purchase, version
from tests.store.driver import Driver, Store, check, document, let_in, next_proposal, publish, sent

PAUSE = {"id": "pause", "kind": "wait", "for": "P30D", "next": "end"}
BOSTON = {"id": "boston", "kind": "wait", "until": {"rule": 'city == "Boston"'}, "next": "thanks",
          "timeout": {"after": "P1D", "next": "end"}}  # fmt: skip
ENTER = {"id": "enter", "kind": "qualification", "segment": "vips", "next": "thanks", "timeout": {"after": "P1D", "next": "end"}}
LEAVE = ENTER | {"id": "leave", "direction": "leave"}
SEND = {"id": "send", "kind": "message", "message": "thanks", "next": "enter"}
THANKS = {"id": "thanks", "kind": "message", "message": "thanks", "next": "end"}
END = {"id": "end", "kind": "end"}
VIPS = SegmentDocument(id="vips", rule="vip == true")


def enters(store: Store, drawn: Version, person: Profile | None = None) -> Driver:
    """Somebody is let in, and has come as far as they come at once."""
    store.write(lambda work: segments.put(work, VIPS))
    publish(store, drawn, {"thanks": message("thanks", "email")})
    (driver,) = let_in(store, drawn, [person or profile("ada", vip=False)])
    if driver.waits():
        driver.ask()
    return driver


def writes(store: Store, driver: Driver | None = None, **attributes: Any) -> SetOff:
    """The profile of Ada is written; her workflow is told what that decided."""
    store.clock.instant += MINUTE
    done = store.write(lambda work: changes.patch(work, "ada", attributes=attributes)).set_off
    if driver is not None:
        driver.note(done)
    return done


def written_events(store: Store) -> list[dict[str, Any]]:
    return [row.data for row in store.rows(schema.events)]


# ---- a rule comes true -----------------------------------------------------------------------------------------------------------


@pytest.mark.complaint(9)
def test_a_write_that_makes_the_rule_true_lets_them_on_and_one_that_does_not_has_no_trace(store: Store) -> None:
    drawn = version(BOSTON, THANKS, END)
    ada = enters(store, drawn)
    assert writes(store, ada, shoe_size=38) == SetOff()
    assert written_events(store) == []
    done = writes(store, ada, city="Boston")
    assert [(one.entrant, one.n, one.node) for one in done.decided] == [(ada.entrant, 0, "boston")]
    assert ada.stop().place == "thanks" or ada.record.end == "finished"
    assert ada.path()[:2] == ("read:next", "boston:next")
    check(store, drawn)


@pytest.mark.complaint(9)
def test_one_of_whom_the_rule_is_true_at_the_arrival_does_not_wait(store: Store) -> None:
    drawn = version(SEND | {"next": "boston"}, BOSTON, THANKS, END)
    ada = enters(store, drawn, profile("ada", city="Boston"))
    record = ada.stop()
    assert (record.node, record.event) == ("boston", f"{ada.entrant}.1:true")
    assert ada.stop().end == "finished"
    assert ada.path() == ("read:next", "send:next", "boston:next", "thanks:next")
    check(store, drawn)


def test_so_it_is_right_behind_the_entry(store: Store) -> None:
    drawn = version(BOSTON, THANKS, END)
    ada = enters(store, drawn, profile("ada", city="Boston"))
    assert ada.record.node == "boston"
    assert ada.stop().end == "finished"
    assert ada.path() == ("read:next", "boston:next", "thanks:next")
    check(store, drawn)


def test_of_the_timeout_and_a_write_the_earlier_counts_however_late_the_timer_fires(store: Store) -> None:
    drawn = version(BOSTON, THANKS, END)
    ada = enters(store, drawn)
    store.clock.instant += DAY  # to the instant of the deadline, and the timer has not come yet
    store.clock.instant -= MINUTE
    assert writes(store, ada, city="Boston").decided != ()
    timed_out = next_proposal(drawn.journey, ada.entrant, ada.record)
    assert timed_out.exit == "timeout"
    assert ada.stop(proposal=timed_out).node == "boston", "the store knows better"
    ada.stop()
    assert "boston:next" in ada.path()


def test_a_write_after_the_deadline_comes_too_late_though_the_timer_is_late_too(store: Store) -> None:
    drawn = version(BOSTON, THANKS, END)
    ada = enters(store, drawn)
    store.clock.instant += DAY
    assert writes(store, ada, city="Boston") == SetOff()
    assert ada.stop().end == "finished"
    assert ada.path() == ("read:next", "boston:timeout")
    check(store, drawn)


def test_a_rule_that_was_true_only_under_way_does_not_count(store: Store) -> None:
    drawn = version(SEND | {"next": "boston"}, BOSTON, THANKS, END)
    ada = enters(store, drawn)
    proposal = ada.proposal()
    opened = ada.open(proposal)
    assert isinstance(opened, Opened)
    assert writes(store, city="Boston") == SetOff()
    assert writes(store, city="Rome") == SetOff()
    record = ada.mark(proposal, *(sent(claim) for claim in opened.claims))
    assert record is not None
    assert (record.place, record.node) == ("boston", "")
    check(store, drawn)


# ---- segments --------------------------------------------------------------------------------------------------------------------


def test_who_enters_or_leaves_the_segment_while_waiting_goes_on(store: Store) -> None:
    drawn = version(ENTER | {"next": "leave"}, LEAVE, THANKS, END)
    ada = enters(store, drawn)
    writes(store, ada, vip=True)
    assert ada.stop().place == "leave"
    assert writes(store, ada, vip=True, city="Rome") == SetOff()
    writes(store, ada, vip=False)
    ada.stop()
    assert ada.path()[1:3] == ("enter:next", "leave:next")
    assert written_events(store) == [{"entered": ["vips"], "left": []}, {"entered": [], "left": ["vips"]}]
    check(store, drawn)


def test_a_member_from_before_does_not_go_on_since_only_a_transition_counts(store: Store) -> None:
    drawn = version(ENTER, THANKS, END)
    ada = enters(store, drawn, profile("ada", vip=True))
    assert ada.waits()
    assert writes(store, ada, city="Rome") == SetOff()
    writes(store, ada, vip=False)
    assert ada.waits()
    writes(store, ada, vip=True)
    assert not ada.waits()


def test_a_segment_is_read_as_it_is_now(store: Store) -> None:
    drawn = version(ENTER, THANKS, END)
    ada = enters(store, drawn)
    store.write(lambda work: segments.put(work, SegmentDocument(id="vips", rule="shoe_size > 40")))
    assert writes(store, ada, vip=True) == SetOff()
    assert writes(store, ada, shoe_size=43).decided != ()


def test_a_transition_while_a_message_is_on_its_way_is_kept_for_the_gate_where_they_arrive(store: Store) -> None:
    drawn = version(SEND, ENTER, THANKS, END)
    ada = enters(store, drawn)
    proposal = ada.proposal()
    opened = ada.open(proposal)
    assert isinstance(opened, Opened)
    assert writes(store, vip=True) == SetOff()
    record = ada.mark(proposal, *(sent(claim) for claim in opened.claims))
    assert record is not None
    assert record.node == "enter"
    check(store, drawn)


def test_one_that_is_kept_and_decides_nothing_is_a_discard(store: Store) -> None:
    drawn = version(SEND | {"next": "pause"}, PAUSE | {"next": "enter"}, ENTER, THANKS, END)
    ada = enters(store, drawn)
    proposal = ada.proposal()
    opened = ada.open(proposal)
    assert isinstance(opened, Opened)
    writes(store, vip=True)
    ada.mark(proposal, *(sent(claim) for claim in opened.claims))
    assert [row.code for row in store.rows(schema.discards)] == ["nobody_listening"]
    check(store, drawn)


def test_whose_profile_is_deleted_leaves_every_segment(store: Store) -> None:
    drawn = version(LEAVE, THANKS, END)
    ada = enters(store, drawn, profile("ada", vip=True))
    done = store.write(lambda work: changes.delete(work, "ada"))
    assert [one.node for one in done.decided] == ["leave"]
    assert ada.row().won_node == "leave"


def test_many_profiles_at_once_set_off_what_each_of_them_would(store: Store) -> None:
    drawn = version(ENTER, THANKS, END)
    store.write(lambda work: segments.put(work, VIPS))
    publish(store, drawn, {"thanks": message("thanks", "email")})
    people = [profile(f"p-{number}", vip=False) for number in range(5)]
    let_in(store, drawn, people[:3])
    done = store.write(lambda work: changes.put_all(work, [document(profile(one.id, vip=True)) for one in people]))
    assert done.errors == [None] * 5
    assert [one.entrant for one in done.set_off.decided] == [f"small~p-{number}~1" for number in range(3)]


# ---- written by a journey --------------------------------------------------------------------------------------------------------


WRITE = {"id": "write", "kind": "update_profile", "set": {"vip": True}, "next": "pause"}


def written(drawn: Version) -> Version:
    return Version(journey=drawn.journey, events=drawn.events, writes={"vip": "boolean"})


def test_what_a_node_writes_moves_the_person_in_their_other_journeys(store: Store) -> None:
    waiting = version(ENTER, THANKS, END)
    ada = enters(store, waiting)
    writing = written(version(WRITE, PAUSE, END, id="other"))
    publish(store, writing)
    (other,) = let_in(store, writing, [profile("ada", vip=False)])
    work = store.kept_work(lambda work: steps.open_step(work, other.proposal(), other.policy))
    assert [(one.entrant, one.node) for one in work.aside if isinstance(one, Decided)] == [(ada.entrant, "enter")]
    assert ada.row().won_node == "enter"
    check(store, waiting)


def test_what_a_node_writes_ends_its_own_person_in_that_very_commit(store: Store) -> None:
    drawn = written(version(WRITE, PAUSE, END, exit_criteria=[{"segment": "vips"}]))
    ada = enters(store, drawn)
    assert ada.stop().end == "exit_criteria"
    assert ada.path() == ("read:next", "write:next")
    check(store, drawn)


def test_what_a_node_writes_is_kept_for_the_gate_behind_it(store: Store) -> None:
    drawn = written(version(WRITE | {"next": "enter"}, ENTER, THANKS, END))
    ada = enters(store, drawn)
    assert ada.stop().node == "enter"
    check(store, drawn)


# ---- exit criteria ---------------------------------------------------------------------------------------------------------------


BUYERS = ({"event": "purchase", "where": 'product == "Lamp"'}, {"segment": "vips"})


@pytest.mark.behaviour(12)
def test_a_purchase_on_day_1_of_a_wait_of_30_days_ends_them_and_is_no_discard(store: Store) -> None:
    drawn = version(PAUSE, END, exit_criteria=BUYERS)
    ada = enters(store, drawn)
    store.clock.instant += DAY
    assert store.accept(purchase("rug", product="Rug"), "ada").code == "nobody_listening"
    verdict = store.accept(purchase(), "ada")
    assert [(one.entrant, one.ends) for one in verdict.decided] == [(ada.entrant, "exit_criteria")]
    assert store.effect_of("shop", "p-1") == "decided"
    record = leaves(ada)
    assert (record.end, record.said) == ("exit_criteria", "ended: exit_criteria (event purchase)")
    assert (ada.row().end_reason, ada.row().ending_detail) == ("exit_criteria", "event purchase (shop/p-1)")
    check(store, drawn)


def test_one_whose_workflow_starts_only_after_the_event_is_told_to_go_on_at_once_by_what_it_asks_first(store: Store) -> None:
    """The signal found no workflow, and is lost; 30 days would be long to wait for the sweep's."""
    drawn = version(PAUSE, END, exit_criteria=BUYERS)
    ada = enters(store, drawn)
    store.accept(purchase(), "ada")
    assert ada.ask().seconds == 0
    assert ada.stop().end == "exit_criteria"


def test_so_does_entering_a_segment(store: Store) -> None:
    drawn = version(PAUSE, END, exit_criteria=BUYERS)
    ada = enters(store, drawn)
    assert [one.ends for one in writes(store, ada, vip=True).decided] == ["exit_criteria"]
    assert leaves(ada).end == "exit_criteria"
    assert ada.row().ending_detail.startswith("enters vips (sojourn/profile.")
    check(store, drawn)


def test_met_while_a_message_is_on_its_way_they_end_when_it_is_sent_and_hear_nothing_more(store: Store) -> None:
    drawn = version(SEND, ENTER, THANKS, END, exit_criteria=[{"event": "purchase"}])
    ada = enters(store, drawn)
    proposal = ada.proposal()
    opened = ada.open(proposal)
    assert isinstance(opened, Opened)
    store.accept(purchase(), "ada")
    assert store.accept(purchase("again"), "ada").code == "nobody_listening"
    assert writes(store, vip=True) == SetOff()
    record = ada.mark(proposal, *(sent(claim) for claim in opened.claims))
    assert record is not None
    assert record.end == "exit_criteria"
    assert ada.path() == ("read:next", "send:next")
    assert ada.deliveries() == {"1.email": "sent"}
    check(store, drawn)


def test_an_exit_criterion_stands_before_a_node_that_waits_for_the_same(store: Store) -> None:
    buy = {"id": "buy", "kind": "event", "event": "purchase", "next": "thanks"}
    drawn = version(buy, THANKS, END, exit_criteria=[{"event": "purchase"}])
    ada = enters(store, drawn)
    store.accept(purchase(), "ada")
    assert leaves(ada).end == "exit_criteria"
    assert ada.path() == ("read:next",)
    check(store, drawn)


def test_the_first_reason_to_end_stays(store: Store) -> None:
    drawn = version(PAUSE, END, exit_criteria=[{"segment": "vips"}, {"event": "purchase"}])
    ada = enters(store, drawn)
    writes(store, vip=True)
    store.accept(purchase(), "ada")
    leaves(ada)
    assert ada.row().ending_detail.startswith("enters vips")


def test_one_whose_91_days_are_over_ends_by_that_though_the_timer_is_late(store: Store) -> None:
    drawn = version(ENTER | {"timeout": None}, THANKS, END, exit_criteria=[{"event": "purchase"}])
    ada = enters(store, drawn)
    store.clock.instant += 91 * DAY + HOUR
    assert store.accept(purchase(), "ada").code == "nobody_listening"
    assert leaves(ada).end == "global_timeout"


def leaves(driver: Driver) -> Record:
    """Its workflow is told to leave, and asks."""
    return driver.stop(proposal=Proposal(entrant=driver.entrant, n=driver.record.n + 1))


@pytest.mark.parametrize("drawn", [version(PAUSE, END), version(PAUSE, END, exit_criteria=[{"event": "purchase"}])])
def test_a_write_where_nobody_waits_for_one_sets_off_nothing(store: Store, drawn: Version) -> None:
    enters(store, drawn)
    assert writes(store, vip=True) == SetOff()
    assert written_events(store) == []


# ---- a journey that begins with a segment ----------------------------------------------------------------------------------------


JOINED = {"id": "joined", "kind": "qualification", "segment": "vips", "next": "pause"}


def begins(*nodes: dict[str, Any], **changed: Any) -> Version:
    drawn = version(*nodes, **changed)
    return Version(journey=drawn.journey.model_copy(update={"nodes": drawn.journey.nodes[1:]}), events=drawn.events)


def open_to(store: Store, drawn: Version, *people: Profile) -> None:
    store.write(lambda work: segments.put(work, VIPS))
    publish(store, drawn)
    store.write(lambda work: profiles.put_all(work, [document(person) for person in people]))


def test_who_enters_the_segment_by_a_write_is_let_in_and_members_from_before_are_not(store: Store) -> None:
    drawn = begins(JOINED, PAUSE, END)
    open_to(store, drawn, profile("ada", vip=False), profile("bob", vip=True))
    assert store.write(lambda work: changes.patch(work, "bob", attributes={"city": "Rome"})).set_off == SetOff()
    done = writes(store, vip=True)
    assert [start.entrant.entrant for start in done.entered] == ["small~ada~1"]
    row = store.row(schema.entrants)
    assert (row.place, row.entry_source, row.entry_event) == ("pause", "sojourn", store.row(schema.events).id)
    assert store.effects() == {("sojourn", row.entry_event): "decided"}
    check(store, drawn)


def test_so_is_a_new_profile_that_is_a_member_at_once_and_of_many_each(store: Store) -> None:
    drawn = begins(JOINED, PAUSE, END)
    open_to(store, drawn, profile("ada", vip=True))
    people = [document(profile(name, vip=name != "cyd")) for name in ("ada", "bob", "cyd", "dan")]
    done = store.write(lambda work: changes.put_all(work, people))
    assert [start.entrant.entrant for start in done.set_off.entered] == ["small~bob~1", "small~dan~1"]


def test_who_leaves_it_enters_a_journey_that_begins_so(store: Store) -> None:
    drawn = begins(JOINED | {"direction": "leave"}, PAUSE, END)
    open_to(store, drawn, profile("ada", vip=True))
    assert [start.entrant.entrant for start in writes(store, vip=False).entered] == ["small~ada~1"]


@pytest.mark.parametrize(
    ("person", "code"),
    [(profile("ada", vip=False, test=True), "test_profile"), (profile("ada", vip=False), "already_inside")],
)
def test_who_may_not_enter_is_a_discard(store: Store, person: Profile, code: str) -> None:
    drawn = begins(JOINED, PAUSE, END)
    open_to(store, drawn, person)
    writes(store, vip=True)
    writes(store, vip=False)
    assert writes(store, vip=True).entered == ()
    assert {row.code for row in store.rows(schema.discards)} == {code}
    assert all(row.source == "sojourn" and row.event for row in store.rows(schema.discards))

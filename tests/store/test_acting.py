"""Writing a profile and calling a webhook in the store: once, in one commit; an answer that is kept; an account for each host."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from journey import ids
from journey.calls import Response, ToCall
from journey.contract import Record
from journey.profiles import Profile
from journey.version import Version
from store import profiles, removal, resending, responses, schema, steps
from store.claims import MOST_TRIES, Busy, Carrier, Policy
from store.closing import Mark
from store.send_rates import SendRates
from store.steps import Opened
from tests.builders import SECOND, message, profile, purchase, rule, version
from tests.store.driver import LEASE, Driver, Store, check, let_in, publish

POLICY = Policy({name: Carrier(LEASE, idempotent=True) for name in ("email", "push", "webhook")}, consent_explicit=False)
END = {"id": "end", "kind": "end"}
VIP = {"id": "vip", "kind": "message", "message": "vip", "next": "end"}
OTHER = {"id": "other", "kind": "message", "message": "other", "next": "end"}
WHICH = {
    "id": "which",
    "kind": "condition",
    "branches": [{"id": "yes", "when": rule("vip", "=", True), "next": "vip"}],
    "otherwise": "other",
}
NOTE = {"id": "note", "kind": "update_profile", "set": {"vip": True}, "next": "which"}
ASK = {"id": "get-score", "kind": "webhook", "url": "https://crm.example/{{ profile.id }}", "next": "which"}
SCORED = WHICH | {"branches": [{"id": "yes", "when": rule("calls.get_score.body.score", ">", 5), "next": "vip"}]}


def of(*nodes: dict[str, Any]) -> Version:
    made = version(*nodes)
    return Version(journey=made.journey, events=made.events, writes={"vip": "boolean", "count": "integer", "total": "number"})


def ada(store: Store, *nodes: dict[str, Any], who: Profile | None = None, policy: Policy = POLICY) -> Driver:
    made = of(*nodes)
    publish(store, made, {name: message(name, "email") for name in ("vip", "other")})
    (driver,) = let_in(store, made, [who or profile("ada")], policy=policy)
    return driver


def attributes(store: Store) -> dict[str, Any]:
    return profiles.get(store.connection, "ada").attributes


def opened(driver: Driver) -> Opened:
    found = driver.open(driver.proposal())
    assert isinstance(found, Opened)
    return found


def answered(driver: Driver, status: str = "sent", reason: str = "", response: Response | None = None) -> Record | None:
    """The webhook of the open step has answered."""
    record = driver.mark(driver.proposal(), Mark("webhook", status, reason, response=response))
    driver.record = record or driver.record
    return record


def goes_on(driver: Driver) -> None:
    """Stop after stop to the next wait, or the end."""
    while not driver.record.end and not driver.waits():
        driver.stop()


# ---- writing ---------------------------------------------------------------------------------------------------------------------


def test_an_update_is_one_commit_and_the_next_node_sees_it(store: Store) -> None:
    driver = ada(store, NOTE, WHICH, VIP, OTHER, END)
    record = driver.stop()
    assert (record.place, record.said) == ("which", "note: vip written; goes on")
    assert attributes(store)["vip"] is True
    goes_on(driver)
    assert driver.path()[1:] == ("note:next", "which:yes", "vip:next")
    check(store, of(NOTE, WHICH, VIP, OTHER, END))


def test_a_repeat_of_the_step_writes_nothing(store: Store) -> None:
    driver = ada(store, NOTE | {"set": {"count": "{{ profile.count | plus: 1 }}"}}, WHICH, VIP, OTHER, END, who=profile("ada", count=1))
    proposal = driver.proposal()
    first = store.write(lambda work: steps.open_step(work, proposal, POLICY))
    written = store.written()
    again = store.write(lambda work: steps.open_step(work, proposal, POLICY))
    assert first == again
    assert store.written() == written
    assert attributes(store)["count"] == 2


def test_what_does_not_fit_writes_nothing_leaves_by_error_and_is_on_record_without_its_value(store: Store) -> None:
    driver = ada(store, NOTE | {"set": {"vip": True, "total": "{{ profile.first_name }}"}, "error": "other"}, WHICH, VIP, OTHER, END)
    record = driver.stop()
    assert record.said == "note: nothing written, total (value_does_not_fit); goes on"
    assert "vip" not in attributes(store)
    assert store.rows(schema.facts, node="note", kind="failed.value_does_not_fit")
    goes_on(driver)
    assert driver.path()[1:] == ("note:error", "other:next")


def test_without_an_error_exit_it_is_the_end_for_that_reason(store: Store) -> None:
    driver = ada(store, NOTE | {"set": {"total": {"field": "event.total"}}}, WHICH, VIP, OTHER, END)
    goes_on(driver)
    assert (driver.path()[1:], driver.record.end) == (("note:error",), "error")


def test_of_somebody_who_was_deleted_nothing_is_written(store: Store) -> None:
    driver = ada(store, NOTE, WHICH, VIP, OTHER, END)
    store.write(lambda work: profiles.delete(work, "ada"))
    record = driver.stop()
    assert (record.end, record.said) == ("error", "note: nothing written, the profile (no_profile); ended: error")


def test_null_takes_an_attribute_out_and_what_is_so_already_is_not_written(store: Store) -> None:
    driver = ada(store, NOTE | {"set": {"vip": None}}, NOTE | {"id": "again", "set": {"vip": None}, "next": "end"}, WHICH, VIP, OTHER, END,
                 who=profile("ada", vip=True))  # fmt: skip
    driver.stop()
    assert "vip" not in attributes(store)


# ---- calling ----------------------------------------------------------------------------------------------------------------------


def test_a_call_is_a_delivery_whatever_the_person_consents_to(store: Store) -> None:
    strict = replace(POLICY, consent_explicit=True)
    driver = ada(store, ASK, SCORED, VIP, OTHER, END, who=profile("ada", consents={"webhook": False, "email": True}), policy=strict)
    step = opened(driver)
    assert isinstance(step.document, ToCall)
    assert [claim.delivery for claim in step.claims] == [ids.delivery(driver.entrant, 1, "webhook")]
    record = answered(driver, response=Response(200, {"score": 7}))
    assert record is not None
    assert record.said == "get-score: sent on webhook; goes on"
    assert "7" not in record.said
    goes_on(driver)
    assert driver.path()[1:] == ("get-score:next", "which:yes", "vip:next")
    check(store, of(ASK, SCORED, VIP, OTHER, END))


def test_the_last_answer_is_kept_and_is_there_for_messages_and_calls(store: Store) -> None:
    driver = ada(store, ASK | {"error": "which"}, SCORED, VIP, OTHER, END)
    opened(driver)
    assert answered(driver, "claimed", response=Response(503)) is None
    store.clock.instant += 2 * SECOND
    opened(driver)
    assert answered(driver, "failed", "call_refused", Response(404, None, "not_json")) is not None
    assert responses.of(store.connection, driver.entrant) == {"get-score": Response(404, None, "not_json")}
    assert driver.deliveries() == {"1.webhook": "failed:call_refused"}
    driver.walk_to("other")
    assert opened(driver).calls["get_score"] == {"status": 404, "body": None}


def test_all_tries_used_up_lead_to_the_error_exit_with_the_last_status(store: Store) -> None:
    driver = ada(store, ASK | {"error": "other"}, SCORED, VIP, OTHER, END)
    for _ in range(MOST_TRIES):
        opened(driver)
        answered(driver, "claimed", response=Response(503))
        store.clock.instant += 301 * SECOND
    assert driver.deliveries() == {"1.webhook": "failed:retries_exhausted"}
    assert responses.of(store.connection, driver.entrant)["get-score"].status == 503
    goes_on(driver)
    assert driver.path()[1:] == ("get-score:error", "other:next")


def test_an_attempt_that_died_is_followed_by_the_same_call_with_the_same_id(store: Store) -> None:
    driver = ada(store, ASK, SCORED, VIP, OTHER, END)
    first = opened(driver).claims[0]
    assert isinstance(driver.open(driver.proposal()), Busy)
    store.clock.instant += LEASE + SECOND
    second = opened(driver).claims[0]
    assert second.delivery == first.delivery
    assert second.token != first.token


def test_each_host_has_turns_of_its_own(store: Store) -> None:
    one = ASK | {"id": "one", "url": "https://one.example/", "next": "two"}
    two = ASK | {"id": "two", "url": "https://two.example/", "next": "end"}
    slow = replace(POLICY, rates=SendRates({"webhook": 0.001, "webhook:two.example": 1000}))
    made = of(one, two, END)
    publish(store, made)
    first, second = let_in(store, made, [profile("ada"), profile("bob")], policy=slow)
    opened(first)
    assert isinstance(second.open(second.proposal()), Busy), "one call in a thousand seconds to each host"
    answered(first)
    opened(first)


def test_without_anybody_to_carry_calls_it_is_excluded_and_goes_on(store: Store) -> None:
    driver = ada(store, ASK, SCORED, VIP, OTHER, END, policy=Policy({"email": Carrier(LEASE, idempotent=True)}))
    driver.stop()
    assert driver.deliveries() == {"1.webhook": "excluded:no_provider"}


def test_one_that_was_cut_off_by_an_end_can_be_called_once_more_by_hand(store: Store) -> None:
    driver = ada(store, ASK, SCORED, VIP, OTHER, END)
    opened(driver)
    store.clock.instant += LEASE + SECOND
    store.write(lambda work: removal.tell(work, driver.entrant, "removed"))
    driver.stop()
    name = ids.delivery(driver.entrant, 1, "webhook")
    assert driver.deliveries() == {"1.webhook": "uncertain:worker_lost"}
    start, _ = resending.wanted(store.connection, name)
    again = store.write(lambda work: resending.open_again(work, start, POLICY))
    assert isinstance(again, Opened)
    assert isinstance(again.document, ToCall)
    mark = Mark("webhook", "sent", token=again.claims[0].token, response=Response(200, {"score": 1}))
    assert store.write(lambda work: resending.mark_again(work, start, mark)) == "sent (resent)"
    assert responses.of(store.connection, driver.entrant)["get-score"].body == {"score": 1}


@pytest.mark.parametrize("score", [3, 9])
def test_an_event_that_led_here_and_an_answer_are_both_there_to_be_written(store: Store, score: int) -> None:
    buy = {"id": "buy", "kind": "event", "event": "purchase", "next": "get-score"}
    both = {"total": {"field": "event.total"}, "count": "{{ calls['get-score'].body.score }}"}
    driver = ada(store, buy, ASK | {"next": "note"}, NOTE | {"set": both, "next": "end"}, END)
    driver.note(store.accept(purchase("p", total=2.5), "ada"))
    opened(driver)
    answered(driver, response=Response(200, {"score": score}))
    goes_on(driver)
    assert (attributes(store)["total"], attributes(store)["count"]) == (2.5, score)

"""Whoever says no is not written to from that commit on, on no channel, however far the message had come: consent is asked for when it is
handed over, not when it was planned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from journey.messages import MessageDocument
from store import profiles, suppressions
from store.claims import UNANSWERED, Carrier, Policy
from store.closing import Mark
from store.steps import Opened
from tests.builders import MINUTE, SECOND, message, profile, version
from tests.store.driver import LEASE, Driver, Store, check, document, let_in, publish

ADA = profile("ada")
SENDS = version({"id": "mail", "kind": "message", "message": "mail", "next": "end"}, {"id": "end", "kind": "end"})
CARRIED = Policy({channel: Carrier(LEASE, idempotent=True) for channel in ("email", "push")})
SaysNo = Callable[[Store, str], None]


def withdraws(store: Store, channel: str) -> None:
    store.write(lambda work: profiles.patch(work, "ada", consents={channel: False}))


def is_suppressed(store: Store, channel: str) -> None:
    store.write(lambda work: suppressions.put(work, channel, ADA.email, "complained"))


def loses_the_address(store: Store, channel: str) -> None:
    gone = replace(ADA, attributes={}) if channel == "email" else replace(ADA, push_tokens=())
    store.write(lambda work: profiles.put(work, document(gone)))


NO = [
    pytest.param("email", withdraws, "no_consent", id="email-consent"),
    pytest.param("push", withdraws, "no_consent", id="push-consent"),
    pytest.param("email", is_suppressed, "suppressed", id="email-suppressed"),
    pytest.param("email", loses_the_address, "no_address", id="email-address"),
    pytest.param("push", loses_the_address, "no_token", id="push-token"),
]


def arrives(store: Store, channel: str, **changed: object) -> Driver:
    sent: MessageDocument = message("mail", channel, **changed)
    publish(store, SENDS, {"mail": sent})
    (ada,) = let_in(store, SENDS, [ADA], policy=CARRIED)
    return ada


@pytest.mark.complaint(13)
@pytest.mark.parametrize(("channel", "says_no", "reason"), NO)
def test_who_says_no_before_the_stop_is_left_out(store: Store, channel: str, says_no: SaysNo, reason: str) -> None:
    ada = arrives(store, channel)
    says_no(store, channel)
    assert ada.stop().end == "finished"
    assert ada.deliveries() == {f"1.{channel}": f"excluded:{reason}"}
    check(store, SENDS)


@pytest.mark.complaint(13)
@pytest.mark.parametrize(("channel", "says_no", "reason"), NO)
def test_who_says_no_while_the_provider_has_asked_for_a_pause_is_left_out(store: Store, channel: str, says_no: SaysNo, reason: str) -> None:
    ada = arrives(store, channel)
    proposal = ada.proposal()
    opened = ada.open(proposal)
    assert isinstance(opened, Opened)
    ada.mark(proposal, Mark(channel, "claimed", retry_after=60, token=opened.claims[0].token))
    says_no(store, channel)
    store.clock.instant += MINUTE
    assert ada.stop().end == "finished"
    assert ada.deliveries() == {f"1.{channel}": f"excluded:{reason}"}
    check(store, SENDS)


@pytest.mark.complaint(13)
@pytest.mark.parametrize("changed", [{}, {"promise": "never_lost"}])
@pytest.mark.parametrize(("channel", "says_no", "reason"), NO)
def test_who_says_no_after_a_sender_has_died_gets_no_repeat(
    store: Store, channel: str, says_no: SaysNo, reason: str, changed: dict[str, object]
) -> None:
    """It may have gone with the sender who died: then it is uncertain, and not sent once more."""
    ada = arrives(store, channel, **changed)
    assert isinstance(ada.open(ada.proposal()), Opened)
    says_no(store, channel)
    store.clock.instant += LEASE
    assert ada.stop().end == "finished"
    assert ada.deliveries() == {f"1.{channel}": "uncertain:worker_lost"}, reason
    check(store, SENDS)


@pytest.mark.complaint(13)
@pytest.mark.parametrize(("channel", "says_no", "reason"), NO)
def test_who_says_no_after_a_call_that_nobody_answered_gets_no_repeat(store: Store, channel: str, says_no: SaysNo, reason: str) -> None:
    ada = arrives(store, channel)
    proposal = ada.proposal()
    opened = ada.open(proposal)
    assert isinstance(opened, Opened)
    ada.mark(proposal, Mark(channel, "claimed", UNANSWERED, retry_after=5, token=opened.claims[0].token))
    says_no(store, channel)
    store.clock.instant += 5 * SECOND
    assert ada.stop().end == "finished"
    assert ada.deliveries() == {f"1.{channel}": "uncertain:no_answer"}, reason
    check(store, SENDS)

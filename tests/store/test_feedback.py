"""What a provider says of a message later: a fact and a reaction of its delivery, and an address that is not written to any more."""

from __future__ import annotations

from typing import get_args

import pytest

from journey import ids
from journey.feedback import Kind
from journey.messages import MessageDocument
from journey.profiles import Profile, ProfileDocument
from journey.version import Version
from store import feedback, profiles, reports, schema, suppressions
from store.closing import Mark
from store.feedback import Feedback, Taken
from store.steps import Opened
from store.taking import Claim
from tests.builders import SECOND, version
from tests.store.driver import LEASE, Driver, Store, check, let_in, publish

ADA = Profile("ada", {"email": "Ada@Shop.example"}, push_tokens=("t",))
NEWS = MessageDocument.model_validate({"id": "news", "email": {"subject": "News", "html": "x"}, "push": {"title": "News", "body": "x"}})
RECEIPT = MessageDocument.model_validate({"id": "news", "class": "transactional", "email": {"subject": "News", "html": "x"}})


def waiting_for(to: str) -> Version:
    """One message, then whoever does this within a day goes to `yes`, the others to `no`; then another message."""
    return version(
        {"id": "first", "kind": "message", "message": "news", "next": "reacts"},
        {"id": "reacts", "kind": "reaction", "of": "first", "to": to, "next": "second", "timeout": {"after": "P1D", "next": "no"}},
        {"id": "second", "kind": "message", "message": "news", "next": "yes"},
        {"id": "yes", "kind": "end"},
        {"id": "no", "kind": "end"},
    )


def entered(store: Store, to: str = "email.bounced", message: MessageDocument = NEWS) -> Driver:
    publish(store, waiting_for(to), {"news": message})
    (ada,) = let_in(store, waiting_for(to), [ADA])
    return ada


def mailed(store: Store, to: str = "email.bounced") -> Driver:
    """Somebody to whom the first message has been sent on both channels, and who waits."""
    ada = entered(store, to)
    ada.stop()
    return ada


def take(store: Store, kind: Kind, *, most: int = 5, **about: str) -> Taken:
    return say(store, Feedback(kind, **about), most)


def say(store: Store, said: Feedback, most: int = 5) -> Taken:
    return store.write(lambda work: feedback.take(work, said, most))


def mail_of(ada: Driver, n: int = 1) -> str:
    return ids.delivery(ada.entrant, n, "email")


def barred(store: Store) -> dict[str, str]:
    return {one.address: one.reason for one in suppressions.page(store.connection, ("", ""), 100)}


def facts(store: Store) -> list[str]:
    kinds = ("opened", "clicked", "delivered", "bounced", "bounced_hard", "complained", "unsubscribed")
    return sorted(row.kind for row in store.rows(schema.facts) if row.kind in kinds)


def codes(store: Store) -> list[str]:
    return [row.code for row in store.rows(schema.discards)]


@pytest.mark.parametrize(
    ("said", "to", "found", "reason"),
    [
        ("hard_bounce", "email.bounced", ["bounced", "bounced_hard"], "hard_bounce"),
        ("soft_bounce", "email.bounced", ["bounced"], ""),
        ("complaint", "email.complained", ["complained"], "complaint"),
        ("delivered", "email.delivered", ["delivered"], ""),
        ("unsubscribe", "email.unsubscribed", ["unsubscribed"], ""),
    ],
)
def test_it_is_a_fact_and_decides_the_gate_of_whoever_waits_for_it(
    store: Store, said: Kind, to: str, found: list[str], reason: str
) -> None:
    ada = mailed(store, to)
    taken = take(store, said, delivery=mail_of(ada))
    assert (taken.delivery, taken.duplicate, taken.code, taken.suppressed) == (mail_of(ada), False, "", bool(reason))
    assert [one.node for one in taken.verdict.decided] == ["reacts"]
    assert facts(store) == found
    assert barred(store) == ({"ada@shop.example": reason} if reason else {})
    ada.note(taken.verdict)
    ada.stop()
    ada.stop()
    assert ada.path()[-2:] == ("reacts:next", "second:next")
    check(store, waiting_for(to))


@pytest.mark.parametrize(
    ("said", "second"),
    [("hard_bounce", "excluded:suppressed"), ("complaint", "excluded:suppressed"), ("unsubscribe", "excluded:no_consent"),
     ("soft_bounce", "sent"), ("delivered", "sent")],
)  # fmt: skip
def test_the_next_message_is_not_sent_to_whoever_has_no_use_for_it(store: Store, said: Kind, second: str) -> None:
    to = {"hard_bounce": "bounced", "soft_bounce": "bounced", "complaint": "complained", "unsubscribe": "unsubscribed"}.get(said, said)
    ada = mailed(store, f"email.{to}")
    ada.note(take(store, said, delivery=mail_of(ada)).verdict)
    ada.stop()
    assert ada.record.end == "finished"
    assert ada.deliveries() == {
        "1.email": "sent", "1.push": "sent", "2.push": "sent", "2.email": second,
    }  # fmt: skip


def test_a_delivery_is_found_by_its_id_its_message_id_and_the_id_of_its_provider(store: Store) -> None:
    ada = mailed(store)
    header = ids.message_id(mail_of(ada), "shop.example")
    named = [{"delivery": mail_of(ada)}, {"message_id": header}, {"message_id": header.strip("<>").upper()},
             {"provider_id": f"id-of-{mail_of(ada)}"}, {"delivery": "gone~1~1.1.email", "message_id": header}]  # fmt: skip
    for about in named:
        assert say(store, Feedback("delivered", **about)).delivery == mail_of(ada)
    assert facts(store) == ["delivered"]


def test_the_same_again_has_no_second_effect(store: Store) -> None:
    ada = mailed(store)
    for said in get_args(Kind):
        assert not take(store, said, delivery=mail_of(ada)).duplicate
        written = (facts(store), len(store.rows(schema.events)), barred(store), codes(store))
        again = take(store, said, delivery=mail_of(ada))
        assert (again.duplicate, again.suppressed) == (True, False)
        assert (facts(store), len(store.rows(schema.events)), barred(store), codes(store)) == written
    check(store, waiting_for("email.bounced"))


def test_a_soft_bounce_that_becomes_a_hard_one_is_one_bounce(store: Store) -> None:
    ada = mailed(store)
    take(store, "soft_bounce", delivery=mail_of(ada))
    hard = take(store, "hard_bounce", delivery=mail_of(ada))
    assert (hard.duplicate, hard.suppressed) == (False, True)
    channel = reports.report(store.connection, "small@1", waiting_for("email.bounced").journey).nodes[1].channels["email"]
    assert (channel.bounced, channel.bounced_hard) == (1, 1)


def test_what_nobody_waits_for_is_a_fact_and_late(store: Store) -> None:
    ada = mailed(store, "email.opened")
    taken = take(store, "hard_bounce", delivery=mail_of(ada))
    assert (taken.code, taken.suppressed, codes(store)) == ("late", True, ["late"])
    assert facts(store) == ["bounced", "bounced_hard"]


# ---- addresses -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["hard_bounce", "complaint", "unsubscribe"])
def test_of_an_address_alone_it_suppresses_it_at_once(store: Store, said: Kind) -> None:
    assert take(store, said, address="Grace <Grace@Shop.example>").suppressed
    assert barred(store) == {"grace@shop.example": said}
    again = take(store, said, address="grace@shop.example")
    assert (again.duplicate, again.suppressed, codes(store)) == (True, False, [])


def test_five_soft_bounces_in_a_row_suppress_an_address_and_what_shows_that_it_works_begins_the_count_anew(store: Store) -> None:
    def bounces(first: int, last: int) -> list[bool]:
        return [take(store, "soft_bounce", address="ada@shop.example", id=f"b{n}").suppressed for n in range(first, last)]

    assert bounces(0, 4) == [False] * 4
    assert take(store, "soft_bounce", address="ada@shop.example", id="b3").duplicate
    take(store, "delivered", address="ada@shop.example")
    assert bounces(4, 9) == [False, False, False, False, True]
    assert barred(store) == {"ada@shop.example": "soft_bounces"}
    assert store.rows(schema.soft_bounces) == []


def test_an_open_of_an_earlier_mail_begins_the_count_anew(store: Store) -> None:
    ada = mailed(store, "email.opened")
    for n in range(2):
        take(store, "soft_bounce", most=3, address="ada@shop.example", id=f"b{n}")
    store.clock.instant += SECOND
    store.react(ada.entrant, 1, "email.opened")
    store.clock.instant += SECOND
    assert not take(store, "soft_bounce", most=3, delivery=mail_of(ada)).suppressed
    assert len(store.rows(schema.soft_bounces)) == 1


def test_how_many_soft_bounces_suppress_an_address_can_be_set(store: Store) -> None:
    ada = mailed(store)
    assert take(store, "soft_bounce", most=1, delivery=mail_of(ada)).suppressed
    assert barred(store) == {"ada@shop.example": "soft_bounces"}


def test_an_address_that_its_person_has_since_changed_is_not_mistaken_for_the_one_that_bounced(store: Store) -> None:
    ada = mailed(store)
    store.write(lambda work: profiles.patch(work, "ada", attributes={"email": "ada@new.example"}))
    taken = take(store, "hard_bounce", delivery=mail_of(ada))
    assert (taken.suppressed, barred(store), facts(store)) == (False, {}, ["bounced", "bounced_hard"])
    assert take(store, "hard_bounce", delivery=mail_of(ada), address="ada@shop.example").suppressed
    assert barred(store) == {"ada@shop.example": "hard_bounce"}


def test_of_a_profile_that_was_deleted_nothing_is_kept_of_where_its_mail_went(store: Store) -> None:
    ada = mailed(store)
    take(store, "soft_bounce", delivery=mail_of(ada))
    store.write(lambda work: profiles.delete(work, "ada"))
    assert store.rows(schema.soft_bounces) == []
    assert {row.sent_to + row.detail for row in store.rows(schema.deliveries)} == {""}
    assert not take(store, "hard_bounce", delivery=mail_of(ada)).suppressed


# ---- what has no effect ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "about", [{"delivery": "x~y~1.1.email"}, {"message_id": "<a@b>"}, {"provider_id": "x"}, {"delivery": "no delivery"}]
)
def test_what_no_delivery_is_found_for_is_a_discard(store: Store, about: dict[str, str]) -> None:
    mailed(store)
    taken = say(store, Feedback("hard_bounce", **about))
    assert (taken.code, taken.delivery, codes(store)) == ("unknown_delivery", "", ["unknown_delivery"])
    (row,) = store.rows(schema.discards)
    assert (row.source, row.event) == ("feedback", f"hard_bounce {next(iter(about.values()))}")
    say(store, Feedback("hard_bounce", **about))
    assert codes(store) == ["unknown_delivery"], "it is on record once"


def test_an_id_that_the_provider_gave_to_several_names_none_of_them(store: Store) -> None:
    ada = entered(store)
    ada.stop(Mark("email", "sent", provider_id="Ok"), Mark("push", "sent", provider_id="Ok"))
    assert take(store, "hard_bounce", provider_id="Ok").code == "unknown_delivery"


def test_the_address_of_a_mail_that_is_none_of_ours_is_suppressed_all_the_same(store: Store) -> None:
    taken = take(store, "hard_bounce", message_id="<somebody-elses@mail.example>", address="ada@shop.example")
    assert (taken.code, taken.suppressed, codes(store)) == ("", True, [])


def test_of_what_never_went_out_nothing_can_have_come_back(store: Store) -> None:
    ada = entered(store)
    store.write(lambda work: suppressions.put(work, "email", "ada@shop.example"))
    ada.stop()
    taken = take(store, "hard_bounce", delivery=mail_of(ada))
    assert (taken.code, facts(store), codes(store)) == ("not_sent", [], ["not_sent"])
    assert take(store, "hard_bounce", delivery=mail_of(ada), address="Ada@Shop.example").code == ""
    assert take(store, "unsubscribe", delivery=mail_of(ada)).code == ""
    assert profiles.get(store.connection, "ada").consents == {"email": False}


@pytest.mark.parametrize("said", ["delivered", "soft_bounce", "hard_bounce", "complaint"])
def test_a_push_does_not_bounce(store: Store, said: Kind) -> None:
    ada = mailed(store)
    taken = take(store, said, delivery=ids.delivery(ada.entrant, 1, "push"))
    assert (taken.code, facts(store), codes(store)) == ("no_such_reaction", [], ["no_such_reaction"])


def test_one_can_unsubscribe_from_pushes(store: Store) -> None:
    ada = mailed(store, "push.unsubscribed")
    taken = take(store, "unsubscribe", delivery=ids.delivery(ada.entrant, 1, "push"))
    assert [one.node for one in taken.verdict.decided] == ["reacts"]
    assert profiles.get(store.connection, "ada").consents == {"push": False}


# ---- what nobody knew the end of -------------------------------------------------------------------------------------------------


def claimed(ada: Driver) -> Claim:
    opened = ada.open(ada.proposal())
    assert isinstance(opened, Opened)
    return next(claim for claim in opened.claims if claim.channel == "email")


@pytest.mark.parametrize("said", ["soft_bounce", "hard_bounce", "complaint", "delivered"])
def test_what_comes_back_of_an_uncertain_delivery_proves_that_it_was_sent(store: Store, said: Kind) -> None:
    ada = entered(store)
    ada.stop(Mark("email", "uncertain", "no_answer"))
    assert ada.deliveries()["1.email"] == "uncertain:no_answer"
    take(store, said, delivery=mail_of(ada))
    assert ada.deliveries()["1.email"] == "sent"


def test_what_bounced_while_its_worker_was_lost_is_not_sent_again(store: Store) -> None:
    ada = entered(store, message=RECEIPT)  # never_lost
    claimed(ada)
    take(store, "hard_bounce", delivery=mail_of(ada))
    store.clock.instant += LEASE
    ada.stop()
    assert ada.deliveries() == {"1.email": "sent"}


def test_of_what_waits_for_its_next_try_nothing_has_come_back(store: Store) -> None:
    ada = entered(store, message=RECEIPT)
    ada.mark(ada.proposal(), Mark("email", "claimed", retry_after=60, token=claimed(ada).token))
    assert take(store, "hard_bounce", delivery=mail_of(ada)).code == "not_sent"


def test_feedback_about_a_test_writes_nothing_that_holds_for_live_people(store: Store) -> None:
    ada = mailed(store)
    store.connection.execute(schema.deliveries.update().values(mode="test"))
    said: Kind
    for said in ("hard_bounce", "complaint", "unsubscribe"):
        taken = take(store, said, delivery=mail_of(ada))
        assert not taken.suppressed
    assert barred(store) == {}
    assert profiles.get(store.connection, "ada").consents == {}
    assert facts(store) == ["bounced", "bounced_hard", "complained", "unsubscribed"]


def test_a_profile_that_is_put_again_can_be_written_to_at_its_new_address(store: Store) -> None:
    ada = mailed(store)
    take(store, "hard_bounce", delivery=mail_of(ada))
    store.write(lambda work: profiles.put(work, ProfileDocument(id="ada", attributes={"email": "ada@new.example"})))
    assert suppressions.of(store.connection, [("email", "ada@new.example"), ("email", "ada@shop.example")]) == {
        ("email", "ada@shop.example")
    }

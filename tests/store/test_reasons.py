"""Nobody is left out without a reason: those who did not get a message, added up by reason, and what each person's own record says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from journey import ids
from journey.profiles import Profile
from store import profiles, reports, schema, suppressions, timeline
from store.closing import Mark
from store.steps import Opened
from tests.builders import message, profile, version
from tests.store.driver import Driver, Store, check, document, let_in, publish, sent
from tests.store.holding import cap, hold_to

MAIL, END = {"id": "mail", "kind": "message", "message": "mail", "next": "end"}, {"id": "end", "kind": "end"}
SENDS = version(MAIL, END)
BEFORE = version(MAIL, END, id="before")
"""Another journey that has written to two of them today, which is all that the cap allows."""
PEOPLE = 21


@pytest.mark.behaviour(5)
def test_the_reasons_of_a_message_are_as_many_as_those_who_did_not_get_it_and_each_record_says_the_same(store: Store) -> None:
    hold_to(store, caps=[cap()])
    publish(store, SENDS, {"mail": message("mail", "email")})
    publish(store, BEFORE, {})
    people = [somebody(number) for number in range(PEOPLE)]
    for person in people:
        store.write(lambda work, person=person: profiles.put(work, document(person)))  # type: ignore[misc]
    for number in (2, 9):
        store.write(lambda work, number=number: suppressions.put(work, "email", people[number].email, "bounced"))  # type: ignore[misc]
    for driver in let_in(store, BEFORE, people[3:5]):
        driver.stop()
    drivers = let_in(store, SENDS, people)
    for number, driver in enumerate(drivers):
        answer(driver, refused=number == 10)

    mail = next(node for node in reports.report(store.connection, "small@1", SENDS.journey).nodes if node.node == "mail")
    found = mail.channels["email"]
    assert mail.arrived == PEOPLE
    left_out = sum(found.excluded.values()) + found.failed
    assert found.sent + left_out == PEOPLE
    assert set(found.excluded) == {"no_consent", "no_address", "suppressed", "capped"}
    rows = store.rows(schema.deliveries, version="small@1")
    assert Counter(row.reason for row in rows if row.status == "excluded") == found.excluded
    assert {row.reason for row in rows if row.status == "failed"} == {"address_refused"}
    told = {person.id: of_record(store, person.id) for person in people}
    assert told == {row.profile: (row.status, f"mail by email: {row.status}{f' ({row.reason})' if row.reason else ''}.") for row in rows}
    check(store, SENDS)


def somebody(number: int) -> Profile:
    """Of every seven one has said no, of every five one has no address."""
    of = profile(f"p{number:02}", consents={"email": number % 7 != 0})
    return replace(of, attributes=of.attributes | {"email": ""}) if number % 5 == 1 else of


def answer(driver: Driver, *, refused: bool) -> None:
    proposal = driver.proposal()
    opened = driver.open(proposal)
    if isinstance(opened, Opened):
        marks = [Mark("email", "failed", "address_refused") if refused else sent(claim) for claim in opened.claims]
        driver.mark(proposal, *marks)


def of_record(store: Store, person: str) -> tuple[str, str]:
    """What the timeline of a person says of the one message."""
    moments = timeline.of_profile(store.connection, person, before=None, limit=100)
    (found,) = [one for one in moments if one.kind == "delivery" and one.entrant == ids.entrant("small", person, 1)]
    return found.code, found.sentence

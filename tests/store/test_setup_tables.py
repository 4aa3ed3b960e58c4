"""What is set up: attributes, messages and suppressions."""

from __future__ import annotations

import pytest

from journey.errors import NotFound
from journey.messages import MessageDocument
from journey.profiles import Attribute
from store import attributes, messages, suppressions
from store.database import Database
from tests.fakes import SettableClock


def greeting(subject: str) -> MessageDocument:
    return MessageDocument.model_validate({"id": "greeting", "class": "marketing", "email": {"from": "a@example.com", "subject": subject}})


async def test_the_declared_attributes_are_exactly_those_put_last(database: Database) -> None:
    await database.write(lambda work: attributes.replace(work, {"city": Attribute(type="string"), "age": Attribute(type="integer")}))
    await database.write(lambda work: attributes.replace(work, {"city": Attribute(type="string", label="City")}))
    assert await database.read(attributes.all_of) == {"city": Attribute(type="string", label="City")}
    with pytest.raises(NotFound):
        await database.read(lambda c: attributes.get(c, "age"))


async def test_a_message_gets_a_new_revision_only_when_its_content_changes(database: Database) -> None:
    revisions = [await database.write(lambda work, s=subject: messages.put(work, greeting(s))) for subject in ("Hi", "Hi", "Hello")]  # type: ignore[misc]
    assert revisions == [1, 1, 2]
    assert await database.read(lambda c: messages.latest(c, "greeting")) == (2, greeting("Hello"))
    assert await database.read(lambda c: messages.at(c, "greeting", 1)) == greeting("Hi")
    assert await database.read(messages.all_of) == {"greeting": greeting("Hello")}


async def test_a_message_that_comes_back_goes_on_counting_and_its_past_stays_readable(database: Database) -> None:
    await database.write(lambda work: messages.put(work, greeting("Hi")))
    await database.write(lambda work: messages.delete(work, "greeting"))
    with pytest.raises(NotFound):
        await database.read(lambda c: messages.get(c, "greeting"))
    assert await database.read(lambda c: messages.at(c, "greeting", 1)) == greeting("Hi")
    assert await database.write(lambda work: messages.put(work, greeting("Hi"))) == 2


async def test_a_suppressed_mail_address_is_found_in_any_case_and_returned_as_asked(database: Database) -> None:
    await database.write(lambda work: suppressions.put(work, "email", "Ann@Example.com", "asked to"))
    asked = [("email", "ANN@example.COM"), ("email", "bob@example.com"), ("push", "ann@example.com")]
    assert await database.read(lambda c: suppressions.of(c, asked)) == {("email", "ANN@example.COM")}
    assert await database.read(lambda c: suppressions.of(c, [])) == set()


async def test_no_spelling_of_a_suppressed_mail_address_gets_past(database: Database) -> None:
    await database.write(lambda work: suppressions.put(work, "email", "Ann <ann@example.com>", "asked to"))
    await database.write(lambda work: suppressions.put(work, "email", "bo@xn--bcher-kva.example", "asked to"))
    spelt = ["ann@example.com", "<ann@example.com>", " Ann Smith <ANN@example.com> ", "bo@Bücher.example"]
    others = ["an@example.com", "ann@example.com.au", "ann", ""]
    found = await database.read(lambda c: suppressions.of(c, [("email", address) for address in spelt + others]))
    assert found == {("email", address) for address in spelt}


async def test_a_suppression_keeps_its_first_instant_and_can_be_lifted(database: Database, clock: SettableClock) -> None:
    first = await database.write(lambda work: suppressions.put(work, "email", "ann@example.com", "bounced"))
    clock.instant += 10
    again = await database.write(lambda work: suppressions.put(work, "email", "ann@example.com", "complained"))
    assert (again.at, again.reason) == (first.at, "complained")
    await database.write(lambda work: suppressions.delete(work, "email", "ann@example.com"))
    with pytest.raises(NotFound):
        await database.write(lambda work: suppressions.delete(work, "email", "ann@example.com"))


async def test_suppressions_page_in_the_order_of_channel_and_address(database: Database) -> None:
    for channel, address in (("push", "t"), ("email", "b@x"), ("email", "a@x")):
        await database.write(lambda work, c=channel, a=address: suppressions.put(work, c, a))  # type: ignore[misc]
    first = await database.read(lambda c: suppressions.page(c, ("", ""), 2))
    second = await database.read(lambda c: suppressions.page(c, (first[-1].channel, first[-1].address), 2))
    assert [(s.channel, s.address) for s in first + second] == [("email", "a@x"), ("email", "b@x"), ("push", "t")]

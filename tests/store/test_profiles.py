"""People in the store: what a put keeps, who an identity names, and what a page holds."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import true

from journey.errors import Conflict, NotFound
from journey.profiles import ProfileDocument, PushToken
from store import profiles
from store.database import Database
from tests.fakes import SettableClock


def someone(profile_id: str = "ann", **fields: Any) -> ProfileDocument:
    return ProfileDocument.model_validate({"id": profile_id, **fields})


async def keep(database: Database, *documents: ProfileDocument) -> None:
    for document in documents:
        await database.write(lambda work, document=document: profiles.put(work, document))  # type: ignore[misc]


async def test_a_profile_comes_back_as_it_was_put(database: Database) -> None:
    ann = someone(
        attributes={"city": "Zürich", "birth_year": "1981", "tags": ["a", {"b": None}]},
        identities={"customer_id": "c-1", "email": "ann@example.com"},
        consents={"email": False},
        push_tokens=[{"token": "t-1", "platform": "ios"}],
        test=True,
    )
    await keep(database, ann)
    assert await database.read(lambda c: profiles.get(c, "ann")) == ann


async def test_a_stop_reads_what_it_needs_at_once(database: Database) -> None:
    await keep(database, someone(attributes={"email": " ann@example.com "}, consents={"push": True}, push_tokens=[{"token": "t-1"}]))
    read = await database.read(lambda c: profiles.read(c, "ann"))
    assert read is not None
    assert (read.email, read.consents, read.push_tokens, read.test) == ("ann@example.com", {"push": True}, ("t-1",), False)
    assert await database.read(lambda c: profiles.read(c, "nobody")) is None


async def test_putting_again_replaces_all_but_the_day_it_was_created(database: Database, clock: SettableClock) -> None:
    await keep(database, someone(attributes={"city": "Atlanta"}, identities={"customer_id": "c-1"}))
    clock.instant += 500
    await keep(database, someone(identities={"loyalty": "l-1"}))
    assert (await database.read(lambda c: profiles.get(c, "ann"))).identities == {"loyalty": "l-1"}
    assert await database.read(lambda c: profiles.find(c, "customer_id", "c-1")) is None
    assert [m.id for m in await database.read(lambda c: profiles.page(c, true(), "", 10, cutoff=1_000_000))] == ["ann"]


async def test_an_identity_names_one_profile_and_is_not_taken_from_it(database: Database) -> None:
    await keep(database, someone("ann", identities={"customer_id": "c-1"}))
    with pytest.raises(Conflict) as raised:
        await keep(database, someone("bob", identities={"customer_id": "c-1"}))
    assert raised.value.code == "identity_taken"
    assert await database.read(lambda c: profiles.find(c, "customer_id", "c-1")) == "ann"
    with pytest.raises(NotFound):
        await database.read(lambda c: profiles.get(c, "bob"))


async def test_of_many_the_one_whose_identity_is_taken_is_left_and_the_others_are_kept(database: Database) -> None:
    await keep(database, someone("ann", identities={"customer_id": "c-1"}))
    many = [
        someone("bob", identities={"customer_id": "c-1"}),
        someone("ann", identities={"customer_id": "c-2"}),
        someone("cid", identities={"customer_id": "c-1"}),  # which ann has just given up
        someone("dan", identities={"customer_id": "c-3"}),
        someone("eve", identities={"customer_id": "c-3"}),
    ]
    errors = await database.write(lambda work: profiles.put_all(work, many))
    assert [error and error.code for error in errors] == ["identity_taken", None, None, None, "identity_taken"]
    for value, owner in {"c-1": "cid", "c-2": "ann", "c-3": "dan"}.items():
        assert await database.read(lambda c, value=value: profiles.find(c, "customer_id", value)) == owner  # type: ignore[misc]


async def test_a_patch_merges_entries_and_takes_out_what_is_null(database: Database) -> None:
    await keep(database, someone(attributes={"city": "Atlanta", "age": 4}, consents={"email": True, "push": True}))
    patched = await database.write(
        lambda work: profiles.patch(
            work, "ann", attributes={"city": "Seattle", "age": None}, consents={"push": None}, push_tokens=[PushToken(token="t")], test=True
        )
    )
    assert patched == someone(attributes={"city": "Seattle"}, consents={"email": True}, push_tokens=[{"token": "t"}], test=True)
    assert await database.read(lambda c: profiles.get(c, "ann")) == patched


async def test_a_null_that_was_put_stays_when_something_else_is_patched(database: Database) -> None:
    await keep(database, someone(attributes={"city": None, "age": 4}))
    patched = await database.write(lambda work: profiles.patch(work, "ann", attributes={"age": 5}))
    assert patched.attributes == {"city": None, "age": 5}


async def test_a_dead_token_is_forgotten_and_the_others_stay(database: Database) -> None:
    await keep(database, someone(push_tokens=[{"token": "dead"}, {"token": "alive"}]))
    await database.write(lambda work: profiles.drop_push_tokens(work, "ann", ["dead", "never seen"]))
    assert (await database.read(lambda c: profiles.get(c, "ann"))).push_tokens == (PushToken(token="alive"),)
    await database.write(lambda work: profiles.drop_push_tokens(work, "nobody", ["dead"]))


async def test_a_deleted_profile_gives_up_its_identities(database: Database) -> None:
    await keep(database, someone(identities={"customer_id": "c-1"}))
    await database.write(lambda work: profiles.delete(work, "ann"))
    await keep(database, someone("bob", identities={"customer_id": "c-1"}))
    with pytest.raises(NotFound):
        await database.write(lambda work: profiles.delete(work, "ann"))


async def test_pages_follow_each_other_without_gap_or_repeat_and_end_at_the_cutoff(database: Database, clock: SettableClock) -> None:
    people = [someone(f"p-{number:03}", test=number == 2, identities={"customer_id": f"c-{number}"}) for number in range(7)]
    await database.write(lambda work: profiles.put_all(work, people))
    clock.instant += 1
    await keep(database, someone("p-003-too-late"))
    first = await database.read(lambda c: profiles.page(c, true(), "", 4, cutoff=1_000_000))
    second = await database.read(lambda c: profiles.page(c, true(), first[-1].id, 4, cutoff=1_000_000))
    assert [member.id for member in first + second] == [person.id for person in people]
    assert [member.id for member in first if member.test] == ["p-002"]
    assert await database.read(lambda c: profiles.keys(c, "customer_id", ["p-001", "p-003-too-late"])) == {"p-001": "c-1"}
    assert await database.read(lambda c: profiles.count(c, true())) == 8

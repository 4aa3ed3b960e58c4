"""The example three-cities holds what its README says: the demo and the documentation count on it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from commands import folder
from commands.folder import Folder
from commands.validate import validate
from journey import rules
from journey.profiles import ProfileDocument
from journey.rules import Scope

EXAMPLE = Path(__file__).parents[2] / "examples" / "three-cities"


@pytest.fixture(scope="module")
def read() -> Folder:
    return folder.read(EXAMPLE)


@pytest.fixture(scope="module")
def people(read: Folder) -> list[ProfileDocument]:
    return [entry.document for entry in read.profiles.values()]


@pytest.fixture(scope="module")
def satisfying(read: Folder, people: list[ProfileDocument]) -> list[ProfileDocument]:
    rule = read.segments["three-cities-after-1980"].document.tree
    return [person for person in people if rules.evaluate(rule, Scope(person.attributes))]


@pytest.fixture(scope="module")
def members(satisfying: list[ProfileDocument]) -> list[ProfileDocument]:
    return [person for person in satisfying if not person.test]


def test_the_only_finding_is_the_purchase_that_may_never_come() -> None:
    assert [(one.finding.code, one.finding.grade, one.finding.node) for one in validate(EXAMPLE)] == [("no_timeout", "warning", "purchase")]


def test_of_200_people_120_are_members_and_four_are_test_profiles(
    people: list[ProfileDocument], satisfying: list[ProfileDocument], members: list[ProfileDocument]
) -> None:
    assert (len(people), len(satisfying), len(members)) == (200, 124, 120)


def test_everybody_has_a_customer_number_that_is_not_their_id(people: list[ProfileDocument]) -> None:
    numbers = {person.identities["customer_id"] for person in people}
    assert len(numbers) == 200
    assert not numbers & {person.id for person in people}


def test_the_edges_among_members_are_as_many_as_the_readme_says(members: list[ProfileDocument], read: Folder) -> None:
    suppressed = {one.document.address for one in read.suppressions}
    assert _count(members, lambda person: not person.push_tokens) == 10
    assert _count(members, lambda person: "email" not in person.attributes) == 7
    assert _count(members, lambda person: person.consents.get("email") is False) == 6
    assert _count(members, lambda person: person.consents.get("push") is False) == 5
    assert _count(members, lambda person: person.attributes.get("email") in suppressed) == len(suppressed) == 3
    assert _count(members, lambda person: len(person.push_tokens) == 2) == 4
    assert _count(members, lambda person: "first_name" not in person.attributes) == 2
    assert _count(members, lambda person: person.attributes["birth_year"] == 1981) == 28
    assert _count(members, lambda person: not str(person.attributes.get("last_name", "")).isascii()) > 5
    reached = [_channels(person, suppressed) for person in members]
    assert (reached.count({"email", "push"}), reached.count(set())) == (91, 2)


def test_the_edges_among_the_others_are_as_many_as_the_readme_says(
    people: list[ProfileDocument], satisfying: list[ProfileDocument]
) -> None:
    others = [person.attributes for person in people if person not in satisfying]
    three = ("Atlanta", "San Francisco", "Seattle")
    assert sum(one.get("birth_year") == 1980 for one in others) == 10
    assert sum(isinstance(one.get("birth_year"), int) and one["birth_year"] < 1980 for one in others) == 16
    assert sum(one.get("birth_year") is None for one in others) == 8
    assert sum(isinstance(one.get("birth_year"), str) for one in others) == 5
    assert sum("city" not in one for one in others) == 3
    assert sum(one.get("city") not in (*three, None) for one in others) == 11 + 23


def test_links_lead_to_the_shop_and_every_marketing_mail_can_be_stopped(read: Folder) -> None:
    for entry in read.messages.values():
        written = entry.document.model_dump_json()
        links = re.findall(r"https?://[^\s\"'\\<]+", written)
        assert links
        assert all(link.startswith("https://shop.example/") for link in links)
        if entry.document.kind == "marketing":
            assert written.count("{{ unsubscribe_url }}") == 2


def test_the_journey_is_the_one_of_the_use_case(read: Folder) -> None:
    journey = read.journeys["thank-you"].document
    assert [node.id for node in journey.nodes] == [
        "read", "first", "push-opened", "email-opened", "follow-up", "purchase", "thanks", "end",
    ]  # fmt: skip


def _count(people: list[ProfileDocument], holds: Any) -> int:
    return sum(bool(holds(person)) for person in people)


def _channels(person: ProfileDocument, suppressed: set[str]) -> set[str]:
    email = person.attributes.get("email")
    reached = {"email"} if email and email not in suppressed and person.consents.get("email", True) else set()
    return reached | ({"push"} if person.push_tokens and person.consents.get("push", True) else set())

"""What tests of policies are made of: small journeys that send one message, the policies that hold, and whoever is held back."""

from __future__ import annotations

from typing import Any

from journey.messages import MessageDocument
from journey.policies import Policies
from journey.profiles import Profile
from journey.version import Version
from store import policies
from store.claims import Busy
from tests import builders
from tests.builders import message, profile
from tests.store.driver import Driver, Store, let_in, publish

MESSAGES = {
    "news": message("news", "email", "push"),
    "mail": message("mail", "email"),
    "receipt": message("receipt", "email", **{"class": "transactional"}),
}


def sends(journey: str, what: str = "mail", **changed: Any) -> Version:
    """A journey that sends one message and then waits a day."""
    return builders.version(
        {"id": "send", "kind": "message", "message": what, "next": "rest"}, {"id": "rest", "kind": "wait", "for": "P1D"},
        **{"id": journey} | changed,
    )  # fmt: skip


def hold_to(store: Store, **written: Any) -> None:
    store.write(lambda work: policies.put(work, Policies.model_validate(written)))


def cap(most: int = 1, within: str = "P1D", **more: Any) -> dict[str, Any]:
    return {"id": "a-cap", "most": most, "within": within} | more


def inside(store: Store, version: Version, *people: Profile, messages: dict[str, MessageDocument] | None = None) -> list[Driver]:
    publish(store, version, MESSAGES if messages is None else messages)
    return let_in(store, version, people or [profile("ada")])


def held(driver: Driver) -> Busy:
    """It opens, or asks again, and is held back."""
    found = driver.open(driver.proposal())
    assert isinstance(found, Busy), found
    assert found.held
    return found

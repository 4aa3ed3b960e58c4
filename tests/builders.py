"""What tests are made of: the use case as objects, people, events and small journeys, all with fixed defaults. It starts no server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from journey import events, ids
from journey.events import Event, EventDefinition, Instant
from journey.graph import Journey
from journey.messages import MessageDocument
from journey.profiles import Profile
from journey.version import Version

SECOND: Instant = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START: Instant = 1_750_000_000 * SECOND
"""The instant at which stories begin: 15 June 2025, 15:06:40 UTC."""

PERSON = "c-42"
THANKS = {"purchaseMessage": "thank you", "customer": PERSON, "product": "Lamp"}
"""The data of a purchase that the use case's rule recognises."""


# ---- the use case ---------------------------------------------------------------------------------------------------------------


def use_case_nodes() -> list[dict[str, Any]]:
    """The eight nodes of the use case as a file would hold them; free to be changed by the test that asked."""
    return [
        {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "next": "first"},
        {"id": "first", "kind": "message", "message": "first-message", "next": ["push-opened", "email-opened"]},
        {"id": "push-opened", "kind": "reaction", "of": "first", "to": "push.opened", "next": "purchase"},
        {"id": "email-opened", "kind": "reaction", "of": "first", "to": "email.opened", "next": "purchase",
         "timeout": {"after": "P1D", "next": "follow-up"}},
        {"id": "follow-up", "kind": "message", "message": "follow-up", "next": "purchase"},
        {"id": "purchase", "kind": "event", "event": "purchase", "next": "thanks"},
        {"id": "thanks", "kind": "message", "message": "thank-you", "next": "end"},
        {"id": "end", "kind": "end"},
    ]  # fmt: skip


def use_case_journey(**changed: Any) -> Journey:
    """The journey of the use case."""
    document = {
        "id": "thank-you", "name": "Thank customers in three cities", "namespace": "customer_id", "timezone": "America/New_York",
        "nodes": use_case_nodes(),
    }  # fmt: skip
    return Journey.model_validate(document | changed)


def use_case(**changed: Any) -> Version:
    """The journey of the use case as a publish freezes it."""
    return Version(journey=use_case_journey(**changed), events={"purchase": purchase_definition()})


def purchase_definition(**changed: Any) -> EventDefinition:
    """The purchase of the use case: recognised by a rule over its data."""
    document: dict[str, Any] = {
        "id": "purchase", "name": "Purchase", "rule": {"field": "purchaseMessage", "operator": "=", "value": "thank you"},
        "fields": {"purchaseMessage": "string", "product": "string", "customer": "string"},
        "namespace": "customer_id", "key": "customer",
    }  # fmt: skip
    return EventDefinition.model_validate(document | changed)


def use_case_messages() -> dict[str, MessageDocument]:
    """The three messages of the use case."""
    return {
        "first-message": message("first-message", "email", "push"),
        "follow-up": message("follow-up", "email"),
        "thank-you": message("thank-you", "push"),
    }


def message(message_id: str, *channels: str, **changed: Any) -> MessageDocument:
    """A message with these channels."""
    contents: dict[str, dict[str, str]] = {
        "email": {"from": "shop@example.org", "subject": "Hello {{ profile.first_name }}", "html": "<p>Hello</p>"},
        "push": {"title": "Hello", "body": "Hello {{ profile.first_name }}"},
    }
    return MessageDocument.model_validate({"id": message_id, **{name: contents[name] for name in channels}} | changed)


# ---- people and what they do ----------------------------------------------------------------------------------------------------


def profile(
    profile_id: str = PERSON,
    *,
    consents: Mapping[str, bool] | None = None,
    push_tokens: Sequence[str] = ("token-1",),
    test: bool = False,
    **attributes: Any,
) -> Profile:
    """Somebody from Atlanta born in 1985, with an address and one device; an attribute given as None is left out."""
    known: dict[str, Any] = {"email": f"{profile_id}@example.org", "first_name": "Ada", "city": "Atlanta", "birth_year": 1985}
    kept = {name: value for name, value in (known | attributes).items() if value is not None}
    return Profile(profile_id, kept, dict(consents or {}), tuple(push_tokens), test)


def purchase(event_id: str = "p-1", at: Instant = START, *, person: str = PERSON, **data: Any) -> Event:
    """A purchase that the use case hears, accepted at this instant."""
    return Event("shop", event_id, "purchase", THANKS | data, person, None, at)


def reaction(to: str, at: Instant = START, *, of: str = "first", n: int = 1, entrant: str = "", person: str = PERSON) -> Event:
    """What somebody does with a delivery of step `n`: `to` is CHANNEL.KIND, as `email.opened`."""
    channel, kind = to.split(".")
    whose = entrant or ids.entrant("thank-you", person, 1)
    made = events.reaction(ids.delivery(whose, n, channel), of, kind, profile=person)
    return Event(made.source, made.id, made.name, made.data, made.profile, None, at)


# ---- small journeys -------------------------------------------------------------------------------------------------------------


def journey(*nodes: Mapping[str, Any], **changed: Any) -> Journey:
    """A journey of these nodes behind an entry `read` that leads to the first of them; give `entry=[...]` to lead elsewhere."""
    leads = changed.pop("entry", nodes[0]["id"] if nodes else ())
    read = {"id": "read", "kind": "read_segment", "segment": "everybody", "next": leads}
    return Journey.model_validate({"id": "small", "name": "Small", "namespace": "customer_id", "nodes": [read, *nodes]} | changed)


def version(*nodes: Mapping[str, Any], definitions: Sequence[EventDefinition] = (), **changed: Any) -> Version:
    """The same as a publish freezes it; the purchase is defined unless other definitions are given."""
    defined = {definition.id: definition for definition in definitions or (purchase_definition(),)}
    return Version(journey=journey(*nodes, **changed), events=defined)


def rule(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    """A rule of one test, as a tree."""
    return {"field": field, "operator": operator, "value": value}

"""The shapes in which an event may arrive, and what cannot be read."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Any

import pytest

from api import segment_wire, unpacking, wire
from api.native_calls import TooLarge
from api.segment_wire import Aliased, Identified, Refused, Tracked
from journey.errors import BadInput

NOON = 1_772_366_400_000_000  # 1 March 2026, 12:00 UTC
PURCHASE = {"purchaseMessage": "thank you", "product": "City roast"}
CLOUD: dict[str, Any] = {"specversion": "1.0", "id": "7", "source": "/shop", "type": "purchase", "data": PURCHASE}


# ---- our own shape --------------------------------------------------------------------------------------------------------------


def test_an_event_of_ours_brings_its_id_its_time_and_its_person() -> None:
    event = wire.read_event(
        {"id": "o-1", "name": "purchase", "time": "2026-03-01T13:00:00+01:00", "namespace": "customer_id", "key": "c-1", "data": PURCHASE}
    )
    assert (event.arrived.event.source, event.arrived.event.id, event.generated) == ("api", "o-1", False)
    assert (event.arrived.namespace, event.arrived.key) == ("customer_id", "c-1")
    assert event.arrived.event.occurred_at == NOON
    assert event.arrived.event.data == PURCHASE


def test_an_event_without_an_id_is_given_one_and_says_so() -> None:
    first, second = (wire.read_event({"name": "purchase"}) for _ in range(2))
    assert first.generated
    assert first.arrived.event.id != second.arrived.event.id


@pytest.mark.parametrize(
    ("sent", "where"),
    [
        ({"name": "purchase", "when": "now"}, "when"),
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "purchase", "data": [1]}, "data"),
        ({"name": "purchase", "time": "yesterday"}, "time"),
        ({"name": "purchase", "key": "c-1"}, "namespace"),
        ({"name": "purchase", "namespace": "customer_id"}, "key"),
        ({"name": "purchase", "id": 7}, "id"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_path(sent: dict[str, Any], where: str) -> None:
    with pytest.raises(BadInput) as caught:
        wire.read_event(sent)
    assert caught.value.where == where


def test_an_instant_without_a_zone_is_utc() -> None:
    assert wire.instant("2026-03-01T12:00:00") == wire.instant("2026-03-01T12:00:00Z") == NOON
    assert wire.instant("2026-03-01T12:00:00.000001Z") == NOON + 1


# ---- CloudEvents ----------------------------------------------------------------------------------------------------------------


def test_a_cloud_event_is_unique_by_its_own_source_and_id() -> None:
    event = wire.read_event(CLOUD | {"namespace": "customer_id", "subject": "c-1", "traceparent": "00-ab"})
    assert (event.arrived.event.source, event.arrived.event.id, event.arrived.event.name) == ("/shop", "7", "purchase")
    assert (event.arrived.namespace, event.arrived.key) == ("customer_id", "c-1")


def test_the_subject_of_a_cloud_event_means_nothing_without_a_namespace() -> None:
    event = wire.read_event(CLOUD | {"subject": "orders/7"})
    assert (event.arrived.namespace, event.arrived.key) == ("", "")


def test_a_cloud_event_may_bring_its_data_in_base64() -> None:
    packed = {name: value for name, value in CLOUD.items() if name != "data"}
    event = wire.read_event(packed | {"data_base64": base64.b64encode(json.dumps(PURCHASE).encode()).decode()})
    assert event.arrived.event.data == PURCHASE


def test_a_cloud_event_in_binary_mode_has_its_attributes_in_headers() -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "7", "ce-source": "/shop", "ce-type": "purchase",
               "ce-namespace": "customer_id", "ce-key": "Z%C3%BCrich 1", "content-type": "application/json"}  # fmt: skip
    event = wire.read_binary(headers, json.dumps(PURCHASE).encode())
    assert event.arrived.event.data == PURCHASE
    assert event.arrived.key == "Zürich 1"


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"source": "sojourn"}, "source"),
        ({"specversion": "0.3"}, "specversion"),
        ({"id": ""}, "id"),
        ({"data": "text"}, "data"),
        ({"data_base64": "%%%"}, "data_base64"),
    ],
)
def test_a_cloud_event_that_is_none_is_refused_and_none_can_pass_for_a_reaction(changed: dict[str, Any], where: str) -> None:
    with pytest.raises(BadInput) as caught:
        wire.read_event(CLOUD | changed)
    assert caught.value.where == where


# ---- Segment --------------------------------------------------------------------------------------------------------------------


def call(**item: Any) -> segment_wire.Call:
    return segment_wire.read_call({"userId": "c-1", "messageId": "m-1"} | item, "customer_id", now=NOON)


def test_a_track_is_an_event_of_the_person_in_the_namespace_of_its_key() -> None:
    found = call(type="track", event="Order Completed", properties=PURCHASE)
    assert isinstance(found, Tracked)
    event = found.arrived.event
    assert (event.source, event.id, event.name, event.data) == ("segment", "m-1", "Order Completed", PURCHASE)
    assert (found.arrived.namespace, found.arrived.key) == ("customer_id", "c-1")


def test_somebody_who_is_known_by_an_anonymous_id_alone_has_it_as_an_identity() -> None:
    found = segment_wire.read_call({"anonymousId": "a-1", "event": "Seen"}, "customer_id", kind="track")
    assert isinstance(found, Tracked)
    assert (found.arrived.namespace, found.arrived.key) == ("anonymous_id", "a-1")


def test_a_number_for_a_user_is_read_as_its_text() -> None:
    found = call(type="identify", userId=42, traits={"email": "a@mail.example"})
    assert found == Identified("m-1", "customer_id", "42", {"email": "a@mail.example"})


def test_pages_and_screens_are_events_named_after_their_type_and_name() -> None:
    home, nameless = call(type="page", name="Home", properties={"path": "/"}), call(type="screen")
    assert isinstance(home, Tracked)
    assert isinstance(nameless, Tracked)
    assert (home.arrived.event.name, home.arrived.event.data) == ("page Home", {"path": "/", "name": "Home"})
    assert nameless.arrived.event.name == "screen"


def test_an_alias_says_what_a_person_was_called_before() -> None:
    assert call(type="alias", previousId="a-1") == Aliased("m-1", "a-1", "customer_id", "c-1")


@pytest.mark.parametrize(
    ("item", "happened"),
    [
        ({"timestamp": "2026-03-01T11:00:00Z"}, NOON - 3_600_000_000),
        ({"timestamp": "2026-03-01T20:00:00Z", "sentAt": "2026-03-01T20:00:10Z"}, NOON - 10_000_000),
        ({"originalTimestamp": "2026-03-01T11:59:59Z", "timestamp": "2020-01-01T00:00:00Z", "sentAt": "2026-03-01T12:00:00Z"},
         NOON - 1_000_000),
        ({"timestamp": "soon"}, None),
        ({"timestamp": 12}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_when_it_happened_is_reckoned_without_the_senders_clock(item: dict[str, Any], happened: int | None) -> None:
    found = call(type="track", event="Seen", **item)
    assert isinstance(found, Tracked)
    assert found.arrived.event.occurred_at == happened


def test_the_batch_says_when_all_of_its_calls_were_sent() -> None:
    item = {"type": "track", "userId": "c-1", "event": "Seen", "timestamp": "2026-03-01T20:00:00Z"}
    found = segment_wire.read_call(item, "customer_id", sent_at="2026-03-01T20:00:10Z", now=NOON)
    assert isinstance(found, Tracked)
    assert found.arrived.event.occurred_at == NOON - 10_000_000


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"type": "group", "groupId": "g"}, "not_supported"),
        ({"type": "video"}, "bad_item"),
        ({}, "bad_item"),
        ({"type": "track"}, "bad_item"),
        ({"type": "track", "event": "  "}, "bad_item"),
        ({"type": "track", "event": "Seen", "properties": [1]}, "bad_item"),
        ({"type": "track", "event": "Seen", "userId": {"id": 1}}, "bad_item"),
        ({"type": "track", "event": "Seen", "userId": "a\nb"}, "bad_item"),
        ({"type": "track", "event": "Seen", "userId": ""}, "no_key"),
        ({"type": "track", "event": "Seen", "userId": "  "}, "no_key"),
        ({"type": "track", "event": "Seen", "properties": {"text": "x" * 70_000}}, "bad_item"),
        ({"type": "alias"}, "bad_item"),
    ],
)
def test_a_call_that_cannot_be_taken_says_why(item: dict[str, Any], code: str) -> None:
    found = call(**item)
    assert isinstance(found, Refused)
    assert (found.message, found.code) == ("m-1", code)
    assert found.detail


def test_an_item_that_is_no_object_is_refused() -> None:
    assert isinstance(segment_wire.read_call("track", "customer_id"), Refused)


# ---- packed bodies --------------------------------------------------------------------------------------------------------------


def test_gzip_and_zlib_are_unpacked_also_in_several_members() -> None:
    assert unpacking.unpack(gzip.compress(b"one ") + gzip.compress(b"two"), 100) == b"one two"
    assert unpacking.unpack(zlib.compress(b"three"), 100) == b"three"


def test_a_small_body_cannot_become_a_large_one() -> None:
    with pytest.raises(TooLarge):
        unpacking.unpack(gzip.compress(b"0" * 50_000_000), 1_000_000)
    with pytest.raises(TooLarge):
        unpacking.unpack(gzip.compress(b"0" * 600_000) * 2, 1_000_000)
    assert len(unpacking.unpack(gzip.compress(b"0" * 1_000_000), 1_000_000)) == 1_000_000


@pytest.mark.parametrize("packed", [b"no gzip at all", gzip.compress(b"cut short", mtime=0)[:-6]])
def test_a_packed_body_that_is_broken_says_so(packed: bytes) -> None:
    with pytest.raises(BadInput):
        unpacking.unpack(packed, 1000)

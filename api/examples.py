"""A body for every call that takes one, as the reference shows it: whoever presses *Execute* there sends something that is understood.

It knows the shapes by what they look like; that each is taken, tests/api/test_reference.py says.
"""

from __future__ import annotations

from typing import Any

_BOUGHT = {"product": "House blend", "purchase_id": "1001", "purchaseMessage": "thank you"}
_EVENT = {"id": "order-1001", "name": "sale", "namespace": "customer_id", "key": "c-003", "data": _BOUGHT}
_CLOUD_EVENT = {
    "specversion": "1.0", "id": "order-1001", "source": "/shop", "type": "sale", "namespace": "customer_id", "subject": "c-003",
    "data": _BOUGHT,
}  # fmt: skip
_PROFILE = {
    "attributes": {"first_name": "Vera", "city": "Seattle", "birth_year": 1991},
    "identities": {"customer_id": "c-003", "email": "vera@example.com"},
    "consents": {"email": True, "push": True},
    "push_tokens": [{"token": "a-device", "platform": "ios", "timezone": "America/Los_Angeles"}],
}
_RULE = 'city in ["Atlanta", "San Francisco", "Seattle"] && birth_year > 1980'
_MAIL = {"subject": "Hello, {{ profile.first_name }}", "html": "<p>We have something new for you.</p>", "text": "We have something new."}
_LINE = '{"id": "p-003", "attributes": {"city": "Seattle"}, "identities": {"customer_id": "c-003"}}\n'
_OF_JOURNEY: dict[str, Any] = {
    ":plan": {"people": "migrate", "map": {"follow-up": "thanks"}},
    ":publish": {"people": "finish"},
    ":pause": {"what": "hold", "for": "P3D"},
    ":resume": {"rate": 100},
    ":duplicate": {"id": "thank-you-again"},
    ":unpark": {"node": "first"},
    ":approve": {"node": "first"},
    ":discard": {"node": "first"},
    ":render": {"node": "first"},
    ":test": {"channels": "inbox", "wait": "PT10S"},
    "/runs": {"profiles": ["p-003"]},
    "/test/entrants": {"up_to": 5},
    "/test/events": {"event": "purchase", "profile": "p-003", "data": _BOUGHT},
}
BODIES: dict[str, Any] = {
    "/v1/attributes": {"birth_year": {"type": "integer", "label": "Birth year"}, "city": {"type": "string", "label": "City"}},
    "/v1/policies": {"caps": [{"id": "three-a-week", "most": 3, "within": "P7D"}], "quiet_hours": {"from": "21:00", "to": "08:00"}},
    "/v1/profiles/{profile_id}": _PROFILE,
    "/v1/segments/{segment_id}": {"name": "Three cities, born after 1980", "rule": _RULE},
    "/v1/segments:estimate": {"rule": _RULE},
    "/v1/event-definitions/{definition_id}": {
        "name": "A purchase", "rule": 'purchaseMessage = "thank you"', "fields": {"product": "string"}, "namespace": "customer_id",
        "key": "customer",
    },
    "/v1/messages/{message_id}": {"class": "marketing", "email": _MAIL, "push": {"title": "Hello", "body": "We have something new."}},
    "/v1/messages/{message_id}:preview": {"profile": _PROFILE},
    "/v1/events:explain": _EVENT,
    "/v1/events": _EVENT,
    "/v1/push/opened": {"token": "the opened_token that came with the push"},
    "/v1/push/clicked": {"token": "the opened_token that came with the push"},
    "/v1/feedback": {"kind": "hard_bounce", "address": "vera@example.com"},
    "/v1/suppressions": {"channel": "email", "address": "vera@example.com", "reason": "asked by telephone"},
    "/v1/keys": {"name": "The shop's web page", "scope": "ingest", "namespace": "customer_id"},
    "/v1/reconcile": {"wake": False},
    **{f"/v1/journeys/{{journey_id}}{call}": body for call, body in _OF_JOURNEY.items()},
}  # fmt: skip
"""By the path of the call, where the body is JSON."""
OTHERS: dict[str, Any] = {
    "application/cloudevents+json": _CLOUD_EVENT,
    "application/cloudevents-batch+json": [_CLOUD_EVENT],
    "text/csv": "id,identities.customer_id,attributes.city\np-003,c-003,Seattle\n",
    "application/x-ndjson": _LINE,
    "application/ndjson": _LINE,
    "application/jsonl": _LINE,
}
"""By the media type of the body, where that says what it is."""

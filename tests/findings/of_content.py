"""An example of each finding about what nodes refer to: messages and reactions, segments, events, rules, calls, files."""

from __future__ import annotations

from journey.events import EventDefinition
from journey.messages import MessageDocument
from journey.segments import SegmentDocument
from tests.builders import purchase_definition
from tests.findings.example import (
    BUY,
    CALL,
    END,
    OPENED,
    SEND,
    WAIT,
    choosing,
    email,
    error,
    journey,
    warning,
)

_REACT = {**SEND, "next": "opened"}
_CLICKED = {**OPENED, "to": "email.clicked"}
_UPDATE = {"id": "write", "kind": "update_profile", "set": {"vip": True}, "next": "end"}
_JOIN = {"id": "join", "kind": "qualification", "segment": "buyers", "next": "end", "timeout": {"after": "P1D"}}
_BUYERS = {"buyers": SegmentDocument(id="buyers", rule='did("purchase")'), "everybody": SegmentDocument(id="everybody", rule="has(city)")}
_READABLE = "id: small\nnamespace: customer_id\nnodes:\n  - {id: bought, kind: event, event: bought, next: end}\n  - {id: end, kind: end}\n"
_BOUGHT = "id: bought\nmatch: bought\nnamespace: customer_id\nkey: id\n"


def segment(rule: str) -> SegmentDocument:
    return SegmentDocument(id="asking", rule=rule)


def message(**content: object) -> MessageDocument:
    return MessageDocument.model_validate({"id": "asking", "class": "transactional"} | content)


def purchase(**changed: object) -> EventDefinition:
    return purchase_definition(**changed)


EXAMPLES = (
    error("unknown_message", "send", "message", journey({**SEND, "message": "letter"}, END)),
    error("message_empty", "", "email.subject", message(email={"subject": "", "html": "<p>Hello</p>"})),
    error("template_invalid", "", "push.title", message(push={"title": "{{ profile.city | shout }}"})),
    error("sender_invalid", "", "email.from", email("asking", email={"from": "our shop"})),
    warning("no_unsubscribe_link", "", "email.html", message(**{"class": "marketing"}, email={"subject": "Hello", "html": "<p>Hello</p>"})),
    warning("class_differs", "send", "message", journey({**SEND, "message": "push"}, END, **{"class": "transactional"})),
    warning("transactional_in_review", "send", "hold_for_review", journey({**SEND, "hold_for_review": True}, END)),
    error("channel_missing", "send", "channels[0]", journey({**SEND, "channels": ["push"]}, END)),
    error("channel_twice", "send", "channels[1]", journey({**SEND, "channels": ["email", "email"]}, END)),
    error("unknown_reaction", "opened", "to", journey(_REACT, {**OPENED, "to": "email.ignored"}, END)),
    error("reaction_without_message", "opened", "of", journey(_REACT, {**OPENED, "of": "read"}, END)),
    error("reaction_channel_missing", "opened", "to", journey(_REACT, {**OPENED, "to": "push.opened"}, END)),
    warning("message_not_on_every_path", "opened", "of", journey(choosing("vip", otherwise="opened", branches=[
        {"id": "b0", "when": "vip", "next": "send"}]), _REACT, OPENED, END)),
    warning("open_not_seen", "opened", "to", journey(_REACT, OPENED, END), messages={"mail": email("mail", "", email={"text": "Hello"})}),
    warning("nothing_to_click", "opened", "to", journey(_REACT, _CLICKED, END), messages={"mail": email("mail", "<p>Hello</p>")}),
    warning("loopback_links", "", "", journey(SEND, END), public_url="http://127.0.0.1:8000"),
    error("unknown_segment", "read", "segment", journey(END), segments={}),
    warning("segment_empty", "read", "segment", journey(END), nobody_in=frozenset({"everybody"})),
    error("unknown_event", "buy", "event", journey(BUY, END), events={}),
    error("exit_criterion_ambiguous", "", "exit_criteria[0]",
          journey(WAIT, END, exit_criteria=[{"event": "purchase", "segment": "everybody"}])),
    error("event_ambiguous", "", "rule", purchase(match="Order Completed")),
    error("namespace_missing", "", "namespace", journey(WAIT, END, namespace="")),
    error("namespace_differs", "buy", "event", journey(BUY, END, namespace="email")),
    error("rule_invalid", "", "rule", segment("city ==")),
    warning("rule_empty", "", "rule", SegmentDocument.model_validate({"id": "asking", "rule": {"combinator": "and", "rules": []}})),
    warning("rule_never_true", "", "rule", segment("spent > 200 && spent < 100")),
    warning("undeclared_attribute", "", "rule", segment('town == "Bern"')),
    error("attribute_type", "", "rule", segment('spent > "100"')),
    warning("undeclared_field", "buy", "where", journey({**BUY, "where": 'colour == "red"'}, END)),
    error("segment_cycle", "", "rule", segment('in_segment("asking")'), segments={"asking": segment('in_segment("asking")')}),
    warning("segment_looks_back", "join", "segment", journey(_JOIN, END), segments=_BUYERS),
    error("time_unknown", "choose", "branches[0].when", journey(choosing("now.minute > 30"), END)),
    error("field_out_of_reach", "choose", "branches[0].when", journey(choosing("entry.total > 100"), END)),
    error("field_type", "buy", "where", journey({**BUY, "where": "product > 3"}, END)),
    error("unknown_attribute", "write", "set.shoe_size", journey({**_UPDATE, "set": {"shoe_size": 41}}, END)),
    error("webhook_url", "call", "url", journey({**CALL, "url": "crm.example"}, END)),
    error("webhook_method", "call", "method", journey({**CALL, "method": "FETCH"}, END)),
    error("webhook_header", "call", "headers.Host", journey({**CALL, "headers": {"Host": "crm.example"}}, END)),
    warning("webhook_private_host", "call", "url", journey({**CALL, "url": "http://localhost/"}, END)),
    error("unknown_call", "choose", "branches[0].when", journey(choosing("calls.crm.status == 200"), END)),
    error("bad_input", "", "nodes[1].knd",
          {"events/bought.yaml": _BOUGHT, "journeys/small.yaml": _READABLE.replace("{id: end, kind", "{id: end, kind: end, knd")}),
    warning("file_name_differs", "", "id", {"events/bought.yaml": _BOUGHT, "journeys/large.yaml": _READABLE}),
)  # fmt: skip

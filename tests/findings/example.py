"""What an example of a finding is, and the small world in which it is judged. The examples themselves stand beside it, by subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from journey.events import EventDefinition
from journey.findings import Grade
from journey.graph import Journey
from journey.messages import MessageDocument
from journey.policies import Policies
from journey.profiles import Attribute
from journey.segments import SegmentDocument
from journey.succession import Succession
from journey.surroundings import Surroundings
from tests.builders import purchase_definition

Files = Mapping[str, str]
"""A folder: the text of each file by its path."""


@dataclass(frozen=True, slots=True)
class Publish:
    """What is sent with a publish, the version that it makes, and the versions with people inside."""

    succession: Succession
    new: Journey
    older: tuple[Journey, ...]


Judged = Journey | MessageDocument | SegmentDocument | EventDefinition | Policies | Publish | Files


@dataclass(frozen=True, slots=True)
class Example:
    """A document with one thing wrong, and the finding that says so. `beside` are codes of what is wrong with it in other words."""

    code: str
    grade: Grade
    node: str
    field: str
    judged: Judged
    around: Surroundings
    beside: tuple[str, ...] = ()


def error(code: str, node: str, field: str, judged: Judged, *beside: str, **around: Any) -> Example:
    """An example of an error; `around` is what is otherwise than usual around it."""
    return Example(code, "error", node, field, judged, surroundings(**around), beside)


def warning(code: str, node: str, field: str, judged: Judged, *beside: str, **around: Any) -> Example:
    """An example of a warning."""
    return Example(code, "warning", node, field, judged, surroundings(**around), beside)


def email(message_id: str, html: str = '<a href="https://shop.example/">Look</a>', **changed: Any) -> MessageDocument:
    """A transactional e-mail with a link."""
    content = {"from": "shop@shop.example", "subject": "Hello", "html": html} | changed.pop("email", {})
    return MessageDocument.model_validate({"id": message_id, "class": "transactional", "email": content} | changed)


def push(message_id: str, **changed: Any) -> MessageDocument:
    """A push."""
    return MessageDocument.model_validate({"id": message_id, "push": {"title": "Hello", "body": "Look"}} | changed)


def surroundings(**changed: Any) -> Surroundings:
    """A shop: some attributes, a segment, a purchase, an e-mail, a push, and both in one."""
    held: dict[str, Any] = {
        "attributes": {"city": Attribute(type="string"), "spent": Attribute(type="number"), "vip": Attribute(type="boolean")},
        "segments": {"everybody": SegmentDocument(id="everybody", rule="has(city)")},
        "events": {"purchase": purchase_definition()},
        "messages": {
            "mail": email("mail"), "push": push("push"), "both": email("both", push={"title": "Hello", "body": "Look"}),
        },
    }  # fmt: skip
    return Surroundings(**(held | changed))


def journey(*nodes: Mapping[str, Any], **changed: Any) -> Journey:
    """A journey of these nodes behind an entry `read` that leads to the first of them; `entry` leads elsewhere, `read` changes it."""
    leads = changed.pop("entry", nodes[0]["id"] if nodes else ())
    read = {"id": "read", "kind": "read_segment", "segment": "everybody", "next": leads} | changed.pop("read", {})
    return Journey.model_validate({"id": "small", "namespace": "customer_id", "nodes": [read, *nodes]} | changed)


def by_event(*nodes: Mapping[str, Any], **entry: Any) -> Journey:
    """A journey that people enter by a purchase; `entry` changes that node, and with an `id` of a journey in `name` what it is called."""
    name = entry.pop("name", "small")
    first = {"id": "bought", "kind": "event", "event": "purchase", "next": nodes[0]["id"] if nodes else []} | entry
    return Journey.model_validate({"id": name, "namespace": "customer_id", "nodes": [first, *nodes]})


END = {"id": "end", "kind": "end"}
WAIT = {"id": "wait", "kind": "wait", "for": "PT1H", "next": "end"}
SEND = {"id": "send", "kind": "message", "message": "mail", "next": "end"}
OPENED = {"id": "opened", "kind": "reaction", "of": "send", "to": "email.opened", "next": "end", "timeout": {"after": "P1D"}}
BUY = {"id": "buy", "kind": "event", "event": "purchase", "next": "end", "timeout": {"after": "P1D"}}
CALL = {"id": "call", "kind": "webhook", "url": "https://crm.example/", "next": "end", "error": "end"}


def choosing(*rules: Any, **changed: Any) -> dict[str, Any]:
    """A condition `choose` with a branch for each rule: `b0`, `b1`, and so on."""
    branches = [{"id": f"b{index}", "when": rule, "next": "end"} for index, rule in enumerate(rules)]
    return {"id": "choose", "kind": "condition", "branches": branches, "otherwise": "end"} | changed


def dividing(*percents: float, **changed: Any) -> dict[str, Any]:
    """A split `divide` with a share for each percentage: `s0`, `s1`, and so on."""
    shares = [{"id": f"s{index}", "percent": percent, "next": "end"} for index, percent in enumerate(percents)]
    return {"id": "divide", "kind": "split", "shares": shares} | changed

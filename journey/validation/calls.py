"""What can be wrong with what a node writes into a profile, with the call of a webhook, and with looking at what one answered.

It knows the Liquid of these nodes; that of messages is in content.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from journey import call_rendering, calls, liquid_text, liquid_values, updating
from journey.arrows import Paths
from journey.findings import Finding, error, warning
from journey.graph import Condition, EventNode, Journey, Message, Node, UpdateProfile, Webhook
from journey.messages import MessageDocument
from journey.nearest import meant
from journey.rules import fields
from journey.surroundings import Surroundings
from journey.validation.rules import tree

_ALWAYS_THERE = ("id",)  # of a profile, besides its attributes
_SCOPES = ("profile", "event", "entry", "calls")


def of_update(node: UpdateProfile, surroundings: Surroundings) -> Iterator[Finding]:
    """What is wrong with what is written: an attribute that is not declared, a constant of another type, Liquid."""
    for name, raw in node.set.items():
        field = f"set.{name}"
        declared = surroundings.attributes.get(name)
        if declared is None:
            known = meant(name, surroundings.attributes)
            said = f"There is no attribute {name!r}: declare it in attributes.yaml, or correct the name.{known}"
            yield error("unknown_attribute", node.id, field, said)
        elif updating.is_liquid(raw):
            yield from _template(node.id, field, raw, liquid_values.NAMES, surroundings)
        elif (read := updating.field_of(raw)) is not None:
            yield from _source(node.id, field, read, surroundings)
        elif not updating.fits(raw, declared.type):
            said = f"{name} is declared as {declared.type}, and {_shown(raw)} is none: nothing is converted."
            yield error("attribute_type", node.id, field, said)


def of_call(node: Webhook, surroundings: Surroundings) -> Iterator[Finding]:
    """What is wrong with the call: its address, method, headers, Liquid."""
    yield from _address(node)
    if node.method and node.method not in calls.METHODS:
        said = f"{node.method!r} is no method that a webhook is called by: there are {', '.join(calls.METHODS)}."
        yield error("webhook_method", node.id, "method", said)
    names = call_rendering.NAMES
    if node.url:
        yield from _template(node.id, "url", node.url, names, surroundings, url=True)
    for name, value in node.headers.items():
        yield from _header(node.id, name)
        yield from _template(node.id, f"headers.{name}", value, names, surroundings)
    if node.body:
        yield from _template(node.id, "body", node.body, names, surroundings)


def out_of_reach(journey: Journey, node: Node, surroundings: Surroundings, paths: Paths) -> Iterator[Finding]:
    """Whatever looks at `calls.NODE`, and there is no such webhook or none that is called before; at `entry`, and there is none."""
    if isinstance(node, UpdateProfile | Webhook) and not isinstance(journey.entry_node, EventNode):
        for field, name in _looks_at(node, surroundings, "entry"):
            said = f"entry.{name} means nothing here: people enter this journey by no event that could be asked."
            yield error("field_out_of_reach", node.id, field, said)
    for field, name in _looks_at(node, surroundings, "calls"):
        called = {calls.named(one.id): one.id for one in journey.nodes if isinstance(one, Webhook)}
        asked = called.get(calls.named(name))
        if asked is None:
            said = f"calls.{name}: there is no webhook {name!r} in this journey. Name one that is called before.{meant(name, called)}"
            yield error("unknown_call", node.id, field, said)
        elif asked == node.id or node.id not in paths.reachable(asked):
            said = f"calls.{name}: the webhook {asked} is not called before, no path leads from it to here. Name another, or draw a path."
            yield error("unknown_call", node.id, field, said)


def _looks_at(node: Node, surroundings: Surroundings, word: str) -> Iterator[tuple[str, str]]:
    """Each field of a node that reads something of `calls` or `entry`, with the name behind the dot."""
    templates: Mapping[str, str] = {}
    match node:
        case Condition():
            for index, branch in enumerate(node.branches):
                rule = tree(branch.when)
                for name in fields(rule) if rule is not None else ():
                    if name.startswith(f"{word}."):
                        yield f"branches[{index}].when", name.split(".")[1]
        case UpdateProfile():
            templates = {f"set.{name}": raw for name, raw in node.set.items() if updating.is_liquid(raw)}
            for name, raw in node.set.items():
                read = updating.field_of(raw) or ""
                if read.startswith(f"{word}."):
                    yield f"set.{name}", read.split(".")[1]
        case Webhook():
            templates = {"url": node.url, "body": node.body} | {f"headers.{name}": value for name, value in node.headers.items()}
        case Message() if (message := surroundings.messages.get(node.message)) is not None:
            templates = {"message": "\n".join(_texts(message))}
    for field, text in templates.items():
        for name in liquid_text.fields_of(word, text):
            yield field, name


def _texts(message: MessageDocument) -> Iterator[str]:
    for content in (message.email, message.push):
        for value in content.model_dump().values() if content is not None else ():
            yield from value.values() if isinstance(value, dict) else [value]


def _template(
    node: str, field: str, text: str, names: tuple[str, ...], surroundings: Surroundings, *, url: bool = False
) -> Iterator[Finding]:  # fmt: skip
    try:
        liquid_text.check(text, names, url=url)
    except liquid_text.Fault as fault:
        place = field + (f", line {fault.line}" if fault.line else "")
        yield error("template_invalid", node, field, f"The Liquid of {place} is wrong: {fault.sentence}.")
        return
    for attribute in liquid_text.fields_of("profile", text):
        yield from _attribute(node, field, attribute, surroundings)


def _source(node: str, field: str, name: str, surroundings: Surroundings) -> Iterator[Finding]:
    """What is wrong with `{field: NAME}`."""
    scope, dot, inner = name.partition(".")
    if not name or (dot and scope in _SCOPES and not inner):
        yield error("field_missing", node, field, "The name of the field is missing: write it as {field: event.total}.")
    elif not dot or scope not in _SCOPES or scope == "profile":
        yield from _attribute(node, field, inner if scope == "profile" else name, surroundings)


def _attribute(node: str, field: str, name: str, surroundings: Surroundings) -> Iterator[Finding]:
    if name.partition(".")[0] not in surroundings.attributes and name not in _ALWAYS_THERE:
        known = meant(name, surroundings.attributes)
        said = f"{field} reads profile.{name}, which is not declared: whoever lacks it leaves this node by error.{known}"
        yield warning("undeclared_attribute", node, field, said)


def _address(node: Webhook) -> Iterator[Finding]:
    if not node.url:
        return
    try:
        parts = urlsplit(node.url.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    host = calls.host_of(node.url.strip())
    scheme, written, _ = node.url.partition("://")
    if "{" in (scheme if written else scheme.partition("/")[0]) or "{" in host or "{" in parts.netloc:
        said = "The scheme and host of a webhook are written out: Liquid stands behind them, in the path and the query."
        yield error("webhook_url", node.id, "url", said)
    elif parts.scheme not in ("http", "https") or not host or port == 0 or any(sign.isspace() for sign in parts.netloc):
        yield error("webhook_url", node.id, "url", "This is no address: write one as https://crm.example.com/people.")
    elif "@" in parts.netloc:
        said = "The address holds a name or a password, which every reader of the journey would see: send them in a header."
        yield error("webhook_url", node.id, "url", said)
    elif _is_private(parts.hostname or ""):
        said = f"{host} is an address of this machine or of a private network, which is refused unless SOJOURN_WEBHOOK_PRIVATE allows it."
        yield warning("webhook_private_host", node.id, "url", said)


def _is_private(host: str) -> bool:
    """Can it be told from the name alone that it is no public host? The sending looks at what the name leads to."""
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not ip_address(host.partition("%")[0]).is_global
    except ValueError:
        return False


def _header(node: str, name: str) -> Iterator[Finding]:
    field = f"headers.{name}"
    if not call_rendering.HEADER_NAME.fullmatch(name):
        yield error("webhook_header", node, field, f"{name!r} is no name of a header: write one as X-Source.")
    elif name.lower() in call_rendering.OURS or name.lower().startswith("webhook-"):
        yield error("webhook_header", node, field, f"The header {name} is set by the sending itself: leave it out.")


def _shown(raw: Any) -> str:
    return repr(raw) if isinstance(raw, str) else "null" if raw is None else f"{raw}".lower() if isinstance(raw, bool) else f"{raw}"

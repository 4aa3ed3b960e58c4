"""A webhook's call made out for one person: Liquid filled in, every value escaped for the place where it stands. It knows no network.

In the url each value is percent-encoded, in a header it is one line; a body that is JSON is checked to be JSON when it is filled in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from journey import liquid_text
from journey.calls import RenderedCall
from journey.errors import RenderError
from journey.graph import Webhook

NAMES = ("profile", "event", "entry", "calls", "journey", "entrant", "delivery", "now")
JSON_TYPE = "application/json"
LONGEST_URL = 8_000
LONGEST_HEADER = 4_000
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "idempotency-key", "upgrade", "te", "trailer", "expect"})
"""Headers that a node cannot set, beside `webhook-...`: the sending sets them."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNWRITABLE = re.compile("[\ud800-\udfff]")


def render(node: Webhook, values: Mapping[str, Any]) -> RenderedCall:
    """The call of this node; `values` are those of NAMES. Raises RenderError, which calling again would not cure."""
    url = _CONTROL.sub("", _filled(node.id, "url", node.url.strip(), values, url=True)).replace(" ", "%20")
    if len(url) > LONGEST_URL:
        raise _error(node.id, "url", f"it is longer than {LONGEST_URL} characters")
    headers = {name: _line(node.id, name, value, values) for name, value in node.headers.items()}
    body = _filled(node.id, "body", node.body, values)
    if body and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = JSON_TYPE
    if body and is_json(headers):
        _check_json(node.id, body)
    return RenderedCall(url, node.method, headers, body)


def is_json(headers: Mapping[str, str]) -> bool:
    """Is the body of a call with these headers JSON? It is where they say nothing."""
    written = next((value for name, value in headers.items() if name.lower() == "content-type"), JSON_TYPE)
    kind = written.partition(";")[0].strip().lower()
    return kind == JSON_TYPE or kind.endswith("+json")


def _line(node: str, name: str, template: str, values: Mapping[str, Any]) -> str:
    """One line: what stands in a header must not begin another."""
    line = " ".join(_CONTROL.sub(" ", _filled(node, f"header {name}", template, values)).split())
    if len(line) > LONGEST_HEADER:
        raise _error(node, f"header {name}", f"it is longer than {LONGEST_HEADER} characters")
    return line


def _filled(node: str, part: str, template: str, values: Mapping[str, Any], *, url: bool = False) -> str:
    try:
        text = liquid_text.fill(template, values, url=url)
    except liquid_text.Fault as fault:
        raise _error(node, part, fault.sentence, fault.line) from fault
    if _UNWRITABLE.search(text):
        raise _error(node, part, "it holds a character that cannot be written")
    return text


def _check_json(node: str, body: str) -> None:
    try:
        json.loads(body)
    except (ValueError, RecursionError) as fault:
        line = fault.lineno if isinstance(fault, json.JSONDecodeError) else 0
        raise _error(node, "body", "it is no JSON for this person; write values with the filter json, as {{ x | json }}", line) from fault


def _error(node: str, part: str, sentence: str, line: int = 0) -> RenderError:
    return RenderError(f"Webhook {node!r}, {part}{f', line {line}' if line else ''}: {sentence}.")

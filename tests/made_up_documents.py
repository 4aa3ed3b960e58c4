"""Documents that Hypothesis makes up: as the JSON schema allows them, or good ones in which something is another. It starts nothing."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

_SPECIAL = (
    "", " ", "P1D", "PT1H", "P1M", "P200D", "entry", "next", "error", "otherwise", "end", "2026-12-01", "2020-01-01T09:00",
    "09:00-17:00", "UTC", "{{ profile.city }}", "{{", "city == 'Bern'", "did('purchase')", "in_segment('lapsed')", "now.hour > 3",
    "entry.total > 3", "email.opened", "push.opened", "https://crm.example/{{ profile.id }}", "\u0000", "\ud800", "ä" * 70, "x\ny", "a+b",
)  # fmt: skip


def words(documents: Sequence[Any]) -> tuple[str, ...]:
    """Every text that stands anywhere in some documents, and some that mean something somewhere."""
    found = {text: None for document in documents for text in _texts(document)}
    return (*found, *_SPECIAL)


def fitting(schema: Mapping[str, Any], known: Sequence[str]) -> st.SearchStrategy[Any]:
    """Data of the shape that a schema allows, patterns aside, with texts that are known."""
    leaves = st.sampled_from(known)

    @st.composite
    def drawn(draw: st.DrawFn) -> Any:
        return _fitting(draw, schema, schema.get("$defs", {}), leaves, 0)

    return drawn()


def _fitting(draw: st.DrawFn, part: Mapping[str, Any], defs: Mapping[str, Any], leaves: st.SearchStrategy[str], depth: int) -> Any:
    if "$ref" in part:
        return _fitting(draw, defs[part["$ref"].rpartition("/")[2]], defs, leaves, depth + 1)
    for several in ("anyOf", "oneOf"):
        if several in part:
            return _fitting(draw, draw(st.sampled_from(part[several])), defs, leaves, depth)
    if "const" in part or "enum" in part:
        return part["const"] if "const" in part else draw(st.sampled_from(part["enum"]))
    match part.get("type"):
        case "object":
            inner = part.get("properties", {})
            needed = part.get("required", ())
            names = [name for name in inner if name in needed or draw(st.integers(0, 2)) == 0]
            made = {name: _fitting(draw, inner[name], defs, leaves, depth + 1) for name in names}
            return made or ({draw(leaves): draw(leaves)} if part.get("additionalProperties") and draw(st.booleans()) else made)
        case "array":
            most = 0 if depth > 8 else 6 if depth == 0 or part.get("title") == "Nodes" else 2
            return [_fitting(draw, part.get("items", {}), defs, leaves, depth + 1) for _ in range(draw(st.integers(0, most)))]
        case "string":
            return draw(leaves)
        case "integer":
            return draw(st.sampled_from([-1, 0, 1, 5, 31, 100, 10**20]))
        case "number":
            return draw(st.sampled_from([-1, 0, 0.5, 50, 100, 1e300]))
        case "boolean":
            return draw(st.booleans())
    return None


def changed(documents: Sequence[Any], known: Sequence[str]) -> st.SearchStrategy[Any]:
    """One of these documents in which up to four things are others: a text, a part from elsewhere, one more or one less."""

    @st.composite
    def drawn(draw: st.DrawFn) -> Any:
        document = copy.deepcopy(draw(st.sampled_from(documents)))
        for _ in range(draw(st.integers(1, 4))):
            holder, key = draw(st.sampled_from(list(_places(document))))
            match draw(st.sampled_from(["text", "text", "other", "gone", "twice", "swap"])):
                case "text":
                    holder[key] = draw(st.sampled_from(known))
                case "other":
                    elsewhere, name = draw(st.sampled_from(list(_places(draw(st.sampled_from(documents))))))
                    holder[key] = copy.deepcopy(elsewhere[name])
                case "gone":
                    del holder[key]
                case "twice" if isinstance(holder, list):
                    holder.insert(key, copy.deepcopy(holder[key]))
                case "swap" if isinstance(holder, list):
                    holder[key], holder[0] = holder[0], holder[key]
            if not any(_places(document)):
                break
        return document

    return drawn()


def _places(part: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document where something stands, as what holds it and its key there."""
    for key, inner in list(part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()):
        yield part, key
        yield from _places(inner)


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _texts(inner)

"""An example of each finding about a version that others came before: what it keeps, and what becomes of the people in those."""

from __future__ import annotations

from typing import Any

from journey.succession import Succession
from tests.findings.example import END, SEND, WAIT, Publish, by_event, choosing, error, journey, warning

_BACK = by_event({"id": "jump", "kind": "jump", "journey": "small", "next": "end"}, END, name="other")


def mapping(**map: str) -> Publish:
    """A new version of a journey with a wait, a condition and an end, and this map."""
    drawn = journey({**WAIT, "next": "choose"}, choosing("vip"), END)
    return Publish(Succession(people="migrate", map=map), drawn, (drawn,))


def continuing(**changed: Any) -> Any:
    return journey({**SEND, "id": "hello", "continues": "send"} | changed, END)


EXAMPLES = (
    error("namespace_changed", "", "namespace", journey(WAIT, END), earlier=(journey(WAIT, END, namespace="email"),)),
    warning("incremental_anew", "read", "segment", journey(WAIT, END, read={"incremental": True}),
            earlier=(journey(WAIT, END, read={"segment": "customers"}),)),
    warning("jumped_to", "read", "kind", journey(WAIT, END), journeys={"other": _BACK}),
    error("continues_twice", "again", "continues", journey({**SEND, "next": "again"}, {**SEND, "id": "again", "continues": "send"}, END)),
    warning("continues_unknown", "hello", "continues", continuing(), earlier=(journey(WAIT, END),)),
    error("map_not_used", "", "map", Publish(Succession(map={"wait": "end"}), journey(WAIT, END), (journey(WAIT, END),))),
    error("map_node_unknown", "nowhere", "map", mapping(nowhere="wait")),
    error("map_target_unknown", "wait", "map", mapping(wait="nowhere")),
    error("map_without_next", "choose", "map", mapping(choose=":next")),
    error("map_entry", "wait", "map", mapping(wait="read")),
)  # fmt: skip

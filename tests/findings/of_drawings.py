"""An example of each finding about the drawing of a journey: its nodes, its arrows, and who stands where."""

from __future__ import annotations

from journey.graph import Journey
from tests.findings.example import BUY, CALL, END, OPENED, SEND, WAIT, by_event, choosing, dividing, error, journey, warning

_JUMP = {"id": "jump", "kind": "jump", "journey": "other", "next": "end"}
_OTHER = by_event(END, name="other")
_BACK = by_event({**_JUMP, "journey": "small"}, END, name="other")
_FIRST = {**WAIT, "id": "first", "next": "wait"}
_ENDS = ({"id": "bought", "kind": "end", "label": "Has bought"}, {"id": "gone", "kind": "end"})

EXAMPLES = (
    error("no_entry", "", "nodes", Journey.model_validate({"id": "small", "namespace": "customer_id", "nodes": [WAIT, END]})),
    error("two_entries", "again", "kind",
          journey(WAIT, END, {"id": "again", "kind": "read_segment", "segment": "everybody", "next": "end"})),
    error("entry_not_first", "wait", "next", journey({**WAIT, "next": "read"}), "cycle"),
    error("duplicate_id", "wait", "id", journey(WAIT, WAIT, END)),
    error("reserved_id", "choose", "branches[0].id",
          journey({**choosing(), "branches": [{"id": "error", "when": "vip", "next": "end"}]}, END)),
    error("percent_invalid", "divide", "shares[0].percent", journey(dividing(120, 20), END)),
    error("shares_do_not_add_up", "divide", "shares", journey(dividing(50, 40), END)),
    warning("share_never_taken", "divide", "shares[1].percent", journey(dividing(100, 0), END)),
    warning("split_of_one", "divide", "shares", journey(dividing(100), END)),
    error("entry_waits", "bought", "timeout", by_event(END, timeout={"after": "P1D"})),
    error("settle_not_at_entry", "buy", "settle_for", journey({**BUY, "settle_for": "PT5M", "next": "end"}, END)),
    error("settle_too_long", "bought", "settle_for", by_event(END, where="profile.vip", settle_for="P2D")),
    warning("settle_for_nothing", "bought", "settle_for", by_event(END, settle_for="PT5M")),
    error("unknown_journey", "jump", "journey", journey(_JUMP, END)),
    error("jump_not_live", "jump", "journey", journey(_JUMP, END), journeys={"other": _OTHER}, not_live=frozenset({"other"})),
    error("jump_not_by_event", "jump", "journey", journey(_JUMP, END), journeys={"other": journey(END, id="other")}),
    error("jump_circle", "jump", "journey", by_event(_JUMP, END), journeys={"other": _BACK}),
    error("unknown_node", "wait", "next", journey({**WAIT, "next": "nowhere"})),
    error("since_not_before", "buy", "since", journey({**BUY, "since": "wait", "next": "wait"}, WAIT, END)),
    error("target_twice", "send", "next", journey({**SEND, "next": ["opened", "opened"]}, OPENED, END)),
    error("next_not_listening", "wait", "next", journey({**WAIT, "next": ["send", "buy"]}, SEND, BUY, END)),
    error("cycle", "wait", "next", journey(_FIRST, {**WAIT, "next": "first"})),
    warning("unreachable", "alone", "id", journey(WAIT, END, {**SEND, "id": "alone"})),
    error("field_missing", "send", "message", journey({**SEND, "message": ""}, END)),
    error("unknown_channel", "send", "channels[0]", journey({**SEND, "channels": ["sms"]}, END)),
    warning("never_wins", "again", "event", journey(BUY, {**BUY, "id": "again", "timeout": None}, END, entry=["buy", "again"])),
    warning("branch_never_taken", "choose", "branches[1].when", journey(choosing("spent >= 100", "spent >= 200"), END)),
    warning("no_otherwise", "choose", "otherwise", journey(choosing("vip", otherwise=[]), END)),
    warning("no_error_exit", "call", "error", journey({**CALL, "next": "send", "error": []}, SEND, END)),
    warning("end_unlabelled", "gone", "label", journey(choosing("vip", otherwise="gone", branches=[
        {"id": "b0", "when": "vip", "next": "bought"}]), *_ENDS)),
    warning("many_nodes", "", "nodes", journey(*({**WAIT, "id": f"w{n}", "next": f"w{n + 1}"} for n in range(60)), {**END, "id": "w60"})),
    error("too_many_nodes", "", "nodes",
          journey(*({**WAIT, "id": f"w{n}", "for": "PT1M", "next": f"w{n + 1}"} for n in range(1_000)), {**END, "id": "w1000"})),
    warning("document_large", "wait", "", journey({**WAIT, "note": "x" * 1_000_000}, END)),
    error("document_too_large", "wait", "", journey({**WAIT, "note": "ä" * 600_000}, END)),
)  # fmt: skip

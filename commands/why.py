"""`sojourn why ENTRANT`: where somebody is, what they wait for, and what every event meant to them. It decides nothing: the API says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from commands.http import Api


def why(api: Api, entrant: str) -> dict[str, Any]:
    """The entrant as the API shows it, and under `heard` the events since it came in."""
    path = f"/v1/entrants/{quote(entrant, safe='~')}"
    answer: dict[str, Any] = api.get(path)
    return answer | {"heard": api.get(f"{path}/heard")["items"]}


def sentences(answer: Mapping[str, Any]) -> Iterator[str]:
    """It all in words: the path, the wait, and each event with the conditions that were not met."""
    entrant = answer["entrant"]
    entered = next((step["from_version"] for step in answer["path"] if step.get("from_version")), entrant["version"])
    yield f"{entrant['id']} entered {entered} at {entrant['entered_at']}."
    for step in answer["path"]:
        if step["said"]:
            yield f"  {step['closed_at']}  {step['said']}"
        for branch in step["why"]:
            yield f"    the branch {branch['branch']} of {step['node']} is {'taken' if branch['verdict'] else 'not taken'}"
            yield from _not_so(branch)
    yield from _now(answer)
    for heard in answer["heard"]:
        yield f"{heard['accepted_at']}  {heard['name'] or heard['id']} ({heard['source']}/{heard['id']}): {_effect(heard)}"
        for node in heard["nodes"] if heard["effect"] == "none" else []:
            yield f"    {node['node']}: {node['said']['sentence']}"
            yield from _not_so(node["said"]["rule"])


_FOR = {"quiet_hours": "quiet hours", "capped": "a place under a frequency cap"}
"""What a delivery waits for, by its reason."""


def _now(answer: Mapping[str, Any]) -> Iterator[str]:
    entrant, waiting = answer["entrant"], answer["waiting"]
    if entrant["state"] == "ended":
        yield f"Ended at {entrant['ended_at']}: {entrant['end_reason']}."
    elif entrant["held"]:
        yield f"Held before {entrant['held']}: the journey is paused."
    elif waiting is None:
        if entrant["parked"]:
            yield f"Parked at {entrant['parked']} by {entrant['parked_why']}: mend it, then POST /v1/journeys/{entrant['journey']}:unpark."
        else:
            yield f"Under way at {' or '.join(entrant['place']) or 'the start'}."
        for one in answer["deliveries"]:
            if (one["status"], one["reason"]) == ("claimed", "in_review"):
                yield f"  Its {one['channel']} waits for somebody to review it."
            elif one["status"] == "claimed" and one["not_before"]:
                wanted = _FOR.get(one["reason"], "a pause or a turn of its provider")
                yield f"  Its {one['channel']} waits until {one['not_before']}: {wanted}."
            if one["detail"] and one["status"] in ("claimed", "failed", "uncertain"):
                yield f"  Its {one['channel']} of {one['node']}: {one['detail']}"
    else:
        awaited = ", ".join(f"{one['node']} ({one['kind']}: {one['what']})" for one in waiting["awaited"])
        until = (
            f"until {waiting['until']}, then {' or '.join(waiting['then']) or 'the end'}" if waiting["until"] else "for as long as it takes"
        )
        yield f"Waits since {waiting['since']} for {awaited}, {until}. Ends at the latest at {waiting['global_timeout_at']}."


def _effect(heard: Mapping[str, Any]) -> str:
    if heard["effect"] == "entered":
        return "it let them in."
    if heard["effect"] == "decided":
        return f"it decided {heard['node']}."
    if heard["effect"] == "ended":
        return f"it ended them. {heard['sentence']}"
    if heard["effect"] == "kept":
        return "it is kept for the gate that comes next."
    where = " or ".join(heard["place"])
    stood = f"waiting at {where}" if heard["waiting"] else f"under way from {where}" if where else "not at any place"
    code = f" [{heard['code']}]" if heard["code"] else ""
    return f"no effect{code} on somebody {stood}. {heard['sentence']}"


def _not_so(rule: Mapping[str, Any] | None) -> Iterator[str]:
    for test, wanted in _failed(rule, True) if rule is not None else ():
        if not test["field"]:
            yield f"      {test['why'] or 'nothing is asked'}"
        elif wanted:
            yield f"      {test['field']} {test['operator']} {test['wanted']!r} is not so: {test['why'] or repr(test['found'])}"
        else:
            yield f"      {test['field']} {test['operator']} {test['wanted']!r} is so, and must not be: {test['found']!r}"


def _failed(rule: Mapping[str, Any], wanted: bool) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """The tests that were not as wanted, in a rule that was not; what stands under a `not` is wanted to be false."""
    if rule["verdict"] == wanted and rule["parts"]:
        return
    if not rule["parts"]:
        if rule["verdict"] != wanted or not rule["field"]:  # an empty group is never as wanted
            yield rule, wanted
        return
    for part in rule["parts"]:
        yield from _failed(part, wanted != rule["negated"])

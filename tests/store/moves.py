"""A version is succeeded by another, as tests of moves do it on a store inside one transaction."""

from __future__ import annotations

from collections import Counter
from typing import Any

from journey import ids, walk
from journey.events import Event
from journey.succession import Succession
from journey.version import Version
from store import schema, succeeding, versions
from store.versions import VersionRow, frozen_version
from store.work import CounterKey, Work
from tests.builders import START, purchase_definition, use_case, use_case_nodes, version
from tests.store.driver import Driver, Store


def succeed(store: Store, new: Version, people: str = "flow_in", **told: Any) -> VersionRow:
    """The new version goes live after those that are there, which are closed; those inside go on as told. Nobody is let in."""
    journey = new.journey.id

    def unit(work: Work) -> VersionRow:
        before = versions.of_journey(work.connection, journey)
        row = VersionRow(ids.version(journey, len(before) + 1), journey, len(before) + 1, new.hash, "live", work.now())
        for one in before:
            if one.state == "live":
                versions.move(work, one, "close")
        versions.keep(work, new)
        versions.insert(work, row)
        succession = Succession.model_validate({"people": people, **told})
        succeeding.succeed(work, succeeding.concerned(work.connection, journey, row.number), row, succession)
        return row

    return store.write(unit)


def woken(store: Store, version_id: str) -> tuple[str, ...]:
    """Those whom the next page of a waking tells to ask."""
    return store.write(lambda work: succeeding.wake(work, version_id)).people


def check_all(store: Store, journey: str) -> None:
    """Facts and counters are the same numbers, and at every node of every version stand those who came and did not go."""
    facts = Counter((row.node, row.kind, row.channel) for row in store.rows(schema.facts))
    counters = Counter[tuple[str, str, str]]()
    balance: dict[str, Counter[str]] = {}
    for row in store.rows(schema.counters):
        key, count = CounterKey(row.version, row.mode, row.node, row.kind, row.channel), row._mapping["count"]
        counters[key.node, key.kind, key.channel] += count
        change = count if key.kind == "arrived" else -count if key.kind.startswith(("left.", "ended.")) and key.node else 0
        balance.setdefault(key.version, Counter())[key.node] += change
    assert facts == counters
    inside: dict[str, Counter[str]] = {}
    for row in store.rows(schema.entrants, state="open"):
        of = frozen_version(store.connection, versions.row(store.connection, row.version).hash).journey
        if not row.closed or isinstance(walk.ask(of, row.place), walk.Listen):
            inside.setdefault(row.version, Counter()).update(walk.nodes_of(row.place))
    there = {version: {node: count for node, count in nodes.items() if count} for version, nodes in balance.items()}
    assert {version: nodes for version, nodes in there.items() if nodes} == {version: dict(nodes) for version, nodes in inside.items()}
    store.effects()


def step(driver: Driver) -> Any:
    """The last step of an entrant."""
    return driver.store.rows(schema.steps, entrant=driver.entrant)[-1]


# ---- versions before and after -----------------------------------------------------------------------------------------------------

SMALL = "small@1"
END = {"id": "end", "kind": "end"}
ONE = {"id": "one", "kind": "message", "message": "first-message", "next": "end"}


def waits(length: str = "P7D", leads: str = "end", **changed: Any) -> Version:
    return version({"id": "rests", "kind": "wait", "for": length, "next": leads}, ONE, END, **changed)


def shorter() -> Version:
    """The use case with half a day instead of one."""
    nodes = use_case_nodes()
    nodes[3]["timeout"]["after"] = "PT12H"
    return use_case(nodes=nodes)


def without_push() -> Version:
    nodes = [node for node in use_case_nodes() if node["id"] != "push-opened"]
    nodes[1]["next"] = "email-opened"
    return use_case(nodes=nodes)


def version_without_gate() -> Version:
    nodes = [node for node in use_case_nodes() if node["kind"] != "reaction" and node["id"] != "follow-up"]
    nodes[1]["next"] = "purchase"
    return use_case(nodes=nodes)


def renamed() -> Version:
    """The use case whose first message has another id, and says which it was."""
    nodes = use_case_nodes()
    nodes[0]["next"], nodes[1]["id"], nodes[1]["continues"], nodes[2]["of"], nodes[3]["of"] = "hello", "hello", "first", "hello", "hello"
    nodes[3]["timeout"]["after"] = "PT12H"
    return use_case(nodes=nodes)


def listens(to: str) -> Version:
    known = (purchase_definition(), purchase_definition(id="refund", rule=None, match="refund"))
    return version({"id": "hears", "kind": "event", "event": to, "next": "end"}, END, definitions=known)


def refund(event_id: str) -> Event:
    return Event("shop", event_id, "refund", {"customer": "bob"}, "bob", None, START)


def looks_back() -> Version:
    back = {"id": "hears", "kind": "event", "event": "purchase", "since": "entry", "timeout": {"after": "P1D"}, "next": "end"}
    return version({"id": "rests", "kind": "wait", "for": "P7D", "next": "hears"}, back, END)


def writes(type_of_city: Any) -> Version:
    of = version({"id": "mark", "kind": "update_profile", "set": {"city": "Rome"}, "next": "end"}, END, on_error="park")
    return Version(journey=of.journey, events=of.events, writes={"city": type_of_city})


def sends_then_rests() -> Version:
    return version(ONE | {"next": "rests"}, {"id": "rests", "kind": "wait", "for": "P7D", "next": "end"}, END)


def rests_then_sends(node: str) -> Version:
    more = {} if node == "one" else {"continues": "one"}
    return version({"id": "rests", "kind": "wait", "for": "P5D", "next": node}, ONE | {"id": node} | more, END)

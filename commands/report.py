"""`sojourn report ID`: the numbers of a version as a table. It counts nothing: the API does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from commands.http import Api, journey_path

RUNS = 5


def report(api: Api, journey: str, version: int | None = None) -> dict[str, Any]:
    """The report of the live version, or of another by its number; with the last runs of the journey, whatever their version."""
    answer: dict[str, Any] = api.get(f"{journey_path(journey)}/report", version=version)
    return answer | {"runs": api.get(f"{journey_path(journey)}/runs", limit=RUNS)["items"]}


def table(answer: Mapping[str, Any]) -> Table:
    """A row per node: who came, who is there, how they left, and what became of messages."""
    version = answer["version"]
    made = Table(title=f"{version['id']}, {version['state']}", title_justify="left")
    for heading, justify in (
        ("node", "left"),
        ("kind", "left"),
        ("arrived", "right"),
        ("inside", "right"),
        ("left", "left"),
        ("messages", "left"),
    ):
        made.add_column(heading, justify=justify)  # type: ignore[arg-type]  # the literals of rich
    for node in answer["nodes"]:
        ended = {f"ended: {reason}": count for reason, count in node["ended"].items()} | {"without a time": node.get("no_time", 0)}
        left = ", ".join([*_shares(node), _listed(ended)] if node.get("planned") else [_listed(node["left"] | ended)]).removesuffix(", ")
        made.add_row(
            node["node"], node["kind"], str(node["arrived"]), str(node["inside"]), escape(left), escape("\n".join(_messages(node)))
        )
    return made


def sentences(answer: Mapping[str, Any]) -> Iterator[str]:
    """The totals in words, and whatever contradicts itself."""
    totals = answer["totals"]
    ended = {reason: count for reason, count in totals["ended"].items() if reason != "finished"}
    said = [f"{totals['entered']} entered"]
    said += [f"{totals['moved_in']} came from another version"] if totals.get("moved_in") else []
    said += [f"{totals['moved_out']} went on in another version"] if totals.get("moved_out") else []
    said += [f"{totals['inside']} are inside", f"{totals['finished']} finished"]
    said += [f"{count} ended by {reason}" for reason, count in ended.items()]
    if totals["held"]:
        said.append(f"{totals['held']} of them are held by a pause")
    yield ", ".join(said) + "."
    for node in answer["nodes"]:
        if node.get("in_review"):
            yield f"In review at {node['node']}: {node['in_review']} (`sojourn review {answer['journey']}`)."
    if totals["excluded"]:
        yield f"Not written to: {_listed(totals['excluded'])}."
    if totals["discards"]:
        yield f"Without effect: {_listed(totals['discards'])}."
    schedule = answer.get("schedule")
    if schedule:
        times = ", ".join(one["local"] for one in schedule["next"])
        yield f"Reads its segment {schedule['says']} ({schedule['timezone']}): next {times}."
    for run in answer.get("runs", ()):
        yield _run(run)
    yield from answer["differences"]


def _shares(node: Mapping[str, Any]) -> Iterator[str]:
    """What each share of a split got, in percent, and what it is meant to get."""
    everybody = sum(node["left"].values())
    for share, planned in node["planned"].items():
        count = node["left"].get(share, 0)
        real = f"{100 * count / everybody:.1f} %, " if everybody else ""
        yield f"{share} {count} ({real}planned {planned:g} %)"


def _run(run: Mapping[str, Any]) -> str:
    """`thank-you.run.2026-03-02T09:00: done, 120 let in, 3 discarded`."""
    counts = {"let in": run["admitted"], "discarded": run["discarded"], "members before": run["stayed"], "ended first": run["reentered"]}
    said = [f"{run['state']} ({run['reason']})" if run["reason"] else str(run["state"])]
    said += [f"{count} {name}" for name, count in counts.items() if count or (name == "let in" and run["state"] != "missed")]
    return f"{run['id']}: {', '.join(said)}."


def _messages(node: Mapping[str, Any]) -> Iterator[str]:
    for channel, counts in node["channels"].items():
        numbers = {name: count for name, count in counts.items() if name != "excluded" and count}
        numbers |= {f"excluded {reason}": count for reason, count in counts["excluded"].items()}
        yield f"{channel}: {_listed(numbers)}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count)

"""`sojourn report ID`: the numbers of a version as a table. It counts nothing: the API does."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from commands.http import Api, journey_path
from journey import report_lines

RUNS = 5


def report(api: Api, journey: str, version: int | None = None) -> dict[str, Any]:
    """The report of the live version, or of another by its number; with the last runs of the journey, whatever their version."""
    answer: dict[str, Any] = api.get(f"{journey_path(journey)}/report", version=version)
    return answer | {"runs": api.get(f"{journey_path(journey)}/runs", limit=RUNS)["items"]}


def as_csv(answer: Mapping[str, Any]) -> Iterator[str]:
    """The report as CSV, line by line: one number each."""
    for line in (report_lines.HEADINGS, *report_lines.lines(answer)):
        written = io.StringIO()
        csv.writer(written, lineterminator="").writerow(line)
        yield written.getvalue()


def table(answer: Mapping[str, Any]) -> Table:
    """A row per node: who came, who is there and why, and how they left."""
    version = answer["version"]
    made = _table(f"{version['id']}, {version['state']}", ("node", "kind", "left"), ("arrived", "inside"), at=2)
    for node in answer["nodes"]:
        ended = {f"ended: {reason}": count for reason, count in node["ended"].items()}
        ended |= {"without a time": node.get("no_time", 0), "held before it": node.get("held", 0)}
        left = ", ".join([*_shares(node), _listed(ended)] if node.get("planned") else [_listed(node["left"] | ended)]).removesuffix(", ")
        why = _listed({name: node.get(name.replace(" ", "_"), 0) for name in ("parked", "in review")})
        inside = f"{node['inside']}" + (f" ({why})" if why else "")
        made.add_row(node["node"], node["kind"], str(node["arrived"]), inside, escape(left))
    return made


def messages(answer: Mapping[str, Any]) -> Table:
    """A row per message and channel: to how many it was to go, why it did not, and what has come back, in percent of what went out."""
    found = [(node["node"], channel, counts) for node in answer["nodes"] for channel, counts in node["channels"].items()]
    several = Counter(channel for _, channel, _ in found)
    found += [("all", channel, counts) for channel, counts in answer["totals"]["channels"].items() if several[channel] > 1]
    shown = [name for name in _OF_A_MESSAGE if name in _ALWAYS or any(counts.get(name) for *_, counts in found)]
    made = _table("", ("message", "channel", "not sent"), ("targeted", *shown), at=2)
    for name, channel, counts in found:
        excluded = "\n".join(f"{reason.replace('_', ' ')} {count}" for reason, count in counts["excluded"].items())
        numbers = (_with_rate(counts, one) for one in shown)
        made.add_row(name, channel, str(counts["targeted"]), *numbers, escape(excluded))
    return made


_OF_A_MESSAGE = (
    "sent", "sent_again", "failed", "uncertain", "resent", "on_the_way", "delivered", "opened", "clicked", "opened_by_machine",
    "clicked_by_machine", "bounced", "bounced_hard", "complained", "unsubscribed",
)  # fmt: skip
_ALWAYS = ("sent", "opened")


def _with_rate(counts: Mapping[str, Any], name: str) -> str:
    count, rate = counts.get(name, 0), counts.get("rates", {}).get(name)
    return f"{count} ({rate:g} %)" if count and rate is not None else str(count)


def _table(title: str, words: tuple[str, ...], numbers: tuple[str, ...], *, at: int) -> Table:
    """A table with columns of words, and of numbers behind the first so many."""
    made = Table(title=title or None, title_justify="left")
    for heading in words[:at]:
        made.add_column(heading, justify="left")
    for heading in numbers:
        made.add_column(heading.replace("_", " "), justify="right")
    for heading in words[at:]:
        made.add_column(heading, justify="left")
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


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count)

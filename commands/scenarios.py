"""`sojourn test`: plays the scenarios beside a journey and says which expectations were not met. It reads no settings, and knows no
server: whoever plays them for real is an argument."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from commands import scenario_files, scenario_junit
from commands.scenario_files import Player, Suite, Tried
from commands.scenario_words import lines, moments
from journey.errors import BadInput
from journey.simulation.coverage import Coverage


def run(
    path: Path, *, least: int = 0, junit: Path | None = None, as_json: bool = False, player: Player = scenario_files.simulated
) -> int:  # fmt: skip
    """Prints what came of every scenario; 0 when all passed and enough is covered, else 1.

    `path` is a folder of documents, a folder of such folders, or one scenario's file. `least` is the share of nodes and of exits, in
    percent, that the scenarios of every journey must come to. `junit` is where a report for a CI server is written. `player` is who plays
    the scenarios of a folder. Raises BadInput when a folder cannot be read.
    """
    only = path if path.is_file() else None
    played = [scenario_files.play(root, only, player) for root in scenario_files.suites(path)]
    if not any(suite.tried for suite in played):
        raise BadInput(f"{path} has no scenarios: write one as scenarios/NAME.yaml, beside journeys/.")
    if junit is not None:
        _write(junit, scenario_junit.report(played, least))
    failed = sum(not one.passed for suite in played for one in suite.tried)
    thin = [one for suite in played for one in suite.coverage if one.percent < least]
    if as_json:
        json.dump(as_data(played, least), sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        _print(Console(highlight=False, soft_wrap=True), played, thin, least)
    return 1 if failed or thin else 0


def as_data(played: Sequence[Suite], least: int) -> dict[str, Any]:
    """What `--json` prints. Instants are seconds after the admission."""
    return {
        "passed": all(one.passed for suite in played for one in suite.tried)
        and all(c.percent >= least for s in played for c in s.coverage),
        "suites": [
            {
                "folder": str(suite.root),
                "scenarios": [_scenario(one) for one in suite.tried],
                "coverage": [_coverage(one) for one in suite.coverage],
            }
            for suite in played
        ],
    }


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise BadInput(f"{file} cannot be written: {fault.strerror}.") from fault


# ---- text ------------------------------------------------------------------------------------------------------------------------


def _print(console: Console, played: Sequence[Suite], thin: Sequence[Coverage], least: int) -> None:
    for suite in played:
        console.print(f"[bold]{escape(str(suite.root))}[/]")
        for one in suite.tried:
            _print_one(console, one)
        for covered in suite.coverage:
            style = "red" if covered in thin else "yellow" if covered.percent < 100 else "green"
            console.print(f"  [{style}]{escape(covered.journey)}: {escape(covered.sentence())}[/]")
    tried = [one for suite in played for one in suite.tried]
    failed = sum(not one.passed for one in tried)
    took = 1000 * sum(suite.seconds for suite in played)
    length = f"{took:.0f} ms" if took < 10_000 else f"{took / 1000:.0f} s"
    count = "1 scenario" if len(tried) == 1 else f"{len(tried)} scenarios"
    verdict = f"[red]{failed} failed[/]" if failed else "[green]all passed[/]"
    console.print(f"{count}: {verdict}, played in {length}.")
    if thin:
        console.print(f"[red]Not enough is covered: --least {least} asks for {least} % of the nodes and of the exits of each journey.[/]")


def _print_one(console: Console, one: Tried) -> None:
    named = escape(one.scenario.name if one.scenario is not None else "")
    console.print(f"  [{'green' if one.passed else 'red'}]{'✓' if one.passed else '✗'}[/] [bold]{escape(one.id)}[/]  {named}")
    for fault in one.faults:
        console.print(f"      {escape(str(fault.file))}:{fault.line}: {escape(fault.finding.sentence)}", style="red")
    for note in one.notes:
        console.print(f"      {escape(note)}", style="yellow")
    for difference in one.differences:
        console.print(f"      [bold]{difference.field}[/] (- expected, + happened)")
        for line in lines(difference):
            console.print(f"        {line}", style={"-": "red", "+": "green"}.get(line[0], "default"), markup=False)
    if one.differences and one.story is not None:
        console.print("      [bold]what happened[/]")
        for line in moments(one.story.timeline):
            console.print(f"        {line}", style="dim", markup=False)


# ---- data ------------------------------------------------------------------------------------------------------------------------


def _scenario(one: Tried) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.scenario.name if one.scenario is not None else "",
        "journey": one.scenario.journey if one.scenario is not None else "",
        "file": str(one.file),
        "passed": one.passed,
        "seconds": round(one.seconds, 6),
        "differences": [
            {"field": each.field, "expected": list(each.expected), "happened": list(each.happened)} for each in one.differences
        ],
        "faults": [{"file": str(fault.file), "line": fault.line, "sentence": fault.finding.sentence} for fault in one.faults],
        "notes": list(one.notes),
        "timeline": [
            {"at": moment.at / 1_000_000, "sentence": moment.sentence} for moment in (one.story.timeline if one.story is not None else ())
        ],
    }


def _coverage(one: Coverage) -> dict[str, Any]:
    return {
        "journey": one.journey,
        "percent": one.percent,
        "nodes": one.nodes,
        "exits": one.exits,
        "never_reached": list(one.never_reached),
        "never_left": list(one.never_left),
    }

"""How the command line says things: text or JSON, tables, bars, errors. It knows no command and no settings."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from journey.errors import Invalid, SojournError

_WIDTH_OF_A_FILE = 160  # where output goes that no terminal shows


def told(error: SojournError) -> int:
    """Say on stderr what went wrong, with its findings; as JSON too where that was asked for. Returns the exit code."""
    typer.echo(error.sentence, err=True)
    findings = error.findings if isinstance(error, Invalid) else ()
    for finding in findings:
        at = f" at {finding.node}" if finding.node else ""
        typer.echo(f"  {finding.grade} {finding.code}{at}: {finding.sentence}", err=True)
    if "--json" in sys.argv:
        shown = [{name: getattr(finding, name) for name in finding.__slots__} for finding in findings]
        print_json({"error": {"code": error.code, "sentence": error.sentence, "findings": shown}})
    return 1


def counted(count: int, names: str) -> str:
    """`3 journeys`, `1 journey`, `1 policy`."""
    if count != 1:
        return f"{count:,} {names}"
    return f"1 {names.removesuffix('ies')}y" if names.endswith("ies") else f"1 {names.removesuffix('s')}"


def say(answer: Any, as_json: bool, sentences: Callable[[Any], Iterable[str]], *tables: Callable[[Any], Table]) -> None:
    """What the API answered: as it is, or as tables, those without rows left out, and in sentences."""
    if as_json:
        print_json(answer)
        return
    for table in tables:
        if (made := table(answer)).row_count or len(tables) == 1:
            console().print(made)
    for sentence in sentences(answer):
        typer.echo(sentence)


def print_json(value: Any) -> None:
    """One JSON value on stdout."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def console() -> Console:
    """As wide as the terminal; wide enough for a table where there is none."""
    return Console(width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE)


def progress(*, hidden: bool) -> Progress:
    """A bar for each thing on its way, on stderr and only where somebody sees it; it goes when all is done."""
    shown = Console(stderr=True)
    columns = (TextColumn("{task.description:<13}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    return Progress(*columns, console=shown, transient=True, disable=hidden or not shown.is_terminal)

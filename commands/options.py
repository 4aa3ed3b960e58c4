"""What several commands take on the command line, said once. It knows no command and runs none."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of text.")]
JourneyId = Annotated[str, typer.Argument(metavar="ID", help="The id of a journey.")]

_HOW = "What becomes of people inside: finish, when nothing is said, flow_in, or migrate."
People = Annotated[str, typer.Option("--people", metavar="HOW", help=_HOW)]
MapFile = Annotated[Path | None, typer.Option("--map", metavar="FILE", help="To migrate by: lines of `old-node: new-node`.")]
WakeRate = Annotated[int | None, typer.Option("--rate", metavar="N", min=1, help="How many people are woken in a second; 100 when absent.")]

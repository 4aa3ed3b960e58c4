"""`sojourn reconcile`: compares store and Temporal server whole and shows what it came to. It compares nothing: the API does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.table import Table

from commands.http import Api

PATH = "/v1/reconcile"
_PAUSE = 0.5
COLUMNS = (
    ("checked", "people looked at"),
    ("told", "got a signal"),
    ("started", "got their workflow again"),
    ("ended", "ended, since their workflow was ended from outside"),
    ("adopted", "got a row in the database"),
    ("busy", "at work, or waiting for a worker"),
    ("left_alone", "left alone"),
)


def reconcile(api: Api, tell: Callable[[Mapping[str, Any]], None], *, wake: bool) -> dict[str, Any]:
    """Start it, tell how far it is, and return what it came to. Raises Unavailable when the Temporal server cannot be reached."""
    found: dict[str, Any] = api.post(PATH, {"wake": wake})
    while found["state"] != "done":
        tell(found)
        time.sleep(_PAUSE)
        found = api.get(PATH)
    return found


def table(found: Mapping[str, Any]) -> Table:
    """The numbers, and what each means."""
    made = Table(show_header=False)
    made.add_column(justify="right")
    made.add_column()
    for name, meaning in COLUMNS:
        made.add_row(str(found[name]), meaning)
    return made


def sentences(found: Mapping[str, Any]) -> Iterator[str]:
    """Who was left alone, and why."""
    for one in found["left"]:
        yield f"{one['id']} {one['code']}: {one['sentence']}"
    more = found["left_alone"] - len(found["left"])
    if more > 0:
        yield f"and {more} more."

"""Which name was meant, where one is written that is not there. It errs towards silence."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def meant(name: str, known: Iterable[str]) -> str:
    """A sentence to put behind another, with a space before it; empty when nothing that there is looks like the name."""
    found = get_close_matches(name, sorted(known), n=1, cutoff=0.7)
    return f" Perhaps {found[0]} is meant." if found else ""


def absent(what: str, name: str, known: Iterable[str]) -> str:
    """A sentence about something that a document names and that is not there."""
    return f"There is no {what} {name!r}: put it first, or correct the name.{meant(name, known)}"

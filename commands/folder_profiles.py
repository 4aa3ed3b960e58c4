"""Reads the profiles of a folder, from NDJSON or CSV, by the rules of the import. It knows no server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from api import profile_rows
from journey.errors import BadInput
from journey.profiles import Attribute, ProfileDocument

FILES = ("profiles.ndjson", "profiles.csv")

Row = tuple[int, ProfileDocument | BadInput]
"""A line, from 1, with what it holds or why it holds no profile."""


def read(file: Path, declared: Mapping[str, Attribute]) -> Iterator[Row]:
    """Each record of a file. A CSV file whose first line is no header gives one row. Raises UnicodeDecodeError and OSError."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        yield from _csv(lines, declared) if file.suffix == ".csv" else _ndjson(lines)


def _ndjson(lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield number, profile_rows.of_json(line.encode())
            except BadInput as fault:
                yield number, fault


def _csv(lines: Iterable[str], declared: Mapping[str, Attribute]) -> Iterator[Row]:
    columns: list[str] = []
    for number, record in _records(lines):
        try:
            if columns:
                yield number, profile_rows.of_csv(columns, record, declared)
            else:
                columns = profile_rows.header_of(record)
        except BadInput as fault:
            yield number, fault
            if not columns:
                return  # without a header no line means anything


def _records(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """A line break inside quotes belongs to its cell: the record goes on while a quote is open."""
    record, begins = "", 1
    for number, line in enumerate(lines, start=1):
        begins = begins if record else number
        record += line
        if record.count('"') % 2 == 0:
            if record.strip():
                yield begins, record.rstrip("\r\n")
            record = ""
    if record.strip():
        yield begins, record.rstrip("\r\n")

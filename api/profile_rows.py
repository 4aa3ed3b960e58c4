"""Makes a profile of one record of an import: a line of NDJSON, or a row of CSV under its header. It knows no stream and no store."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from typing import Any

from api import profile_values, strict_json
from journey import documents
from journey.errors import BadInput
from journey.profiles import Attribute, ProfileDocument

_TRUTH = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
_PARTS = ("attributes", "identities", "consents")


def of_json(record: bytes) -> ProfileDocument:
    """The profile that a JSON text is. Raises BadInput."""
    return _checked(strict_json.read(record, "The line"))


def header_of(record: str) -> list[str]:
    """The columns: `id`, `test`, `push_tokens`, `attributes.NAME`, `identities.NAMESPACE`, `consents.CHANNEL`; another name is an
    attribute's. Raises BadInput."""
    columns = [column.strip() for column in _cells(record)]
    if "id" not in columns:
        hint = " Between columns stands a comma." if len(columns) == 1 and re.search(r"[;\t|]", record) else ""
        raise BadInput(f"The first line names the columns, and one of them must be id; it names {', '.join(columns)[:200]}.{hint}", line=1)
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        raise BadInput(f"The column {twice!r} stands twice.", line=1)
    return columns


def of_csv(columns: Sequence[str], record: str, declared: Mapping[str, Attribute]) -> ProfileDocument:
    """The profile that a row is. An empty cell says nothing; a cell of a declared attribute becomes its type where it can, and else
    stays the text that it is. Several push tokens stand in one cell with spaces between. Raises BadInput."""
    cells = _cells(record)
    if len(cells) != len(columns):
        raise BadInput(f"The row has {len(cells)} cells, the first line {len(columns)}.")
    data: dict[str, Any] = {}
    for column, cell in zip(columns, cells, strict=True):
        if cell.strip():
            _place(data, column, cell, declared)
    return _checked(data)


def _cells(record: str) -> list[str]:
    try:
        return next(csv.reader([record], strict=True), [])
    except csv.Error as error:
        raise BadInput(f"The row is no CSV: {error}.") from error


def _place(data: dict[str, Any], column: str, cell: str, declared: Mapping[str, Attribute]) -> None:
    part, _, name = column.partition(".")
    if column == "id":
        data["id"] = cell.strip()
    elif column == "test":
        data["test"] = _truth(column, cell)
    elif column == "push_tokens":
        data["push_tokens"] = [{"token": token} for token in cell.split()]
    elif part not in _PARTS or not name:
        data.setdefault("attributes", {})[column] = _typed(cell, declared.get(column))
    elif part == "attributes":
        data.setdefault("attributes", {})[name] = _typed(cell, declared.get(name))
    elif part == "consents":
        data.setdefault("consents", {})[name] = _truth(column, cell)
    else:
        data.setdefault("identities", {})[name] = cell.strip()


def _truth(column: str, cell: str) -> bool:
    truth = _TRUTH.get(cell.strip().lower())
    if truth is None:
        raise BadInput(f"{cell[:40]!r} in the column {column} is neither true nor false.", where=column)
    return truth


def _typed(cell: str, attribute: Attribute | None) -> Any:
    kind = attribute.type if attribute is not None else "string"
    text = cell.strip()
    if kind == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if kind == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return cell


def _checked(data: Any) -> ProfileDocument:
    profile = documents.parse(ProfileDocument, data)
    profile_values.check(profile)
    return profile

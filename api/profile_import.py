"""The import of many profiles: records are read as the body comes, and kept in chunks with a commit each.

A record that cannot be kept is reported with its line, and the others are kept. It knows no HTTP answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel

from api import profile_rows
from api.native_calls import NotJson
from journey.errors import BadInput, SojournError
from journey.profiles import Attribute, ProfileDocument
from store import attributes, changes, importing
from store.changes import SetOff
from store.database import Database

CSV, NDJSON = "text/csv", "application/x-ndjson"
KINDS = {CSV: CSV, NDJSON: NDJSON, "application/ndjson": NDJSON, "application/jsonl": NDJSON}
LONGEST_RECORD = 262_144
"""Bytes of one record."""
MOST_ERRORS = 100
"""That are listed; the rest are only counted."""
_CHUNK = 500


class LineError(BaseModel):
    """Why the record that begins in this line, counted from 1, was not kept."""

    line: int
    code: str
    sentence: str


class Imported(BaseModel):
    """What became of an import. `errors` lists the first hundred of `failed`."""

    read: int = 0
    kept: int = 0
    failed: int = 0
    errors: list[LineError] = []

    def fail(self, line: int, error: SojournError) -> None:
        """Count a record that was not kept."""
        self.failed += 1
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(LineError(line=line, code=error.code, sentence=error.sentence))


def reader_of(headers: Mapping[str, str]) -> str:
    """CSV or NDJSON, by the content type. Raises NotJson for another, or for a packed body."""
    kind = KINDS.get(headers.get("content-type", "").split(";")[0].strip().lower())
    if kind is None or headers.get("content-encoding", "identity").lower() != "identity":
        raise NotJson(f"Send CSV as {CSV} or one JSON object a line as {NDJSON}, without Content-Encoding.")
    return kind


Told = Callable[[SetOff], Awaitable[None]]
"""Tells those whom a chunk has set off, after its commit."""


async def run(database: Database, kind: str, body: AsyncIterator[bytes], told: Told) -> Imported:
    """Keep what the body holds. Raises BadInput when its first line is no header; then nothing is kept."""
    result = Imported()
    declared = await database.read(attributes.all_of)
    parser = _Csv(declared) if kind == CSV else _Json()
    chunk: list[tuple[int, ProfileDocument]] = []
    async for record in _records(body, quoted=kind == CSV):
        try:
            profile = parser.profile(record)
        except BadInput as error:
            if parser.must_stop:
                raise
            result.read += 1
            result.fail(record.line, error)
            continue
        if profile is None:
            continue
        result.read += 1
        chunk.append((record.line, profile))
        if len(chunk) == _CHUNK:
            await told(await _keep(database, chunk, result))
            chunk = []
    await told(await _keep(database, chunk, result))
    return result


async def _keep(database: Database, chunk: list[tuple[int, ProfileDocument]], result: Imported) -> SetOff:
    if not chunk:
        return changes.NOTHING
    lines = [profile for _, profile in chunk]
    done = await database.write(lambda work: changes.put_all(work, importing.merged(work, lines)))
    for (line, _), error in zip(chunk, done.errors, strict=True):
        if error is None:
            result.kept += 1
        else:
            result.fail(line, error)
    return done.set_off


@dataclass(slots=True)
class _Record:
    """One record of the body; `too_long` means that its end was not kept."""

    line: int
    raw: bytes
    too_long: bool = False


@dataclass(slots=True)
class _Json:
    must_stop: bool = False

    def profile(self, record: _Record) -> ProfileDocument | None:
        raw = _whole(record)
        return profile_rows.of_json(raw) if raw.strip() else None


@dataclass(slots=True)
class _Csv:
    declared: Mapping[str, Attribute]
    columns: list[str] = field(default_factory=list)

    @property
    def must_stop(self) -> bool:
        """Without a header no line means anything."""
        return not self.columns

    def profile(self, record: _Record) -> ProfileDocument | None:
        try:
            text = _whole(record).decode("utf-8-sig" if not self.columns else "utf-8")
        except UnicodeDecodeError as error:
            raise BadInput("The row is not in UTF-8.") from error
        if not text.strip():
            return None
        if "\0" in text:
            raise BadInput("The row holds a NUL character: take it out.")
        if self.columns:
            return profile_rows.of_csv(self.columns, text, self.declared)
        self.columns = profile_rows.header_of(text)
        return None


def _whole(record: _Record) -> bytes:
    if record.too_long:
        raise BadInput(f"The record is longer than {LONGEST_RECORD // 1024} KB.", code="too_long")
    return record.raw


async def _records(body: AsyncIterator[bytes], *, quoted: bool) -> AsyncIterator[_Record]:
    """Lines put together to records: in CSV a line break inside quotes belongs to its cell, that is where a quote is still open."""
    record, line, is_open = bytearray(), 0, False
    begins = 1
    async for part, ends in _lines(body):
        record += part[: LONGEST_RECORD + 1 - len(record)]
        if quoted:
            is_open ^= bool(part.count(b'"') % 2)
        too_long = len(record) > LONGEST_RECORD
        if not ends:
            continue
        line += 1
        if is_open and not too_long:
            continue
        yield _Record(begins, bytes(record).rstrip(b"\r\n"), too_long)
        record.clear()
        is_open, begins = False, line + 1
    if record:
        yield _Record(begins, bytes(record).rstrip(b"\r\n"), len(record) > LONGEST_RECORD)


async def _lines(body: AsyncIterator[bytes]) -> AsyncIterator[tuple[bytes, bool]]:
    """Pieces of lines, each with whether its line ends with it. Nothing is held back, so that no line can grow in memory."""
    async for part in body:
        for piece in _split(part):
            yield piece, piece.endswith(b"\n")


def _split(part: bytes) -> list[bytes]:
    """By line feeds alone: a carriage return is part of CRLF, or of a cell."""
    pieces = part.split(b"\n")
    return [piece + b"\n" for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])

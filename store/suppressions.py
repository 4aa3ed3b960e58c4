"""Addresses that nothing is sent to any more, whoever they belong to. It knows no profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, bindparam, select, tuple_
from sqlalchemy import delete as sql_delete

from journey import addresses
from journey.errors import NotFound
from journey.events import Instant
from store.schema import suppressions
from store.statements import Statement
from store.upserts import upsert
from store.work import Work

_BARRED = Statement(
    select(suppressions.c.at).where(suppressions.c.channel == bindparam("channel"), suppressions.c.address == bindparam("address"))
)


@dataclass(frozen=True, slots=True)
class Suppression:
    """One address of one channel, why nothing goes there, and since when."""

    channel: str
    address: str
    reason: str
    at: Instant


def of(connection: Connection, wanted: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of these (channel, address) pairs, those that are suppressed, written as they were given. Of a mail address every spelling is."""
    barred = set()
    for channel, address in wanted:
        if _BARRED.first(connection, {"channel": channel, "address": _key(channel, address)}) is not None:
            barred.add((channel, address))
    return barred


def put(work: Work, channel: str, address: str, reason: str = "") -> Suppression:
    """Suppress an address. One that is suppressed already keeps its instant and takes the new reason."""
    row = {"channel": channel, "address": _key(channel, address), "reason": reason, "at": work.now()}
    upsert(work.connection, suppressions, row, update=("reason",))
    return get(work.connection, channel, address)


def delete(work: Work, channel: str, address: str) -> None:
    """Let an address be written to again. Raises NotFound."""
    if not work.connection.execute(sql_delete(suppressions).where(*_is(channel, address))).rowcount:
        raise _not_suppressed(channel, address)


def get(connection: Connection, channel: str, address: str) -> Suppression:
    """One suppression. Raises NotFound."""
    row = connection.execute(select(suppressions).where(*_is(channel, address))).one_or_none()
    if row is None:
        raise _not_suppressed(channel, address)
    return Suppression(row.channel, row.address, row.reason, row.at)


def page(connection: Connection, after: tuple[str, str], limit: int) -> list[Suppression]:
    """The next `limit` after a (channel, address), in that order; begin with two empty texts."""
    key = tuple_(suppressions.c.channel, suppressions.c.address)
    statement = select(suppressions).where(key > after).order_by(suppressions.c.channel, suppressions.c.address).limit(limit)
    return [Suppression(row.channel, row.address, row.reason, row.at) for row in connection.execute(statement)]


def _key(channel: str, address: str) -> str:
    return addresses.key(address) if channel == "email" else address.strip()


def _is(channel: str, address: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return suppressions.c.channel == channel, suppressions.c.address == _key(channel, address)


def _not_suppressed(channel: str, address: str) -> NotFound:
    return NotFound(f"The {channel} address {address} is not suppressed.")

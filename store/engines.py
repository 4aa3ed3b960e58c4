"""Opens an engine on either database, with what that needs to keep its word, and tells apart what can go wrong there. It knows no table."""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError, StatementError

from journey.errors import BadInput, SojournError, Unavailable

SQLITE, POSTGRESQL = "sqlite", "postgresql"
WRITERS = 2
"""Threads that commit, on PostgreSQL: while one waits for the disk another fills the next commit. More gain nothing (decision 0008)."""
READERS = {SQLITE: 2, POSTGRESQL: 4}
SLOTS = 16
"""Rows that one counter is spread over, so that those who commit at the same time do not wait for each other."""
PATIENT = "SET LOCAL lock_timeout = '10s'"
"""For a unit that is tried again alone: it holds up nobody but those behind it."""

_SESSION = {
    "default_transaction_isolation": "read\\ committed",
    "statement_timeout": "30s",
    "lock_timeout": "500ms",  # a group that meets another one lets go at once, sooner than the server looks for a ring
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
    "jit": "off",
}
_CONNECTING = {
    "connect_timeout": 5, "application_name": "sojourn",
    "keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000,
}  # fmt: skip
_NUL = re.compile(r"(?<!\\)(\\\\)*\\u0000")
_PREPARED = 500
"""Statements that a connection keeps prepared: more than there are."""


class Trouble(Enum):
    """What an error of a database means for whoever met it."""

    NONE = "it is the fault of the statement, or of nobody"
    KEY = "somebody else wrote the same key at the same moment: a repeat finds it there"
    LOCK = "somebody else holds what was wanted, or the other way round: a repeat finds it free"
    GONE = "the connection is of no use any more"


_LOCK = {"40001", "40P01", "55P03"}
_GONE = {"57P01", "57P02", "57P03", "25P03", "25006"}


def trouble(error: BaseException) -> Trouble:
    """What an error means. SQLite has one writer, so that its errors mean nothing but themselves."""
    found = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(found, psycopg.Error):
        return Trouble.NONE
    state = found.sqlstate
    if state == "23505":
        return Trouble.KEY
    if state in _LOCK:
        return Trouble.LOCK
    broken = state is None and isinstance(found, psycopg.OperationalError | psycopg.InterfaceError)
    return Trouble.GONE if broken or state in _GONE or (state or "").startswith("08") else Trouble.NONE


def as_told(error: BaseException) -> BaseException:
    """An error as callers know it: ours as it is, a driver's as SQLAlchemy's and without values, which may be personal data."""
    if isinstance(error, StatementError) and isinstance(error.orig, SojournError):
        return error.orig
    found = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(found, psycopg.DataError) and "NUL" in str(found):
        return BadInput("A text holds a NUL character (\\u0000): take it out.")
    if isinstance(found, psycopg.Error) and trouble(found) is Trouble.GONE and not isinstance(error, OperationalError):
        return OperationalError(None, None, found, hide_parameters=True)
    if isinstance(error, psycopg.Error):
        return DBAPIError.instance(None, None, error, psycopg.Error, hide_parameters=True)
    return error


def read_url(url: str) -> URL:
    """An address as settings have it, with the driver that we use."""
    made = make_url(url)
    return made.set(drivername="postgresql+psycopg") if made.drivername in ("postgresql", "postgres") else made


def shown(url: str) -> str:
    """An address as it may be shown: without its password."""
    return make_url(url).render_as_string(hide_password=True)


def open_engine(url: str) -> Engine:
    """The engine of an address.

    On SQLite each commit is synced in full, and a write lock is taken from its start. On PostgreSQL nobody waits for ever, be it for a
    lock, a statement or a server that is gone. Parameters are `$1`, as the server itself has them: for names the driver would look through
    the whole text at each execution.
    """
    made = read_url(url)
    if made.get_backend_name() == SQLITE:
        engine = create_engine(made, json_serializer=_dump, hide_parameters=True)  # errors are logged, and stand in histories
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    connecting: dict[str, Any] = {name: value for name, value in _CONNECTING.items() if name not in made.query}
    session = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
    connecting["options"] = f"{session} {made.query.get('options', '')}".strip()
    connecting["cursor_factory"] = psycopg.RawCursor
    engine = create_engine(
        made, json_serializer=_dump, hide_parameters=True, connect_args=connecting, pool_pre_ping=True, pool_recycle=1800, pool_timeout=5,
        pool_size=WRITERS + READERS[POSTGRESQL] + 2, max_overflow=8, paramstyle="numeric_dollar",
    )  # fmt: skip
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def reachable(engine: Engine) -> None:
    """Raises Unavailable with a sentence when PostgreSQL does not answer, or keeps texts in another encoding than UTF-8."""
    try:
        with engine.connect() as connection:
            encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    except DBAPIError as error:
        raise cannot_be_opened(engine, error) from error
    if encoding != "UTF8":
        raise Unavailable(f"The database {engine.url.render_as_string()} keeps texts in {encoding}: make one with ENCODING 'UTF8'.")


def cannot_be_opened(engine: Engine, error: DBAPIError) -> Unavailable:
    """The sentence that says why a database cannot be used."""
    why = " ".join(str(error.orig).split()).rstrip(".")
    return Unavailable(f"The database {engine.url.render_as_string()} cannot be opened: {why}.")


def _dump(value: Any) -> str:
    """NUL is written as an escape: one behind an even number of strokes is that, any other the six letters themselves."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if "\\u0000" in text and _NUL.search(text):
        raise BadInput("A text holds a NUL character (\\u0000): take it out.")
    return text


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we begin ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    """The driver's own begin comes too late for a reader and too weak for a writer, so it is switched off and this one stands."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(connection: psycopg.Connection[Any], _record: Any) -> None:
    connection.prepared_max = _PREPARED

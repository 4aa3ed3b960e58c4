"""API keys: made once, looked up by their hash, and revoked. The secret itself is kept nowhere. It knows no call that a key opens."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, insert, or_, select, tuple_, update
from sqlalchemy import delete as sql_delete

from journey.errors import NotFound
from journey.events import Instant
from store.schema import api_keys
from store.statements import Statement
from store.work import Work

Scope = Literal["admin", "ingest"]
ADMIN: Scope = "admin"
"""Opens every call that the setting SOJOURN_ADMIN_KEY opens."""
INGEST: Scope = "ingest"
"""Opens the calls that send data in."""

HOUR = 3_600_000_000
"""How exactly it is known when a key was used last, in microseconds: a key that is used all day costs 24 writes."""

_BYTES = 32
_SECRET = re.compile(r"sj_(?:admin|ingest)_[A-Za-z0-9_-]{43}")
_columns = api_keys.c
_BY_HASH = Statement(select(api_keys).where(_columns.hash == bindparam("hash")))


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key without its secret. `namespace` is empty for an admin's; `last_used_at` is the beginning of an hour, None when never."""

    id: str
    name: str
    scope: Scope
    namespace: str
    created_at: Instant
    last_used_at: Instant | None


def is_secret(text: str) -> bool:
    """Whether a text could be the secret of a key: what could not costs no question to the database."""
    return _SECRET.fullmatch(text) is not None


def digest(secret: str) -> str:
    """What is kept of a secret.

    A plain SHA-256 is right here. Slow and salted hashes protect what people choose, which can be guessed; a secret of ours is 32 random
    bytes, which nobody guesses, and it is hashed at every call. It also makes the comparison safe: the database looks for the hash, and
    how long that takes says nothing of the secret, since nobody can choose a hash that begins like another.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def make(work: Work, name: str, scope: Scope, namespace: str = "") -> tuple[ApiKey, str]:
    """Make a key; returns it and its secret, which nobody can read again. An ingest key has a namespace, an admin's none."""
    secret = f"sj_{scope}_{secrets.token_urlsafe(_BYTES)}"
    made = ApiKey(f"key-{secrets.token_hex(8)}", name, scope, namespace, work.now(), None)
    row = {column.name: getattr(made, column.name) for column in _columns if column.name != "hash"}
    work.connection.execute(insert(api_keys), row | {"hash": digest(secret)})
    return made, secret


def find(connection: Connection, hashed: str) -> ApiKey | None:
    """The key whose secret has this hash, None when there is none."""
    row = _BY_HASH.first(connection, {"hash": hashed})
    return _shown(row) if row is not None else None


def page(connection: Connection, after: Sequence[Any] | None, limit: int) -> list[ApiKey]:
    """The next `limit` keys, the oldest first, behind (created_at, id)."""
    order = (_columns.created_at, _columns.id)
    query = select(api_keys).order_by(*order).limit(limit)
    query = query if after is None else query.where(tuple_(*order) > tuple(after))
    return [_shown(row) for row in connection.execute(query)]


def is_due(key: ApiKey, now: Instant) -> bool:
    """Whether it is to be written down that a key is used now."""
    return (key.last_used_at or 0) < _hour(now)


def used(work: Work, key_id: str) -> None:
    """Write down the hour in which a key was used. One that is revoked meanwhile stays so."""
    at = _hour(work.now())
    earlier = or_(_columns.last_used_at.is_(None), _columns.last_used_at < at)
    work.connection.execute(update(api_keys).where(_columns.id == key_id, earlier).values(last_used_at=at))


def revoke(work: Work, key_id: str) -> None:
    """Forget a key: it opens nothing any more. Raises NotFound."""
    if not work.connection.execute(sql_delete(api_keys).where(_columns.id == key_id)).rowcount:
        raise NotFound(f"There is no API key {key_id}.")


def _hour(at: Instant) -> Instant:
    return at - at % HOUR


def _shown(row: Row[Any]) -> ApiKey:
    return ApiKey(row.id, row.name, row.scope, row.namespace, row.created_at, row.last_used_at)

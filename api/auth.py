"""Who may call: whoever has the admin key of the settings, or an API key whose scope opens the call. It knows no resource.

What a router of senders is, api/app.py says; every other native call takes an admin. Write keys are read in write_keys.py.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from api.services import With
from journey.errors import SojournError
from store.keys import ADMIN, INGEST, Scope

_ABOUT = "The admin key (SOJOURN_ADMIN_KEY), or an API key (`POST /v1/keys`) whose scope opens the call"
_bearer = HTTPBearer(auto_error=False, description=f"{_ABOUT}.")
_header = APIKeyHeader(name="X-API-Key", auto_error=False, description=f"{_ABOUT}, for clients that cannot send a bearer.")


class Unauthorized(SojournError):
    """The call carries no key that opens it (HTTP 401). `scheme` is what to send."""

    code = "unauthorized"

    def __init__(self, sentence: str, *, scheme: str) -> None:
        super().__init__(sentence)
        self.scheme = scheme


class ForbiddenScope(SojournError):
    """The key is a right one, and its scope does not open the call (HTTP 403). `needed` is the scope that does."""

    code = "forbidden_scope"

    def __init__(self, needed: Scope, given: Scope) -> None:
        opens = "opens only calls that send data in" if given == INGEST else "does not open it"
        super().__init__(f"This call needs a key of the scope {needed}. The scope {given}, which yours has, {opens}.")
        self.needed = needed


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as far as their key says it. `key` is the secret that they sent."""

    scope: Scope
    key: str = field(repr=False)

    @property
    def reads(self) -> bool:
        """Whether an answer may tell them what is known already. What sends data in may stand in a web page, and is told nothing."""
        return self.scope == ADMIN


async def _caller(
    services: With,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    header: Annotated[str | None, Depends(_header)],
) -> Caller:
    given = bearer.credentials if bearer is not None else header or ""
    if services.admin_key and _same(given, services.admin_key):
        return Caller(ADMIN, given)
    key = await services.keys.find(given)
    if key is None:
        raise Unauthorized("Send the admin key, or an API key: Authorization: Bearer KEY.", scheme="Bearer")
    return Caller(key.scope, given)


By = Annotated[Caller, Depends(_caller)]
"""Who calls, for calls whose answer depends on it. Raises Unauthorized."""


async def admin(by: By) -> None:
    """Lets in who sends an admin's key, as a bearer or as X-API-Key. Raises Unauthorized and ForbiddenScope."""
    if by.scope != ADMIN:
        raise ForbiddenScope(ADMIN, by.scope)


async def sender(by: By) -> None:
    """Lets in who sends data in, and admins. Raises Unauthorized and ForbiddenScope."""
    if by.scope not in (ADMIN, INGEST):
        raise ForbiddenScope(INGEST, by.scope)


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode("utf-8", "surrogatepass"))

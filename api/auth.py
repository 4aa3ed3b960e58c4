"""Who may call: the holder of the admin key. Write keys are read in segment_compatible.py. It knows no resource."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from api.services import With
from journey.errors import SojournError

_bearer = HTTPBearer(auto_error=False, description="The admin key (SOJOURN_ADMIN_KEY).")
_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="The admin key, for clients that cannot send a bearer.")


class Unauthorized(SojournError):
    """The call carries no key that opens it (HTTP 401). `scheme` is what to send."""

    code = "unauthorized"

    def __init__(self, sentence: str, *, scheme: str) -> None:
        super().__init__(sentence)
        self.scheme = scheme


def admin(
    services: With,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    header: Annotated[str | None, Depends(_header)],
) -> None:
    """Lets in who sends the admin key, as a bearer or as X-API-Key. Raises Unauthorized."""
    given = bearer.credentials if bearer is not None else header or ""
    if not services.admin_key or not _same(given, services.admin_key):
        raise Unauthorized("Send the admin key: Authorization: Bearer KEY.", scheme="Bearer")


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode("utf-8", "surrogatepass"))

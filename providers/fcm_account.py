"""The service account that sends for a Firebase project, and the access token it is given for that. It knows no messages."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from google.auth import jwt
from google.auth.crypt import Signer
from google.oauth2.service_account import Credentials

from journey.errors import BadInput
from providers.http_answers import LONGEST_DETAIL, body_of, object_in, retry_after, words
from providers.port import Later

FCM = "https://fcm.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
AUDIENCE = "https://oauth2.googleapis.com/token"
"""Who an assertion is for: always this, says Google, wherever it is sent."""
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFETIME = 3600  # seconds that an assertion is good for: the most there is
_EARLY = 120.0  # seconds before its end that a token is replaced
_NEEDED = ("project_id", "client_email", "private_key", "private_key_id", "token_uri")


@dataclass(frozen=True, slots=True)
class Account:
    """A service account: who signs, where tokens are asked for, where its project's pushes go."""

    email: str
    signer: Signer
    token_url: str
    send_url: str


def account_in(file: Path) -> Account:
    """The account of a key file as the Firebase console gives it out. Raises BadInput with a sentence that holds nothing of the key.

    A field of ours, `fcm_url`, names another server than FCM's own: tests have one on this machine.
    """
    try:
        said = json.loads(file.read_bytes())
    except OSError as error:
        raise _wrong(file, f"cannot be read: {error.strerror}") from None
    except ValueError:
        raise _wrong(file, "is no JSON") from None
    return account_of(said, file)


def account_of(said: Any, file: Path) -> Account:
    """The account that a key file says. Raises BadInput."""
    if not isinstance(said, dict) or said.get("type") != "service_account":
        raise _wrong(file, "is no key of a service account")
    if missing := [name for name in _NEEDED if not isinstance(said.get(name), str) or not said[name]]:
        raise _wrong(file, f"has no {' and no '.join(missing)}")
    url = said.get("fcm_url", FCM)
    for name, address in (("token_uri", said["token_uri"]), ("fcm_url", url)):
        if not _is_address(address):
            raise _wrong(file, f"has a {name} that is no address")
    try:
        signer = Credentials.from_service_account_info(said).signer
    except ValueError:
        raise _wrong(file, "has a private_key that cannot be used") from None
    send_url = f"{url.rstrip('/')}/v1/projects/{quote(said['project_id'], safe='')}/messages:send"
    return Account(said["client_email"], signer, said["token_uri"], send_url)


class AccessToken:
    """The token that every call to FCM shows, asked for when it is needed and kept until shortly before its end."""

    def __init__(self, account: Account, client: httpx.AsyncClient) -> None:
        self._account = account
        self._client = client
        self._asking = asyncio.Lock()
        self._token = ""
        self._good_until = 0.0

    async def get(self) -> str | Later:
        """The token, or why there is none now. However many ask at once, one call is made."""
        async with self._asking:
            if not self._token or time.monotonic() >= self._good_until:
                asked_at = time.monotonic()
                said = await self._ask()
                if isinstance(said, Later):
                    return said
                self._token, lasts = said
                self._good_until = asked_at + lasts - min(_EARLY, lasts / 2)
            return self._token

    def refused(self, token: str) -> None:
        """FCM does not take this token any more: the next one who needs one asks anew."""
        if token == self._token:
            self._token = ""

    async def _ask(self) -> tuple[str, float] | Later:
        """A new token and the seconds it lasts. Also a no is for later: somebody may put the account right within the hour."""
        form = {"grant_type": GRANT, "assertion": self._assertion()}
        try:
            async with self._client.stream("POST", self._account.token_url, data=form) as answer:
                body = await body_of(answer)
        except httpx.HTTPError as error:
            return Later(f"no access token for FCM: {words(error)}"[:LONGEST_DETAIL])
        said = object_in(body)
        token, lasts = said.get("access_token"), said.get("expires_in", _LIFETIME)
        if answer.is_success and isinstance(token, str) and token.isascii() and token.isprintable() and isinstance(lasts, int | float):
            return token, float(lasts)
        why = "an answer without one" if answer.is_success else body.decode("utf-8", "replace").strip()
        return Later(f"no access token for FCM: {answer.status_code} {why}"[:LONGEST_DETAIL], retry_after(answer))

    def _assertion(self) -> str:
        """Who we are and what for, signed with the account's key: half a millisecond, so it stays on the loop."""
        now = int(time.time())
        claims = {"iss": self._account.email, "scope": SCOPE, "aud": AUDIENCE, "iat": now, "exp": now + _LIFETIME}
        signed: bytes = jwt.encode(self._account.signer, claims)
        return signed.decode("ascii")


def _is_address(address: Any) -> bool:
    try:
        parts = urlsplit(address) if isinstance(address, str) else urlsplit("")
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _wrong(file: Path, why: str) -> BadInput:
    return BadInput(
        f"The file {file} {why}: make a key in the Firebase console under Service accounts, and let FCM_CREDENTIALS name the file it gives."
    )

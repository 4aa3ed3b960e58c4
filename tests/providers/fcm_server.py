"""FCM on loopback, with the server that gives access tokens out: it refuses what FCM's documentation refuses, in the words of it.

It throws nothing away: what was sent twice is there twice. The service account's key is made when it is first asked for.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

PROJECT = "kaya-coffee"
EMAIL = "sender@kaya-coffee.iam.example"
KEY_ID = "key-1"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
AUDIENCE = "https://oauth2.googleapis.com/token"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
STATUS = {
    "INVALID_ARGUMENT": (400, "INVALID_ARGUMENT"),
    "UNREGISTERED": (404, "NOT_FOUND"),
    "SENDER_ID_MISMATCH": (403, "PERMISSION_DENIED"),
    "QUOTA_EXCEEDED": (429, "RESOURCE_EXHAUSTED"),
    "UNAVAILABLE": (503, "UNAVAILABLE"),
    "INTERNAL": (500, "INTERNAL"),
    "THIRD_PARTY_AUTH_ERROR": (401, "UNAUTHENTICATED"),
}
"""FCM's error codes, the HTTP status of each, and the status that its answer names."""


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """A key of this run, for each name another."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_file(port: int, *, name: str = EMAIL, **changed: Any) -> dict[str, Any]:
    """A service account's key file as the Firebase console writes it, for the servers on this port. A change to None leaves a field out."""
    pem = key(name).private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    said = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": KEY_ID,
        "private_key": pem.decode(),
        "client_email": EMAIL,
        "client_id": "1",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": f"http://127.0.0.1:{port}/token",
        "universe_domain": "googleapis.com",
        "fcm_url": f"http://127.0.0.1:{port}",
    }
    return {name: value for name, value in (said | changed).items() if value is not None}


def written(folder: Path, said: Any) -> Path:
    """A file with these words, or with this JSON."""
    file = folder / "account.json"
    file.write_text(said if isinstance(said, str) else json.dumps(said))
    return file


@dataclass(frozen=True, slots=True)
class FcmBehaviour:
    """What the servers do with a call at `at`: wait, then answer as they should, with an error, with other bytes, or not at all."""

    at: Literal["token", "send"] = "send"
    delay: float = 0.0
    error: str = ""
    status: int = 200
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False


class Wrong(Exception):
    """A call that is refused: status and body of the answer."""

    def __init__(self, status: int, body: Any) -> None:
        self.status, self.body = status, body


class FcmServer:
    """Both servers on one port of loopback. `messages` are those that were taken, `granted` all access tokens in their order.

    `lasts` is how many seconds it says that an access token is good for. It takes each until `revoke`.
    """

    def __init__(self, *, lasts: float = 3599) -> None:
        self.port = 0
        self.connections = 0
        self.messages: list[dict[str, Any]] = []
        self.granted: list[str] = []
        self.devices: dict[str, str] = {}  # a device's token, and the error it gets
        self.delays: dict[str, float] = {}  # and how long its answer takes
        self._lasts = lasts
        self._good: set[str] = set()
        self._behaviour = FcmBehaviour()
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._server is not None
        self._server.close()
        await self.drop_connections()
        await self._server.wait_closed()

    def behave(self, behaviour: FcmBehaviour | None = None) -> None:
        """Do this from now on; without an argument, what is right."""
        self._behaviour = behaviour or FcmBehaviour()

    def revoke(self) -> None:
        """Take no access token any more that was given out."""
        self._good.clear()

    async def drop_connections(self) -> None:
        for task, writer in list(self._open.items()):
            writer.close()
            task.cancel()
        if self._open:
            await asyncio.wait(list(self._open), timeout=1)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            pass  # the other side hung up, or we are closing
        finally:
            del self._open[task]
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One call on a connection; False when it is to be closed."""
        line, *head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in head)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        at = "token" if line.startswith("POST /token ") else "send"
        behaviour = self._behaviour if self._behaviour.at == at else FcmBehaviour()
        try:
            # Whatever it is told to say, it takes nothing that is wrong.
            right = await (self._grant(headers, body) if at == "token" else self._send(line, headers, body, behaviour))
            status, said = behaviour.status, behaviour.body if behaviour.body is not None else json.dumps(right).encode()
        except Wrong as wrong:
            status, said = wrong.status, json.dumps(wrong.body).encode()
        await asyncio.sleep(behaviour.delay)
        if behaviour.drop:
            return False
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Content-Length: {len(said)}", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in behaviour.headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + said)
        await writer.drain()
        return True

    async def _grant(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """An access token for an assertion that the account has signed (RFC 7523, as Google documents it for server to server)."""
        form = parse_qs(body.decode())
        if headers.get("content-type") != "application/x-www-form-urlencoded" or form.get("grant_type") != [GRANT]:
            raise Wrong(400, {"error": "unsupported_grant_type", "error_description": f"Invalid grant_type: {form.get('grant_type')}"})
        if why := wrong_in_assertion(form.get("assertion", [""])[0]):
            raise Wrong(400, {"error": "invalid_grant", "error_description": why})
        token = f"ya29.{len(self.granted)}"
        self.granted.append(token)
        self._good.add(token)
        return {"access_token": token, "expires_in": self._lasts, "token_type": "Bearer"}

    async def _send(self, line: str, headers: Mapping[str, str], body: bytes, behaviour: FcmBehaviour) -> dict[str, Any]:
        scheme, _, access = headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or access not in self._good:
            raise Wrong(
                401, {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "Request had invalid authentication credentials."}}
            )
        if line != f"POST /v1/projects/{PROJECT}/messages:send HTTP/1.1":
            raise Wrong(404, {"error": {"code": 404, "status": "NOT_FOUND", "message": "Requested entity was not found."}})
        said = json.loads(body)
        violations = list(violations_in(said, headers))
        if violations:
            bad = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": one} for one in violations]}
            raise Wrong(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": f"Invalid {violations}", "details": [bad]}})
        message = said["message"]
        await asyncio.sleep(self.delays.get(message["token"], 0.0))
        if error := behaviour.error or self.devices.get(message["token"], ""):
            raise Wrong(STATUS[error][0], fault(error))
        self.messages.append(message)
        return {"name": f"projects/{PROJECT}/messages/{len(self.messages)}"}


def fault(code: str) -> dict[str, Any]:
    """The answer that FCM gives with one of its error codes."""
    number, status = STATUS[code]
    return {"error": {"code": number, "message": "No.", "status": status, "details": [{"@type": FCM_ERROR, "errorCode": code}]}}


def wrong_in_assertion(assertion: str) -> str:
    """What is wrong with a JSON Web Token that asks for an access token, empty when nothing is."""
    try:
        header, claims, signature = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in assertion.split("."))
        key(EMAIL).public_key().verify(signature, assertion.rpartition(".")[0].encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return "Invalid JWT Signature."
    except ValueError:
        return "Bad Request"
    said, now = json.loads(claims), time.time()
    if json.loads(header) != {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}:
        return "Invalid JWT: wrong header"
    if (said["iss"], said["aud"], said["scope"]) != (EMAIL, AUDIENCE, SCOPE):
        return "Invalid JWT: wrong iss, aud or scope"
    if not (now - 60 < said["iat"] <= now + 1 and now < said["exp"] <= said["iat"] + 3600):
        return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
    return ""


def violations_in(said: Any, headers: Mapping[str, str]) -> Iterator[str]:
    """The fields that are not as the reference of `projects.messages:send` has them."""
    if not headers.get("content-type", "").startswith("application/json") or not isinstance(said, dict):
        yield "body"
        return
    yield from (name for name in said if name not in ("message", "validate_only"))
    message = said.get("message", {})
    known = ("token", "topic", "condition", "data", "notification", "android", "apns", "webpush", "fcm_options")
    yield from (f"message.{name}" for name in message if name not in known)
    if sum(name in message for name in ("token", "topic", "condition")) != 1 or not message.get("token"):
        yield "message"
    notification, data = message.get("notification", {}), message.get("data", {})
    yield from (f"message.notification.{name}" for name in notification if name not in ("title", "body", "image"))
    for name, value in data.items():
        if not isinstance(value, str) or name in ("from", "message_type") or name.startswith(("google.", "gcm.notification.")):
            yield f"message.data[{name}]"
    if sum(len(str(text).encode()) for part in (notification, data) for pair in part.items() for text in pair) > 4096:
        yield "message: too big"
    android, apns, web = (message.get(name, {}) for name in ("android", "apns", "webpush"))
    if len(apns.get("headers", {}).get("apns-collapse-id", "").encode()) > 64:
        yield "message.apns.headers"
    if not web.get("fcm_options", {}).get("link", "https://").startswith("https://"):
        yield "message.webpush.fcm_options.link"
    if set(android) - {"collapse_key", "priority", "ttl", "data", "notification"} or set(web) - {
        "headers",
        "data",
        "notification",
        "fcm_options",
    }:
        yield "message.android or message.webpush"

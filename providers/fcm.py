"""Push through Firebase Cloud Messaging, HTTP v1. It knows no journey: what it gets is a push made out for one person.

At risk: FCM does not recognise a message it had before. So the point where the last bytes go out is the one that matters: a break before
it is harmless, a break after it leaves open whether the message was taken. FCM takes one device a call: a push to three is three calls.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from journey import ids
from journey.messages import Rendered, RenderedPush
from providers.fcm_account import AccessToken, Account
from providers.http_answers import LONGEST_DETAIL, NONE_FREE, body_of, object_in, retry_after, words
from providers.port import Answer, Later, Refused, Took, Uncertain

_MOST_BYTES = 4096
_PAUSE = 60.0  # seconds to wait after a 429 that does not say how long
_TRANSIENT = frozenset({401, 403, 408, 409, 425, 429})
_FOR_GOOD = {
    "UNREGISTERED": "unregistered",
    "INVALID_ARGUMENT": "message_refused",
    "SENDER_ID_MISMATCH": "wrong_sender",
    "THIRD_PARTY_AUTH_ERROR": "platform_key_refused",
}
"""FCM's own error codes that no repetition heals, and ours for them (docs/messages.md). The others are for later."""


class FcmProvider:
    """Sends pushes for the Firebase project of a service account, over at most `connections` connections."""

    channel = "push"
    name = "fcm"
    idempotent = False

    def __init__(self, account: Account, *, longest_call: float = 20.0, connections: int = 16) -> None:
        self.longest_call = longest_call
        self._url = account.send_url
        self._free = asyncio.Semaphore(connections)  # whoever waits here has not asked
        self._client = httpx.AsyncClient(
            headers={"Accept-Encoding": "identity"},
            timeout=None,  # the bound on the whole call is below
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=20),
            trust_env=False,
        )
        self._access = AccessToken(account, self._client)

    async def deliver(self, delivery: str, message: Rendered) -> Answer:
        """Took when FCM took it for one device. Refused codes: no_token, too_large, and those of `_FOR_GOOD`."""
        if not isinstance(message, RenderedPush):
            raise TypeError(f"{self.name} carries pushes, not {type(message).__name__}")
        if not message.tokens:
            return Refused("no_token", "there is no device to push to", asked=False)
        made = made_out(delivery, message)
        if (size := size_of(made)) > _MOST_BYTES:
            return Refused("too_large", f"title, body, data and url come to {size} bytes, and FCM takes {_MOST_BYTES}")
        calls = [_Call(token) for token in message.tokens]
        try:
            async with asyncio.timeout(self.longest_call), asyncio.TaskGroup() as group:
                for call in calls:
                    group.create_task(self._make(call, made))
        except TimeoutError:
            for call in calls:
                call.broke_off(f"FCM did not answer within {self.longest_call:g} s")
        return together(calls)

    async def close(self) -> None:
        await self._client.aclose()

    async def _make(self, call: _Call, made: Mapping[str, Any]) -> None:
        content = json.dumps({"message": {"token": call.token, **made}}, ensure_ascii=False).encode("utf-8", "replace")
        for _ in range(2):
            access = await self._access.get()
            if isinstance(access, Later):
                call.answer = access
                return
            call.answer = await self._send(call, content, access)
            if not call.access_refused:
                return
            self._access.refused(access)  # it may have been withdrawn, and a new one may be good
            call.handed_over = False

    async def _send(self, call: _Call, content: bytes, access: str) -> Answer:
        request = self._client.build_request(
            "POST", self._url, content=content, extensions={"trace": call.trace},
            headers={"Authorization": f"Bearer {access}", "Content-Type": "application/json; charset=utf-8"},
        )  # fmt: skip
        try:
            async with asyncio.timeout(self.longest_call / 3):
                await self._free.acquire()
        except TimeoutError:
            return Later("no connection to FCM was free", NONE_FREE, asked=False)
        try:
            answer = await self._client.send(request, stream=True)
            try:
                said = await body_of(answer)
            finally:
                await answer.aclose()
        except httpx.HTTPError as error:
            return call.broken(f"the connection to FCM broke: {words(error)}"[:LONGEST_DETAIL])
        finally:
            self._free.release()
        fault, detail = _fault(answer, said)
        call.access_refused = answer.status_code == 401 and not fault
        return _read(answer, said, fault, detail)


class _Call:
    """One message on its way to one device: how far it got, and what came back."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.handed_over = False  # its last bytes are on the way
        self.access_refused = False  # not this message: nobody sends with that access token
        self.answer: Answer | None = None

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """What the connection tells of its work. A body is short and goes out at once, so its beginning is its end."""
        if event == "http11.send_request_body.started":
            self.handed_over = True

    def broken(self, detail: str) -> Later:
        return Uncertain(detail) if self.handed_over else Later(detail)

    def broke_off(self, detail: str) -> None:
        if self.answer is None or self.access_refused:
            self.answer = self.broken(detail)


def made_out(delivery: str, message: RenderedPush) -> dict[str, Any]:
    """A push as FCM's `Message`, without the device's token.

    All attempts carry the same tag: a device that gets one twice shows it once, while the first is still to be seen.
    """
    tag = ids.content_hash(delivery)[:32]
    web: dict[str, Any] = {"notification": {"tag": tag}}
    if message.url.startswith("https://"):  # FCM takes no other there
        web["fcm_options"] = {"link": message.url}
    ours = {"url": message.url, "opened_token": message.opened_token}
    return {
        "notification": {name: text for name, text in (("title", message.title), ("body", message.body)) if text},
        "data": message.data | {name: text for name, text in ours.items() if text},
        "android": {"notification": {"tag": tag}},
        "apns": {"headers": {"apns-collapse-id": tag}},
        "webpush": web,
    }


def size_of(made: Mapping[str, Any]) -> int:
    """The bytes that FCM counts: keys and values of what reaches the app."""
    texts = [text for part in ("notification", "data") for pair in made[part].items() for text in pair]
    return sum(len(text.encode("utf-8", "replace")) for text in texts)


def together(calls: Sequence[_Call]) -> Answer:
    """One answer of several: taken by one device is taken (M3), an open question keeps all from being sent again."""
    answers = [call.answer for call in calls]
    dead = tuple(call.token for call in calls if isinstance(call.answer, Refused) and call.answer.code == "unregistered")
    if took := [answer for answer in answers if isinstance(answer, Took)]:
        return Took(took[0].provider_id, dead)
    if open_questions := [answer for answer in answers if isinstance(answer, Uncertain)]:
        return open_questions[0]
    if later := [answer for answer in answers if isinstance(answer, Later)]:
        return Later(later[0].detail, max((one.retry_after for one in later if one.retry_after is not None), default=None))
    if len(dead) == len(calls):
        return Refused("unregistered", "no device of this person has the app any more", dead)
    refused = next(answer for answer in answers if isinstance(answer, Refused) and answer.code != "unregistered")
    return Refused(refused.code, refused.detail, dead)


def _fault(answer: httpx.Response, body: bytes) -> tuple[str, str]:
    """FCM's own error code, empty when it gave none, and what it said in one line."""
    error = object_in(body).get("error")
    if not isinstance(error, dict):
        return "", f"{answer.status_code} {body.decode('utf-8', 'replace')}".strip()[:LONGEST_DETAIL]
    details = error.get("details")
    codes = [
        str(one.get("errorCode", ""))
        for one in (details if isinstance(details, list) else ())
        if isinstance(one, dict) and str(one.get("@type", "")).endswith("google.firebase.fcm.v1.FcmError")
    ]
    code = next(filter(None, codes), "")
    return code, f"{answer.status_code} {code or error.get('status', '')}: {error.get('message', '')}"[:LONGEST_DETAIL]


def _read(answer: httpx.Response, body: bytes, fault: str, detail: str) -> Answer:
    if answer.is_success:
        name = object_in(body).get("name")
        return Took(name) if isinstance(name, str) else Uncertain(f"an answer that is none of FCM's: {detail}"[:LONGEST_DETAIL])
    if fault in _FOR_GOOD:
        return Refused(_FOR_GOOD[fault], detail)
    if answer.status_code in _TRANSIENT or answer.status_code >= 500:
        # 401 and 403 without a code are about the account: no fault of this message, and somebody may put it right within the hour.
        pause = retry_after(answer)
        return Later(detail, _PAUSE if pause is None and answer.status_code == 429 else pause)
    return Refused("message_refused", detail)

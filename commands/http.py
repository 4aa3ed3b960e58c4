"""How commands speak to the API: a client that makes data of its answers and our errors of its problem documents. It reads no settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from journey.errors import BadInput, Conflict, Invalid, NotFound, SojournError, Stale, Unavailable
from journey.findings import Finding
from journey.graph import THING_ID

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_SECONDS = 30.0


class Api:
    """An API at an address, with the admin key. Use it in a `with`.

    Each call returns the JSON of the answer, None for an empty one. Raises the error that the problem document names, and Unavailable
    when nobody answers at the address.
    """

    def __init__(self, url: str, admin_key: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url
        local = urlsplit(url).hostname in _LOOPBACK  # no proxy of the environment stands before this machine
        headers = {"Authorization": f"Bearer {admin_key}"} if admin_key else {}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=_SECONDS, trust_env=not local, transport=transport)

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path, params={name: value for name, value in query.items() if value is not None})

    def put(self, path: str, data: Any) -> Any:
        return self._call("PUT", path, json=data)

    def post(self, path: str, data: Any = None) -> Any:
        return self._call("POST", path) if data is None else self._call("POST", path, json=data)

    def delete(self, path: str) -> None:
        self._call("DELETE", path)

    def send(self, path: str, body: Iterable[bytes], content_type: str) -> Any:
        """Post a body that is read as it goes; the answer may take as long as it takes."""
        return self._call("POST", path, content=body, headers={"Content-Type": content_type}, timeout=None)

    def _call(self, method: str, path: str, **more: Any) -> Any:
        try:
            answer = self._client.request(method, path, **more)
        except httpx.TimeoutException as error:
            raise Unavailable(f"The API at {self.url} did not answer in time; try again.") from error
        except httpx.TransportError as error:
            raise Unavailable(f"Nobody answers at {self.url}: start `sojourn dev`, or set SOJOURN_URL to where the API is.") from error
        said = _json(answer)
        if answer.is_success and (said is not None or not answer.content):
            return said
        raise _error(self.url, answer.status_code, said)


def journey_path(journey: str) -> str:
    """The address of a journey. Raises BadInput for what is no id: an address made of it would be another call's."""
    if not re.fullmatch(THING_ID, journey):
        raise BadInput(f"{journey!r} is no id of a journey: it begins with a letter and holds up to 63 of a-z, 0-9 and -.")
    return f"/v1/journeys/{journey}"


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json() if answer.content else None
    except ValueError:
        return None


def _error(url: str, status: int, problem: Any) -> SojournError:
    if not isinstance(problem, Mapping) or "detail" not in problem:
        return Unavailable(f"What answers at {url} is no API of ours: it says {status}. Is SOJOURN_URL right?")
    code, sentence = str(problem.get("code", "error")), str(problem["detail"])
    if status == 401:
        known = "set SOJOURN_ADMIN_KEY to the one it was started with or to an API key of an admin, or SOJOURN_DATA_DIR to its folder"
        return BadInput(f"The API at {url} does not take the admin key: {known}.", code=code)
    if findings := problem.get("findings"):
        return Invalid(sentence, [Finding(**finding) for finding in findings], code=code)
    if status == 503:
        return Unavailable(sentence)
    kinds: dict[int, type[SojournError]] = {404: NotFound, 409: Conflict, 412: Stale}
    return kinds.get(status, BadInput)(sentence, code=code)

"""In a workflow's input travels the hash of a version, never the version: history does not grow with the journey (D6).

The codec, which may wait, sees to it that what was frozen under a hash is at hand; the converter, which may not, hands out the one
frozen graph that serves all workflows of this process.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import temporalio.converter
from pydantic import TypeAdapter
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
    PayloadCodec,
)

from journey import contract
from journey.errors import NotFound
from journey.graph import Journey
from journey.version import Version

ENCODING = "sojourn/version"
Load = Callable[[str], Awaitable[Version]]

_at_hand: dict[str, Journey] = {}
"""Here because the SDK makes converters itself, without arguments. What is kept under a hash never changes."""


@dataclass(frozen=True, slots=True)
class VersionRef:
    """A version as a client writes it into a workflow's input; the workflow receives the graph."""

    hash: str


class VersionConverter(EncodingPayloadConverter):
    """A reference goes out as its hash, and comes in as the graph."""

    @property
    def encoding(self) -> str:
        return ENCODING

    def to_payload(self, value: Any) -> Payload | None:
        if not isinstance(value, VersionRef):
            return None
        return Payload(metadata={"encoding": ENCODING.encode()}, data=value.hash.encode())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Journey:
        return _at_hand[payload.data.decode()]


class ContractConverter(JSONPlainPayloadConverter):
    """What journey/contract.py names is read and written by pydantic, whose adapter is made once for each: the SDK's own looks at the
    annotations of a dataclass again each time, which was a good part of what a worker did.

    A field that holds its default is left out: each has one, and a history is kept for weeks.
    """

    def to_payload(self, value: Any) -> Payload | None:
        of: Any = type(value)
        if of.__module__ != contract.__name__:
            return super().to_payload(value)
        return Payload(metadata={"encoding": self.encoding.encode()}, data=_adapter(of).dump_json(value, exclude_defaults=True))

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        if getattr(type_hint, "__module__", "") != contract.__name__:
            return super().from_payload(payload, type_hint)
        return _adapter(type_hint).validate_json(payload.data, strict=True)


@cache
def _adapter(of: Any) -> TypeAdapter[Any]:
    return TypeAdapter(of)


class SojournPayloadConverter(CompositePayloadConverter):
    """The SDK's converters, ours before them."""

    def __init__(self) -> None:
        theirs = DefaultPayloadConverter.default_encoding_payload_converters
        super().__init__(VersionConverter(), *(ContractConverter() if type(one) is JSONPlainPayloadConverter else one for one in theirs))


class VersionCodec(PayloadCodec):
    """Has the version of every hash that comes in loaded before the workflow is given it."""

    def __init__(self, load: Load) -> None:
        self._load = load

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        for payload in payloads:
            if payload.metadata.get("encoding") == ENCODING.encode():
                await self.journey(payload.data.decode(errors="replace"))
        return list(payloads)

    async def journey(self, version_hash: str) -> Journey | None:
        """The graph that was frozen under a hash, which is at hand from now on; None when there is none: anybody may signal such a
        hash, and whoever needs it fails at the converter."""
        if version_hash not in _at_hand:
            with contextlib.suppress(NotFound):
                loaded = await self._load(version_hash)
                _at_hand.setdefault(version_hash, loaded.journey)  # whoever asked at the same time gets the same one
        return _at_hand.get(version_hash)


def data_converter(load: Load) -> DataConverter:
    """The data converter of every client and worker of ours. `load` finds what was frozen under a hash."""
    return replace(temporalio.converter.default(), payload_converter_class=SojournPayloadConverter, payload_codec=VersionCodec(load))

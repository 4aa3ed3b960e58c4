"""Signs calls by Standard Webhooks: `v1,` and the HMAC-SHA256 of `ID.TIMESTAMP.BODY`, once for each secret. It knows no network.

Two secrets at once are a rotation: whoever is called accepts a call when any of its signatures is right.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
LEAST_BYTES, MOST_BYTES = 24, 64


def key_of(secret: str) -> bytes:
    """The key that a secret stands for: base64 behind `whsec_`. Raises ValueError for anything else, or one of another length."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"a secret is {PREFIX} and {LEAST_BYTES} to {MOST_BYTES} bytes in base64")
    return key


def derived(secret: str) -> str:
    """The secret that is used where none is set: made of another one, the same in every process that has it."""
    return PREFIX + base64.b64encode(hmac.new(secret.encode(), b"webhook", hashlib.sha256).digest()).decode()


def headers(keys: Sequence[bytes], call: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a signed call. `call` is its id, the same on every attempt; `timestamp` are seconds since 1970."""
    signed = f"{call}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in keys)
    return {
        "webhook-id": call,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }

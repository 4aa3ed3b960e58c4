"""Whose ids a write key stands for. It knows no call."""

from __future__ import annotations

import hmac

from api.services import Services


def namespace(services: Services, given: str) -> str | None:
    """The namespace of a write key, None when there is no such key."""
    for key, found in services.write_keys.items():
        if key and hmac.compare_digest(key.encode(), given.encode("utf-8", "replace")):
            return found
    return None

"""Whose ids a write key stands for: one of the settings, or an API key that sends data in. It knows no call."""

from __future__ import annotations

import hmac

from api.services import Services
from store.keys import INGEST


async def namespace(services: Services, given: str) -> str | None:
    """The namespace of a write key, None when there is no such key."""
    for key, found in services.write_keys.items():
        if key and hmac.compare_digest(key.encode(), given.encode("utf-8", "replace")):
            return found
    made = await services.keys.find(given)
    return made.namespace if made is not None and made.scope == INGEST else None

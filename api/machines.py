"""Which requests for the picture or a link of a mail come from a machine that says so. Whoever says nothing is taken for the reader."""

from __future__ import annotations

import re
from collections.abc import Mapping

_AHEAD = ("purpose", "sec-purpose", "x-purpose", "x-moz")
"""Headers in which a browser or mail program says that it fetches what nobody has asked for yet."""
_NAMES = re.compile(
    r"(?<!cu)bot\b|crawler|spider|scanner|prefetch|link ?preview|linkexpanding|externalhit|headless"
    r"|urldefense|safelinks|mimecast|barracuda",
    re.IGNORECASE,
)
"""What scanners, previews and crawlers call themselves. The picture proxies of Google and Yahoo load for a reader, and are none. Cubot is a
telephone."""


def says_so(headers: Mapping[str, str]) -> bool:
    """Does a request say that no person has asked for it? `headers` have their names in small letters."""
    if any(word in headers.get(name, "").lower() for name in _AHEAD for word in ("prefetch", "preview", "prerender")):
        return True
    return _NAMES.search(headers.get("user-agent", "")) is not None

"""By which search attributes an engineer finds our workflows in the Temporal UI. `sojourn setup` registers them."""

from __future__ import annotations

from temporalio.common import SearchAttributeKey

JOURNEY = SearchAttributeKey.for_keyword("SojournJourney")
VERSION = SearchAttributeKey.for_keyword("SojournVersion")
TEST = SearchAttributeKey.for_bool("SojournTest")
SEARCH_ATTRIBUTES = (JOURNEY, VERSION, TEST)

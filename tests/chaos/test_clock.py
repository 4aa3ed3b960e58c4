"""The clock of the host is set back by an hour: while Sojourn runs, and before it comes again. Deadlines and leases stay what they were."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from demo.catchers import PushBehaviour
from tests.chaos.conftest import FULL, ONLY_IN_FULL
from tests.chaos.ledger import Books
from tests.chaos.place import Place
from tests.chaos.tables import TABLES
from tests.e2e.world import eventually

PEOPLE = 60 if FULL else 6
AN_HOUR_BACK = "-3600"
GATE = 20
NEVER_ENDING = 1000.0


@ONLY_IN_FULL
@pytest.mark.timeout(300)
@pytest.mark.parametrize("database", ["sqlite"])  # PostgreSQL's clock is its server's, which nobody sets for a test
async def test_a_host_whose_clock_is_set_back_by_an_hour_loses_nobody_and_keeps_nobody_waiting(
    place: Place, database: str, tmp_path: Path
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("0")
    await place.sojourn.comes(CHAOS_CLOCK=str(clock))
    await place.set_up(timeout=f"PT{GATE}S")
    keys = await place.people(PEOPLE)
    await place.publish()
    await place.wait_at("push-opened", PEOPLE)
    begun = time.monotonic()
    clock.write_text(AN_HOUR_BACK)
    opening, silent = keys[::2], keys[1::2]
    for key in opening:
        await place.opens_push(key)
    await place.wait_at("purchase", len(opening))
    place.push.behave(PushBehaviour(delay=NEVER_ENDING))
    sent = len(place.push.pushes)
    for key in opening:
        await place.buys(key)
    await eventually(lambda: asyncio.sleep(0, len(place.push.pushes) - sent), lambda seen: seen >= 1, "a thank-you on its way")
    await place.sojourn.is_killed()
    place.push.behave()
    await place.sojourn.comes(CHAOS_CLOCK=str(clock))
    await place.wait_at("purchase", len(silent), patience=GATE + 90)
    waited = time.monotonic() - begun
    for key in silent:
        await place.buys(key)
    await place.have_ended(PEOPLE)
    TABLES.add(
        "The clock is set back by an hour", database=database, people=PEOPLE, gate_seconds=GATE, left_after_seconds=round(waited),
        all_done_after_seconds=round(time.monotonic() - begun), lost=0,
    )  # fmt: skip
    books = await Books.read(place)
    assert await books.faults(place, members=keys) == []
    entered, left = max(row.entered_at for row in books.entrants.values()), min(row.ended_at for row in books.entrants.values())
    assert entered < left, "nobody has ended before anybody entered"

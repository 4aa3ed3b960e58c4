"""A ceiling on how many people a run lets in a second is kept."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from tests.e2e.world import World, eventually

SLOWLY = {
    "id": "slowly", "namespace": "customer_id", "nodes": [
        {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "rate": 3, "next": "end"},
        {"id": "end", "kind": "end"},
    ],
}  # fmt: skip


async def test_a_run_lets_in_no_more_people_a_second_than_its_rate(here: World) -> None:
    await here.set_up(journey=SLOWLY)
    for number in range(8):
        await here.person(f"c-{number}")
    await here.publish("slowly")

    async def inside() -> list[float]:
        found = (await here.api.get("/v1/entrants", params={"journey": "slowly"})).json()["items"]
        return sorted(datetime.fromisoformat(one["entered_at"]).timestamp() for one in found)

    entered = await eventually(inside, lambda found: len(found) == 8, "eight people inside")
    waves = sorted(set(entered))
    assert [entered.count(wave) for wave in waves] == [3, 3, 2]
    assert all(after - before >= 0.99 for before, after in pairwise(waves))

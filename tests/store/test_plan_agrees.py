"""Whatever two versions are drawn, and whatever is said of people inside: each goes where the plan says, and as many as it counts."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from journey import gate, ids, walk
from journey.contract import Proposal
from journey.succession import WORDS, Succession, destinations
from journey.succession_places import is_gate, places
from journey.version import Version
from store import schema, standing, steps
from tests.builders import DAY, MINUTE, START
from tests.store.any_journey import NAMES, any_version
from tests.store.driver import AT_RISK, Store, publish, store_in
from tests.store.moves import succeed

PEOPLE: st.SearchStrategy[Literal["flow_in", "migrate"]] = st.sampled_from(["flow_in", "migrate"])
TOLD = st.dictionaries(st.sampled_from(NAMES), st.sampled_from([*NAMES, *WORDS]), max_size=3)
Found = Counter[tuple[str, str, str]]
"""How many are in which version, at which place, or ended for which reason."""


def stand(store: Store, old: Version, place: str, number: int) -> str:
    """Somebody who has just come to this place of version 1, and is not decided on."""
    journey, key = old.journey.id, f"{place.replace('+', '.')}.{number}"
    waits = is_gate(old.journey, place)
    until = gate.build(old.journey, place, START).due_at if waits else None
    row = {
        "id": ids.entrant(journey, key, 1), "journey": journey, "version": ids.version(journey, 1), "mode": "live", "key": key, "number": 1,
        "profile": key, "run": "run", "entered_at": START, "state": "open", "n": 1, "closed": True, "place": place, "waiting": waits,
        "arrived_at": START, "until": until, "due": until or START + DAY,
    }  # fmt: skip
    store.connection.execute(schema.entrants.insert(), row)
    return str(row["id"])


@pytest.mark.complaint(10)
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(any_version(), any_version(), st.builds(lambda people, told: Succession(people=people, map=told), PEOPLE, TOLD))
def test_everybody_goes_where_the_plan_says(engine: Engine, old: Version, new: Version, told: Succession) -> None:
    with store_in(engine) as store:
        publish(store, old)
        store.connection.execute(schema.journeys.insert(), {"id": old.journey.id})
        people = [stand(store, old, place, number) for place in places(old.journey) for number in range(1 + len(place) % 3)]
        before, after = ids.version(old.journey.id, 1), ids.version(old.journey.id, 2)
        planned: Found = Counter()
        for place, count in standing.by_place(store.connection, before).items():
            found = destinations(old, new, told)[place]
            event(found.kind)
            planned[{
                "moves": (after, found.place, ""), "leaves": (before, "", found.reason), "stays": (before, place, ""),
                "cannot_move": (before, place, ""),
            }[found.kind]] += count  # fmt: skip

        store.clock.instant += MINUTE
        succeed(store, new, told.people, map=told.map)
        for entrant in people:
            store.write(lambda work, entrant=entrant: steps.open_step(work, Proposal(entrant=entrant, n=2), AT_RISK))  # type: ignore[misc]

        rows = store.rows(schema.entrants)
        assert Counter((row.version, row.place, row.end_reason) for row in rows) == planned
        assert sum(planned.values()) == len(people)
        for row in rows:
            assert (row.state == "ended") == bool(row.end_reason)
            if row.version == after:
                assert row.waiting == isinstance(walk.ask(new.journey, row.place), walk.Listen)

"""Who leaves a journey or its segment and comes back: what each policy of re-entrance makes of it, as a table of cases."""

from __future__ import annotations

from typing import Any

import pytest

from journey.segments import SegmentDocument
from journey.version import Version
from store import changes, clearing, runs, schema, segments
from tests.builders import DAY, MINUTE, profile, purchase, version
from tests.store.driver import Store, check, document, publish
from tests.store.test_admission import drivers_of, let_in_by, put, read_all, start

NODES = ({"id": "buys", "kind": "event", "event": "purchase", "next": "end"}, {"id": "end", "kind": "end"})
READ = {"id": "read", "kind": "read_segment", "segment": "everybody", "next": "buys"}
OUT_AND_BACK = {
    "inside": ((), ()),
    "ended": ((), ()),
    "ended, left and rejoined between two runs": (("leaves", "rejoins"), ()),
    "ended, away at a run, and rejoined": (("leaves",), ("rejoins",)),
    "ended, and away for good": (("leaves",), ()),
}
"""What people do between the first run and the second, and between the second and the third; each run is a day after the one before."""

IN, OUT = "enters", "is not asked"
POLICIES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, tuple[str, str]]]] = {
    "again at every run": ({}, {}, {
        "inside": ("already_inside", "already_inside"), "ended": (IN, IN), "ended, left and rejoined between two runs": (IN, IN),
        "ended, away at a run, and rejoined": (OUT, IN), "ended, and away for good": (OUT, OUT),
    }),
    "once": ({"reentry": {"allowed": False}}, {}, {
        "inside": ("already_inside", "already_inside"), "ended": ("reentry_not_allowed",) * 2,
        "ended, left and rejoined between two runs": ("reentry_not_allowed",) * 2,
        "ended, away at a run, and rejoined": (OUT, "reentry_not_allowed"), "ended, and away for good": (OUT, OUT),
    }),
    "two days after they last entered": ({"reentry": {"after": "P2D"}}, {}, {
        "inside": ("already_inside", "already_inside"), "ended": ("reentry_too_soon", IN),
        "ended, left and rejoined between two runs": ("reentry_too_soon", IN),
        "ended, away at a run, and rejoined": (OUT, IN), "ended, and away for good": (OUT, OUT),
    }),
    "who joined since the last run": ({}, {"incremental": True}, {
        "inside": (OUT, OUT), "ended": (OUT, OUT), "ended, left and rejoined between two runs": (OUT, OUT),
        "ended, away at a run, and rejoined": (OUT, IN), "ended, and away for good": (OUT, OUT),
    }),
    "everybody anew, whoever is inside ends first": ({}, {"force_reentry": True}, {
        "inside": (IN, IN), "ended": (IN, IN), "ended, left and rejoined between two runs": (IN, IN),
        "ended, away at a run, and rejoined": (OUT, IN), "ended, and away for good": (OUT, OUT),
    }),
}  # fmt: skip


@pytest.mark.complaint(12)
@pytest.mark.parametrize("policy", POLICIES)
def test_a_journey_that_reads_its_segment_again(store: Store, policy: str) -> None:
    of_journey, of_entry, expected = POLICIES[policy]
    of = version(*NODES, nodes=[{**READ, **of_entry}, *NODES], **of_journey)
    who = {case: f"p{number}" for number, case in enumerate(OUT_AND_BACK)}
    put(store, [profile(person) for person in who.values()])
    publish(store, of)
    assert run_of(store, of) == dict.fromkeys(who.values(), IN)
    found: dict[str, list[str]] = {case: [] for case in OUT_AND_BACK}
    for between in range(2):
        for case, person in who.items():
            if case != "inside":
                ends(store, of, person)
            for deed in OUT_AND_BACK[case][between]:
                birth_year = 1800 if deed == "leaves" else 1985
                store.write(lambda work, person=person, year=birth_year: changes.patch(work, person, attributes={"birth_year": year}))  # type: ignore[misc]
        store.clock.instant += DAY
        told = run_of(store, of)
        for case, person in who.items():
            found[case].append(told.get(person, OUT))
    assert {case: tuple(of_case) for case, of_case in found.items()} == expected
    check(store, of)


def run_of(store: Store, of: Version) -> dict[str, str]:
    """The segment is read; what became of each person who was asked."""
    run = start(store, of)
    if runs.get(store.connection, run).state == "clearing":
        while not store.write(lambda work: clearing.clear_page(work, run, 200)).done:
            for driver in drivers_of(store, of):
                if driver.row().ending and driver.row().state == "open":
                    driver.stop()
    entered = {entrant.split("~")[1]: IN for entrant in let_in_by(read_all(store, run))}
    return entered | {row.profile: row.code for row in store.rows(schema.discards, run=run)}


def ends(store: Store, of: Version, person: str) -> None:
    for driver in drivers_of(store, of):
        if driver.row().profile == person and driver.row().state == "open":
            driver.ask()
            driver.note(store.accept(purchase(f"{driver.entrant}-bought"), person))
            driver.stop()


VIPS = SegmentDocument(id="vips", rule="vip == true")
JOINS = {"id": "joins", "kind": "qualification", "segment": "vips", "next": "buys"}
HOUR_LATER, AT_ONCE = 60 * MINUTE, MINUTE


@pytest.mark.complaint(12)
@pytest.mark.parametrize(
    ("reentry", "ended", "later", "outcome"),
    [
        ({}, False, HOUR_LATER, "already_inside"),
        ({}, True, AT_ONCE, "reentry_too_soon"),
        ({}, True, HOUR_LATER, IN),
        ({"after": "PT30S"}, True, AT_ONCE, IN),
        ({"after": "P1D"}, True, HOUR_LATER, "reentry_too_soon"),
        ({"after": "P1D"}, True, DAY, IN),
        ({"allowed": False}, True, DAY, "reentry_not_allowed"),
        ({"allowed": False}, False, DAY, "already_inside"),
    ],
)
def test_a_journey_that_begins_with_a_segment_that_is_joined_again(
    store: Store, reentry: dict[str, Any], ended: bool, later: int, outcome: str
) -> None:
    of = version(nodes=[JOINS, *NODES], reentry=reentry)
    store.write(lambda work: segments.put(work, VIPS))
    publish(store, of)
    store.write(lambda work: changes.put(work, document(profile("ada", vip=True))))
    (ada,) = drivers_of(store, of)
    if ended:
        ends(store, of, "ada")
    for member in (False, True):
        store.clock.instant += later if member else 0
        store.write(lambda work, member=member: changes.patch(work, "ada", attributes={"vip": member}))  # type: ignore[misc]
    entered = [row.number for row in store.rows(schema.entrants)]
    codes = [row.code for row in store.rows(schema.discards)]
    assert (entered, codes) == (([1, 2], []) if outcome == IN else ([1], [outcome]))
    assert ada.row().number == 1

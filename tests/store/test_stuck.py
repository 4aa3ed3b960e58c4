"""Whoever does not go on is seen: late, inside and at their node, in a journey that does not count as finished."""

from __future__ import annotations

import pytest

from store import finishing, numbers, reports, schema, versions
from store.numbers import Held
from tests.builders import MINUTE, profile, use_case, use_case_messages
from tests.store.driver import LEASE, Store, let_in, publish


@pytest.mark.complaint(5)
def test_somebody_whose_worker_never_comes_back_is_late_and_inside_and_their_journey_is_not_finished(store: Store) -> None:
    publish(store, use_case(), use_case_messages())
    ada, bob = let_in(store, use_case(), [profile("ada"), profile("bob")])
    bob.stop()
    ada.open(ada.proposal())  # and its worker dies
    store.write(lambda work: versions.set_state(work, "thank-you@1", "closed"))
    store.clock.instant += LEASE + 2 * MINUTE
    held = look(store)
    assert (held.overdue, held.stalled) == (1, 0)
    store.clock.instant += 10 * MINUTE
    held = look(store)
    assert (held.overdue, held.stalled, held.open_by_version) == (1, 1, {("thank-you", "thank-you@1"): 2})
    report = reports.report(store.connection, "thank-you@1", use_case().journey)
    assert (report.totals.inside, report.totals.finished) == (2, 0)
    assert next(node for node in report.nodes if node.node == "first").inside == 1
    assert not store.write(lambda work: finishing.finish_if_empty(work, "thank-you@1"))
    assert {row.id: row.end_reason for row in store.rows(schema.entrants)} == {ada.entrant: "", bob.entrant: ""}


def look(store: Store) -> Held:
    return numbers.held(store.connection, store.clock.now())

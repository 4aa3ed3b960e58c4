"""People who come to a message that is held for review, and whoever reviews it, for tests on a store inside one transaction."""

from __future__ import annotations

from typing import Any

from activities.sending import Sending
from journey import ids, reports
from journey.contract import Proposal
from journey.tracking import Signer
from journey.version import Version
from store import in_review, reviews, schema
from store import reports as store_reports
from store.claims import Busy
from store.reviews import Judged, Verdict, Wanted
from store.steps import Opened
from tests import builders
from tests.builders import profile
from tests.store.driver import Driver, Store, check, let_in, publish
from tests.store.holding import MESSAGES

SENDING = Sending({}, Signer("a secret for tests that is long enough"), "https://sojourn.example", "Shop <shop@example.org>")
ADA = "small~ada~1"
WRITES = builders.version(
    {"id": "write", "kind": "message", "message": "news", "hold_for_review": True, "next": "opened"},
    {"id": "opened", "kind": "reaction", "of": "write", "to": "email.opened", "next": "end", "timeout": {"after": "P1D"}},
    {"id": "end", "kind": "end"},
)  # fmt: skip


def inside(store: Store, *people: str, version: Version = WRITES) -> list[Driver]:
    publish(store, version, MESSAGES)
    store.connection.execute(schema.journeys.insert(), {"id": version.journey.id})
    return let_in(store, version, [profile(name) for name in people])


def comes(driver: Driver) -> Proposal:
    """They come to the message, and it is made out for whoever reviews it."""
    proposal = driver.proposal()
    opened = driver.open(proposal)
    assert isinstance(opened, Opened)
    assert (opened.claims, opened.to_render) == ((), ("email", "push"))
    make_out(driver, proposal, opened)
    return proposal


def make_out(driver: Driver, proposal: Proposal, opened: Opened) -> None:
    shown = [SENDING.shown(channel, proposal.n, opened) for channel in opened.to_render]
    driver.store.write(lambda work: in_review.keep(work, driver.entrant, proposal.n, opened.revision, shown))


def waits(driver: Driver, proposal: Proposal) -> Busy:
    found = driver.open(proposal)
    assert isinstance(found, Busy), found
    return found


def goes(driver: Driver, proposal: Proposal) -> Opened:
    found = driver.open(proposal)
    assert isinstance(found, Opened), found
    return found


def say(store: Store, verdict: Verdict, *deliveries: str, node: str = "write", **more: Any) -> Judged:
    keys = tuple(reviews.key_of(one) for one in deliveries) or None
    return store.write(lambda work: reviews.judge(work, verdict, Wanted("small", node, keys, **more)))


def listed(store: Store, **wanted: Any) -> list[reviews.ReviewView]:
    return reviews.page(store.connection, {"journey": "small"} | wanted)


def report(store: Store) -> reports.NodeReport:
    found = store_reports.report(store.connection, ids.version("small", 1), WRITES.journey)
    assert reports.differences(WRITES.journey, found) == ()
    check(store, WRITES)
    return next(node for node in found.nodes if node.node == "write")

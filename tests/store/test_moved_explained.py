"""Why somebody who was carried over is where they are: each event is explained by the version that they walked when it came."""

from __future__ import annotations

from journey.version import Version
from store import explaining
from tests.builders import MINUTE, purchase, rule, version
from tests.store.driver import Driver, Store
from tests.store.moves import succeed
from tests.store.pauses import let_ada_in


def buys(node: str, product: str) -> Version:
    """Waits for the purchase of one product at a node of this id."""
    wanted = {"id": node, "kind": "event", "event": "purchase", "where": rule("product", "=", product), "next": "rests"}
    return version(wanted, {"id": "rests", "kind": "wait", "for": "P7D", "next": "end"}, {"id": "end", "kind": "end"})


def heard(store: Store, ada: Driver) -> list[tuple[str, str, tuple[str, ...], list[tuple[str, bool]]]]:
    """Of each event: its id, its effect, where she stood, and what each node there said of it."""
    found = explaining.heard(store.connection, ada.entrant)
    return [(one.id, one.effect, one.place, [(node.node, node.said.fits) for node in one.nodes]) for one in found]


def buy(store: Store, ada: Driver, event: str, product: str) -> None:
    store.clock.instant += MINUTE
    ada.note(store.accept(purchase(event, product=product), "ada"))
    store.clock.instant += MINUTE


def test_what_was_heard_before_and_after_a_move_is_explained_by_the_version_of_then(store: Store) -> None:
    ada = let_ada_in(store, buys("buys", "Lamp"))
    buy(store, ada, "early", "Rug")
    succeed(store, buys("purchases", "Rug"), people="migrate", map={"buys": "purchases"})
    buy(store, ada, "between", "Chair")
    assert ada.stop(proposal=ada.asks()).version == "small@2"
    buy(store, ada, "late", "Lamp")
    buy(store, ada, "last", "Rug")

    before = [
        ("early", "none", ("buys",), [("buys", False)]),
        ("between", "none", ("buys",), [("buys", False)]),
        ("late", "none", ("purchases",), [("purchases", False)]),
    ]
    assert heard(store, ada) == [*before, ("last", "decided", ("purchases",), [("purchases", True)])]
    ada.stop()
    assert heard(store, ada) == [*before, ("last", "decided", ("purchases",), [("purchases", True)])], "and when she has left it too"


def test_what_decided_a_gate_of_the_old_version_is_explained_by_it_though_she_moved_since(store: Store) -> None:
    ada = let_ada_in(store, buys("buys", "Lamp"))
    buy(store, ada, "early", "Lamp")
    ada.stop()
    succeed(store, buys("purchases", "Rug"))
    ada.pass_time()
    ada.stop()
    assert ada.row().version == "small@2"
    assert heard(store, ada) == [("early", "decided", ("buys",), [("buys", True)])]

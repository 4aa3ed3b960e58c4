"""The abandoned cart as objects: who fills a cart enters, and waits for the order of that cart. It starts no server."""

from __future__ import annotations

from typing import Any

from journey.events import Event, EventDefinition
from journey.version import Version
from tests.builders import version

CART = EventDefinition(
    id="cart-updated", match="cart_updated", namespace="customer_id", key="customer", fields={"cart": "string", "total": "number"}
)
ORDER = EventDefinition(id="order-placed", match="order_placed", namespace="customer_id", key="customer", fields={"cart": "string"})
ENTRY = {"id": "cart", "kind": "event", "event": "cart-updated", "next": "order"}
WAITS = {"id": "order", "kind": "event", "event": "order-placed", "where": {"field": "cart", "operator": "=", "value": "entry.cart",
         "valueSource": "field"}, "next": "end", "timeout": {"after": "P1D", "next": "remind"}}  # fmt: skip
REMIND = {"id": "remind", "kind": "message", "message": "remind", "next": "end"}
END = {"id": "end", "kind": "end"}


def abandoned(**changed: Any) -> Version:
    nodes = changed.pop("nodes", [ENTRY, WAITS, REMIND, END])
    return version(definitions=[CART, ORDER], nodes=nodes, **{"id": "abandoned", **changed})


def cart(event_id: str = "cart-1", cart: str = "A", total: float = 40, **changed: Any) -> Event:
    return Event("shop", event_id, "cart_updated", {"cart": cart, "total": total}, **changed)


def order(event_id: str = "order-1", cart: str = "A") -> Event:
    return Event("shop", event_id, "order_placed", {"cart": cart})

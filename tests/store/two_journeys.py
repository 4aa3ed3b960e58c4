"""Two journeys of one person, with what their person does, as Hypothesis draws them: their nodes have names of their own. It plays none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from journey.events import EventDefinition
from journey.graph import LISTENING
from journey.rule_text import as_tree
from journey.simulation.story import Changes, Occurs, Reacts, Script, World
from journey.version import Version
from tests import builders
from tests.builders import MINUTE, START

HALF_HOUR = 30 * MINUTE
REFUND = EventDefinition(id="refund", match="refund", namespace="customer_id", key="customer")
WORLD = World(
    messages={"both": builders.message("both", "email", "push"), "mail": builders.message("mail", "email")},
    definitions=(builders.purchase_definition(), REFUND),
    suppressed=frozenset({("email", "barred@example.org")}),
    segments={"vips": as_tree("vip == true"), "romans": as_tree('city == "Rome"')},
    begins=START,
)
KINDS = ["message", "message", "event", "event", "reaction", "wait", "condition", "split", "until", "rule", "qualification"]
"""`until` is a wait until a time, `rule` one until a rule is true. None of them writes: that would move the other journey."""


@st.composite
def any_version(draw: st.DrawFn, name: str, size: int) -> Version:
    """A graph without cycles and with joins; its nodes are called by the journey's name and a number."""
    kinds = [draw(st.sampled_from(KINDS)) for _ in range(size)]
    graph = _Graph(draw, [f"{name}{number}" for number in range(size)], kinds)
    return builders.version(
        *(graph.node(index) for index in range(size)),
        definitions=WORLD.definitions,
        entry=graph.onward(-1),
        global_timeout=draw(st.sampled_from(["PT3H", "PT6H", "P2D"])),
        id=name,
    )


@dataclass
class _Graph:
    draw: st.DrawFn
    names: list[str]
    kinds: list[str]

    def node(self, index: int) -> dict[str, Any]:
        kind = self.kinds[index]
        node: dict[str, Any] = {"id": self.names[index], "kind": "wait" if kind in ("until", "rule") else kind}
        match kind:
            case "split":
                halves = [{"id": half, "percent": 50, "next": self.onward(index)} for half in "ab"]
                return node | {"shares": halves}
            case "until":
                node["until"] = self.draw(UNTIL)
            case "rule":
                node["until"] = {"rule": builders.rule("city", "=", self.draw(st.sampled_from(["Rome", "Atlanta"])))}
            case "qualification":
                node |= self.draw(st.sampled_from(SEGMENTS))
            case "condition":
                test = builders.rule(*self.draw(st.sampled_from([("city", "=", "Atlanta"), ("event.product", "=", "Rug")])))
                return node | {"branches": [{"id": "yes", "when": test, "next": self.onward(index)}], **self.perhaps("otherwise", index)}
            case "message":
                node |= {"message": self.draw(st.sampled_from(["both", "mail"])), **self.perhaps("error", index)}
            case "wait":
                node["for"] = self.length()
            case "event":
                node["event"] = self.draw(st.sampled_from(["purchase", "refund"]))
                node |= {"where": builders.rule("product", "=", "Lamp")} if self.draw(st.booleans()) else {}
            case "reaction":
                before = [name for name, kind in zip(self.names[:index], self.kinds, strict=False) if kind == "message"]
                node |= {"of": self.draw(st.sampled_from(before or self.names[:1])), "to": self.draw(TO)}
        if kind in ("event", "reaction", "until", "rule", "qualification") and self.draw(st.booleans()):
            node["timeout"] = {"after": self.length(), **self.perhaps("next", index)}
        return node | {"next": self.onward(index)}

    def length(self) -> str:
        return self.draw(st.sampled_from(["PT30M", "PT1H", "PT2H"]))

    def perhaps(self, exit_: str, index: int) -> dict[str, Any]:
        return {exit_: self.onward(index)} if self.draw(st.booleans()) else {}

    def onward(self, index: int) -> list[str]:
        later = list(range(index + 1, len(self.names)))
        gate = [self.names[at] for at in later if self.kinds[at] in (*LISTENING, "until", "rule")]
        if len(gate) > 1 and self.draw(st.booleans()):
            return self.draw(st.permutations(gate))[:2]
        return [self.names[self.draw(st.sampled_from(later[:3]))]] if later else []


def _data(name: str) -> dict[str, Any]:
    return builders.THANKS if name == "purchase" else {}


SEGMENTS = [{"segment": "vips"}, {"segment": "romans"}, {"segment": "romans", "direction": "leave"}]
UNTIL = st.sampled_from([
    "2025-06-15T15:36:40Z", "2025-06-15T16:36:40Z", {"field": "profile.starts"}, {"hours": "16:36-17:00"},
    {"at": "2025-06-15T15:06:40Z", "spread": "PT2H"},
])  # fmt: skip
TO = st.sampled_from(["email.opened", "push.opened", "push.clicked"])
NODES = st.sampled_from([f"{name}{number}" for name, size in (("a", 5), ("b", 3)) for number in range(size)])
INSTANTS = st.integers(0, 8).map(lambda half_hours: half_hours * HALF_HOUR)
OCCURS = st.builds(
    lambda at, name, product, number: Occurs(at, name, _data(name) | {"product": product}, f"e{number}"),
    INSTANTS, st.sampled_from(["purchase", "purchase", "refund", "sneeze"]), st.sampled_from(["Lamp", "Rug"]), st.integers(0, 5),
)  # fmt: skip
WRITES = st.builds(
    Changes, INSTANTS, st.sampled_from([{"city": "Rome"}, {"city": "Atlanta"}, {"vip": True}, {"vip": None}, {"city": "Rome", "vip": True}])
)
DELIVERIES = st.frozensets(st.tuples(NODES, st.sampled_from(["email", "push"])), max_size=3)
SCRIPTS = st.builds(
    Script,
    st.lists(OCCURS | st.builds(Reacts, INSTANTS, NODES, TO) | WRITES, max_size=7).map(
        lambda told: tuple(sorted(told, key=lambda one: one.at))
    ),
    st.dictionaries(NODES, st.integers(0, 3).map(lambda half_hours: half_hours * HALF_HOUR), max_size=4),
    DELIVERIES,
    DELIVERIES,
)
PEOPLE = st.builds(
    lambda consents, tokens, email: builders.profile(consents=consents, push_tokens=tokens, email=email, starts="2025-06-15T15:36:40Z"),
    st.dictionaries(st.sampled_from(["email", "push"]), st.booleans(), max_size=1),
    st.sampled_from([("t",), ("t",), ()]),
    st.sampled_from(["ada@example.org", "ada@example.org", "barred@example.org", None]),
)

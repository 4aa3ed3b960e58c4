"""What the validator lets through, the walk can walk: no drawing without an error makes it stumble, and every path ends."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from journey import walk
from journey.findings import blocking
from journey.graph import Journey
from journey.profiles import Attribute
from journey.segments import SegmentDocument
from journey.surroundings import Surroundings
from journey.validation.judging import validate
from tests.builders import journey, purchase_definition, use_case_messages

NAMES = ["a", "b", "c", "d", "e"]
AROUND = Surroundings(
    {"vip": Attribute(type="boolean")},
    {"everybody": SegmentDocument(id="everybody", rule="vip == true")},
    {"purchase": purchase_definition()},
    use_case_messages(),
)
KINDS = ["event", "reaction", "message", "wait", "condition"]
LISTENING = ("event", "reaction", "wait")


@st.composite
def drawings(draw: st.DrawFn) -> Journey:
    """Mostly drawn with sense, so that many are valid: forward, lists into what listens, one fault now and then."""
    kinds = dict(zip(NAMES, draw(st.lists(st.sampled_from(KINDS), min_size=5, max_size=5)), strict=True))
    rarely = st.integers(0, 40).map(lambda lot: lot == 0)

    def leads(index: int) -> Any:
        if draw(rarely):
            return draw(st.sampled_from([*NAMES, "nowhere", ["a", "b"]]))
        after = NAMES[index + 1 :]
        listening = [name for name in after if kinds[name] in LISTENING]
        if len(listening) > 1 and draw(st.booleans()):
            return draw(st.lists(st.sampled_from(listening), min_size=2, max_size=3, unique=True))
        return draw(st.sampled_from([*after, "end"]))

    def length() -> str:
        return draw(st.sampled_from(["P1M", "P200D", ""])) if draw(rarely) else draw(st.sampled_from(["P1D", "PT1H"]))

    def timeout(index: int) -> Any:
        if draw(st.integers(0, 2)):
            return None
        return {"after": length()} | ({"next": leads(index)} if draw(st.booleans()) else {})

    nodes = []
    for index, (name, kind) in enumerate(kinds.items()):
        sent = [earlier for earlier in NAMES[:index] if kinds[earlier] == "message"]
        if kind == "reaction" and not sent and not draw(rarely):
            kind = "event"
        node: dict[str, Any] = {"id": name, "kind": kind}
        match kind:
            case "event":
                node |= {"event": "purchase", "next": leads(index), "timeout": timeout(index)}
            case "reaction":
                of = draw(st.sampled_from(sent or NAMES))
                node |= {"of": of, "to": "email.opened", "next": leads(index), "timeout": timeout(index)}
            case "message":
                node |= {"message": "first-message", "next": leads(index), "error": leads(index) if draw(st.booleans()) else []}
            case "wait":
                node |= {"for": length(), "next": leads(index)}
            case "condition":
                branch = {"id": "yes", "when": "vip == true", "next": leads(index)}
                node |= {"branches": [branch], "otherwise": leads(index) if draw(st.booleans()) else []}
        nodes.append(node)
    return journey(*nodes, {"id": "end", "kind": "end"}, entry=leads(-1))


@settings(max_examples=200, deadline=None)
@given(drawings())
def test_a_journey_without_an_error_can_be_walked_along_every_path_to_an_end(drawn: Journey) -> None:
    if blocking(validate(drawn, AROUND)):
        return
    todo = [walk.first(drawn)]
    steps = 0
    while todo:
        steps += 1
        assert steps < 5000, "the walk does not end"
        answer = walk.ask(drawn, todo.pop())
        match answer:
            case walk.Send() | walk.Decide():
                ways = [walk.Outcome(answer.node, taken) for taken in walk.outcomes(drawn, answer)]
            case walk.Listen():
                ways = [walk.Outcome(node, "next") for node in answer.nodes] + ([answer.due] if answer.due else [])
            case walk.Finish():
                ways = []
        todo += [place for place in (walk.follow(drawn, way) for way in ways) if place]

"""Whatever a document holds, it gets its findings; one without an error can be frozen, drawn and walked to an end."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from commands import folder
from journey import documents, json_schema
from journey.diagrams.diagram import draw
from journey.diagrams.mermaid import render as render_mermaid
from journey.diagrams.svg import render as render_svg
from journey.diff import Side, compare
from journey.documents import Fault
from journey.events import EventDefinition
from journey.findings import blocking
from journey.freezing import freeze
from journey.graph import Journey
from journey.messages import MessageDocument
from journey.policies import Policies
from journey.segments import SegmentDocument
from journey.simulation.explore import entering
from journey.simulation.simulate import simulate
from journey.simulation.story import Script, World
from journey.surroundings import Surroundings
from journey.validation.judging import of_event, of_message, of_segment, validate
from journey.validation.policies import of_policies
from tests import builders
from tests.made_up_documents import changed, fitting, words

NOW = 1_790_000_000_000_000
FOLDERS = [folder.read(path) for path in sorted((Path(__file__).parents[2] / "examples").iterdir()) if path.is_dir()]


def gathered(kind: str) -> dict[str, Any]:
    return {name: entry for one in FOLDERS for name, entry in getattr(one, kind).items()}


HELD = {kind: gathered(kind) for kind in ("segments", "events", "messages", "journeys")}
AROUND = Surroundings(
    attributes={name: attribute for one in FOLDERS for name, attribute in one.attributes.items()},
    segments={name: entry.document for name, entry in HELD["segments"].items()},
    events={name: entry.document for name, entry in HELD["events"].items()},
    messages={name: entry.document for name, entry in HELD["messages"].items()},
    journeys={name: entry.document for name, entry in HELD["journeys"].items()},
    now=NOW,
)
WORLD = World(
    messages=AROUND.messages,
    definitions=tuple(AROUND.events.values()),
    segments={name: one.tree for name, one in AROUND.segments.items()},
    begins=NOW,
)
WRITTEN = {kind: [entry.source.data for entry in held.values()] for kind, held in HELD.items()}
WORDS = words([*WRITTEN["journeys"], *WRITTEN["segments"], list(AROUND.attributes), list(AROUND.messages)])
ROUNDS = settings(max_examples=80, deadline=None)


def judge(data: Any) -> bool:
    """Everything that is done with a journey before anybody is in it. Is it one that can be published?"""
    drawn = documents.load(Journey, data)
    if isinstance(drawn, tuple):
        assert drawn
        assert all(isinstance(fault, Fault) and fault.sentence for fault in drawn)
        return False
    found = validate(drawn, AROUND)
    assert all(one.sentence and (not one.node or one.node in drawn.by_id) for one in found)
    picture = draw(drawn, messages=AROUND.messages)
    assert ElementTree.fromstring(render_svg(picture)).tag.endswith("svg")
    assert render_mermaid(picture)
    assert isinstance(compare(Side(drawn, AROUND.events), Side(next(iter(AROUND.journeys.values())), AROUND.events)), tuple)
    if blocking(found):
        return False
    version = freeze(drawn, AROUND)
    person = builders.profile("somebody", vip=True, spent=300, total=300)
    story = simulate(version, person, Script(entering(version)), WORLD)
    assert story.end or not story.entered
    return True


@ROUNDS
@given(changed(WRITTEN["journeys"], WORDS))
def test_a_good_journey_in_which_something_is_another_is_judged_and_walked(data: Any) -> None:
    judge(data)


@ROUNDS
@given(fitting(json_schema.schema("journey"), WORDS))
def test_whatever_the_schema_allows_is_judged(data: Any) -> None:
    judge(data)


def test_the_examples_themselves_can_be_published() -> None:
    assert [judge(data) for data in WRITTEN["journeys"]] == [True] * len(WRITTEN["journeys"])


@ROUNDS
@given(st.data())
def test_so_is_every_other_document(data: st.DataObject) -> None:
    name, held = data.draw(st.sampled_from([("segment", "segments"), ("event", "events"), ("message", "messages"), ("policies", "")]))
    shaped = fitting(json_schema.schema(name), WORDS)
    made = data.draw(shaped | changed(WRITTEN[held], WORDS) if held else shaped)
    match documents.load(json_schema.DOCUMENTS[name], made):
        case SegmentDocument() as segment:
            assert all(one.sentence for one in of_segment(segment, AROUND))
        case EventDefinition() as event:
            assert all(one.sentence for one in of_event(event))
        case MessageDocument() as message:
            assert all(one.sentence for one in of_message(message, AROUND))
        case Policies() as policies:
            assert all(one.sentence for one in of_policies(policies))
        case faults:
            assert all(fault.sentence for fault in faults)

"""A journey as boxes and arrows, as SVG and as Mermaid."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journey import reports
from journey.diagrams import diagram, mermaid
from journey.diagrams import svg as diagram_svg
from journey.diagrams.diagram import Arrow, Box, Diagram
from journey.diagrams.icons import ICONS
from journey.diagrams.layout import GAP, WIDTH, lay_out
from journey.graph import Journey
from journey.reports import Counted
from tests.builders import journey, rule, use_case_journey, use_case_messages

SVG = "{http://www.w3.org/2000/svg}"
END = {"id": "end", "kind": "end"}


def use_case_diagram() -> Diagram:
    return diagram.draw(use_case_journey(), messages=use_case_messages())


def counted_diagram() -> Diagram:
    drawn = use_case_journey()
    counters = [
        ("read", "entered", 5), ("read", "arrived", 5), ("read", "left.next", 5), ("first", "arrived", 5), ("first", "left.next", 5),
        ("push-opened", "arrived", 5), ("email-opened", "arrived", 5), ("push-opened", "left.next", 2), ("email-opened", "left.other", 2),
        ("email-opened", "left.timeout", 1), ("push-opened", "left.other", 1),
    ]  # fmt: skip
    report = reports.build(drawn, [Counted(node, kind, "", times) for node, kind, times in counters])
    return diagram.draw(drawn, report)


def a_bit_of_everything() -> Journey:
    branches = [
        {"id": "atlanta", "when": rule("city", "=", "Atlanta"), "next": ["bought", "clicked", "enough"]},
        {"id": "seattle", "when": rule("city", "=", "Seattle"), "next": "end"},
    ]
    return journey(
        {"id": "hello", "kind": "message", "message": "welcome", "next": "where", "error": "end"},
        {"id": "where", "kind": "condition", "branches": branches, "otherwise": "pause"},
        {"id": "bought", "kind": "event", "event": "purchase", "next": "end", "timeout": {"after": "P1DT12H", "next": "pause"}},
        {"id": "clicked", "kind": "reaction", "of": "hello", "to": "email.clicked", "next": "gone"},
        {"id": "enough", "kind": "wait", "for": "P3D", "next": "end"},
        {"id": "pause", "kind": "wait", "for": "PT36H", "next": "halves"},
        {"id": "halves", "kind": "split", "shares": [{"id": "half", "percent": 50, "next": "end"}, {"id": "rest", "percent": 50}]},
        END,
        {"id": "alone", "kind": "webhook", "url": "https://example.org", "next": "alone"},
        {"id": "better", "kind": "qualification", "segment": "vip", "next": "written"},
        {"id": "written", "kind": "update_profile", "set": {"vip": True}, "next": "away"},
        {"id": "away", "kind": "jump", "journey": "other", "next": "better"},
        name="A <b>bit</b> of & everything",
    )


# ---- what is drawn ---------------------------------------------------------------------------------------------------------------


def test_every_node_is_a_box_that_says_what_it_does() -> None:
    assert use_case_diagram().boxes == (
        Box("read", "read_segment", "read", "three-cities-after-1980"),
        Box("first", "message", "first", "first-message · email and push"),
        Box("push-opened", "reaction", "push-opened", "push opened · first"),
        Box("email-opened", "reaction", "email-opened", "email opened · first"),
        Box("follow-up", "message", "follow-up", "follow-up · email"),
        Box("purchase", "event", "purchase", "purchase"),
        Box("thanks", "message", "thanks", "thank-you · push"),
        Box("end", "end", "end"),
    )


def test_every_exit_is_an_arrow_and_one_that_leads_to_a_gate_leads_to_all_of_it() -> None:
    assert [(arrow.source, arrow.exit, arrow.targets, arrow.manner, arrow.label) for arrow in use_case_diagram().arrows] == [
        ("read", "next", ("first",), "next", ""),
        ("first", "next", ("push-opened", "email-opened"), "next", ""),
        ("push-opened", "next", ("purchase",), "next", ""),
        ("email-opened", "next", ("purchase",), "next", "next"),
        ("email-opened", "timeout", ("follow-up",), "timeout", "timeout · 1 day"),
        ("follow-up", "next", ("purchase",), "next", ""),
        ("purchase", "next", ("thanks",), "next", ""),
        ("thanks", "next", ("end",), "next", ""),
    ]
    assert use_case_diagram().gates == (("push-opened", "email-opened"),)


def test_numbers_stand_on_boxes_and_arrows() -> None:
    told = counted_diagram()
    numbers = {box.id: (box.numbers.arrived, box.numbers.inside) for box in told.boxes if box.numbers is not None}
    assert numbers["read"] == (5, 0)
    assert numbers["push-opened"] == (5, 2)
    assert {(arrow.source, arrow.exit): arrow.count for arrow in told.arrows}["email-opened", "timeout"] == 1


def test_a_name_stands_instead_of_the_id() -> None:
    told = diagram.draw(journey({"id": "hello", "kind": "message", "name": "Say hello"}))
    assert [box.title for box in told.boxes] == ["read", "Say hello"]


def test_a_draft_is_drawn_whatever_is_wrong_with_it() -> None:
    told = diagram.draw(a_bit_of_everything())
    assert Box("gone", "missing", "gone", "there is no such node") in told.boxes
    assert Arrow("alone", "next", ("alone",), "next") in told.arrows


# ---- where it stands -------------------------------------------------------------------------------------------------------------


def test_the_use_case_stands_in_layers_from_the_top() -> None:
    assert lay_out(use_case_diagram()).layers == (
        ("read",), ("first",), ("push-opened", "email-opened"), ("follow-up",), ("purchase",), ("thanks",), ("end",),
    )  # fmt: skip


def test_what_hangs_on_one_box_hangs_straight() -> None:
    centres = lay_out(use_case_diagram()).centres
    assert centres["purchase"] == pytest.approx(centres["thanks"]) == pytest.approx(centres["end"])
    assert centres["read"] == pytest.approx(centres["first"])
    assert centres["first"] == pytest.approx((centres["push-opened"] + centres["email-opened"]) / 2)


def test_a_node_with_the_same_number_of_ways_as_another_never_covers_it() -> None:
    assert_nothing_overlaps(diagram.draw(a_bit_of_everything()))


def assert_nothing_overlaps(drawn: Diagram) -> None:
    layout = lay_out(drawn)
    assert sorted(name for row in layout.layers for name in row) == sorted(box.id for box in drawn.boxes)
    for row in layout.layers:
        for left, right in pairwise(row):
            assert layout.centres[right] - layout.centres[left] >= WIDTH + GAP - 0.01
    for centre in layout.centres.values():
        assert WIDTH / 2 - 0.01 <= centre <= layout.width - WIDTH / 2 + 0.01


NAMES = [f"n{index}" for index in range(7)]


@st.composite
def any_journey(draw: st.DrawFn) -> Journey:
    """Any tangle: cycles, gates within gates, ways to nowhere, and nodes that nothing leads to."""
    nodes: list[dict[str, object]] = []
    for name in NAMES[: draw(st.integers(1, 7))]:
        leads = draw(st.lists(st.sampled_from([*NAMES, "nowhere"]), max_size=3))
        node: dict[str, object] = {"id": name, "next": leads}
        kind = draw(st.sampled_from(["message", "event", "wait", "end"]))
        if kind == "end":
            del node["next"]
        elif kind == "event":
            node["timeout"] = {"after": "P1D", "next": draw(st.lists(st.sampled_from(NAMES), max_size=1))}
        nodes.append(node | {"kind": kind})
    return journey(*nodes)


@settings(deadline=None)
@given(any_journey())
def test_any_tangle_is_drawn(tangle: Journey) -> None:
    drawn = diagram.draw(tangle)
    assert_nothing_overlaps(drawn)
    ElementTree.fromstring(diagram_svg.render(drawn))
    assert diagram_svg.render(drawn) == diagram_svg.render(diagram.draw(tangle))
    assert mermaid.render(drawn).startswith("flowchart TD\n")


# ---- SVG -------------------------------------------------------------------------------------------------------------------------


def texts(svg: str) -> list[str]:
    return ["".join(found.itertext()) for found in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_the_picture_shows_every_node_and_every_label() -> None:
    shown = texts(diagram_svg.render(use_case_diagram()))
    for box in use_case_diagram().boxes:
        assert box.title in shown
    assert "timeout · 1 day" in shown
    assert "the first to happen decides" in shown


def test_the_picture_shows_numbers_when_there_are_any() -> None:
    shown = texts(diagram_svg.render(counted_diagram()))
    assert "2 inside now" in shown
    assert "timeout · 1 day · 1" in shown
    assert not any("inside now" in text for text in texts(diagram_svg.render(use_case_diagram())))


def test_the_picture_needs_nothing_from_elsewhere() -> None:
    svg = diagram_svg.render(use_case_diagram())
    assert svg.count("http") == 1  # the name of SVG itself
    assert not any(word in svg for word in ("<script", "@import", "href", "url(h"))
    assert "prefers-color-scheme:dark" in svg


def test_no_name_becomes_markup() -> None:
    named = journey({"id": "hello", "kind": "message", "name": "</text><script>alert(1)</script>\x00", "message": '"&<'}, name="<i>&\x1b")
    svg = diagram_svg.render(diagram.draw(named))
    assert "<script" not in svg
    assert "</text><script>alert(…" in texts(svg) or any(text.startswith("</text><script>") for text in texts(svg))


def test_every_kind_has_an_icon_and_a_colour() -> None:
    assert set(ICONS) == set(diagram.KINDS)
    svg = diagram_svg.render(diagram.draw(a_bit_of_everything()))
    assert all(f".sojourn .{kind} .tile" in svg for kind in diagram.KINDS)


def test_a_journey_without_nodes_is_an_empty_picture() -> None:
    svg = diagram_svg.render(diagram.draw(Journey.model_validate({"id": "empty"})))
    assert texts(svg) == ["empty"]


# ---- Mermaid ---------------------------------------------------------------------------------------------------------------------


def test_the_use_case_in_mermaid() -> None:
    text = mermaid.render(use_case_diagram())
    assert '  subgraph gate0["the first to happen"]' in text
    assert "  n_first --> n_push_opened" in text
    assert "  n_first --> n_email_opened" in text
    assert '  n_email_opened -.->|"timeout · 1 day"| n_follow_up' in text
    assert '  n_end(("<b>end</b><br/><i>end</i>"))' in text


def test_mermaid_takes_no_name_for_a_word_of_its_own() -> None:
    named = journey({"id": "end", "kind": "message", "name": 'A "quoted" <b> #name', "message": "x"}, name="x")
    assert 'n_end["<b>A #quot;quoted#quot; #lt;b#gt; #35;name</b><br/><i>message · x</i>"]' in mermaid.render(diagram.draw(named))


@pytest.mark.parametrize("target", ["12:00", "two words", "a_b", "\n"])
def test_an_arrow_to_what_can_be_no_node_is_drawn_too(target: str) -> None:
    told = diagram.draw(journey({"id": "wait", "kind": "wait", "for": "P1D", "next": [target, "missing-1"]}))
    assert [(box.id, box.title) for box in told.boxes if box.kind == "missing"] == [("missing-2", target), ("missing-1", "missing-1")]
    assert "n_missing_2[" in mermaid.render(told)
    assert diagram_svg.render(told)


def test_of_a_gate_that_shares_a_node_with_another_each_node_is_led_to() -> None:
    """No frame can hold both gates, so there is an arrow to each of their nodes, and the first has the label."""
    branches = [{"id": "a", "when": rule("city", "=", "Bern"), "next": ["bought", "soon"]}]
    choose = {"id": "choose", "kind": "condition", "branches": branches, "otherwise": ["bought", "late"]}
    bought = {"id": "bought", "kind": "event", "event": "purchase", "next": "end"}
    waits = [{"id": name, "kind": "wait", "for": length, "next": "end"} for name, length in (("soon", "P1D"), ("late", "P2D"))]
    layout = lay_out(diagram.draw(journey(choose, bought, *waits, END)))
    led = [(arrow.targets, arrow.label) for arrow in layout.arrows if arrow.source == "choose"]
    assert led == [(("bought",), "a"), (("soon",), ""), (("bought",), "otherwise"), (("late",), "")]
    assert not layout.framed

"""Reports of counters written by hand."""

from __future__ import annotations

from journey import reports
from journey.graph import Journey
from journey.reports import Counted

JOURNEY = Journey.model_validate(
    {
        "id": "hello",
        "nodes": [
            {"id": "read", "kind": "read_segment", "segment": "all", "next": "first"},
            {"id": "first", "kind": "message", "message": "hi", "next": ["opened", "bought"]},
            {"id": "opened", "kind": "reaction", "of": "first", "to": "email.opened", "next": "end"},
            {"id": "bought", "kind": "event", "event": "purchase", "next": "end", "timeout": {"after": "P1D"}},
            {"id": "end", "kind": "end"},
        ],
    }
)

# Ten entered; one failed for good and ended there; of the nine at the gate four opened, two bought, one timed out, one was stopped.
COUNTERS = [
    Counted("read", "entered", "", 10),
    Counted("read", "arrived", "", 10),
    Counted("read", "left.next", "", 10),
    Counted("first", "arrived", "", 10),
    Counted("first", "sent", "email", 7),
    Counted("first", "excluded.no_consent", "email", 2),
    Counted("first", "failed", "email", 1),
    Counted("first", "opened", "email", 4),
    Counted("first", "excluded.no_token", "push", 9),
    Counted("first", "uncertain", "push", 1),
    Counted("first", "left.next", "", 9),
    Counted("first", "left.error", "", 1),
    Counted("", "ended.error", "", 1),
    Counted("opened", "arrived", "", 9),
    Counted("opened", "left.next", "", 4),
    Counted("opened", "left.other", "", 3),
    Counted("opened", "left.journey_stopped", "", 1),
    Counted("bought", "arrived", "", 9),
    Counted("bought", "left.next", "", 2),
    Counted("bought", "left.timeout", "", 1),
    Counted("bought", "left.other", "", 4),
    Counted("bought", "left.journey_stopped", "", 1),
    Counted("", "ended.journey_stopped", "", 1),
    Counted("end", "arrived", "", 7),
    Counted("end", "ended.finished", "", 7),
]


def test_the_totals_add_up() -> None:
    totals = reports.build(JOURNEY, COUNTERS, {"test_profile": 3, "late": 1}).totals
    assert (totals.entered, totals.inside, totals.finished) == (10, 1, 7)
    assert totals.ended == {"error": 1, "finished": 7, "journey_stopped": 1}
    assert totals.entered == totals.inside + sum(totals.ended.values())
    assert totals.excluded == {"no_consent": 2, "no_token": 9}
    assert totals.discards == {"late": 1, "test_profile": 3}


def test_each_node_says_who_came_who_is_inside_and_how_they_left() -> None:
    nodes = {node.node: node for node in reports.build(JOURNEY, COUNTERS).nodes}
    assert list(nodes) == ["read", "first", "opened", "bought", "end"]
    assert (nodes["first"].arrived, nodes["first"].inside, nodes["first"].left) == (10, 0, {"error": 1, "next": 9})
    assert (nodes["opened"].inside, nodes["bought"].inside) == (1, 1)
    assert nodes["opened"].left == {"next": 4, "other": 3}
    assert nodes["bought"].left == {"next": 2, "other": 4, "timeout": 1}
    assert nodes["bought"].ended == {"journey_stopped": 1}
    assert (nodes["end"].arrived, nodes["end"].inside, nodes["end"].ended) == (7, 0, {"finished": 7})
    for node in nodes.values():
        assert node.arrived == node.inside + sum(node.left.values()) + sum(node.ended.values())


def test_each_channel_says_what_became_of_the_message() -> None:
    first = reports.build(JOURNEY, COUNTERS).nodes[1]
    assert list(first.channels) == ["email", "push"]
    email, push = first.channels["email"], first.channels["push"]
    assert (email.sent, email.excluded, email.failed, email.uncertain, email.opened) == (7, {"no_consent": 2}, 1, 0, 4)
    assert (push.sent, push.excluded, push.uncertain, push.opened) == (0, {"no_token": 9}, 1, 0)


def test_counters_that_agree_show_no_differences() -> None:
    assert reports.differences(JOURNEY, reports.build(JOURNEY, COUNTERS)) == ()


def test_counters_that_contradict_each_other_are_named() -> None:
    wrong = [*COUNTERS, Counted("end", "arrived", "", 1), Counted("end", "ended.finished", "", 9), Counted("first", "sent", "email", 5)]
    found = reports.differences(JOURNEY, reports.build(JOURNEY, wrong))
    assert found == (
        "10 entered, yet 18 ended.",
        "first: 10 arrived, yet email has 15 deliveries.",
        "end: 8 arrived, yet 16 left or ended.",
        "end: 8 arrived, yet only 7 were on the way there.",
    )


def test_somebody_may_leave_a_condition_by_no_branch_although_otherwise_is_not_drawn() -> None:
    journey = Journey.model_validate({
        "id": "asks",
        "nodes": [
            {"id": "read", "kind": "read_segment", "segment": "all", "next": "city"},
            {"id": "city", "kind": "condition", "branches": [{"id": "bern", "when": "city == 'Bern'", "next": "end"}]},
            {"id": "end", "kind": "end"},
        ],
    })  # fmt: skip
    counters = [("read", "entered"), ("read", "arrived"), ("read", "left.next"), ("city", "arrived"), ("city", "left.otherwise"),
                ("", "ended.no_branch")]  # fmt: skip
    assert reports.differences(journey, reports.build(journey, [Counted(node, kind, "", 1) for node, kind in counters])) == ()


def test_slots_of_one_counter_are_added() -> None:
    split = [Counted("read", "entered", "", 4), Counted("read", "entered", "", 6)]
    assert reports.build(JOURNEY, split).totals.entered == 10


def test_a_version_that_nobody_entered_has_zeros_for_every_node() -> None:
    report = reports.build(JOURNEY, [])
    assert (report.totals.entered, report.totals.inside, report.totals.ended) == (0, 0, {})
    assert [(node.node, node.arrived, node.inside) for node in report.nodes] == [(node.id, 0, 0) for node in JOURNEY.nodes]
    assert reports.differences(JOURNEY, report) == ()


def test_a_branch_named_like_a_reason_is_still_an_exit() -> None:
    journey = Journey.model_validate(
        {
            "id": "named",
            "nodes": [
                {"id": "read", "kind": "read_segment", "next": "which"},
                {"id": "which", "kind": "condition", "branches": [{"id": "removed", "next": "end"}]},
                {"id": "end", "kind": "end"},
            ],
        }
    )
    report = reports.build(journey, [Counted("which", "arrived", "", 2), Counted("which", "left.removed", "", 2)])
    assert report.nodes[1].left == {"removed": 2}
    assert report.nodes[1].ended == {}


def test_who_fits_no_branch_has_left_by_otherwise_also_where_nothing_is_drawn_for_it() -> None:
    branch = {"id": "known", "when": "city == 'Rome'", "next": "end"}
    journey = Journey.model_validate({"id": "asks", "nodes": [
        {"id": "read", "kind": "read_segment", "segment": "all", "next": "city"},
        {"id": "city", "kind": "condition", "branches": [branch]},
        {"id": "end", "kind": "end"},
    ]})  # fmt: skip
    counters = [
        Counted("read", "entered", "", 1), Counted("read", "arrived", "", 1), Counted("read", "left.next", "", 1),
        Counted("city", "arrived", "", 1), Counted("city", "left.otherwise", "", 1), Counted("", "ended.no_branch", "", 1),
    ]  # fmt: skip
    assert reports.differences(journey, reports.build(journey, counters)) == ()
    strange = [*counters, Counted("city", "left.elsewhere", "", 1)]
    assert any("elsewhere, which is no exit" in one for one in reports.differences(journey, reports.build(journey, strange)))

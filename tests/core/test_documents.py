"""Texts become data with a line for each field, and what is wrong with their shape is said by path."""

from __future__ import annotations

from typing import Any

import pytest

from journey import documents
from journey.documents import Fault
from journey.errors import BadInput
from journey.graph import Journey
from journey.profiles import Attribute
from journey.segments import SegmentDocument


def read(text: str) -> Any:
    return documents.read(text).data


def faults(**document: Any) -> list[tuple[str, str]]:
    found = documents.load(Journey, {"id": "small"} | document)
    assert isinstance(found, tuple)
    return [(fault.path, fault.sentence) for fault in found]


# ---- the text -------------------------------------------------------------------------------------------------------------------


def test_words_and_times_that_older_yaml_turns_into_something_else_stay_texts() -> None:
    assert read("on: off\nyes: no\nat: 22:00\nday: 2024-01-01\nmany: 1_000\nold: 012") == {
        "on": "off",
        "yes": "no",
        "at": "22:00",
        "day": "2024-01-01",
        "many": "1_000",
        "old": 12,
    }


def test_numbers_truths_and_nothing_are_read_as_such_and_quotes_keep_a_text() -> None:
    text = "[1, -2, 0x10, 0o17, 1.5, 1e3, true, FALSE, null, ~, , '1', \"true\", !!str 12]".replace(", ,", ",")
    assert read(text) == [1, -2, 16, 15, 1.5, 1000.0, True, False, None, None, "1", "true", "12"]


def test_json_is_read_too_with_its_tabs_and_escapes() -> None:
    assert read('{\n\t"a": [1,\n\t\t2],\n\t"b": "\\ud83d\\ude00 \\/ \\u00e9"\n}') == {"a": [1, 2], "b": "😀 / é"}


def test_an_empty_text_is_nothing() -> None:
    assert read("") is None
    assert read("# only a remark\n") is None


def test_each_field_has_its_line_and_an_absent_one_that_of_what_is_around_it() -> None:
    source = documents.read("id: a\nnodes:\n  - id: x\n    timeout:\n      after: P1D\n  - {id: y,\n     kind: end}\n")
    assert source.line("nodes[0].timeout.after") == 5
    assert source.line("nodes[0].timeout.next") == 4
    assert source.line("nodes[0].where") == 3
    assert source.line("nodes[1].kind") == 7
    assert source.line("nodes[9].kind") == 2
    assert source.line("name") == 1
    assert source.line("") == 1


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: [1\nc: 2\n", 3, "no YAML"),
        ("a: 1\n---\nb: 2\n", 2, "a second document"),
        ("a: 1\nb: 2\na: 3\n", 3, "a stands twice"),
        ('{"a": 1,\n "a": 2}', 2, "a stands twice"),
        ("a:\n  b: 1\n  b: 2\n", 3, "b stands twice"),
        ("1: one\n", 1, "a key is a text"),
        ("a: !secret x\n", 1, "means nothing here"),
        ('a: "\\ud83d"\n', 1, "half of a character"),
        ('a: "\\0"\n', 1, "NUL"),
        ("a: *b\n", 1, "names nothing"),
        ("a: &b [*b]\n", 1, "names nothing"),
        ("a: !!set {b}\n", 1, "means nothing here"),
        ('a: !!int "1"\n', 1, "means nothing here"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        documents.read(text)
    assert refused.value.line == line
    assert f"Line {line}" in refused.value.sentence


def test_a_key_that_stands_twice_is_named_by_its_path() -> None:
    with pytest.raises(BadInput) as refused:
        documents.read("nodes:\n  - id: x\n    id: y\n")
    assert refused.value.where == "nodes[0].id"


def test_anchors_may_be_used_and_cannot_be_made_a_bomb() -> None:
    assert read("a: &x {b: 1}\nc: *x\n") == {"a": {"b": 1}, "c": {"b": 1}}
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    with pytest.raises(BadInput, match="too much"):
        documents.read(bomb)
    for opening in ("[", "- ", "{a: "):
        with pytest.raises(BadInput, match="too deeply"):
            documents.read(opening * 200)
    with pytest.raises(BadInput, match="longer than"):
        documents.read("a" * (documents.LONGEST + 1))


# ---- the shape ------------------------------------------------------------------------------------------------------------------


def test_a_wrong_type_is_named_by_its_path() -> None:
    nodes = [{"id": "a", "kind": "wait"}, {"id": "b", "kind": "event", "timeout": {"after": 3}}]
    assert faults(nodes=nodes) == [("nodes[1].timeout.after", "This must be a text.")]
    with pytest.raises(BadInput, match=r"nodes\[1\]\.timeout\.after: This must be a text") as refused:
        documents.parse(Journey, {"id": "small", "nodes": nodes})
    assert refused.value.where == "nodes[1].timeout.after"


@pytest.mark.parametrize(
    ("node", "path", "said"),
    [
        ({"id": "x", "kind": "message", "mesage": "m"}, "nodes[0].mesage", "no such field"),
        ({"id": "x", "kind": "parallel"}, "nodes[0]", "There is no kind 'parallel': it is one of read_segment, event"),
        ({"id": "x"}, "nodes[0]", "kind is required"),
        ({"kind": "end"}, "nodes[0].id", "required"),
        ({"id": "Über", "kind": "end"}, "nodes[0].id", "is no id"),
        ({"id": "a+b", "kind": "end"}, "nodes[0].id", "is no id"),
        ({"id": "x", "kind": "message", "next": [1]}, "nodes[0].next[0]", "must be a text"),
        ({"id": "x", "kind": "event", "event": 1}, "nodes[0].event", "must be a text"),
        ({"id": "x", "kind": "event", "event": "e", "where": 1}, "nodes[0].where", "a text or an object"),
        ({"id": "x", "kind": "event", "where": {"field": "a"}}, "nodes[0].where.operator", "required"),
        ({"id": "x", "kind": "event", "where": {"field": "a", "operator": "~"}}, "nodes[0].where.operator", "not '~'"),
        ({"id": "x", "kind": "event", "where": {"field": "a", "operator": "=", "value": {}}}, "nodes[0].where.value", "must be"),
        ({"id": "x", "kind": "condition", "branches": [{"when": "a == 1"}]}, "nodes[0].branches[0].id", "required"),
        ({"id": "x", "kind": "qualification", "direction": "up"}, "nodes[0].direction", "'enter' or 'leave', not 'up'"),
        ({"id": "x", "kind": "wait", "for": 3}, "nodes[0].for", "must be a text"),
        (7, "nodes[0]", "an object with named fields"),
    ],
)
def test_each_fault_of_a_node_has_its_path_and_a_sentence_in_plain_words(node: Any, path: str, said: str) -> None:
    found = faults(nodes=[node])
    assert [one[0] for one in found] == [path]
    assert said in found[0][1]


def test_several_faults_are_told_in_one_error_and_not_endlessly() -> None:
    with pytest.raises(BadInput, match=r"^id: .* And 4 more\.$"):
        documents.parse(Journey, {f"x{number}": 1 for number in range(8)})


def test_what_is_no_object_at_all_is_refused() -> None:
    assert documents.load(SegmentDocument, None) == (Fault("", "This must be an object with named fields."),)
    assert documents.load(SegmentDocument, ["a"]) == (Fault("", "This must be an object with named fields."),)


def test_documents_by_name_are_read_as_one_shape() -> None:
    assert documents.parse_as(dict[str, Attribute], {"city": {"type": "string"}}) == {"city": Attribute(type="string")}
    with pytest.raises(BadInput) as refused:
        documents.parse_as(dict[str, Attribute], {"city": {"type": "text"}})
    assert refused.value.where == "city.type"


@pytest.mark.parametrize(
    ("written", "path", "said"),
    [
        ({"re_entry": {"after": "P1D"}}, "re_entry", "There is no such field here. Perhaps reentry is meant."),
        ({"reentry": {"afterr": "P1D"}}, "reentry.afterr", "There is no such field here. Perhaps after is meant."),
        (
            {"nodes": [{"id": "a", "kind": "message", "mesage": "x"}]},
            "nodes[0].mesage",
            "There is no such field here. Perhaps message is meant.",
        ),
        ({"nodes": [{"id": "a", "kind": "wait", "mesage": "x"}]}, "nodes[0].mesage", "There is no such field here."),
        (
            {"nodes": [{"id": "a", "kind": "split", "shares": [{"id": "s", "percents": 50}]}]},
            "nodes[0].shares[0].percents",
            "There is no such field here. Perhaps percent is meant.",
        ),
        ({"priority": 101}, "priority", "This must be at most 100, not 101."),
        (
            {"nodes": [{"id": "a", "kind": "wait", "until": {"field": "event.x", "zone": "patient"}}]},
            "nodes[0].until.zone",
            "This must be 'journey' or 'profile', not 'patient'.",
        ),
        (
            {"nodes": [{"id": "a", "kind": "wait", "until": {"field": "event.x", "zon": "profile"}}]},
            "nodes[0].until.zon",
            "There is no such field here. Perhaps zone is meant.",
        ),
    ],
)
def test_a_field_that_is_misspelt_is_named_with_the_one_that_was_meant(written: dict[str, Any], path: str, said: str) -> None:
    assert faults(**written) == [(path, said)]

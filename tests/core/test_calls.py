"""A webhook's call: whom it is made to, what an answer means, and how it is made out for one person."""

from __future__ import annotations

import json
from typing import Any

import pytest

from journey import call_rendering, calls, ids
from journey.calls import Response
from journey.errors import RenderError
from journey.graph import Webhook

VALUES: dict[str, Any] = {
    "profile": {"id": "c/42", "first_name": 'Ada "Ace"\n', "email": "ada@example.org", "tags": ["a", "b"]},
    "event": {"total": 12.5}, "calls": {}, "journey": "small", "entrant": "small~c-42~1", "delivery": "small~c-42~1.2.webhook", "now": None,
}  # fmt: skip


def rendered(**fields: Any) -> calls.RenderedCall:
    return call_rendering.render(Webhook.model_validate({"id": "crm", "kind": "webhook", "url": "https://crm.example/x"} | fields), VALUES)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://crm.example/people/{{ profile.id }}", "crm.example"),
        ("https://CRM.example:443?x={{ profile.id }}", "crm.example"),
        ("http://crm.example:8080#x", "crm.example:8080"),
        ("http://[::1]:8080/x", "[::1]:8080"),
        ("crm.example/x", ""),
        ("https://", ""),
        ("https://crm.example:99999/", ""),
    ],
)
def test_the_host_is_known_before_anything_is_filled_in(url: str, host: str) -> None:
    assert calls.host_of(url) == host


@pytest.mark.parametrize(
    ("status", "meaning"),
    [(200, "took"), (204, "took"), (301, "refused"), (400, "refused"), (404, "refused"), (408, "later"), (425, "later"), (429, "later"),
     (500, "later"), (503, "later")],
)  # fmt: skip
def test_what_an_answer_means(status: int, meaning: str) -> None:
    assert calls.meaning(status) == meaning


def test_an_answer_is_known_by_the_id_of_its_node_and_by_one_that_a_rule_can_write() -> None:
    known = calls.known({"get-score": Response(200, {"score": 7})})
    assert known["get-score"] == known["get_score"] == {"status": 200, "body": {"score": 7}}


def test_values_in_a_url_stay_within_their_part_of_it() -> None:
    made = rendered(url="https://crm.example/people/{{ profile.id }}?mail={{ profile.email }}&n={{ profile.first_name | strip }}&x=a b")
    assert made.url == "https://crm.example/people/c%2F42?mail=ada%40example.org&n=Ada%20%22Ace%22&x=a%20b"


def test_what_a_filter_has_encoded_is_not_encoded_twice_and_no_other_tag_writes_a_value_as_it_is() -> None:
    assert rendered(url="https://x.example/{{ profile.email | url_encode }}").url == "https://x.example/ada%40example.org"
    assert rendered(url="https://x.example/{% echo profile.id %}").url == "https://x.example/c%2F42"
    with pytest.raises(RenderError, match="cycle"):
        rendered(url="https://x.example/{% cycle profile.id, 'b' %}")


def test_the_filter_json_writes_a_value_with_its_quotes() -> None:
    made = rendered(body='{"name": {{ profile.first_name | json }}, "tags": {{ profile.tags | json }}, "total": {{ event.total | json }}}')
    assert json.loads(made.body) == {"name": 'Ada "Ace"\n', "tags": ["a", "b"], "total": 12.5}
    assert made.headers == {"Content-Type": "application/json"}


def test_a_body_that_is_no_json_for_this_person_is_a_fault_with_its_line() -> None:
    with pytest.raises(RenderError, match="body, line 2: it is no JSON for this person; write values with the filter json"):
        rendered(body='{"a": 1,\n"name": "{{ profile.first_name }}"}')
    assert rendered(body="name={{ profile.first_name | url_encode }}", headers={"content-type": "application/x-www-form-urlencoded"}).body


def test_a_value_that_is_missing_is_a_fault_also_within_json() -> None:
    for body in ("{{ profile.phone }}", "{{ profile.phone | json }}"):
        with pytest.raises(RenderError, match="phone"):
            rendered(body=body)
    assert rendered(body="{{ profile.phone | default: null | json }}").body == "null"


def test_a_header_is_one_line() -> None:
    assert rendered(headers={"X-Name": "{{ profile.first_name }}\r\nX-Other: 1"}).headers == {"X-Name": 'Ada "Ace" X-Other: 1'}


def test_a_call_without_a_body_says_no_type_of_it() -> None:
    assert rendered(method="GET").headers == {}


def test_the_id_of_a_call_holds_no_dot_and_is_nobody_elses() -> None:
    one, other = (ids.webhook(ids.delivery(ids.entrant("small", key, 1), 2, "webhook")) for key in ("a.b", "a~b"))
    assert one == "small~a%2Eb~1~2~webhook"
    assert one != other

"""A message is made out for one person, within bounds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from journey import addresses, liquid_text
from journey.errors import RenderError
from journey.messages import FilledEmail, MessageDocument, RenderedEmail, RenderedPush
from journey.profiles import Profile
from journey.rendering import NAMES, UNSUBSCRIBE, Context, finish, for_review, render
from journey.tracking import Signer

SIGNER = Signer("a secret that is long enough")
DELIVERY = "thank-you~c-42~1.1.email"
ANN = {"first_name": "Ann", "city": "Seattle", "email": "ann@people.example"}


def context(attributes: dict[str, Any] = ANN, **given: Any) -> Context:
    profile = Profile("c-42", attributes, push_tokens=("t-1", "t-2"))
    return Context(
        profile, DELIVERY, "thank-you", given.pop("event", {}), "https://sojourn.example", SIGNER, "Shop <news@shop.example>", **given
    )


def email(
    attributes: dict[str, Any] = ANN, *, kind: str = "marketing", given: dict[str, Any] | None = None, **content: str
) -> RenderedEmail:
    document = MessageDocument.model_validate({"id": "first-message", "class": kind, "email": {"subject": "Hello", "html": "Hi"} | content})
    made = render(document, "email", context(attributes, **(given or {})))
    assert isinstance(made, RenderedEmail)
    return made


def push(attributes: dict[str, Any] = ANN, **content: Any) -> RenderedPush:
    document = MessageDocument.model_validate({"id": "first-message", "push": {"title": "Hello", "body": "Hi"} | content})
    made = render(document, "push", context(attributes))
    assert isinstance(made, RenderedPush)
    return made


def test_an_email_is_made_out_for_one_person() -> None:
    made = email(subject="Hello {{ profile.first_name }}", html="<p>News from {{ profile.city }} for {{ profile.id }} in {{ journey }}</p>")
    assert (made.to, made.subject) == ("ann@people.example", "Hello Ann")
    assert made.html.startswith("<p>News from Seattle for c-42 in thank-you</p><img ")


def test_the_data_of_the_event_can_be_written_about() -> None:
    made = email(html="Thanks for the {{ event.product.name }}", given={"event": {"product": {"name": "hat"}}})
    assert "Thanks for the hat" in made.html


def test_values_are_escaped_in_html_and_nowhere_else() -> None:
    made = email(
        {"first_name": "<b>Ann & Bob</b>"},
        subject="{{ profile.first_name }}",
        html="<p>{{ profile.first_name }}</p>",
        text="{{ profile.first_name }}",
    )
    assert made.html.startswith("<p>&lt;b&gt;Ann &amp; Bob&lt;/b&gt;</p>")
    assert made.subject == made.text == "<b>Ann & Bob</b>"


@pytest.mark.parametrize(
    "expression",
    [
        "profile.x | strip_newlines",
        "profile.x | newline_to_br",
        "profile.x | escape_once | url_decode",
        "profile.x | base64_encode | base64_decode",
        "profile.x | append: profile.x",
        "profile.x | split: 'q' | join: profile.x",
        "profile.x | replace: 'script', profile.x",
        "profile.list",
        "profile.list | first",
    ],
)
def test_no_filter_lets_a_value_become_html(expression: str) -> None:
    made = email({"x": "<script>", "list": ["<script>"]}, html="{{ " + expression + " }}")
    assert "<script" not in made.html


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("Hi\n{{ profile.nickname }}", "Message 'first-message', email html, line 2: profile.nickname is undefined."),
        ("{{ profile.debt | round: 2 }} due", "line 1: profile.debt is undefined."),
        ("{{ 5 | plus: profile.debt }} due", "line 1: profile.debt is undefined."),
        ("Since {{ profile.since | date: '%Y' }}", "line 1: profile.since is undefined."),
        ("{{ profile.city | in_zone: 'Europe/Vienna' }}", "in_zone takes a date-time"),
        ("{{ '2026-03-01T10:00Z' | in_zone: profile.city }}", "in_zone takes the name of a time zone"),
        ("{{ profile.first_name | safe }}", "line 1: unknown filter 'safe'"),
        ("{% if profile.city %}", "email html, line 1: "),
        ("{{ profile.first_name", "email html, line 1: "),
        ("{% include 'other' %}", "unexpected tag 'include'"),
        ("{{ profile.first_name.__class__ }}", "undefined"),
        ("\n\n{{ 'x' | base64_decode }}", "line 3: "),
        ("{{ 1 | divided_by: 0 }}", "divide by 0"),
        ("{{ now }}", "'now' is undefined"),
        ("{{ 'now' | date: '%Y' }}", "there is no `now` here"),
        ("{% for i in (1..1000000000) %}x{% endfor %}", "loop iteration limit"),
        ("{% for i in (1..100) %}{% for j in (1..100) %}x{% endfor %}{% endfor %}", "loop iteration limit"),
        ("{{ (1..1000000000) | join }}", "a range of more than"),
        ("{{ profile.long | replace: 'a', profile.long }}", "replace makes more than"),
        ("{{ profile.long | split: '' | join: profile.long }}", "join makes more than"),
        ("{% for i in (1..100) %}{{ profile.long }}{% endfor %}", "output stream limit"),
        ("{% assign a = 'xx' %}{% for i in (1..99) %}{% assign a = a | append: a %}{% endfor %}", "append makes more than"),
        ("x" * 10 + "{% if a %}" * 40, "nesting limit"),
        ("{{ a }}" + " " * 300_000, "it is longer than"),
        ("", "nothing is left of it"),
    ],
)
def test_a_template_that_cannot_be_filled_in_says_where_and_why(template: str, said: str) -> None:
    with pytest.raises(RenderError) as raised:
        email(ANN | {"long": "a" * 50_000}, html=template)
    assert said in raised.value.sentence


def test_what_may_be_missing_says_so_itself() -> None:
    made = email({}, html="Hi {{ profile.first_name | default: 'friend' }}{% if profile.city %} in {{ profile.city }}{% endif %}!")
    assert made.html.startswith("Hi friend!")


def test_what_has_a_default_is_counted_with_and_what_a_default_would_show_may_be_missing() -> None:
    made = email({"first_name": "Ann"}, html="{{ profile.n | default: 0 | plus: 1 }} {{ profile.first_name | default: profile.nickname }}")
    assert made.html.startswith("1 Ann")


def test_now_is_what_the_caller_says() -> None:
    made = email(html="{{ now | date: '%Y' }} {{ 'now' | date: '%d.%m.' }}", given={"now": "2024-03-01T10:00:00Z"})
    assert made.html.startswith("2024 01.03.")


def test_a_time_is_shown_on_the_clock_of_a_zone() -> None:
    times = {"utc": "2026-03-29T00:30:00Z", "bare": "2026-03-29T10:15", "zone": "Europe/Vienna", "email": "ann@people.example"}
    here = "{{ profile.utc | in_zone: profile.zone | date: '%H:%M' }} {{ profile.bare | in_zone: profile.zone }}"
    shown = here + " {{ 'now' | in_zone: 'Asia/Tokyo' | date: '%d. %H:%M' }}"
    made = email(times, html=shown, given={"now": datetime(2026, 3, 29, 20, 0, tzinfo=UTC)})
    assert made.html.startswith("01:30 2026-03-29T10:15:00+02:00 30. 05:00")


def test_links_lead_through_us_and_the_opening_is_noticed() -> None:
    made = email(
        html='<body><a href="https://shop.example/{{ profile.city }}?a&amp;b">Look</a> <a href="{{ unsubscribe_url }}">No more</a></body>'
    )
    (click,) = re.findall(r'href="https://sojourn\.example/c/([^"]+)"', made.html)
    assert SIGNER.read("c", click).link == "https://shop.example/Seattle?a&b"
    (pixel,) = re.findall(r'src="https://sojourn\.example/o/([^"]+)\.gif"', made.html)
    assert SIGNER.read("o", pixel).delivery == DELIVERY
    (unsubscribe,) = re.findall(r'href="https://sojourn\.example/u/([^"]+)"', made.html)
    assert SIGNER.read("u", unsubscribe).delivery == DELIVERY


def test_marketing_can_be_unsubscribed_from_by_one_click() -> None:
    headers = email().headers
    assert re.fullmatch(r"<https://sojourn\.example/u/[\w.-]+>", headers["List-Unsubscribe"])
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_transactional_email_carries_no_unsubscribe_header() -> None:
    assert set(email(kind="transactional").headers) == {"Message-ID"}


def test_a_delivery_has_the_same_message_id_on_every_attempt() -> None:
    assert email().headers["Message-ID"] == email(html="another").headers["Message-ID"]
    assert re.fullmatch(r"<[0-9a-f]{32}@shop\.example>", email().headers["Message-ID"])


def test_an_email_of_text_alone_gets_no_html() -> None:
    made = email(html="", text="Hi {{ profile.first_name }}")
    assert (made.html, made.text) == ("", "Hi Ann")


def test_the_text_is_made_of_the_html_when_there_is_none() -> None:
    html = """<html><head><title>T</title><style>p > a {}</style></head><body><!-- not seen --><h1>Hello {{ profile.first_name }}</h1>
    <p>Fish &amp; chips<br>for <b>two</b></p><ul><li>One</li><li>Two</li></ul><p><a href="https://shop.example/?a&amp;b">Look</a></p></body></html>"""
    assert email(html=html).text == "Hello Ann\n\nFish & chips\nfor two\n\n- One\n- Two\n\nLook (https://shop.example/?a&b)\n"


def test_nothing_in_a_profile_can_begin_another_header() -> None:
    made = email({"x": "a\r\nBcc: all@people.example\n\nbody"}, subject="Hi {{ profile.x }}", sender="{{ profile.x }} <news@shop.example>")
    assert made.subject == "Hi a Bcc: all@people.example body"
    assert made.sender == '"a Bcc: all@people.example body" <news@shop.example>'


def test_a_sender_that_is_no_address_is_a_fault_of_the_message() -> None:
    with pytest.raises(RenderError, match="email from: it is no address"):
        email(sender="The shop")


def test_the_default_sender_stands_in() -> None:
    assert email().sender == '"Shop" <news@shop.example>'


def test_a_push_is_made_out_for_all_devices_of_one_person() -> None:
    made = push(
        title="Hi\n{{ profile.first_name }}",
        body="In {{ profile.city }} & more",
        url="shop://{{ profile.id }}",
        data={"a": "{{ journey }}"},
    )
    assert (made.tokens, made.title, made.body) == (("t-1", "t-2"), "Hi Ann", "In Seattle & more")
    assert (made.url, made.data) == ("shop://c-42", {"a": "thank-you"})
    assert SIGNER.read("p", made.opened_token).delivery == DELIVERY


def test_a_push_names_the_part_that_is_at_fault() -> None:
    with pytest.raises(RenderError, match=r"Message 'first-message', push data.a, line 1: profile.x is undefined"):
        push(data={"a": "{{ profile.x }}"})
    with pytest.raises(RenderError, match="nothing is left of it"):
        push(title=" ", body="")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a\n{{ profil.first_name }}", 2, "there is no 'profil' here: there are profile, event"),
        ("{{ profile.x\n | upcase\n | shout }}", 3, "unknown filter 'shout'"),
        ("a\n{% if profile.x %}", 2, "expected tag endif"),
        ("{{ 'x' ", 1, "expected '}}'"),
    ],
)
def test_a_template_is_checked_without_a_person(text: str, line: int, said: str) -> None:
    with pytest.raises(liquid_text.Fault) as raised:
        liquid_text.check(text, NAMES)
    assert raised.value.line == line
    assert said in raised.value.sentence


@pytest.mark.parametrize(
    "text",
    [
        "{% for item in event.items %}{{ item.name | upcase }}{% endfor %}",
        "{% assign year = 'now' | date: '%Y' %}{{ year }}{{ unsubscribe_url }}",
        "{{ profile.nickname | default: journey }}",
        "no Liquid at all",
    ],
)
def test_a_template_in_order_has_nothing_to_say(text: str) -> None:
    liquid_text.check(text, NAMES)


@pytest.mark.parametrize(
    ("text", "name", "spec"),
    [
        ("ann@people.example", "", "ann@people.example"),
        ("Shop, Inc. <news@shop.example>", "Shop, Inc.", "news@shop.example"),
        ('"The \\"Shop\\"" <news@shop.example>', 'The "Shop"', "news@shop.example"),
        ("Käse <a.b+c@käse.example>", "Käse", "a.b+c@xn--kse-qla.example"),
        ("root@localhost", "", "root@localhost"),
    ],
)
def test_an_address_that_can_be_written_to(text: str, name: str, spec: str) -> None:
    read = addresses.read(text)
    assert read is not None
    assert (read.name, read.spec) == (name, spec)
    assert addresses.read(str(read)) == read


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@people.example",
        "ann@",
        "a b@people.example",
        "ann@people..example",
        "ann@-people.example",
        "ann@people.example\r\nBcc: all@people.example",
        "ann@people.example\n",
        "a@people.example,b@people.example",
        "ünn@people.example",
        "ann@[127.0.0.1]",
        "Ann <ann@people.example> x",
        "x" * 65 + "@people.example",
        "ann@" + "a." * 130 + "example",
    ],
)
def test_an_address_that_nobody_can_write_to(text: str) -> None:
    assert addresses.read(text) is None


# ---- made out to be reviewed first ----------------------------------------------------------------------------------------------


def test_what_is_reviewed_has_no_link_that_would_do_something_and_is_sent_as_it_was_seen() -> None:
    content = {"subject": "Hello {{ profile.first_name }}", "html": '<a href="https://shop.example/">Shop</a> {{ unsubscribe_url }}'}
    document = MessageDocument.model_validate({"id": "first-message", "email": content})
    seen = for_review(document, "email", context())
    assert isinstance(seen, FilledEmail)
    assert seen.html == f'<a href="https://shop.example/">Shop</a> {UNSUBSCRIBE}'

    changed = context({"first_name": "Bea", "email": "bea@people.example"})
    sent = finish(seen, document, changed)
    assert isinstance(sent, RenderedEmail)
    assert (sent.to, sent.subject) == ("bea@people.example", "Hello Ann"), "to where she is now, and as it was approved"
    unsubscribes = sent.headers["List-Unsubscribe"].strip("<>")
    assert unsubscribes in sent.html
    assert UNSUBSCRIBE not in sent.html + sent.text
    assert "/c/" in sent.html
    assert "/o/" in sent.html
    assert sent.headers["Message-ID"] == email().headers["Message-ID"]


def test_a_push_that_was_reviewed_goes_to_the_devices_of_the_moment() -> None:
    document = MessageDocument.model_validate({"id": "first-message", "push": {"title": "Hi", "data": {"stop": "{{ unsubscribe_url }}"}}})
    seen = for_review(document, "push", context())
    sent = finish(seen, document, context())
    assert isinstance(sent, RenderedPush)
    assert (sent.tokens, sent.title) == (("t-1", "t-2"), "Hi")
    assert sent.data["stop"].startswith("https://sojourn.example/u/")
    assert sent.opened_token


def test_what_could_not_be_sent_is_told_to_whoever_reviews_it() -> None:
    document = MessageDocument.model_validate({"id": "first-message", "email": {"subject": "Hello {{ profile.nickname }}", "text": "Hi"}})
    with pytest.raises(RenderError, match="nickname"):
        for_review(document, "email", context())

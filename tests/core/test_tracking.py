"""Tokens say what was signed, links lead where the message led, and nothing forged is read."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journey.errors import BadInput, NotFound
from journey.tracking import KINDS, Kind, Signer, Tracked, add_pixel, track_links

SIGNER = Signer("a secret that is long enough")
DELIVERY = "thank-you~c-42~1.1.email"
UNSUBSCRIBE = "https://sojourn.example/u/token"


def tracked(document: str) -> str:
    return track_links(document, DELIVERY, signer=SIGNER, public_url="https://sojourn.example/", unsubscribe=UNSUBSCRIBE)


def links_of(document: str) -> list[str]:
    """Where the links of a tracked document lead, in order."""
    return [SIGNER.read("c", token).link for token in re.findall(r"https://sojourn\.example/c/([\w.-]+)", tracked(document))]


@settings(deadline=None)
@given(st.sampled_from(KINDS), st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])), st.just(""))
def test_a_token_says_what_was_signed(kind: Kind, delivery: str, link: str) -> None:
    read = SIGNER.read(kind, SIGNER.sign(kind, delivery, link))
    assert (read.delivery, read.link) == (delivery, link)


def test_a_click_says_where_it_leads() -> None:
    read = SIGNER.read("c", SIGNER.sign("c", DELIVERY, "https://shop.example/ü?a=1&b=2"))
    assert (read.delivery, read.link) == (DELIVERY, "https://shop.example/ü?a=1&b=2")


def test_a_token_fits_a_path_segment_as_it_is() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", SIGNER.sign("c", "a~b%2Fc~1.1.email", "https://x.example/?q=ü"))


@pytest.mark.parametrize("other", ["o", "p", "u"])
def test_a_token_of_one_kind_is_worth_nothing_as_another(other: Kind) -> None:
    with pytest.raises(NotFound):
        SIGNER.read(other, SIGNER.sign("c", DELIVERY, "https://shop.example"))


def test_a_token_of_another_installation_is_not_found() -> None:
    with pytest.raises(NotFound):
        SIGNER.read("o", Signer("another secret").sign("o", DELIVERY))


def test_a_token_signed_with_a_secret_of_before_is_read_and_none_is_made_with_it() -> None:
    old, new = Signer("the secret of yesterday"), Signer("the secret of today", ("an older one", "the secret of yesterday"))
    assert new.read("c", old.sign("c", DELIVERY, "https://shop.example")) == Tracked(DELIVERY, "https://shop.example")
    assert new.sign("o", DELIVERY) == Signer("the secret of today").sign("o", DELIVERY)
    with pytest.raises(NotFound):
        old.read("o", new.sign("o", DELIVERY))
    with pytest.raises(BadInput):
        Signer("the secret of today", ("",))


@settings(deadline=None)
@given(st.integers(0, 200), st.characters())
def test_a_changed_token_never_says_something_else(place: int, character: str) -> None:
    token = SIGNER.sign("c", DELIVERY, "https://shop.example")
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    try:
        read = SIGNER.read("c", changed)
    except NotFound:
        return
    assert read == SIGNER.read("c", token)


@pytest.mark.parametrize("token", ["", ".", "a.b", "ü", "\ud800", "x" * 10_000, "../../etc", "a" * 500 + "." + "b" * 43])
def test_garbage_is_not_found(token: str) -> None:
    with pytest.raises(NotFound, match="There is nothing here"):
        SIGNER.read("o", token)


def test_an_empty_secret_is_refused() -> None:
    with pytest.raises(BadInput, match="secret"):
        Signer("")


@pytest.mark.parametrize(
    "tag",
    [
        '<a href="https://shop.example/?a=1&amp;b=2">',
        "<a href='https://shop.example/?a=1&b=2'>",
        "<A class=x HREF = https://shop.example/?a=1&b=2 >",
        '<a\n title="1 > 0 href=https://wrong.example"\n href=" https://shop.example/?a=1&#38;b=2 ">',
        '<a href="https://shop.example/\n?a=1&amp;b=2" href="https://second.example">',
        '<a data-track="on" href="https://shop.example/?a=1&amp;b=2">',
    ],
)
def test_a_link_leads_through_the_click_address(tag: str) -> None:
    assert links_of(f"<p>{tag}Look</a></p>") == ["https://shop.example/?a=1&b=2"]


@pytest.mark.parametrize(
    "tag",
    [
        '<a href="mailto:shop@shop.example">',
        '<a href="tel:+1555">',
        '<a href="#top">',
        '<a href="/relative">',
        '<a href="javascript:alert(1)">',
        f'<a href="{UNSUBSCRIBE}">',
        '<a href="https://shop.example" data-track="off">',
        "<a data-track=off href=https://shop.example>",
        '<a name="top">',
        "<a>",
        '<abbr href="https://shop.example">',
        '<link href="https://shop.example/style.css">',
        '<a href="https://shop.example',
        f'<a href="https://shop.example/?q={"x" * 9000}">',
    ],
)
def test_what_is_no_web_link_or_wants_no_tracking_stays_as_it_is(tag: str) -> None:
    assert tracked(f"<p>{tag}Look</a></p>") == f"<p>{tag}Look</a></p>"


def test_the_rest_of_a_tag_stays_as_it_is() -> None:
    document = tracked('<a class="b" href="https://shop.example" style="color:red">Look</a>')
    assert re.fullmatch(r'<a class="b" href="https://sojourn\.example/c/[^"]+" style="color:red">Look</a>', document)


def test_every_link_of_a_document_is_tracked() -> None:
    assert links_of('<a href="http://a.example">A</a><a href="https://b.example">B</a>') == ["http://a.example", "https://b.example"]


def test_a_document_full_of_unclosed_tags_is_read_in_no_time() -> None:
    document = '<a "' * 5_001
    assert tracked(document) == document


@pytest.mark.parametrize(
    ("document", "before", "after"),
    [
        ("<html><body>Hi</body></html>", "<html><body>Hi", "</body></html>"),
        ("<BODY>İ</BODY >", "<BODY>İ", "</BODY >"),
        ("Hi", "Hi", ""),
    ],
)
def test_the_picture_stands_at_the_end_of_the_body(document: str, before: str, after: str) -> None:
    pictured = add_pixel(document, "https://sojourn.example/o/t.gif?a&b")
    assert pictured.startswith(before + "<img ")
    assert pictured.endswith(">" + after)
    assert 'src="https://sojourn.example/o/t.gif?a&b"' in unescape(pictured)

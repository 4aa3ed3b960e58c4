"""An e-mail as bytes: whatever is written is what is read, and no value begins a header."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journey.messages import RenderedEmail
from providers import mime
from tests.providers.conftest import EMAIL

LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), min_size=1)
HEADER = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=300)


def read(message: RenderedEmail) -> tuple[bytes, EmailMessage]:
    made = mime.make("d", message)
    assert isinstance(made, mime.Mail)
    return made.wire, message_from_bytes(made.wire, policy=policy.default)


@settings(deadline=None, max_examples=50)
@given(LINES, LINES)
def test_what_is_written_is_what_is_read(text: str, html: str) -> None:
    wire, got = read(replace(EMAIL, text=text, html=html))
    plain, rich = got.get_body(("plain",)), got.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert plain.get_content() == text.replace("\n", "\r\n") + "\r\n"
    assert rich.get_content() == html.replace("\n", "\r\n") + "\r\n"
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", wire)
    assert max(len(line) for line in wire.split(b"\r\n")) < 200
    assert wire.isascii()


@settings(deadline=None)
@given(HEADER)
def test_any_subject_is_one_header(subject: str) -> None:
    wire, got = read(replace(EMAIL, subject=subject))
    assert [name for name in got if name.lower() == "subject"] == ["Subject"]
    assert str(got["Subject"]).split() == subject.split()
    assert got["To"] == "ann@people.example"
    assert max(len(line) for line in wire.split(b"\r\n")) < 1000


@settings(deadline=None)
@given(st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="<>"), min_size=1, max_size=200))
def test_any_name_of_a_sender_is_one_header(name: str) -> None:
    _, got = read(replace(EMAIL, sender=f"{name} <news@shop.example>"))
    (address,) = got["From"].addresses
    assert address.addr_spec == "news@shop.example"


def test_a_long_unsubscribe_address_stays_in_one_piece() -> None:
    address = f"<https://sojourn.example/u/{'x' * 300}>"
    wire, _ = read(replace(EMAIL, headers={"List-Unsubscribe": address}))
    assert f"\r\nList-Unsubscribe: {address}\r\n".encode() in wire


@pytest.mark.parametrize(("text", "html", "kind"), [("Hi", "", "text/plain"), ("", "<p>Hi</p>", "text/html")])
def test_a_mail_of_one_part_is_not_wrapped(text: str, html: str, kind: str) -> None:
    _, got = read(replace(EMAIL, text=text, html=html))
    assert got.get_content_type() == kind
    assert got.get_content().strip() == text or html


def test_the_same_delivery_gives_the_same_bytes_but_for_the_date() -> None:
    first, second = (re.sub(rb"Date: .*\r\n", b"", read(EMAIL)[0]) for _ in range(2))
    assert first == second


def test_half_a_character_pair_does_not_stop_a_mail() -> None:
    _, got = read(replace(EMAIL, text="a\ud800b"))
    body = got.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "a?b"

"""A rendered e-mail as the bytes that go on the wire. It knows no mail server.

Encoding is the standard library's; putting the parts together is done here. The library's `EmailMessage` parses every header anew, which
costs ten times as much as rendering does, and writes a long List-Unsubscribe in a form that mailbox providers cannot read.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime

from journey import addresses, ids
from journey.addresses import Address
from journey.messages import RenderedEmail
from providers.port import Refused

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LINE_END = re.compile(r"\r\n?|\n")
_SHORT = 70  # a header text of that many ASCII characters needs no folding


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail ready for the wire, and the addresses of its envelope."""

    sender: Address
    to: Address
    wire: bytes


def make(delivery: str, message: RenderedEmail) -> Mail | Refused:
    """The e-mail, dated now. Refused with `bad_address` when the person's address cannot be read, `bad_message` for the rest."""
    to, sender = addresses.read(message.to), addresses.read(message.sender)
    if to is None:
        return Refused("bad_address", "the address of the person cannot be written to")
    if sender is None:
        return Refused("bad_message", "the sender is no address")
    try:
        return Mail(sender, to, _wire(message, sender, to, delivery))
    except ValueError as error:
        return Refused("bad_message", str(error))


def _wire(message: RenderedEmail, sender: Address, to: Address, delivery: str) -> bytes:
    """ASCII throughout, lines ending in CRLF. Raises ValueError when a header holds a control character or cannot be written."""
    headers = {
        "From": _mailbox(sender),
        "To": _mailbox(to),
        "Subject": _text(message.subject),
        "Date": format_datetime(datetime.now(UTC)),
        "MIME-Version": "1.0",
        **{_plain(name): _plain(value) for name, value in message.headers.items()},
    }
    parts = [_part(kind, text) for kind, text in (("plain", message.text), ("html", message.html)) if text]
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    if len(parts) == 1:
        return (head + parts[0]).encode("ascii")
    # No line of a quoted-printable part holds "=_", so it cannot be mistaken for the boundary.
    boundary = f"=_{ids.content_hash(delivery)[:32]}"
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f'{head}Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n{body}--{boundary}--\r\n'.encode("ascii")


def _part(kind: str, text: str) -> str:
    # The last line has an end too: from the first one it finds, b2a_qp takes how it ends its own.
    lines = (_LINE_END.sub("\r\n", text) + "\r\n").encode("utf-8", "replace")
    encoded = binascii.b2a_qp(lines, istext=True).decode("ascii")
    return f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{encoded}'


def _mailbox(address: Address) -> str:
    if address.name.isascii():
        return _plain(str(address))
    name = Header(_plain(address.name), "utf-8", maxlinelen=60).encode(linesep="\r\n")
    return f"{name} <{address.spec}>"


def _text(text: str) -> str:
    if len(text) <= _SHORT and text.isascii() and "=?" not in text:
        return _plain(text)
    charset = "us-ascii" if text.isascii() and "=?" not in text else "utf-8"
    return Header(_plain(text), charset, header_name="Subject").encode(linesep="\r\n")


def _plain(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("a header holds a line break or another control character")
    return value

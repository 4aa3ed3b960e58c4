"""Signed tokens that say which delivery was opened, clicked or unsubscribed from, and the links that carry them. It knows no HTTP.

A token is made of what it says and a signature: nothing is stored, and nobody can make one who does not know the secret. Each kind has
a key of its own, so that a token of one kind is worth nothing as another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import itsdangerous

from journey.errors import BadInput, NotFound

Kind = Literal["o", "c", "p", "u"]
"""What a token is for: e-mail opened, link clicked, push opened, unsubscribe."""

KINDS: tuple[Kind, ...] = ("o", "c", "p", "u")
_LONGEST_TOKEN = 8192
_BETWEEN = "\n"  # between delivery and link; neither can hold one


@dataclass(frozen=True, slots=True)
class Tracked:
    """What a token says. `link` is where a click leads, empty for the other kinds."""

    delivery: str
    link: str = ""


class Signer:
    """Makes tokens and reads them. Tokens made with a secret of `before` are read too, so that old links go on working after a change.

    Raises BadInput for an empty secret."""

    def __init__(self, secret: str, before: Sequence[str] = ()) -> None:
        if not secret or not all(before):
            raise BadInput("The secret that signs links is empty: set one, and keep it, or links sent earlier stop working.")
        # The key of a kind is derived once, not at every token.
        self._signers = {
            kind: itsdangerous.Signer(
                [hmac.digest(one.encode(), b"sojourn token " + kind.encode(), "sha256") for one in (*reversed(before), secret)],
                key_derivation="none",
                digest_method=hashlib.sha256,
            )
            for kind in KINDS
        }

    def sign(self, kind: Kind, delivery: str, link: str = "") -> str:
        """A token of letters, digits and `-_.`, fit for a path segment."""
        said = f"{delivery}{_BETWEEN}{link}" if link else delivery
        return self._signers[kind].sign(base64.urlsafe_b64encode(said.encode()).rstrip(b"=")).decode()

    def read(self, kind: Kind, token: str) -> Tracked:
        """What the token says. Raises NotFound for one that is forged, of another installation or of another kind."""
        if len(token) <= _LONGEST_TOKEN:
            try:
                said = self._signers[kind].unsign(token)
                delivery, _, link = base64.urlsafe_b64decode(said + b"=" * (-len(said) % 4)).decode().partition(_BETWEEN)
            except (itsdangerous.BadSignature, ValueError):
                pass  # ValueError: not even text that could be signed
            else:
                return Tracked(delivery, link)
        raise NotFound("There is nothing here: this link was not made by this installation, or it is damaged.")


def opened_url(public_url: str, token: str) -> str:
    """The address of the picture whose loading says that an e-mail was opened."""
    return f"{public_url.rstrip('/')}/o/{token}.gif"


def clicked_url(public_url: str, token: str) -> str:
    """The address that notes a click and leads on to the link in its token."""
    return f"{public_url.rstrip('/')}/c/{token}"


def unsubscribe_url(public_url: str, token: str) -> str:
    """The address of one-click unsubscribing (RFC 8058)."""
    return f"{public_url.rstrip('/')}/u/{token}"


# A tag may hold `>` within quotes. The quantifiers are possessive: a tag that never closes costs one look, not a search.
_TAG = re.compile(r"""<a(?=\s)((?:[^>"']++|"[^"]*+"|'[^']*+')*+)>""", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([^\s=>"'/]++)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++))?+""")
_WEB = re.compile(r"https?://", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)


def track_links(document: str, delivery: str, *, signer: Signer, public_url: str, unsubscribe: str) -> str:
    """The HTML with the `href` of each `<a>` led through `/c/`.

    Left as they are: what is not http or https, the unsubscribe address, and links marked `data-track="off"`. A link longer than a
    token can carry stays as it is too, and is then not counted.
    """

    def tracked(tag: re.Match[str]) -> str:
        found: re.Match[str] | None = None
        for attribute in _ATTRIBUTE.finditer(tag[1]):
            name = attribute[1].lower()
            if name == "href" and found is None and attribute[2]:
                found = attribute
            elif name == "data-track" and _bare(attribute[2] or "").lower() == "off":
                return tag[0]
        if found is None:
            return tag[0]
        link = _CONTROL.sub("", html.unescape(_bare(found[2]))).strip()
        if not _WEB.match(link) or link.startswith(unsubscribe):
            return tag[0]
        token = signer.sign("c", delivery, link)
        if len(token) > _LONGEST_TOKEN:
            return tag[0]
        start, end = tag.start(1) - tag.start() + found.start(2), tag.start(1) - tag.start() + found.end(2)
        return f'{tag[0][:start]}"{html.escape(clicked_url(public_url, token))}"{tag[0][end:]}'

    return _TAG.sub(tracked, document)


def can_be_clicked(document: str) -> bool:
    """Has this HTML, written in Liquid, a link whose click could be noted? What Liquid makes of an address is not known: it counts."""
    for tag in _TAG.finditer(document):
        written = {attribute[1].lower(): _bare(attribute[2] or "").strip() for attribute in _ATTRIBUTE.finditer(tag[1])}
        link = html.unescape(written.get("href", ""))
        counted = _WEB.match(link) or (link.startswith("{") and "unsubscribe_url" not in link)
        if counted and written.get("data-track", "").lower() != "off":
            return True
    return "<a{" in document  # what Liquid writes into the tag itself


def add_pixel(document: str, address: str) -> str:
    """The HTML with the picture before its last `</body>`, or at its end."""
    picture = f'<img src="{html.escape(address)}" width="1" height="1" alt="" style="border:0">'
    end = document.rfind("</body>")
    if end < 0:
        end = max((found.start() for found in _BODY_END.finditer(document)), default=len(document))
    return document[:end] + picture + document[end:]


def _bare(value: str) -> str:
    return value[1:-1] if value[:1] in ('"', "'") else value

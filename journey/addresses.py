"""E-mail addresses: which can be written to, and how they stand in a header. It knows no mail server."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

_NAMED = re.compile(r"^(?P<name>[^<>\x00-\x1f]*)<(?P<address>[^<>\s]+)>$")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"^{_ATOM}(?:\.{_ATOM})*$", re.ASCII)
_LABEL = re.compile(r"^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """`spec` is what goes into the envelope: ASCII, an international domain written in its ASCII form. `name` is for people."""

    name: str
    spec: str

    @property
    def domain(self) -> str:
        return self.spec.rpartition("@")[2]

    def __str__(self) -> str:
        if not self.name:
            return self.spec
        quoted = self.name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{self.spec}>'


def key(text: str) -> str:
    """One text for all spellings of one address: without its name, in small letters, the domain in ASCII. Else the text itself."""
    known = read(text.strip())
    return (known.spec if known is not None else text.strip()).lower()


def hashed(text: str) -> str:
    """One address in a form that does not show it, the same for all its spellings."""
    return hashlib.sha256(key(text).encode()).hexdigest()[:32]


@lru_cache(maxsize=256)
def read(text: str) -> Address | None:
    """`Name <local@domain>` or `local@domain`; None for everything else, above all for anything with a line break in it.

    Quoted local parts, address literals and local parts outside ASCII are refused: hardly any mail server takes them.
    """
    named = _NAMED.match(text)
    name, address = (named["name"].strip(), named["address"]) if named else ("", text)
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    local, at, domain = address.rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = domain.split(".")
    if not at or len(local) > 64 or not _LOCAL.fullmatch(local) or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    spec = f"{local}@{domain}"
    return Address(name, spec) if len(spec) <= 254 else None

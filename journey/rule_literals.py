"""The small print of rule text: strings, numbers and the single `=`. It knows no tree.

The CEL library's lexer takes `"a\\"` for a whole string and has no single `=`, so both are settled before it sees the text.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from dataclasses import dataclass

from lark import Token

from journey.errors import RuleError
from journey.rule_tree import Scalar

_PIECES = re.compile(
    r"""
    (?P<string> "{3}(?:\\.|[^\\])*?"{3} | '{3}(?:\\.|[^\\])*?'{3} | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
    | (?P<comment> //[^\n]* )
    | (?P<open> ["'] )
    | (?P<equals> (?<![=!<>])=(?!=) )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = re.compile(r"\\(?:([abfnrtv\"'`?\\])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.)?)", re.DOTALL)
_SHORT = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_PREFIXED = re.compile(r"(?<![A-Za-z0-9_])[rRbB]{1,2}$")


@dataclass(frozen=True, slots=True)
class Source:
    """A rule as it was written, as CEL has it, and where the two came apart."""

    text: str
    cel: str
    added: tuple[int, ...]
    """Positions in `cel` of the signs that are not in `text`."""

    def column(self, position: int) -> int:
        """The column in the text as written, from 1, of a position in the CEL."""
        return position - bisect_right(self.added, position - 1) + 1


def scan(text: str) -> Source:
    """Make a single `=` outside strings and comments double. Raises RuleError for a string that does not end."""
    pieces: list[str] = []
    added: list[int] = []
    done = length = 0
    for found in _PIECES.finditer(text):
        if found["open"]:
            raise RuleError("The text that begins here has no closing quote.", column=found.start() + 1)
        if found["string"] and _PREFIXED.search(text, done, found.start()):
            raise RuleError("Write a plain text in quotes, without a letter before it.", column=found.start())
        if found["equals"]:
            pieces.append(text[done : found.start()] + "==")
            length += len(pieces[-1])
            added.append(length - 1)
            done = found.end()
    pieces.append(text[done:])
    return Source(text, "".join(pieces), tuple(added))


def literal(token: Token, column: int) -> Scalar | None:
    """The value of a literal. Raises RuleError for one that has no value."""
    written = str(token)
    match token.type:
        case "STRING_LIT":
            return _unescaped(written[1:-1], column)
        case "MLSTRING_LIT":
            return _unescaped(written[3:-3], column)
        case "BOOL_LIT":
            return written == "true"
        case "NULL_LIT":
            return None
        case "INT_LIT":
            return int(written, 16 if "x" in written else 10)
        case "FLOAT_LIT":
            value = float(written)
            if math.isfinite(value):
                return value
            raise RuleError(f"{written} is too large a number.", column=column)
    raise RuleError(f"{written} is no text and no number that rules know.", column=column)


def quoted(text: str) -> str:
    """A text as a literal that `literal` reads back."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _unescaped(written: str, column: int) -> str:
    def one(found: re.Match[str]) -> str:
        short, two, four, eight, octal, other = found.groups()
        if short:
            return _SHORT.get(short, short)
        digits = two or four or eight
        code = int(digits, 16) if digits else int(octal, 8) if octal else -1
        if not 0 <= code <= 0x10FFFF:
            raise RuleError(f"\\{other or digits or ''} means nothing in a text: write \\\\ for a backslash.", column=column)
        return chr(code)

    return _ESCAPES.sub(one, written)

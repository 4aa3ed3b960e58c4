"""Rules as text: a subset of CEL read into the tree, and the tree written back. It knows no evaluation and no SQL.

What `parse` made, `write` gives back so that it parses to the same tree; any other tree to one that is true of the same. A workflow
must not import this module: the CEL library breaks the sandbox.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from celpy.celparser import CELParseError, CELParser
from lark import Token
from lark.exceptions import UnexpectedToken

from journey.errors import RuleError
from journey.rule_check import DEEPEST, check, check_field
from journey.rule_literals import Source, literal, scan
from journey.rule_tree import Did, Group, InSegment, Operator, Rule, Scalar, Test
from journey.rule_writing import negate, write

__all__ = ["LONGEST_TEXT", "as_tree", "parse", "write"]

LONGEST_TEXT = 4000

_Node = Any
"""A lark Tree, or a Token where the grammar has one."""

_COMPARISONS: dict[str, tuple[Operator, Operator]] = {  # as written, and with the sides exchanged
    "relation_eq": ("=", "="), "relation_ne": ("!=", "!="), "relation_lt": ("<", ">"),
    "relation_le": ("<=", ">="), "relation_gt": (">", "<"), "relation_ge": (">=", "<="),
}  # fmt: skip
_METHODS: dict[str, Operator] = {"contains": "contains", "startsWith": "beginsWith", "endsWith": "endsWith", "notIn": "notIn"}
_KNOWN = (
    'Rules know ==, !=, <, <=, >, >=, in [...], &&, ||, !, has(x), x.contains("…"), .startsWith, .endsWith and .notIn([...]), '
    'did("…") and in_segment("…")'
)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str


@dataclass(frozen=True, slots=True)
class _Value:
    value: Scalar | None


@lru_cache(maxsize=1024)
def parse(text: str) -> Rule:
    """The tree of a rule in text; the empty text gives the empty group, which matches nothing.

    Raises RuleError with the column, counted in characters from 1 over the whole text.
    """
    if len(text) > LONGEST_TEXT:
        raise RuleError(f"The rule has {len(text)} characters; {LONGEST_TEXT} are the most.", column=LONGEST_TEXT + 1)
    source = scan(text)
    if not source.cel.strip():
        return Group()
    try:
        tree = _parser().parse(source.cel)
    except CELParseError as error:
        raise _syntax_error(error, source) from None
    return check(_Reader(source).rule(tree, 0))


def as_tree(rule: str | Rule) -> Rule:
    """A rule as a checked tree, whichever way it was written. Raises RuleError."""
    return parse(rule) if isinstance(rule, str) else check(rule)


@lru_cache(maxsize=1)
def _parser() -> CELParser:
    return CELParser()


def _syntax_error(error: CELParseError, source: Source) -> RuleError:
    cause = error.__context__
    if isinstance(cause, UnexpectedToken) and cause.token.type == "$END":
        return RuleError("The rule ends in the middle: something is missing at its end.", column=len(source.text.rstrip()) + 1)
    if error.line is None or error.column is None or error.line < 1:
        return RuleError(f"The rule cannot be read: look for true or false used as a name. {_KNOWN}.")
    lines = source.cel.split("\n")
    position = sum(len(line) + 1 for line in lines[: error.line - 1]) + error.column - 1
    what = source.cel[position:].split(None, 1)[0][:20]
    return RuleError(f"The rule cannot be read at {what!r}. {_KNOWN}.", column=source.column(position))


class _Reader:
    """Turns the library's tree into ours. Its grammar wraps everything nine layers deep; `_bare` takes them off."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def rule(self, node: _Node, depth: int) -> Rule:
        node = _bare(node)
        if depth > DEEPEST:
            raise self._error(f"The rule has parentheses more than {DEEPEST} deep: make it flatter.", node)
        match node.data:
            case "conditionalor":
                return Group(combinator="or", rules=self._chain(node, depth))
            case "conditionaland":
                return Group(combinator="and", rules=self._chain(node, depth))
            case "paren_expr":
                return self.rule(node.children[0], depth + 1)
            case "unary" if node.children[0].data == "unary_not":
                return self._not(_bare(node.children[1]), depth)
            case "relation":
                return self._relation(node)
            case "ident" | "member_dot":
                return Test(field=self._field(node), operator="=", value=True)
            case "ident_arg":
                return self._function(node)
            case "member_dot_arg":
                return self._method(node)
            case "literal" | "list_lit":
                raise self._error("A value alone is no rule: compare a field with it.", node)
        raise self._error(f"This cannot be asked in a rule. {_KNOWN}.", node)

    def _chain(self, node: _Node, depth: int) -> tuple[Rule, ...]:
        """`a && b && c` leans to the left in the library's tree; here it is one group of three."""
        links = []
        kind = node.data
        while node.data == kind and len(node.children) == 2:
            links.append(node.children[1])
            node = node.children[0]
        return tuple(self.rule(link, depth) for link in (node, *reversed(links)))

    def _not(self, node: _Node, depth: int) -> Rule:
        inner = self.rule(node.children[0] if node.data == "paren_expr" else node, depth + 1)
        return negate(inner)

    def _relation(self, node: _Node) -> Rule:
        operator, right = node.children
        left = operator.children[0]
        if operator.data == "relation_in":
            return Test(field=self._field(left), operator="in", value=self._list(right))
        straight, exchanged = _COMPARISONS[operator.data]
        one, other = self._operand(left), self._operand(right)
        match one, other:
            case _Field(name), _Field(second):
                return Test(field=name, operator=straight, value=second, value_source="field")
            case _Field(name), _Value(value):
                return self._compared(name, straight, value, right)
            case _Value(value), _Field(name):
                return self._compared(name, exchanged, value, left)
        raise self._error("Two values are compared here: one side of a comparison is a field.", left)

    def _compared(self, name: str, operator: Operator, value: Scalar | None, node: _Node) -> Test:
        if value is not None:
            return Test(field=name, operator=operator, value=value)
        if operator not in ("=", "!="):
            raise self._error("null has no order: write == null or != null.", node)
        return Test(field=name, operator="null" if operator == "=" else "notNull")

    def _function(self, node: _Node) -> Rule:
        name = str(node.children[0])
        if name == "did":
            return self._did(node)
        if name == "in_segment":
            return InSegment(in_segment=self._text(self._argument(node, 1), 'in_segment(...) names a segment, as in in_segment("vip").'))
        if name != "has":
            raise self._error(f"There is no function {name}. {_KNOWN}.", node)
        return Test(field=self._field(self._argument(node, 1)), operator="notNull")

    def _did(self, node: _Node) -> Rule:
        how = 'did(...) names an event, as in did("purchase") or did("purchase", {within: "P7D", at_least: 2, where: amount > 10}).'
        given = node.children[1].children if len(node.children) > 1 else []
        if not 1 <= len(given) <= 2:
            raise self._error(how, node)
        options: dict[str, Any] = {}
        pairs = self._pairs(given[1], how) if len(given) == 2 else []
        for key, value in pairs:
            name = self._field(key)
            if name in options:
                raise self._error(f"{name} stands twice in did(...): write it once.", key)
            match name, value if name == "where" else self._operand(value):
                case "where", _:
                    options[name] = self.rule(value, 1)
                case ("within", _Value(str(said))):
                    options[name] = said
                case ("at_least", _Value(int(said))) if not isinstance(said, bool):
                    options[name] = said
                case _:
                    raise self._error(how, key)
        return Did(did=self._text(given[0], how), **options)

    def _pairs(self, node: _Node, how: str) -> list[tuple[_Node, _Node]]:
        node = _bare(node)
        if node.data != "map_lit":
            raise self._error(how, node)
        inside = node.children[0].children if node.children else []
        return list(zip(inside[::2], inside[1::2], strict=True))

    def _text(self, node: _Node, how: str) -> str:
        match self._operand(node):
            case _Value(str(said)):
                return said
        raise self._error(how, node)

    def _method(self, node: _Node) -> Rule:
        name = str(node.children[1])
        operator = _METHODS.get(name)
        if operator is None:
            raise self._error(f"There is no function .{name}. {_KNOWN}.", node.children[1])
        field, argument = self._field(node.children[0]), self._argument(node, 2)
        if operator == "notIn":
            return Test(field=field, operator=operator, value=self._list(argument))
        match self._operand(argument):
            case _Field(other):
                return Test(field=field, operator=operator, value=other, value_source="field")
            case _Value(str(value)):
                return Test(field=field, operator=operator, value=value)
        raise self._error(f".{name} looks for a text: put it in quotes.", argument)

    def _argument(self, node: _Node, at: int) -> _Node:
        given = node.children[at].children if len(node.children) > at else []
        if len(given) != 1:
            raise self._error(f"{node.children[at - 1]}(...) takes one thing between its parentheses.", node)
        return given[0]

    def _operand(self, node: _Node) -> _Field | _Value:
        node = _bare(node)
        while node.data == "paren_expr":
            node = _bare(node.children[0])
        if node.data == "literal":
            return _Value(self._literal(node))
        if node.data == "unary" and node.children[0].data == "unary_neg":
            value = self._operand(node.children[1])
            if isinstance(value, _Value) and isinstance(value.value, int | float) and not isinstance(value.value, bool):
                return _Value(-value.value)
        return _Field(self._field(node))

    def _list(self, node: _Node) -> tuple[Scalar, ...]:
        node = _bare(node)
        if node.data != "list_lit":
            raise self._error('A list of values is needed here, as in ["Atlanta", "Seattle"].', node)
        values: list[Scalar] = []
        for item in node.children[0].children if node.children else []:
            operand = self._operand(item)
            if not isinstance(operand, _Value) or operand.value is None:
                raise self._error("A list holds values only: texts, numbers, true and false.", item)
            values.append(operand.value)
        return tuple(values)

    def _field(self, node: _Node) -> str:
        node = start = _bare(node)
        parts: list[str] = []
        while node.data == "member_dot":
            parts.append(str(node.children[1]))
            node = _bare(node.children[0])
        if node.data == "ident":
            parts.append(str(node.children[0]))
            return check_field(".".join(reversed(parts)), column=self._column(start))
        if node.data in ("addition", "multiplication", "unary"):
            raise self._error(
                "Rules do not calculate: compare a field with a value. In a name stands _ for -, as in calls.get_score.", start
            )
        if node.data == "relation":
            raise self._error("Two comparisons in a row: join them with &&, as in 1980 < birth_year && birth_year < 1990.", start)
        raise self._error("The name of a field is needed here, as in city or address.city.", start)

    def _literal(self, node: _Node) -> Scalar | None:
        return literal(node.children[0], self._column(node))

    def _column(self, node: _Node) -> int:
        position = node.start_pos if isinstance(node, Token) else getattr(node.meta, "start_pos", None)
        return 0 if position is None else self._source.column(position)  # the library loses the place of `true` and `false`

    def _error(self, sentence: str, node: _Node) -> RuleError:
        return RuleError(sentence, column=self._column(node))


def _bare(node: _Node) -> _Node:
    while len(node.children) == 1 and node.data in _WRAPPERS:
        node = node.children[0]
    return node


_WRAPPERS = {
    "expr", "conditionalor", "conditionaland", "relation", "addition", "multiplication", "unary", "member", "primary",
}  # fmt: skip

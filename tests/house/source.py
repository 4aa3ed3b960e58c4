"""The source of this house, read as a tree, for tests that hold pages and rules to it. It runs nothing of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

HOUSE = Path(__file__).parents[2]
PACKAGES = ("journey", "store", "providers", "workflows", "activities", "api", "commands", "demo", "bench")
ROOTS = ("settings.py", "setting_values.py", "worker.py", "api_server.py", "logs.py", "cli.py")


@cache
def files(*folders: str) -> tuple[str, ...]:
    """The Python files of some folders, all of them deep, as paths from the top of the house."""
    found = [file for folder in folders for file in (HOUSE / folder).rglob("*.py")]
    return tuple(sorted(file.relative_to(HOUSE).as_posix() for file in found))


@cache
def text(file: str) -> str:
    return (HOUSE / file).read_text(encoding="utf-8")


@cache
def tree(file: str) -> ast.Module:
    return ast.parse(text(file), file)


@cache
def nodes(file: str) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree(file)))


def functions(file: str, name: str) -> list[ast.FunctionDef]:
    return [one for one in nodes(file) if isinstance(one, ast.FunctionDef) and one.name == name]


def calls(file: str, *names: str) -> Iterator[ast.Call]:
    """The calls of a function, class or method with one of these names."""
    return (call for call in nodes(file) if isinstance(call, ast.Call) and called(call) in names)


def called(call: ast.Call) -> str:
    """The last part of the name of what is called."""
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def assigned(file: str, name: str) -> list[ast.expr]:
    """What is assigned to a name, alone or among others, wherever in a file."""
    found: list[ast.expr] = []
    for one in nodes(file):
        match one:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                found.append(value)
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=value):
                places = [place for place, target in enumerate(targets) if isinstance(target, ast.Name) and target.id == name]
                found += [part for place in places for part in parts(value, place)]
    return found


def parts(value: ast.expr, place: int) -> list[ast.expr]:
    """One place of a tuple, or of the two that a condition chooses from."""
    match value:
        case ast.IfExp():
            return parts(value.body, place) + parts(value.orelse, place)
        case ast.Tuple():
            return [value.elts[place]]
    return []


def texts(file: str, *expressions: ast.expr) -> set[str]:
    """The texts that expressions can be, as far as they are written in this file; what was handed on is written elsewhere."""
    found: set[str] = set()
    for node in expressions:
        match node:
            case ast.Constant(value=str(one)) if one:
                found.add(one)
            case ast.IfExp():
                found |= texts(file, node.body, node.orelse)
            case ast.BoolOp(values=values):
                found |= texts(file, *values)
            case ast.Name():
                found |= texts(file, *assigned(file, node.id))
            case ast.Dict(values=values):
                found |= texts(file, *values)
            case ast.DictComp(value=value):
                found |= texts(file, value)
            case ast.Call(func=ast.Attribute(attr="get", value=mapping), args=[_, *default]):
                found |= texts(file, mapping, *default)
            case ast.Starred(value=ast.Call() as call):  # a function of this file gives them as the first part of what it returns
                returned = [one.value for body in functions(file, called(call)) for one in ast.walk(body) if isinstance(one, ast.Return)]
                found |= texts(file, *(part for one in returned if one is not None for part in parts(one, 0)))
    return found

"""The rules of the house that ruff cannot say, read off the source. Each finding names file and line."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

import pytest

from tests.house.source import PACKAGES, ROOTS, called, files, nodes, text, tree

EVERYTHING = (*files(*PACKAGES, "tests"), *ROOTS)
REPLAYED = files("journey", "workflows")

LONGEST = 300
LONGEST_TEST = 400  # sentences of the same shape are read faster than code
LONGER = {
    "store/migrations/versions/0001_the_first_tables.py": "every table once; a migration is never changed",
    "tests/core/test_validation.py": "one example for each finding, in one list that can be looked through",
    "tests/store/test_steps.py": "one test for each thing that can happen at a step",
}
"""Files that are longer, and why. One that has become short is taken off the list."""
MEANINGLESS = ("utils", "util", "common", "helpers", "helper", "misc", "tools")
PINNED = ("workflow.defn", "workflow.signal", "workflow.query", "workflow.update", "activity.defn")
IN_ANY_ORDER = ("sorted", "set", "frozenset", "any", "all", "sum", "min", "max", "len", "bool", "Counter")
TRANSACTIONS = ("begin", "begin_nested", "commit", "rollback")
COMMITTING = ("store/database.py", "store/migrations/env.py", "store/upgrade.py")
BEGINNING = (("store/statements.py", "begin"),)  # as SQLAlchemy's own `execute` would, for who reads
DIFFERS = {
    "hash": "differs from process to process: journey/ids.py has a hash that does not",
    "id": "differs from process to process",
    "open": "the core does no I/O",
    "input": "the core does no I/O",
    "print": "the core does no I/O",
    "eval": "text is data",
    "exec": "text is data",
}


def found(where: Iterable[tuple[str, ast.AST]], said: str) -> list[str]:
    return [f"{file}:{getattr(node, 'lineno', 1)}: {said}" for file, node in where]


def test_every_file_says_what_it_is() -> None:
    assert [file for file in EVERYTHING if not ast.get_docstring(tree(file))] == []


def test_a_file_is_short_enough_to_be_read() -> None:
    too_long = {file for file in EVERYTHING if text(file).count("\n") > (LONGEST_TEST if file.startswith("tests/") else LONGEST)}
    assert sorted(too_long) == sorted(LONGER)


def test_a_file_is_named_after_what_it_holds() -> None:
    parts = {part: file for file in EVERYTHING for part in file.removesuffix(".py").split("/")}
    assert [file for part, file in parts.items() if part in MEANINGLESS] == []


def test_imports_stand_at_the_top() -> None:
    inside = [
        (file, one)
        for file in EVERYTHING
        if file != "cli.py"  # so that a command that runs no server loads none
        for function in nodes(file)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for one in ast.walk(function)
        if isinstance(one, ast.Import | ast.ImportFrom)
    ]
    assert found(inside, "import at the top of the file") == []


def test_names_on_the_wire_are_pinned_so_that_files_can_move() -> None:
    loose = [
        (file, decorator)
        for file in files("workflows", "activities")
        for one in nodes(file)
        if isinstance(one, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for decorator in one.decorator_list
        if ast.unparse(decorator).split("(")[0] in PINNED and not pinned(decorator)
    ]
    assert found(loose, "give it a name: name=...") == []


def pinned(decorator: ast.expr) -> bool:
    """A name as a text; a dynamic handler has none, it takes what no other does."""
    given = {keyword.arg: keyword.value for keyword in decorator.keywords} if isinstance(decorator, ast.Call) else {}
    named = given.get("name")
    return "dynamic" in given or (isinstance(named, ast.Constant) and isinstance(named.value, str))


def test_one_place_commits() -> None:
    ends = [
        (file, one)
        for file in files(*PACKAGES)
        for one in nodes(file)
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr in TRANSACTIONS
        if file not in COMMITTING and (file, one.func.attr) not in BEGINNING
    ]
    assert found(ends, "only store/database.py commits") == []


def test_one_place_writes_attributes() -> None:
    """Whatever a write of a profile sets off is decided in store/changes.py: nobody goes by it."""
    writes = [
        (file, one)
        for file in files("api", "activities", "store", "commands")
        for one in nodes(file)
        if isinstance(one, ast.Call) and ast.unparse(one.func) in ("profiles.put", "profiles.put_all", "profiles.patch", "profiles.delete")
        if file != "store/changes.py" and not {"consents", "identities"} & {keyword.arg for keyword in one.keywords}
    ]
    assert found(writes, "only store/changes.py writes attributes") == []


def test_tests_replace_nothing_of_ours() -> None:
    assert found(((file, one) for file in files("tests") for one in patches(file)), "give it a second implementation of the port") == []


def patches(file: str) -> Iterator[ast.AST]:
    """Means to replace a part in secret. A test may change what tests have themselves, and the environment."""
    own = {
        name.name for one in nodes(file) if isinstance(one, ast.ImportFrom) and (one.module or "").startswith("tests") for name in one.names
    }
    for one in nodes(file):
        match one:
            case ast.Import(names=names) if any(name.name.startswith("unittest") for name in names):
                yield one
            case ast.ImportFrom(module=str(module)) if module.startswith("unittest"):
                yield one
            case ast.Call(func=ast.Attribute(attr="setattr"), args=[target, *_]) if ast.unparse(target) not in own:
                yield one


@pytest.mark.parametrize(("name", "why"), DIFFERS.items())
def test_what_is_replayed_calls_nothing_that_differs(name: str, why: str) -> None:
    made = [(file, one) for file in REPLAYED for one in nodes(file) if isinstance(one, ast.Call) and ast.unparse(one.func) == name]
    assert found(made, why) == []


def test_what_is_replayed_asks_no_clock() -> None:
    asked = [
        (file, one)
        for file in REPLAYED
        for one in nodes(file)
        if isinstance(one, ast.Call) and ast.unparse(one.func).endswith(("datetime.now", "datetime.utcnow", "datetime.today", "date.today"))
    ]
    assert found(asked, "an instant is an argument") == []


def test_what_is_replayed_never_goes_through_a_set() -> None:
    gone = [(file, one) for file in REPLAYED for one in gone_through(tree(file))]
    assert found(gone, "the order of a set differs from process to process: sort it, or keep a tuple") == []


def gone_through(module: ast.Module) -> Iterator[ast.expr]:
    """Every set whose order shows: in a loop, in a list made of it, in one taken from it."""
    sets = names_of_sets(module)
    orderless = {
        id(argument) for one in ast.walk(module) if isinstance(one, ast.Call) and called(one) in IN_ANY_ORDER for argument in one.args
    }
    for one in ast.walk(module):
        match one:
            case ast.For(iter=over) | ast.AsyncFor(iter=over) | ast.Starred(value=over):
                looked_at = [over]
            case ast.ListComp() | ast.DictComp() | ast.GeneratorExp() if id(one) not in orderless:
                looked_at = [generator.iter for generator in one.generators]
            case ast.Call() if called(one) in ("list", "tuple", "iter", "enumerate", "zip", "map", "filter", "join", "extend"):
                looked_at = one.args
            case ast.Call(func=ast.Attribute(attr="pop", value=over), args=[]):
                looked_at = [over]
            case _:
                continue
        yield from (over for over in looked_at if is_set(over, sets))


def names_of_sets(module: ast.Module) -> frozenset[str]:
    """Names, of variables, arguments and fields, that hold a set somewhere in a file."""
    names: set[str] = set()
    for one in ast.walk(module):
        match one:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if is_set(value, frozenset(names)):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=kind) | ast.arg(arg=name, annotation=ast.expr() as kind):
                if ast.unparse(kind).startswith(("set", "frozenset", "AbstractSet", "Set")):
                    names.add(name)
    return frozenset(names)


def is_set(node: ast.expr, names: frozenset[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Name(id=name):
            return name in names
        case ast.Call():
            return called(node) in ("set", "frozenset", "union", "intersection", "difference", "symmetric_difference")
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.BitXor() | ast.Sub(), right=right):
            return is_set(left, names) or is_set(right, names)
    return False


@pytest.mark.parametrize(
    "written",
    [
        "for x in {1, 2}: pass",
        "y = [x for x in set(z)]",
        "seen = {1}\nfor x in seen | {2}: pass",
        "def f(seen: frozenset[str]) -> None:\n    return list(seen)",
        "def f(seen: set[str]) -> None:\n    return seen.pop()",
        "text = ', '.join({x for x in z})",
        "z = (*{1, 2},)",
    ],
)
def test_going_through_a_set_is_seen(written: str) -> None:
    assert len(list(gone_through(ast.parse(written)))) == 1


@pytest.mark.parametrize(
    "written", ["for x in sorted({1, 2}): pass", "any(x for x in {1, 2})", "y = {x for x in {1, 2}}", "for x in (1, 2): pass"]
)
def test_a_set_whose_order_does_not_show_is_fine(written: str) -> None:
    assert list(gone_through(ast.parse(written))) == []

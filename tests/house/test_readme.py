"""The README and the pages say what is so: their links lead somewhere, and what they name is there."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli import app
from commands import folder
from journey.diagrams import diagram, svg
from tests.house.source import HOUSE, PACKAGES, files, text, tree

PAGES = tuple(
    sorted(
        file.relative_to(HOUSE).as_posix() for file in (*HOUSE.glob("*.md"), *HOUSE.glob("docs/**/*.md"), *HOUSE.glob("examples/*/*.md"))
    )
)
EXAMPLE = HOUSE / "examples" / "three-cities"
HISTORY = HOUSE / "tests/histories/test_one_who_opens_the_email_buys_and_is_thanked_by_push.json"
SILENT = HOUSE / "tests/histories/test_one_who_opens_nothing_gets_the_follow_up.json"


def code(page: str) -> Iterator[str]:
    """What stands in fences and between backquotes."""
    fenced = re.findall(r"^```\w*\n(.*?)^```", text(page), re.MULTILINE | re.DOTALL)
    yield from fenced
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text(page), flags=re.MULTILINE | re.DOTALL))


def names_of(file: str) -> set[str]:
    """Whatever has a name in a file: functions, classes, and what is assigned to in the file or in a class."""
    found: set[str] = set()
    for node in ast.walk(tree(file)):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
    return found


def headings(page: str) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    lines = re.findall(r"^#+ (.*)$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_to_a_file(page: str) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (HOUSE / page).parent / path if path else HOUSE / page
        assert target.exists(), f"{page} links to {link}"
        assert not anchor or anchor in headings(target.resolve().relative_to(HOUSE).as_posix()), f"{page} links to {link}"


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    named = {(page, name) for page in PAGES for part in code(page) for name in re.findall(r"\bmake ([a-z]+)", part)}
    assert ("README.md", "demo") in named
    assert sorted((page, name) for page, name in named if name not in targets) == []


def test_every_command_that_a_page_names_exists() -> None:
    commands = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    commands |= {str(group.name) for group in app.registered_groups}
    named = {(page, name) for page in PAGES for part in code(page) for name in re.findall(r"\bsojourn ([a-z]\w*)", part)}
    assert ("README.md", "dev") in named
    assert sorted((page, name) for page, name in named if name not in commands) == []


def test_every_file_that_a_page_names_exists() -> None:
    """A page may name a function, class or constant behind the file: `store/steps.py: open_step`; a test as pytest does."""
    folders = "|".join(sorted(one.name for one in HOUSE.iterdir() if one.is_dir() and not one.name.startswith(".")))
    named = [(page, part) for page in PAGES for part in code(page) if re.match(rf"(?:{folders})/|\w+\.(?:py|md|toml)\b", part)]
    assert named
    for page, part in named:
        path, _, name = part.replace("::", ": ").partition(": ")
        if re.search(r"[A-Z*{]|\s", path) and not path.endswith(".md"):
            continue  # a pattern, as in segments/ID.yaml
        named_before = any(file.endswith(f"/{path}") for file in files(*PACKAGES))  # its folder stands in the sentence before
        assert (HOUSE / path).exists() or (EXAMPLE / path).exists() or named_before, f"{page} names {path}"
        for one in re.split(r", ", name) if name else ():
            assert one.rpartition(".")[2] in names_of(path), f"{page} names {one} of {path}"


def test_what_the_readme_quotes_of_the_example_stands_there() -> None:
    written = [file.read_text(encoding="utf-8") for file in EXAMPLE.rglob("*.yaml")]
    quoted = re.findall(r"^```yaml\n(.*?)^```", text("README.md"), re.MULTILINE | re.DOTALL)
    assert len(quoted) > 2
    assert [part for part in quoted if not any(part in file for file in written)] == []


def test_the_picture_of_the_example_is_what_the_renderer_draws() -> None:
    """When it is not: render it anew, by what this test does, and look at it."""
    example = folder.read(EXAMPLE)
    messages = {name: entry.document for name, entry in example.messages.items()}
    drawn = svg.render(diagram.draw(example.journeys["thank-you"].document, messages=messages))
    assert text("docs/three-cities.svg") == drawn


def test_the_history_that_walk_tells_is_one_that_was_recorded() -> None:
    if not HISTORY.exists():
        pytest.skip(f"{HISTORY.name} is not recorded here")
    told = re.findall(r"^\| (\d+) \| ([A-Z][A-Za-z]+) \|", text("docs/walk.md"), re.MULTILINE)
    assert [int(number) for number, _ in told] == list(range(1, len(told) + 1))
    assert [name for _, name in told] == events(HISTORY)
    assert f"leaves {len(told)} events" in text("docs/walk.md")


def test_somebody_silent_leaves_as_many_events_as_walk_says() -> None:
    if not SILENT.exists():
        pytest.skip(f"{SILENT.name} is not recorded here")
    assert re.findall(r"Somebody silent leaves (\d+)", text("docs/walk.md")) == [str(len(events(SILENT)))]


def events(recorded: Path) -> list[str]:
    """The kinds of events of the one entrant of a test, as the Temporal UI names them."""
    histories = json.loads(recorded.read_text(encoding="utf-8"))["histories"]
    (entrant,) = (history for name, history in histories.items() if "~" in name)
    kinds = [event["eventType"].removeprefix("EVENT_TYPE_") for event in entrant["events"]]
    return ["".join(part.capitalize() for part in kind.split("_")) for kind in kinds]

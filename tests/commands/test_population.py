"""`sojourn simulate --people` offline: a funnel of people of the folder, or of people made up for its segment."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from commands import population
from commands.population import Asked

EXAMPLE = Path(__file__).parents[2] / "examples" / "three-cities"
RATES = ("email.opened=0.3", "push.opened=0.2", "purchase=0.5 P2D")


def data(capsys: pytest.CaptureFixture[str], asked: Asked, path: Path = EXAMPLE, **more: Any) -> dict[str, Any]:
    assert population.run(path, asked, None, **more) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_people_are_drawn_from_those_whom_a_run_would_let_in(capsys: pytest.CaptureFixture[str]) -> None:
    told = data(capsys, Asked(200, rates=RATES))
    assert told["source"] == "drawn from 120 of the folder"
    assert told["totals"]["entered"] == 200
    assert sum(told["totals"]["excluded"].values()) > 0
    first = next(node for node in told["nodes"] if node["node"] == "first")
    assert first["channels"]["email"]["opened"] > 0


def test_the_funnel_has_a_row_for_each_node(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(width=160)
    assert population.run(EXAMPLE, Asked(1200, seed=3, rates=RATES), console) == 0
    out = capsys.readouterr().out
    assert "1,200 people, drawn from 120 of the folder, seed 3" in out
    for cell in ("first", "email-opened", "100.0 %", "timeout", "excluded"):
        assert cell in out
    assert "Ended: finished" in out


def test_the_picture_has_the_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = data(capsys, Asked(150, rates=RATES, svg=tmp_path / "funnel.svg"))
    came = {node["node"]: node["arrived"] for node in told["nodes"]}
    picture = (tmp_path / "funnel.svg").read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    assert f'y="79">{came["follow-up"]} ' in picture


def test_a_folder_without_people_gets_them_made_up_by_its_segment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "copy")
    (tmp_path / "copy" / "profiles.ndjson").unlink()
    told = data(capsys, Asked(50, rates=RATES), tmp_path / "copy")
    assert told["source"] == "made up by the segment"
    assert told["totals"]["excluded"] == {}


def test_everybody_may_be_like_one_person(capsys: pytest.CaptureFixture[str]) -> None:
    told = data(capsys, Asked(10), profile="p-166")
    assert told["source"] == "each like p-166"
    assert told["totals"]["excluded"] == {"no_address": 20, "no_token": 10}


def test_who_says_no_rates_is_told_how(capsys: pytest.CaptureFixture[str]) -> None:
    population.run(EXAMPLE, Asked(5), Console(width=160))
    assert "Nobody does anything: say how many do" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "said"),
    [(Asked(5, rates=["sms.opened=1"]), "nobody does sms.opened"), (Asked(5, svg=Path("/nowhere/x.svg")), "cannot be written")],
)
def test_what_cannot_be_done_is_said(asked: Asked, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert population.run(EXAMPLE, asked, Console(width=160)) == 1
    assert said in capsys.readouterr().err

"""The import contracts of pyproject.toml hold. What each is for stands there."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

HOUSE = Path(__file__).parents[2]


@pytest.mark.behaviour(9)
def test_every_import_points_the_way_that_the_contracts_say() -> None:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = lint_imports(config_filename=str(HOUSE / "pyproject.toml"), no_cache=True)
    assert code == 0, said.getvalue()

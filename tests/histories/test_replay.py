"""Every later build goes the same way through the histories that were recorded, whatever the seed of Python's hashes (D12)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.histories.replay import FILES

HOUSE = Path(__file__).parents[2]


@pytest.mark.skipif(not FILES, reason="no history is recorded: RECORD_HISTORIES=1 make test ARGS=tests/e2e")
@pytest.mark.parametrize("seed", ["0", "4242"])
def test_what_was_recorded_replays(seed: str) -> None:
    command = [sys.executable, "-m", "tests.histories.replay"]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    replayed = subprocess.run(command, cwd=HOUSE, env=environment, capture_output=True, text=True, check=False)

    assert "histories replayed" in replayed.stdout, replayed.stdout + replayed.stderr

"""A SQLite file is served by one process."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from journey.errors import Unavailable
from store import schema
from store.database import Database
from store.upgrade import upgrade

HOLDER = """
import sys, time
from store.database import Database
database = Database(sys.argv[1])
print("open", flush=True)
time.sleep(600)
"""


def another_process(url: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", HOLDER, url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=Path(__file__).parents[2])


async def test_a_second_process_is_refused_with_a_sentence_until_the_first_is_gone_however_it_went(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'sojourn.db'}"
    upgrade(url)
    with another_process(url) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(Unavailable, match=r"Another process works on .*sojourn.db, and SQLite serves one: stop it, or set"):
            Database(url)
        looking = Database(url, alone=False)
        assert await looking.read(lambda c: c.execute(schema.discards.select()).all()) == []
        await looking.close()
        holder.send_signal(signal.SIGKILL)
    opened = Database(url)
    await opened.write(lambda work: work.discard("x"))
    await opened.close()


async def test_one_process_may_open_a_file_twice_and_holds_it_until_both_are_closed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'sojourn.db'}"
    upgrade(url)
    first, second = Database(url), Database(url)
    await first.close()
    await first.close()
    with another_process(url) as refused:
        assert b"Another process works on" in refused.communicate(timeout=60)[1]
    await second.close()

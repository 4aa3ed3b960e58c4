"""The dev server beside `sojourn dev` is one, whatever was killed before."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

from temporalio.client import Client

from demo.temporal_cli import ensure
from demo.temporal_server import temporal_server

ABANDON = """
import asyncio, os, signal, sys
from pathlib import Path
from demo.temporal_cli import ensure
from demo.temporal_server import temporal_server

async def main():
    async with temporal_server(ensure(), file=Path(sys.argv[1])) as server:
        print(server.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_a_server_whose_parent_was_killed_is_ended_before_another_opens_its_file(tmp_path: Path) -> None:
    file = tmp_path / "a folder" / "temporal.db"
    file.parent.mkdir()
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", ABANDON, str(file), stdout=asyncio.subprocess.PIPE)
    abandoned = int((await parent.communicate())[0])
    os.kill(abandoned, 0)  # it lives on

    async with temporal_server(ensure(), file=file) as server:
        assert server.pid != abandoned
        assert not _lives(abandoned)


def _lives(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z" if Path("/proc").exists() else True
    return False


async def test_a_server_whose_port_somebody_else_was_quicker_at_is_started_again_with_another(tmp_path: Path) -> None:
    once = tmp_path / "temporal"
    once.write_text(f'#!/bin/sh\n[ -e "$0.tried" ] && exec "{ensure()}" "$@"\n: >"$0.tried"\necho "address already in use" >&2\nexit 1\n')
    once.chmod(0o755)
    async with temporal_server(once) as server:
        assert await (await Client.connect(server.address)).service_client.check_health()
    assert (tmp_path / "temporal.tried").exists()

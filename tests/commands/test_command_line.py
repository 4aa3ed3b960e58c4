"""The command line as somebody meets it who has made a mistake, or wants an answer at once."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest

from api_server import listening
from demo import temporal_cli
from demo.temporal_server import free_port
from journey.errors import BadInput

ROOT = Path(__file__).parents[2]
KEY = "an-admin-key-for-tests"


async def run(python: str, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """A process of its own: exit code, stdout, stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", python, *arguments, cwd=ROOT, env={"PATH": "/usr/bin:/bin"} | environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def sojourn(*arguments: str, **environment: str) -> tuple[int, str, str]:
    return await run("import cli; cli.main()", *arguments, **environment)


async def test_a_command_that_runs_no_server_loads_none() -> None:
    heavy = "temporalio", "fastapi", "sqlalchemy", "uvicorn", "alembic"
    code, out, err = await run(f"import cli, sys; print([name for name in {heavy!r} if name in sys.modules])")
    assert (code, out, err) == (0, "[]\n", "")


async def test_an_id_that_is_none_never_becomes_part_of_an_address() -> None:
    for journey in ("NOPE", "a/../b", "", "thank-you:stop?"):
        for command in ("publish", "report"):
            code, _, err = await sojourn(command, journey, SOJOURN_ADMIN_KEY=KEY)
            assert (code, err.count("\n")) == (1, 1), err
            assert f"{journey!r} is no id of a journey" in err


async def test_a_server_that_is_none_of_ours_is_told_from_one_that_is_away() -> None:
    async def page(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\nConnection: close\r\n\r\n<p>Hi</p>")
        await writer.drain()
        writer.close()

    with listening("127.0.0.1", free_port()) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with await asyncio.start_server(page, sock=taken):
            code, _, err = await sojourn("report", "thank-you", SOJOURN_URL=url)
            assert (code, err) == (1, f"What answers at {url} is no API of ours: it says 200. Is SOJOURN_URL right?\n")
    code, _, err = await sojourn("report", "thank-you", SOJOURN_URL=url)
    assert (code, err) == (1, f"Nobody answers at {url}: start `sojourn dev`, or set SOJOURN_URL to where the API is.\n")


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"SOJOURN_DATA_DIR": "/dev/null/kept"}, "where nothing can be kept: Not a directory. Name a folder that can be written to."),
        ({"SOJOURN_DATABASE_URL": "sqlite:////dev/null/s.db"}, "cannot be opened: unable to open database file."),
    ],
)
async def test_a_place_where_nothing_can_be_kept_is_named(tmp_path: Path, environment: dict[str, str], said: str) -> None:
    code, _, err = await sojourn("setup", **{"SOJOURN_DATA_DIR": str(tmp_path)} | environment)
    assert code == 1
    assert err.endswith(f"{said}\n")
    assert err.count("\n") == 1


def test_an_address_where_nobody_can_listen_is_named() -> None:
    with pytest.raises(BadInput, match=r"Nobody can listen at 192\.0\.2\.1, port 8000: "):
        listening("192.0.2.1", 8000)


async def test_a_small_answer_goes_out_at_once() -> None:
    heard: asyncio.Queue[int] = asyncio.Queue()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = writer.get_extra_info("socket")
        heard.put_nowait(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with listening("127.0.0.1", free_port()) as taken:
        async with await asyncio.start_server(answer, sock=taken):
            _, writer = await asyncio.open_connection(*taken.getsockname())
            assert await heard.get() == 1, "an answer's body would wait 40 ms for the acknowledgement of its head"
            writer.close()
            await writer.wait_closed()


async def test_one_that_is_terminated_while_it_starts_leaves_no_server_behind(tmp_path: Path) -> None:
    if temporal_cli.find() is None:
        pytest.skip("the Temporal CLI is not there: `make test` fetches it")
    own = {"SOJOURN_DATA_DIR": str(tmp_path), "SOJOURN_API_PORT": str(free_port()), "HOME": str(Path.home())}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import cli; cli.main()", "dev", cwd=ROOT, env={"PATH": os.environ["PATH"]} | own,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    note = tmp_path / "temporal.pid"
    async with asyncio.timeout(60):
        while not note.exists() or not note.read_text():
            assert process.returncode is None
            await asyncio.sleep(0.02)
    process.terminate()
    _, err = await process.communicate()
    assert b"Traceback" not in err
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


IN_THE_BACKGROUND = """
import asyncio, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does for its jobs in the background

async def main():
    from demo.dev import end_when_terminated
    end_when_terminated()
    print("up", flush=True)
    try:
        await asyncio.sleep(60)
    finally:
        print("stopped what was beside it", flush=True)

asyncio.run(main())
"""


async def test_one_in_the_background_is_ended_by_being_terminated() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", IN_THE_BACKGROUND, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"up\n"
    process.terminate()
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    assert said == b"stopped what was beside it\n"

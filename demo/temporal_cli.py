"""The Temporal CLI: found on the PATH, else downloaded by the SDK, else built with Go; kept in the user's cache, outside the clone.

`python -m demo.temporal_cli` sees to it that it is there and prints where.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

from temporalio.testing import WorkflowEnvironment

from demo import go_programs
from demo.go_programs import cache, why
from journey.errors import Unavailable

VERSION = "v1.5.1"
"""The newest tag that can be built with `go install`."""
_DOWNLOAD_SECONDS = 120


def find() -> Path | None:
    """The CLI where it is already."""
    on_path = shutil.which("temporal")
    if on_path:
        return Path(on_path)
    kept = cache() / "bin" / "temporal"
    return kept if kept.exists() else None


def ensure() -> Path:
    """The CLI, fetched or built when it is not there. Raises Unavailable with the three ways that were tried."""
    found = find()
    if found is not None:
        return found
    target = cache() / "bin" / "temporal"
    target.parent.mkdir(parents=True, exist_ok=True)
    tried = []
    for way in (_download, _build):
        try:
            way(target)
            return target
        except (OSError, RuntimeError, TimeoutError, subprocess.CalledProcessError) as error:
            tried.append(f"{way.__doc__} failed: {why(error)}.")
    raise Unavailable(f"The Temporal CLI is not on the PATH. {' '.join(tried)} Install it by hand and put it on the PATH.")


def _download(target: Path) -> None:
    """The SDK's own download"""
    folder = target.parent / "download"
    folder.mkdir(exist_ok=True)

    async def start_once() -> None:
        async with asyncio.timeout(_DOWNLOAD_SECONDS):
            environment = await WorkflowEnvironment.start_local(download_dest_dir=str(folder))
            await environment.shutdown()

    try:
        asyncio.run(start_once())
        newest = max(folder.glob("temporal*"), key=lambda file: file.stat().st_mtime)
        shutil.move(newest, target)
    except ValueError as error:
        raise RuntimeError("the SDK left no file") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _build(target: Path) -> None:
    """Building it with Go"""
    print(f"Building the Temporal CLI {VERSION} with Go, once, in two to three minutes ...", file=sys.stderr, flush=True)
    go_programs.install({f"github.com/temporalio/cli/cmd/temporal@{VERSION}": target})


if __name__ == "__main__":
    try:
        print(ensure())
    except Unavailable as away:
        sys.exit(away.sentence)

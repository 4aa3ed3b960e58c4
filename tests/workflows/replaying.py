"""Replays what was recorded: `python -m tests.workflows.replaying FILE...` says how many histories went as they did then.

A process of its own, so that a test can choose the seed by which Python hashes.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from journey.errors import NotFound
from journey.version import Version
from worker import WORKFLOWS
from workflows.converter import data_converter


def read(files: Iterable[Path]) -> tuple[dict[str, Version], list[WorkflowHistory]]:
    """The versions by hash, and the histories, of all files."""
    frozen: dict[str, Version] = {}
    histories: list[WorkflowHistory] = []
    for file in files:
        kept: dict[str, Any] = json.loads(file.read_text())
        frozen |= {content: Version.model_validate(document) for content, document in kept["versions"].items()}
        histories += [WorkflowHistory.from_json(workflow_id, events) for workflow_id, events in kept["histories"].items()]
    return frozen, histories


async def replay(frozen: dict[str, Version], histories: list[WorkflowHistory], *, sandboxed: bool) -> None:
    """Raises what the first history raises that does not go as it went."""

    async def load(content: str) -> Version:
        if content not in frozen:
            raise NotFound(f"No file has the version {content}.")
        return frozen[content]

    async def one_after_the_other() -> AsyncIterator[WorkflowHistory]:
        for history in histories:
            yield history

    runner = SandboxedWorkflowRunner() if sandboxed else UnsandboxedWorkflowRunner()
    replayer = Replayer(workflows=WORKFLOWS, data_converter=data_converter(load), workflow_runner=runner)
    await replayer.replay_workflows(one_after_the_other())


async def main(files: list[str]) -> None:
    frozen, histories = read(Path(file) for file in files)
    for sandboxed in (False, True):
        await replay(frozen, histories, sandboxed=sandboxed)
    print(len(histories), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
    os._exit(0)  # a process that ran a worker sometimes aborts when it ends by itself

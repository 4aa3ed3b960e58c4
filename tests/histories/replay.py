"""Replays every recorded history in the SDK's sandbox, in the process that it is called in: `python -m tests.histories.replay`.

It has no store and no server: the versions that histories name lie beside them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from journey.version import Version
from worker import WORKFLOWS
from workflows.converter import data_converter

FILES = sorted(Path(__file__).parent.glob("*.json"))


async def replay() -> int:
    """Raises what the first history raises that does not replay; returns how many do."""
    recorded = [json.loads(file.read_text(encoding="utf-8")) for file in FILES]
    versions = {name: Version.model_validate(frozen) for one in recorded for name, frozen in one["versions"].items()}

    async def load(content_hash: str) -> Version:
        return versions[content_hash]

    async def one_after_the_other() -> AsyncIterator[WorkflowHistory]:
        for one in recorded:
            for workflow_id, history in one["histories"].items():
                yield WorkflowHistory.from_json(workflow_id, history)

    replayer = Replayer(workflows=WORKFLOWS, data_converter=data_converter(load), workflow_runner=SandboxedWorkflowRunner())
    results = await replayer.replay_workflows(one_after_the_other())
    assert not results.replay_failures
    return sum(len(one["histories"]) for one in recorded)


if __name__ == "__main__":
    print(asyncio.run(replay()), "histories replayed", flush=True)  # the process may abort when it ends

"""Every history that was kept is walked by today's code as it was walked then (D12): whoever is inside when a new Sojourn comes goes on.

A history is recorded once, by `RECORD_HISTORIES=1 make test ARGS="FILE -k TEST"` on a test of tests/e2e or tests/workflows. One that no
longer replays is a person who would be stuck: put the change behind `workflow.patched`, or give the engine a new number.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import socket
import sys
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.workflow import NondeterminismError

from tests.e2e.world import HISTORIES
from tests.workflows import replaying

FILES = sorted(HISTORIES.glob("*.json"))
ROOT = HISTORIES.parents[1]


@pytest.mark.parametrize("seed", ["0", "1"])
async def test_every_history_replays_in_the_sandbox_and_out_of_it_however_python_hashes(seed: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.workflows.replaying", *map(str, FILES), cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, complained = await process.communicate()

    assert process.returncode == 0, complained.decode()
    assert int(said) == len(replaying.read(FILES)[1]) > 0


async def test_a_history_that_went_another_way_is_noticed() -> None:
    frozen, histories = replaying.read(FILES)
    silent = next(one for one in histories if EventType.EVENT_TYPE_TIMER_FIRED in [event.event_type for event in one.events])
    timer = next(event for event in silent.events if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED)
    timer.event_type = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED  # as if there had been no timer then

    with pytest.raises(NondeterminismError):
        await replaying.replay(frozen, [silent], sandboxed=False)


def test_every_kind_of_node_every_end_and_both_paths_of_a_stop_are_among_them() -> None:
    frozen, histories = replaying.read(FILES)
    kinds = {node.kind for version in frozen.values() for node in version.journey.nodes}
    assert kinds >= {"read_segment", "event", "qualification", "reaction", "message", "wait", "condition", "end"}
    entrants = [one for one in histories if workflow_of(one) == "entrant"]
    ends = {end_of(one) for one in entrants}
    assert ends >= {"finished", "no_branch", "error", "exit_criteria", "global_timeout", "journey_stopped", "removed"}
    steps = {event.event_type for one in entrants for event in one.events}
    assert steps >= {
        EventType.EVENT_TYPE_MARKER_RECORDED, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, EventType.EVENT_TYPE_TIMER_FIRED,
        EventType.EVENT_TYPE_TIMER_CANCELED, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED,
    }  # fmt: skip


def workflow_of(history: WorkflowHistory) -> str:
    return history.events[0].workflow_execution_started_event_attributes.workflow_type.name


def end_of(history: WorkflowHistory) -> Any:
    """What its entrant's workflow returned."""
    result = history.events[-1].workflow_execution_completed_event_attributes.result.payloads
    return json.loads(result[0].data) if result else None


def test_no_history_tells_of_a_person_or_a_machine() -> None:
    for file in FILES:
        told = text_of(file.read_text())
        for private in ("@people.example", "Ada", "device-", socket.gethostname() + ":", str(ROOT), "/home/", "site-packages"):
            assert private not in told, f"{file.name} tells {private!r}"


def text_of(written: str) -> str:
    """The text with its payloads, which stand there in base64, read."""
    payloads = re.findall(r'"data": "([A-Za-z0-9+/=]+)"', written)
    return written + " ".join(base64.b64decode(one).decode(errors="replace") for one in payloads)

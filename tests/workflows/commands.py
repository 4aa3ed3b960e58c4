"""The commands that today's workflows give over a recorded history, as text: what the server would have been asked for, task by task.

A replay fails when a command is of another kind than the one in the history, or names another activity. It says nothing about summaries,
nor about a path that no history has taken; here both can be seen.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, cast

from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails

from journey.contract import Proposal, Record
from journey.version import Version
from worker import WORKFLOWS
from workflows.converter import ContractConverter, data_converter


class Recording(UnsandboxedWorkflowRunner):
    """Runs workflows as they are, and writes down every command that they give."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.stops: list[tuple[Proposal, Record]] = []
        """Proposal and record of every stop that was answered."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return cast(WorkflowInstance, _Recorded(super().create_instance(det), self))


class _Recorded:
    def __init__(self, instance: WorkflowInstance, recording: Recording) -> None:
        self._instance, self._recording = instance, recording
        self._timers: dict[int, str] = {}
        self._proposals: dict[int, Proposal] = {}

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        for job in act.jobs:
            answered = job.resolve_activity
            if answered.seq in self._proposals and answered.result.completed.HasField("result"):
                record = _CONTRACT.from_payload(answered.result.completed.result, Record)
                self._recording.stops.append((self._proposals[answered.seq], record))
        completion = self._instance.activate(act)
        self._recording.given += [line for line in map(self._line, completion.successful.commands) if line]
        if completion.HasField("failed"):
            self._recording.given.append(f"FAILED {completion.failed.failure.message}")
        return completion

    def __getattr__(self, name: str) -> Any:
        return getattr(self._instance, name)

    def _line(self, command: Any) -> str:
        kind = command.WhichOneof("variant")
        summary = _read(command.user_metadata.summary) if command.HasField("user_metadata") else ""
        content = getattr(command, kind)
        match kind:
            case "schedule_activity" | "schedule_local_activity":
                if content.activity_type == "stop":
                    self._proposals[content.seq] = _CONTRACT.from_payload(content.arguments[0], Proposal)
                return f"{kind} {content.activity_type} {summary!r}"
            case "start_timer":
                self._timers[content.seq] = summary
                return f"start_timer {summary!r}"
            case "cancel_timer":
                return f"cancel_timer {self._timers[content.seq]!r}"
            case "set_patch_marker":
                return f"set_patch_marker {content.patch_id}"
            case "complete_workflow_execution":
                result = _read(content.result)
                return f"complete_workflow_execution {result!r}" if isinstance(result, str) else kind  # others may get more fields
            case "update_response" | "respond_to_query":
                return ""
        return str(kind)


_CONTRACT = ContractConverter()


def _read(payload: Payload) -> Any:
    return json.loads(payload.data) if payload.data else None


async def given(frozen: dict[str, Version], history: WorkflowHistory) -> Recording:
    """The commands of one workflow, and its stops. Raises what a replay raises."""

    async def load(content: str) -> Version:
        await asyncio.sleep(0)
        return frozen[content]

    recording = Recording()
    replayer = Replayer(workflows=WORKFLOWS, data_converter=data_converter(load), workflow_runner=recording)
    await replayer.replay_workflow(history)
    return recording


def written(sections: Sequence[tuple[str, list[str]]]) -> str:
    """The sections as the file keeps them."""
    return "\n".join(f"{name}\n" + "".join(f"    {line}\n" for line in lines) for name, lines in sections)

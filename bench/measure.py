"""What a run costs: CPU of this process and of the server's, and what the server keeps of each person."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory

_TICKS = 100  # of a second, what Linux counts a process's CPU in


@dataclass(frozen=True, slots=True)
class Cost:
    """One run: people a second, and milliseconds of CPU a person in worker and server, and in PostgreSQL for both of them."""

    people: int
    per_second: float
    worker_ms: float
    server_ms: float
    database_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class History:
    """What the server keeps of a person, averaged over a sample."""

    events: float
    bytes: float
    workflow_tasks: float
    activity_tasks: float

    def as_dict(self) -> dict[str, float]:
        return {name: round(value, 1) for name, value in asdict(self).items()}


class Meter:
    """Measures from its making to `stop`."""

    def __init__(self, server_pid: int, database_pid: int = 0) -> None:
        self._pid, self._database_pid = server_pid, database_pid
        self._wall, self._own, self._server = time.perf_counter(), time.process_time(), _cpu_of(server_pid)
        self._database = _cpu_of_all(database_pid)

    def stop(self, people: int) -> Cost:
        wall = time.perf_counter() - self._wall
        own, server = time.process_time() - self._own, _cpu_of(self._pid) - self._server
        database = _cpu_of_all(self._database_pid) - self._database
        return Cost(people, people / wall, own / people * 1000, server / people * 1000, database / people * 1000)


async def history_of(client: Client, ids: list[str], sample: int = 40) -> History:
    """Average history of some of these workflows."""
    histories = await asyncio.gather(*(client.get_workflow_handle(name).fetch_history() for name in ids[:sample]))
    return History(
        events=statistics.mean(len(history.events) for history in histories),
        bytes=statistics.mean(sum(event.ByteSize() for event in history.events) for history in histories),
        workflow_tasks=_mean_of(histories, EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED),
        activity_tasks=_mean_of(histories, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED),
    )


def _mean_of(histories: Sequence[WorkflowHistory], kind: int) -> float:
    return statistics.mean(sum(event.event_type == kind for event in history.events) for history in histories)


def _cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used, 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _cpu_of_all(pid: int) -> float:
    """The same of a process and its children, also those that have ended."""
    if not pid:
        return 0.0
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if stat.parent.name == str(pid):
                total += sum(map(int, fields[11:15])) / _TICKS
            elif fields[1] == str(pid):
                total += sum(map(int, fields[11:13])) / _TICKS
    return total

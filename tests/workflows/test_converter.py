"""A version travels as its hash, and one frozen object serves everybody who walks it."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
from collections.abc import AsyncIterator

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from journey import contract, ids
from journey.contract import Record
from journey.version import Version
from tests.e2e.world import HISTORIES
from tests.workflows import replaying
from tests.workflows.commands import Recording
from worker import WORKFLOWS
from workflows.converter import SojournPayloadConverter, VersionCodec, VersionRef, data_converter

MANY = HISTORIES / "test_stopped_everybody_inside_ends_within_seconds_and_nobody_is_written_to_any_more.json"


class Loading:
    """Gives a version anew each time, slowly, and counts how often it was asked."""

    def __init__(self, version: Version) -> None:
        self.version, self.asked = version, 0

    async def __call__(self, _content: str) -> Version:
        self.asked += 1
        await asyncio.sleep(0)
        return self.version.model_copy(deep=True)


def a_version() -> Version:
    return next(iter(replaying.read([MANY])[0].values()))


async def test_what_is_asked_for_at_the_same_time_is_one_object_and_afterwards_nobody_asks() -> None:
    loading = Loading(a_version())
    codec, converter = VersionCodec(loading), SojournPayloadConverter()
    payload = converter.to_payloads([VersionRef(ids.content_hash("asked for at the same time"))])
    decoded = await asyncio.gather(*(codec.decode(payload) for _ in range(20)))
    asked = loading.asked
    decoded += await asyncio.gather(*(codec.decode(payload) for _ in range(20)))

    graphs = [converter.from_payloads(payloads)[0] for payloads in decoded]
    assert all(graph is graphs[0] for graph in graphs)
    assert graphs[0] == loading.version.journey
    assert loading.asked == asked


async def test_the_workflows_of_a_worker_share_the_graph_that_was_loaded_for_the_first_of_them() -> None:
    content = ids.content_hash("shared by the workflows of a worker")
    told = json.loads(MANY.read_text().replace(hash_in_base64(next(iter(replaying.read([MANY])[0]))), hash_in_base64(content)))
    histories = [WorkflowHistory.from_json(name, events) for name, events in told["histories"].items() if "~c-" in name]
    loading = Loading(a_version())

    async def one_after_the_other() -> AsyncIterator[WorkflowHistory]:
        for history in histories:
            yield history

    replayer = Replayer(workflows=WORKFLOWS, data_converter=data_converter(loading), workflow_runner=Recording())
    await replayer.replay_workflows(one_after_the_other())

    assert (len(histories), loading.asked) == (8, 1)


def test_what_is_as_always_is_not_written_down_and_reads_as_it_was() -> None:
    converter = SojournPayloadConverter()
    record = Record(n=3, place="purchase", seconds=5.5, said="waits")
    (payload,) = converter.to_payloads([record])
    assert json.loads(payload.data) == {"n": 3, "place": "purchase", "seconds": 5.5, "said": "waits"}
    assert converter.from_payloads([payload], [Record]) == [record]


@pytest.mark.parametrize("model", [made for made in vars(contract).values() if dataclasses.is_dataclass(made)])
def test_every_model_of_the_contract_comes_back_as_it_went_out(model: type) -> None:
    converter = SojournPayloadConverter()
    assert converter.from_payloads(converter.to_payloads([model()]), [model]) == [model()]


def hash_in_base64(content: str) -> str:
    """As it stands in a recorded history."""
    return base64.b64encode(content.encode()).decode()

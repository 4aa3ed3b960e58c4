"""A process that starts while another one's sweep is under way is swept for too, however many start at once."""

from __future__ import annotations

from temporalio.client import WorkflowHandle
from temporalio.worker import Worker

from journey import ids
from journey.contract import Repaired, SweepStart
from tests.e2e.world import World, eventually
from tests.fakes import HeldRepairs
from workflows.standing import Standings
from workflows.sweep import Sweep


def catching_up(here: World) -> WorkflowHandle[object, Repaired]:
    return here.process.client.get_workflow_handle(ids.CATCH_UP, result_type=Repaired)


async def looks(repairs: HeldRepairs) -> int:
    return repairs.begun


async def test_a_sweep_looks_once_more_for_those_who_asked_while_it_looked(here: World) -> None:
    await catching_up(here).result()
    await here.worker_goes()
    repairs, standings = HeldRepairs(), Standings(here.process.client)
    async with Worker(here.process.client, task_queue=ids.TASK_QUEUE, workflows=[Sweep], activities=[repairs.sweep]):
        await standings.sweep_now(SweepStart())
        await eventually(lambda: looks(repairs), lambda number: number == 1, "the first look")
        for _ in range(3):
            await standings.sweep_now(SweepStart())
        repairs.go_on.set()
        assert (await catching_up(here).result()).checked == 2, "one look, and one for all three together"

        await standings.sweep_now(SweepStart())
        assert (await catching_up(here).result()).checked == 1, "whom nobody asks meanwhile looks once"
        assert repairs.begun == 3

"""An uncertain delivery is sent once more by hand. Each attempt claims it anew or finds that the one before it may have sent it.

As of a stop, an attempt that was begun is finished: whoever goes down sends what is claimed, and writes down what came of it.
"""

from __future__ import annotations

from temporalio import activity

from activities.on_their_way import OnTheirWay
from activities.sending import Sending
from activities.stops import again
from journey.contract import ResendStart
from store.claims import Busy
from store.database import Database
from store.resending import mark_again, open_again
from workflows.ports import Resending


class Resendings(Resending):
    """Answers to the workflow that sends once more. `drain` it before the process ends."""

    def __init__(self, database: Database, sending: Sending, *, consent_explicit: bool = False) -> None:
        self._database = database
        self._sending = sending
        self._policy = sending.policy(consent_explicit=consent_explicit)
        self._on_their_way = OnTheirWay()

    @activity.defn(name="resend")
    async def resend(self, start: ResendStart) -> str:
        return await self._on_their_way.attempt(self._resend(start), activity.heartbeat)

    async def drain(self) -> None:
        """Wait for what is still on its way to a provider, so that its answer is marked."""
        await self._on_their_way.drain()

    async def _resend(self, start: ResendStart) -> str:
        opened = await self._policy.rates.write(self._database, lambda work: open_again(work, start, self._policy))
        if isinstance(opened, str):
            return opened
        if isinstance(opened, Busy):
            raise again(f"{start.delivery} is being sent, or waits for its turn or a pause of its provider", opened.seconds)
        answer = await self._sending.carry(opened.claims[0], opened)

        async def write() -> Busy | str:
            return await self._database.write(lambda work: mark_again(work, start, answer))

        said = await self._on_their_way.write(write, start.delivery)
        if isinstance(said, Busy):
            raise again(f"{start.delivery} was put off by its provider", said.seconds)
        return said

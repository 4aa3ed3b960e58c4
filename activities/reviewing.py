"""A step whose message is held for review: what is to be seen is made out when it is opened, and kept. It sends nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from activities.sending import Sending
from journey.contract import Proposal, Record
from store import in_review
from store.claims import Busy
from store.database import Database
from store.steps import Opened


@dataclass(frozen=True)
class Reviewed:
    """Opens steps; of most of them nothing is to be made out."""

    database: Database
    sending: Sending

    async def open(
        self, proposal: Proposal, open_step: Callable[[], Awaitable[Record | Opened | Busy]]
    ) -> Record | Opened | Busy:  # fmt: skip
        """Open the step, make out what is to be reviewed of it, and open it again: what was approved unseen may go then. What is claimed
        already goes first."""
        opened = await open_step()
        while isinstance(opened, Opened) and opened.to_render:
            await self._make_out(proposal, opened)
            if opened.claims:
                break
            opened = await open_step()
        return opened

    async def _make_out(self, proposal: Proposal, opened: Opened) -> None:
        """A repeat changes nothing."""
        shown = [self.sending.shown(channel, proposal.n, opened) for channel in opened.to_render]
        await self.database.write(lambda work: in_review.keep(work, proposal.entrant, proposal.n, opened.revision, shown))

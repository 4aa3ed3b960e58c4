"""What the endpoints are given by the root: the open database, the way to the workflows, and the few settings that answers depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Protocol

from fastapi import Depends, Request

from api.known_keys import KnownKeys
from journey.events import Instant
from journey.tracking import Signer
from store.database import Database
from workflows.ports import EntrantStart, Happened, Repaired, ResendStart


class Workflows(Protocol):
    """How the outside speaks to the workflows; workflows/client.py is the real one.

    Each raises journey.errors.Unavailable when the Temporal server cannot be reached, except `happened` and `leave`, which never
    raise: what could not be signalled stays in the store and is served later.
    """

    async def start_run(self, run: str) -> None: ...

    async def start_entrant(self, start: EntrantStart, version_hash: str) -> None: ...

    async def keep_schedule(self, journey: str, instants: Sequence[Instant]) -> None: ...

    async def happened(self, entrant: str, signal: Happened) -> None: ...

    async def leave(self, entrant: str, reason: str) -> None: ...

    async def wind_down(self, version: str, reason: str) -> None: ...

    async def release(self, version: str) -> None: ...

    async def wake(self, version: str) -> None: ...

    async def resend(self, start: ResendStart, version: str) -> None: ...

    async def reconcile(self, *, wake: bool) -> None: ...

    async def reconciled(self) -> tuple[bool, Repaired] | None: ...

    async def reachable(self) -> bool: ...


@dataclass(frozen=True)
class Services:
    """One of these stands in `app.state.services`."""

    database: Database
    workflows: Workflows
    signer: Signer
    admin_key: str
    write_keys: dict[str, str] = field(default_factory=dict)  # key -> namespace
    public_url: str = "http://127.0.0.1:8000"
    consent_explicit: bool = False
    create_profiles: bool = True
    too_old_seconds: int = 86400
    soft_bounces: int = 5
    temporal_ui: str = ""
    mail_from: str = "Preview <preview@localhost>"  # the setting MAIL_FROM; previews show it

    @cached_property
    def keys(self) -> KnownKeys:
        """The API keys in the database, as this process knows them."""
        return KnownKeys(self.database)


def services_of(request: Request) -> Services:
    """The services of the app that serves this request."""
    found: Services = request.app.state.services
    return found


With = Annotated[Services, Depends(services_of)]

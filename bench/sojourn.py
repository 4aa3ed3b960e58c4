"""The use case through Sojourn with everything on and a null provider: read, rendered, tracked, claimed, recorded, counted.

The player opens and buys by the two functions that the API calls; what HTTP costs is left out on both sides.
"""

from __future__ import annotations

import asyncio

from sqlalchemy import func, select

from bench.handwritten import at_once
from commands.folder import Folder
from journey.contract import Happened
from journey.events import Event
from journey.profiles import ProfileDocument, PushToken
from store import acceptance, attributes, definitions, journeys, messages, profiles, runs, schema, segments, versions
from store.acceptance import Arrived, Policy, Verdict
from store.work import Work
from worker import Process

JOURNEY = "thank-you"


def set_up(work: Work, folder: Folder) -> str:
    """Everything that the example names, its journey published without anybody; returns the id of the version."""
    attributes.replace(work, dict(folder.attributes))
    for segment in folder.segments.values():
        segments.put(work, segment.document)
    for definition in folder.events.values():
        definitions.put(work, definition.document)
    for message in folder.messages.values():
        messages.put(work, message.document)
    journeys.put_draft(work, JOURNEY, folder.journeys[JOURNEY].source.data)
    return journeys.publish(work, JOURNEY, "https://sojourn.example").version


async def bring(process: Process, count: int, prefix: str) -> list[str]:
    """Put the profiles of so many people, who are there before any journey begins; returns their keys."""
    names = [f"{prefix}-{number}" for number in range(count)]
    await process.database.write(lambda work: _people(work, names))
    return names


async def play(process: Process, names: list[str]) -> list[str]:
    """Run these people through: all are written to, then all open, then all buy. Returns the entrants."""
    count = len(names)
    run = await process.database.write(lambda work: _run(work, names))
    await process.workflows.start_run(run)
    await _until(process, run, "push-opened+email-opened", count)
    entrants = [f"{JOURNEY}~{name}~1" for name in names]
    await at_once(entrants, lambda entrant: _open(process, entrant))
    await _until(process, run, "purchase", count)
    await at_once(names, lambda name: _buy(process, name))
    await at_once(entrants, lambda entrant: process.client.get_workflow_handle(entrant).result())
    return entrants


async def _open(process: Process, entrant: str) -> None:
    await _tell(process, await process.database.write(lambda work: acceptance.react(work, f"{entrant}.1.email", "opened")))


async def _buy(process: Process, name: str) -> None:
    data = {"purchaseMessage": "thank you", "product": "Lamp", "purchase_id": name}
    arrived = Arrived(Event("bench", f"buy-{name}", "Order Completed", data), "customer_id", name)
    await _tell(process, await process.database.write(lambda work: acceptance.accept(work, arrived, Policy())))


async def _tell(process: Process, verdict: Verdict) -> None:
    for decided in verdict.decided:
        signal = Happened(decided.n, decided.node, decided.source, decided.event)
        await process.workflows.happened(decided.entrant, signal)


async def _until(process: Process, run: str, place: str, count: int) -> None:
    waiting = select(func.count()).where(schema.entrants.c.run == run, schema.entrants.c.place == place, schema.entrants.c.waiting)
    while await process.database.read(lambda connection: connection.execute(waiting).scalar_one()) < count:
        await asyncio.sleep(0.1)


def _people(work: Work, names: list[str]) -> None:
    for name in names:
        profiles.put(
            work,
            ProfileDocument(
                id=name,
                attributes={"first_name": "Ada", "city": "Atlanta", "birth_year": 1985, "email": f"{name}@people.example"},
                identities={"customer_id": name},
                push_tokens=(PushToken(token=f"token-{name}"),),
            ),
        )


def _run(work: Work, names: list[str]) -> str:
    version = versions.live(work.connection, JOURNEY)
    assert version is not None
    return runs.start(work, version, versions.frozen_version(work.connection, version.hash).journey, names)

"""`make cluster`: Sojourn as it runs on many machines, on this one and without containers. It ends with 0 when every number is right.

PostgreSQL, a Temporal server as in production, two processes of the API and three workers, as in docker-compose.yml. A few hundred people
are written to, open and buy through both APIs; meanwhile one worker is told to end, one is killed, and a new one comes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from temporalio.client import Client

from commands import report as reporting
from demo.cast import JOURNEY
from demo.catchers import MailCatcher, PushCatcher
from demo.dev import end_when_terminated, until_interrupted
from demo.performance import WRITE_KEY, Moment, perform, shortened
from demo.postgres_server import postgres_server
from demo.processes import SojournProcess, sojourn
from demo.shares import TakingTurns, tasks_by_process
from demo.temporal_production import production_server
from demo.temporal_server import free_port
from journey.errors import SojournError
from settings import PREFIX

EXAMPLE = Path(__file__).parent.parent / "examples" / "three-cities"
COPIES = 3
"""So often every profile of the example is there: 360 of them are members of its segment."""
APIS, WORKERS = 2, 3
_PATIENCE = 270.0
_SOME = 30
"""When so many people have been written to, or thanked, something happens to a worker."""


@dataclass
class Cluster:
    """All that runs. A worker that has ended stays in the list, for what it did."""

    folder: Path
    told: dict[str, str]
    urls: list[str]
    temporal: str
    mail: MailCatcher
    push: PushCatcher
    open_things: AsyncExitStack
    workers: list[SojournProcess] = field(default_factory=list)
    fate: dict[str, str] = field(default_factory=dict)

    async def process(self, name: str, command: str, **more: str) -> SojournProcess:
        environment = self.told | {PREFIX + key: value for key, value in more.items()}
        return await self.open_things.enter_async_context(sojourn(name, command, environment, self.folder))

    async def another_worker(self) -> None:
        self.workers.append(await self.process(f"worker-{len(self.workers) + 1}", "worker"))

    async def meanwhile(self, moment: Moment) -> None:
        """One worker is told to end while people are written to; one is killed while they are thanked, and another comes."""
        _, second, third, *_ = self.workers
        if moment == "written to":
            while len(self.mail.messages) < _SOME:
                await asyncio.sleep(0.05)
            second.terminate()
            self.fate[second.name] = f"told to end (SIGTERM), and ended with {await second.ended()}"
        else:
            before = len(self.push.pushes)
            while len(self.push.pushes) < before + _SOME:
                await asyncio.sleep(0.05)
            third.kill()
            self.fate[third.name] = "killed (SIGKILL)"
            await self.another_worker()
            self.fate[self.workers[-1].name] = "came when that one was killed"


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[Cluster]:
    """Start it all, and stop it again in order."""
    async with AsyncExitStack() as open_things:
        enter = open_things.enter_async_context
        mail, push = await enter(MailCatcher()), await enter(PushCatcher())
        postgres = await enter(postgres_server(folder / "postgres", contrib=True))
        temporal = await enter(production_server(folder / "temporal", postgres))
        ports = [free_port() for _ in range(APIS)]
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        told = {
            "DATA_DIR": str(folder), "DATABASE_URL": postgres.url, "TEMPORAL_ADDRESS": temporal.address, "PUBLIC_URL": urls[0],
            "SECRET": secrets.token_urlsafe(32), "ADMIN_KEY": secrets.token_urlsafe(16), "WRITE_KEYS": f"{WRITE_KEY}=customer_id",
            "SMTP_URL": f"smtp://127.0.0.1:{mail.port}", "PUSH_URL": push.url,
        }  # fmt: skip
        environment = {PREFIX + name: value for name, value in told.items()}
        made = Cluster(folder, environment, urls, temporal.address, mail, push, open_things)
        setup = await SojournProcess.start("setup", "setup", environment, folder / "setup.log")
        if await setup.ended():
            raise SojournError(f"sojourn setup failed: {setup.said().strip()}")
        for number, port in enumerate(ports, start=1):
            await made.process(f"api-{number}", "api", API_PORT=str(port))
        for _ in range(WORKERS):
            await made.another_worker()
        yield made


async def run(console: Console, *, stay: bool) -> int:
    """Play, print, and stay up if told to. The last line is the JSON of what was counted; 0 when every number is right."""
    end_when_terminated()
    folder = Path(tempfile.mkdtemp(prefix="sojourn-cluster-"))
    code = await _play(folder, console, stay=stay)
    if code == 0:
        shutil.rmtree(folder, ignore_errors=True)
    return code


async def _play(folder: Path, console: Console, *, stay: bool) -> int:
    wrong: list[str] = []
    async with cluster(folder) as running:
        console.print(f"APIs {' and '.join(running.urls)}   Temporal {running.temporal}   logs in {folder}", soft_wrap=True)
        example = folder / "three-cities"
        console.print(f"One duration of the example is changed:  {shortened(EXAMPLE, example)}")
        multiplied(example)
        turns = TakingTurns(running.urls)
        key = running.told[f"{PREFIX}ADMIN_KEY"]
        result = await perform(
            example,
            running.urls[0],
            key,
            running.mail,
            running.push,
            console.print,
            transport=turns,
            meanwhile=running.meanwhile,
            patience=_PATIENCE,
        )
        wrong += result.differences + tuple(_sent_twice(running))
        shares = await _shares(running)
        wrong += [f"{name} has done nothing" for name, tasks in shares.items() if not tasks]
        _show(console, running, result.report, turns, shares)
        for sentence in wrong:
            console.print(f"[bold red]Wrong:[/] {sentence}")
        if stay:
            console.print(f"\nEverything stays up; the admin key is {key}; stop with Ctrl+C.", soft_wrap=True)
        print(json.dumps(result.counted | {"tasks": shares, "calls": list(turns.calls.values())}), flush=True)
        if stay:
            await until_interrupted()
    return 1 if wrong else 0


def multiplied(example: Path) -> None:
    """Give every profile of the example a few doubles, with ids, addresses and devices of their own."""
    file = example / "profiles.ndjson"
    originals = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    profiles = list(originals)
    for number in range(1, COPIES):
        for original in originals:
            double = deepcopy(original)
            double["id"] += f"-{number}"
            double["identities"] = {name: f"{value}-{number}" for name, value in double["identities"].items()}
            if double["attributes"].get("email"):
                double["attributes"]["email"] = f"{number}.{double['attributes']['email']}"
            for token in double.get("push_tokens", ()):
                token["token"] += f"-{number}"
            profiles.append(double)
    file.write_text("".join(json.dumps(profile) + "\n" for profile in profiles), encoding="utf-8")


def _sent_twice(running: Cluster) -> list[str]:
    """No mail is there twice. A push may be, under its key, by which a push service knows it again: its worker was killed."""
    mails = [(mail.to, mail.subject) for mail in running.mail.messages]
    return [
        f"the mail {subject!r} went to {to} {mails.count((to, subject))} times"
        for to, subject in {*mails}
        if mails.count((to, subject)) > 1
    ]


async def _shares(running: Cluster) -> dict[str, int]:
    """How many workflow tasks each worker has done, by its name: each of them is about one stop."""
    client = await Client.connect(running.temporal, namespace="sojourn")
    done = await tasks_by_process(client, f"SojournJourney = '{JOURNEY}' AND WorkflowType = 'entrant'")
    return {worker.name: done[worker.pid] for worker in running.workers}


def _show(console: Console, running: Cluster, report: dict[str, Any], turns: TakingTurns, shares: dict[str, int]) -> None:
    console.print(reporting.table(report))
    for sentence in reporting.sentences(report):
        console.print(sentence)
    table = Table("process", "work", "share", "what became of it", title="Who did how much")
    for number, url in enumerate(running.urls, start=1):
        table.add_row(f"api-{number}", f"{turns.calls[url]} calls", _share(turns.calls[url], turns.calls.total()), "")
    for name, tasks in shares.items():
        table.add_row(name, f"{tasks} workflow tasks", _share(tasks, sum(shares.values())), running.fate.get(name, ""))
    console.print(table)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "-"


def main() -> int:
    """What `python -m demo.cluster` does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stay", action="store_true", help="stay up when all is played, until it is interrupted")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 160)
    try:
        return asyncio.run(run(console, stay=options.stay))
    except SojournError as error:
        print(error.sentence, file=sys.stderr)
        return 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # what is left of it is of no use to anybody

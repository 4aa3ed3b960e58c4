"""`make bench`: Sojourn and the hand-written workflow in one run, alternating, on a dev server and SQLite as `sojourn dev` runs them.

Prints both in journeys a second and their ratio, what a person costs, and writes bench/results.json. With DATABASE=postgresql both have a
Temporal server as in production on PostgreSQL, Sojourn's store is on the same PostgreSQL, and the file is bench/results-postgresql.json.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import handwritten, sojourn
from bench.measure import Cost, History, Meter, history_of
from commands import looping
from commands.folder import read
from demo import temporal_cli
from demo.postgres_server import postgres_server
from demo.temporal_production import production_server
from demo.temporal_server import TemporalServer, temporal_server
from providers.null import NullProvider
from settings import Settings
from worker import make_worker, opened

EXAMPLE = Path(__file__).parent.parent / "examples" / "three-cities"
RESULTS = {"sqlite": "results.json", "postgresql": "results-postgresql.json"}
LEAST = {"sqlite": 0.8, "postgresql": 1.0}
"""The ratio that is asked. On PostgreSQL both sides have a database over a socket, and the hand-written one has more commits there."""
LIMITS = {"events": 22, "bytes": 4096, "workflow_tasks": 3, "activity_tasks": 0}


@dataclass(frozen=True)
class Servers:
    """What both are measured on. `database` is the first process of PostgreSQL, 0 for a file."""

    temporal: TemporalServer
    store: str
    database: int = 0


@asynccontextmanager
async def servers(database: str, data: Path) -> AsyncIterator[Servers]:
    """Start them on empty databases."""
    if database == "sqlite":
        async with temporal_server(temporal_cli.ensure(), file=data / "temporal.db") as server:
            yield Servers(server, f"sqlite:///{data / 'sojourn.db'}")
        return
    async with postgres_server(data / "postgres", contrib=True) as postgres, production_server(data / "temporal", postgres) as server:
        yield Servers(server, postgres.url, postgres.pid)


async def measure(people: int, rounds: int, database: str) -> dict[str, object]:
    """Alternate the two, and give the figures as the file of results holds them."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        async with servers(database, data) as on:
            settings = Settings(
                data_dir=data, database_url=on.store, temporal_address=on.temporal.address, secret="s" * 32, admin_key="k" * 32
            )
            providers = {channel: NullProvider(channel) for channel in ("email", "push")}
            async with opened(settings, providers=providers) as process:
                example = read(EXAMPLE)
                await process.database.write(lambda work: sojourn.set_up(work, example))
                ours: list[Cost] = []
                theirs: list[Cost] = []
                ids: tuple[list[str], list[str]] = ([], [])
                for number in range(-1, rounds):  # the first warms both up
                    names = await sojourn.bring(process, people if number >= 0 else 20, f"r{number + 1}")
                    async with make_worker(process):
                        meter = Meter(on.temporal.pid, on.database)
                        ids[0][:] = await sojourn.play(process, names)
                        ours += [meter.stop(people)] if number >= 0 else []
                    async with handwritten.make_worker(process.client):
                        meter = Meter(on.temporal.pid, on.database)
                        ids[1][:] = await handwritten.play(process.client, people if number >= 0 else 20, f"hand-{number + 1}")
                        theirs += [meter.stop(people)] if number >= 0 else []
                    if number >= 0:
                        print(f"round {number + 1}: {ours[-1].per_second:.1f} and {theirs[-1].per_second:.1f} journeys/s", file=sys.stderr)
                histories = [await history_of(process.client, names) for names in ids]
    ratios = [mine.per_second / other.per_second for mine, other in zip(ours, theirs, strict=True)]
    return {
        "database": database,
        "people": people,
        "rounds": rounds,
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "sojourn": _figures(ours, histories[0]),
        "handwritten": _figures(theirs, histories[1]),
    }


def _figures(costs: list[Cost], history: History) -> dict[str, float]:
    return {
        "journeys_per_second": round(statistics.median(cost.per_second for cost in costs), 1),
        "worker_cpu_ms": round(statistics.median(cost.worker_ms for cost in costs), 2),
        "server_cpu_ms": round(statistics.median(cost.server_ms for cost in costs), 2),
        "database_cpu_ms": round(statistics.median(cost.database_ms for cost in costs), 2),
        **history.as_dict(),
    }


def main() -> int:
    """Measure, print, write; 1 when a limit on the history is broken or the ratio is under what is asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", choices=sorted(RESULTS), default="sqlite")
    parser.add_argument("--least", type=float, help="the ratio below which the exit code is 1")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    results = looping.run(measure(options.people, options.rounds, options.database))
    print(json.dumps(results, indent=2))
    (Path(__file__).parent / RESULTS[options.database]).write_text(json.dumps(results, indent=2) + "\n")
    figures = results["sojourn"]
    assert isinstance(figures, dict)
    over = [f"{name} {figures[name]} is over {limit}" for name, limit in LIMITS.items() if figures[name] > limit]
    least = LEAST[options.database] if options.least is None else options.least
    if float(str(results["ratio"])) < least:
        over.append(f"the ratio {results['ratio']} is under {least}")
    print("\n".join(over) or "within every limit", file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a process that ran a worker sometimes aborts at the interpreter's exit

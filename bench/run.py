"""`make bench`: Sojourn and the hand-written workflow in one run, alternating, on a dev server as `sojourn dev` runs it.

Prints both in journeys a second and their ratio, what a person costs, and writes bench/results.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import statistics
import sys
import tempfile
from pathlib import Path

from bench import handwritten, sojourn
from bench.measure import Cost, History, Meter, history_of
from commands.folder import read
from demo import temporal_cli
from demo.temporal_server import temporal_server
from providers.null import NullProvider
from settings import Settings
from worker import make_worker, opened

EXAMPLE = Path(__file__).parent.parent / "examples" / "three-cities"
RESULTS = Path(__file__).parent / "results.json"
LIMITS = {"events": 22, "bytes": 4096, "workflow_tasks": 3, "activity_tasks": 0}


async def measure(people: int, rounds: int) -> dict[str, object]:
    """Alternate the two, and give the figures as results.json holds them."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        async with temporal_server(temporal_cli.ensure(), file=data / "temporal.db") as server:
            settings = Settings(data_dir=data, temporal_address=server.address, secret="s" * 32, admin_key="k" * 32)
            providers = {channel: NullProvider(channel) for channel in ("email", "push")}
            async with opened(settings, providers=providers) as process:
                example = read(EXAMPLE)
                await process.database.write(lambda work: sojourn.set_up(work, example))
                ours: list[Cost] = []
                theirs: list[Cost] = []
                ids: tuple[list[str], list[str]] = ([], [])
                for number in range(-1, rounds):  # the first warms both up
                    async with make_worker(process):
                        meter = Meter(server.pid)
                        ids[0][:] = await sojourn.play(process, people if number >= 0 else 20, f"r{number + 1}")
                        ours += [meter.stop(people)] if number >= 0 else []
                    async with handwritten.make_worker(process.client):
                        meter = Meter(server.pid)
                        ids[1][:] = await handwritten.play(process.client, people if number >= 0 else 20, f"hand-{number + 1}")
                        theirs += [meter.stop(people)] if number >= 0 else []
                    if number >= 0:
                        print(f"round {number + 1}: {ours[-1].per_second:.1f} and {theirs[-1].per_second:.1f} journeys/s", file=sys.stderr)
                histories = [await history_of(process.client, names) for names in ids]
    ratios = [mine.per_second / other.per_second for mine, other in zip(ours, theirs, strict=True)]
    return {
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
        **history.as_dict(),
    }


def main() -> int:
    """Measure, print, write; 1 when a limit on the history is broken or the ratio is under what is asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--least", type=float, default=0.8, help="the ratio below which the exit code is 1")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    results = asyncio.run(measure(options.people, options.rounds))
    print(json.dumps(results, indent=2))
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    figures = results["sojourn"]
    assert isinstance(figures, dict)
    over = [f"{name} {figures[name]} is over {limit}" for name, limit in LIMITS.items() if figures[name] > limit]
    if float(str(results["ratio"])) < options.least:
        over.append(f"the ratio {results['ratio']} is under {options.least}")
    print("\n".join(over) or "within every limit", file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a process that ran a worker sometimes aborts at the interpreter's exit

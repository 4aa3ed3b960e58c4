"""The composition root of the command line: reads the settings, and gives each command what it needs. It knows no command's work.

What runs a server is imported by the commands that do: it takes seconds, and every other command is to answer at once. Every command
ends through `end` (commands/ending.py).
"""

from __future__ import annotations

import asyncio
import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

import settings
from commands import apply as applying
from commands import diff as comparing
from commands import keys as keying
from commands import looping, saying
from commands import plan as planning
from commands import population as populating
from commands import publish as publishing
from commands import reconcile as reconciling
from commands import report as reporting
from commands import review as reviewing
from commands import scenarios as testing
from commands import schema as describing
from commands import simulate as simulating
from commands import try_out as trying
from commands import validate as validating
from commands import why as explaining
from commands.ending import end
from commands.http import Api
from commands.options import JourneyId, Json, MapFile, People, WakeRate
from journey.errors import BadInput, SojournError

app = typer.Typer(
    name="sojourn", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="Customer journeys that never lose a step: e-mail and push on Temporal.",
)  # fmt: skip


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(metadata.version("sojourn"))
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """What may stand before a command."""


@app.command()
def dev() -> None:
    """Run the whole of Sojourn on this machine: a Temporal server, the worker and the API, until it is interrupted."""
    from demo import dev as developing  # noqa: PLC0415  # loads the whole server

    read = settings.completed(settings.load())
    _log(read)
    looping.run(developing.run(read, saying.console()))


@app.command()
def demo(
    leave: Annotated[bool, typer.Option("--exit", help="End when all is played: with 0 when every number is right, else 1.")] = False,
) -> None:
    """Play the example from first to last on a server of its own, and show what became of everybody."""
    from demo import show as showing  # noqa: PLC0415  # loads the whole server

    read = settings.completed(settings.load())
    _log(read)
    raise typer.Exit(looping.run(showing.run(read, saying.console(), leave=leave)))


@app.command()
def worker() -> None:
    """Run one worker, beside any number of others. Needs PostgreSQL and a Temporal server; `sojourn dev` is all in one process."""
    from commands import worker as working  # noqa: PLC0415  # loads the worker

    read = settings.shared(settings.load(), "secret")
    _log(read)
    looping.run(working.run(read))


@app.command()
def api() -> None:
    """Run one process of the API, beside any number of others. Needs PostgreSQL; `sojourn dev` is all in one process."""
    from commands import api as serving  # noqa: PLC0415  # loads the whole server

    read = settings.shared(settings.load(), "secret", "admin_key")
    _log(read)
    looping.run(serving.run(read))


@app.command()
def setup(as_json: Json = False) -> None:
    """Bring the database up to date, and make of the Temporal server what Sojourn needs. Safe to repeat."""
    from commands import setup as setting_up  # noqa: PLC0415  # loads the worker

    said: list[str] = []
    asyncio.run(setting_up.run(settings.load(), said.append if as_json else typer.echo))
    if as_json:
        saying.print_json(said)


@app.command()
def validate(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder of documents, or one of its journeys.")], as_json: Json = False
) -> None:
    """Judge a folder offline: file and line of each finding. Ends with 1 when one is an error."""
    raise typer.Exit(validating.run(path, as_json))


@app.command()
def simulate(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder of documents, or one of its journeys.")],
    journey: Annotated[str, typer.Option(metavar="ID", help="Which journey, when the folder has several.")] = "",
    profile: Annotated[str, typer.Option(metavar="ID", help="Who walks; the first member of the segment when absent.")] = "",
    at: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="What happens, as in 'PT2H email.opened' or 'P2D purchase'.")] = None,
    stop: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="How long a stop takes.")] = None,
    until: Annotated[str, typer.Option(metavar="DURATION", help="When to stop looking.")] = "",
    begins: Annotated[str, typer.Option(metavar="DATE-TIME", help="When they enter, as 2026-03-02T09:00; else now, or at its start.")] = "",
    response: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="What a webhook answers, as in 'get-score=200 {}'.")] = None,
    consent_explicit: Annotated[bool, typer.Option("--consent-explicit", help="Write only to people who said yes.")] = False,
    people: Annotated[int, typer.Option(metavar="N", min=0, max=1_000_000, help="Walk so many people by lot, and show a funnel.")] = 0,
    rate: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="How many do what, as in 'email.opened=0.3 PT4H'.")] = None,
    seed: Annotated[int, typer.Option(help="Other lots for the people.")] = 1,
    svg: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the diagram with the counts of the people.")] = None,
    as_json: Json = False,
) -> None:
    """Walk somebody through a journey offline, and tell the story; without --at, show every way through. With --people, walk many."""
    if (at or stop or until) if people else (rate or svg is not None):
        raise BadInput("--at, --stop and --until tell what one person does; --rate and --svg are for many, with --people.")
    given: dict[str, Any] = {"journey": journey, "profile": profile, "begins": begins, "consent_explicit": consent_explicit}
    if people:
        asked = populating.Asked(people, seed, rate or (), svg, response or ())
        raise typer.Exit(populating.run(path, asked, None if as_json else saying.console(), **given))
    raise typer.Exit(simulating.run(path, at=at or (), stop=stop or (), until=until, responses=response or (), as_json=as_json, **given))


@app.command("test")
def play_scenarios(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder of documents, a folder of such folders, or one scenario's file.")],
    least: Annotated[int, typer.Option(metavar="PERCENT", min=0, max=100, help="How much of the nodes and exits must be covered.")] = 0,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a report for a CI server, in JUnit's XML.")] = None,
    real: Annotated[bool, typer.Option("--real", help="Play them on a Temporal server of their own, started for it.")] = False,
    as_json: Json = False,
) -> None:
    """Play the scenarios beside a journey, offline. Ends with 1 when an expectation is not met, or too little is covered."""
    asked: dict[str, Any] = {"least": least, "junit": junit, "as_json": as_json}
    if not real:
        raise typer.Exit(testing.run(path, **asked))
    from demo import real_scenarios  # noqa: PLC0415  # loads the whole server

    raise typer.Exit(testing.run(path, player=real_scenarios.play, **asked))


@app.command()
def apply(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of documents.")], as_json: Json = False) -> None:
    """Send a folder to the API: attributes, segments, events, messages, journeys, profiles, suppressions. Nothing is deleted."""
    with _api() as api, saying.progress(hidden=as_json) as progress:
        tasks: dict[str, Any] = {}

        def told(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=of)
            progress.update(tasks[what], completed=done)

        applied = applying.apply(api, folder, told)
    if as_json:
        saying.print_json(applied.as_json())
    else:
        counts = {name: count for name, count in applied.as_json().items() if name not in ("failed", "errors") and count}
        typer.echo("Applied: " + ", ".join(saying.counted(count, name) for name, count in counts.items()) + ".")
    for error in applied.errors:
        typer.echo(f"{error['file']}:{error['line']}: {error['sentence']}", err=True)
    if applied.failed:
        raise BadInput(f"{applied.failed} of {applied.failed + applied.profiles} profiles were not taken.")


@app.command()
def plan(journey: JourneyId, people: People = "", mapped: MapFile = None, as_json: Json = False) -> None:
    """Count what would become of people inside if a journey's draft were published now: who stays, moves, leaves. Changes nothing."""
    told = planning.succession(people, mapped)
    with _api() as api:
        answer = planning.plan(api, journey, told)
    saying.say(answer, as_json, planning.sentences, planning.table)


@app.command()
def publish(journey: JourneyId, people: People = "", mapped: MapFile = None, rate: WakeRate = None, as_json: Json = False) -> None:
    """Freeze a journey's draft as its next version and let people in; `sojourn plan` says beforehand what becomes of those inside."""
    told = planning.succession(people, mapped, rate)
    with _api() as api:
        answer = publishing.publish(api, journey, told)
    saying.say(answer, as_json, publishing.sentences)


@app.command("try")
def try_out(
    journey: JourneyId,
    profile: Annotated[list[str] | None, typer.Option("--profile", help="A test profile; give it again for another.")] = None,
    up_to: Annotated[int | None, typer.Option("--up-to", min=1, max=100, help="So many test profiles of the segment instead.")] = None,
    wait: Annotated[str, typer.Option("--wait", help="What waits and timeouts are squeezed to; PT10S when absent.")] = "",
    real: Annotated[bool, typer.Option("--real", help="Really send the messages.")] = False,
    as_json: Json = False,
) -> None:
    """Put a journey's draft into test, let test profiles in, and follow them until they wait for somebody or are at their end."""
    wanted = trying.Wanted(tuple(profile or ()), up_to, wait, real)
    with _api() as api:
        log = trying.try_out(api, journey, wanted, (lambda _: None) if as_json else typer.echo)
    saying.say(log, as_json, trying.sentences)


@app.command()
def diff(
    what: Annotated[str, typer.Argument(metavar="ID|DIR", help="The id of a journey, or a folder of documents.")],
    older: Annotated[str, typer.Argument(metavar="A|ID", help="A version's number; of a folder, the id of its journey.")],
    newer: Annotated[str, typer.Argument(metavar="B", help="The number of another version, or draft.")] = "",
    as_json: Json = False,
) -> None:
    """Compare two versions of a journey by meaning (ID A B), or a folder's with the live one (DIR ID), and say who stands where."""
    with _api() as api:
        answer = comparing.between(api, what, older, newer) if newer else comparing.of_folder(api, Path(what), older)
    saying.say(answer, as_json, comparing.sentences)


@app.command()
def report(
    journey: JourneyId,
    version: Annotated[int | None, typer.Option("--version", min=1, help="The number of a version; the live one when absent.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV, a line for each number.")] = False,
    as_json: Json = False,
) -> None:
    """Show how many people came to each node, are there, and left by which exit, and what became of each message."""
    with _api() as api:
        answer = reporting.report(api, journey, version)
    if as_csv:
        for line in reporting.as_csv(answer):
            typer.echo(line)
        return
    saying.say(answer, as_json, reporting.sentences, reporting.table, reporting.messages)


@app.command()
def why(entrant: Annotated[str, typer.Argument(metavar="ENTRANT", help="As in thank-you~c-003~1.")], as_json: Json = False) -> None:
    """Say where somebody is, what they wait for, and what every event meant to them, with the conditions that were not met."""
    with _api() as api:
        answer = explaining.why(api, entrant)
    saying.say(answer, as_json, explaining.sentences)


@app.command()
def reconcile(
    wake: Annotated[bool, typer.Option("--wake", help="Have everybody's workflow ask the store: for after a restore.")] = False,
    as_json: Json = False,
) -> None:
    """Compare the store with the Temporal server, person by person, and put right what is amiss."""
    with _api() as api, saying.progress(hidden=as_json) as progress:
        task = progress.add_task("0 looked at", total=None)
        answer = reconciling.reconcile(
            api, lambda found: progress.update(task, description=f"{found['checked']} looked at"), wake=wake
        )  # fmt: skip
    saying.say(answer, as_json, reconciling.sentences, reconciling.table)


def main() -> NoReturn:
    """The console script `sojourn`: 0 when all went well, 1 with a sentence on stderr when not, 2 when it was called wrongly."""
    try:
        app()
    except SojournError as error:
        end(saying.told(error))
    except SystemExit as left:  # how Typer says that a command is over
        end(left.code if isinstance(left.code, int) else int(left.code is not None))
    except BaseException:
        sys.excepthook(*sys.exc_info())
        end(1)
    end(0)


def _log(read: settings.Settings) -> None:
    import logs  # noqa: PLC0415  # knows the errors of database and Temporal, whose libraries it loads

    logs.set_up(read.log_format)


def _api() -> Api:
    read = settings.load()
    return Api(read.api_url, settings.admin_key(read))


reviewing.add_to(app, _api)
keying.add_to(app, _api)
describing.add_to(app)

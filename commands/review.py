"""`sojourn review ID`: what is held for review, what is in it, and the word that lets it go or not. It decides nothing: the API does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.markup import escape
from rich.table import Table

from commands import saying
from commands.http import Api, journey_path
from journey.errors import BadInput

_PAGE = 500
_WORDS = {"approve": "approved", "discard": "discarded", "render": "to be made out anew"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries are meant, and what is said of them: approve, discard, render, or nothing, when they are only looked at."""

    deliveries: tuple[str, ...] = ()
    node: str = ""
    as_of: str = ""
    verdict: str = ""


def wanted(
    deliveries: Sequence[str], node: str, as_of: str, *, approve: bool, discard: bool, render: bool
) -> Wanted:  # fmt: skip
    """Raises BadInput when two things are said at once, or something of all there is."""
    said = [name for name, given in (("approve", approve), ("discard", discard), ("render", render)) if given]
    if len(said) > 1:
        raise BadInput(f"Say one of --{' and --'.join(said)} at a time.")
    if said and not node and not deliveries:
        raise BadInput("Say which are meant: --node for all that waits at a node, or the ids of deliveries.")
    return Wanted(tuple(deliveries), node, as_of, "".join(said))


def add_to(app: typer.Typer, api: Callable[[], Api]) -> None:
    """Make it a command."""

    @app.command()
    def review(
        journey: Annotated[str, typer.Argument(metavar="ID", help="The id of a journey.")],
        deliveries: Annotated[list[str] | None, typer.Argument(metavar="[DELIVERY]...", help="These alone.")] = None,
        node: Annotated[str, typer.Option("--node", help="Only what waits at this node.")] = "",
        approve: Annotated[bool, typer.Option("--approve", help="Let it go, as it was made out.")] = False,
        discard: Annotated[bool, typer.Option("--discard", help="Leave it out; its people go on.")] = False,
        render: Annotated[bool, typer.Option("--render", help="Have it made out anew, of the newest message and profile.")] = False,
        as_of: Annotated[str, typer.Option("--as-of", metavar="INSTANT", help="Only what was made out until then.")] = "",
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON value instead of text.")] = False,
    ) -> None:
        """Show which messages of a journey are held for review, or what is in some of them; approve or discard them."""
        what = wanted(deliveries or (), node, as_of, approve=approve, discard=discard, render=render)
        with api() as opened:
            run(opened, journey, what, as_json=as_json)


def run(api: Api, journey: str, what: Wanted, *, as_json: bool) -> None:
    """Print what waits, what is in the deliveries that are named, or what came of what was said."""
    if what.verdict:
        saying.say(judge(api, journey, what), as_json, lambda answer: judged(answer, what.verdict))
    elif what.deliveries:
        saying.say([seen(api, delivery) for delivery in what.deliveries], as_json, contents)
    else:
        saying.say(waiting(api, journey, what.node), as_json, counts, table)


def waiting(api: Api, journey: str, node: str = "") -> dict[str, Any]:
    """Everything of a journey that waits, or at one node of it, and the instant at which that was so."""
    journey_path(journey)  # an id, or refused here
    page = api.get("/v1/reviews", journey=journey, node=node or None, limit=_PAGE)
    items, as_of = page["items"], page["as_of"]
    while page["next"] is not None:
        page = api.get("/v1/reviews", journey=journey, node=node or None, limit=_PAGE, cursor=page["next"])
        items += page["items"]
    return {"items": items, "as_of": as_of}


def seen(api: Api, delivery: str) -> dict[str, Any]:
    """One delivery with what is in it."""
    answer: dict[str, Any] = api.get(f"/v1/reviews/{quote(delivery, safe='~')}")
    return answer


def judge(api: Api, journey: str, what: Wanted) -> dict[str, Any]:
    """Say it."""
    body = {"node": what.node} | ({"ids": list(what.deliveries)} if what.deliveries else {}) | ({"as_of": what.as_of} if what.as_of else {})
    answer: dict[str, Any] = api.post(f"{journey_path(journey)}:{what.verdict}", body)
    return answer


def table(answer: Mapping[str, Any]) -> Table:
    """A row for each delivery that waits."""
    made = Table()
    for heading in ("delivery", "node", "since", "subject, or why there is none"):
        made.add_column(heading)
    for one in answer["items"]:
        shown = one["error"] or one["subject"] or ("is being made out" if one["rendered_at"] is None else "nothing is left of it")
        made.add_row(escape(one["id"]), escape(one["node"]), one["since"], escape(shown))
    return made


def counts(answer: Mapping[str, Any]) -> Iterator[str]:
    """How many wait at each node, and what keeps some of them from going."""
    at: dict[str, int] = {}
    missing: dict[str, int] = {}
    for one in answer["items"]:
        at[one["node"]] = at.get(one["node"], 0) + 1
        if one["error"]:
            missing[one["error"]] = missing.get(one["error"], 0) + 1
    listed = ", ".join(f"{count} at {node}" for node, count in at.items())
    yield f"{listed} as of {answer['as_of']}." if listed else "Nothing waits for a review."
    for sentence, count in missing.items():
        yield f"{count} cannot be made out: {sentence}"


def contents(answers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What somebody would get."""
    for one in answers:
        whom = one["to"] or f"{one['devices']} devices"
        yield f"{one['id']} to {whom} waits since {one['since']}, until {one['until']} at the latest."
        if one["error"]:
            yield f"It cannot be made out: {one['error']}"
        for name, value in (one["email"] or one["push"] or {}).items():
            if value:
                yield f"{name}: {value}"


def judged(answer: Mapping[str, Any], verdict: str) -> Iterator[str]:
    """What came of it."""
    yield f"{answer['count']} {_WORDS[verdict]}."
    if answer["anew"]:
        yield f"{answer['anew']} of them could not be made out before: they go if they can be now, else they wait on."
    if answer["left"]:
        yield f"Not in review: {', '.join(answer['left'])}."

"""`sojourn keys`: which API keys there are, a new one, and one taken back. It keeps no secret: whoever makes a key reads it once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from commands import saying
from commands.http import Api
from commands.options import Json
from journey.errors import BadInput

_PAGE = 500
_SCOPE = "admin opens everything, ingest what sends data in."
_NAMESPACE = "Of ingest: what the users' ids are, as customer_id."


def add_to(app: typer.Typer, api: Callable[[], Api]) -> None:
    """Make it a command with three of its own."""
    keys = typer.Typer(no_args_is_help=True, help="API keys: list them, make one, revoke one.", rich_markup_mode=None)
    app.add_typer(keys, name="keys")

    @keys.command("list")
    def list_them(as_json: Json = False) -> None:
        """Show the API keys: what each opens, and in which hour it was used last. Nobody can read a secret again."""
        with api() as opened:
            answer = listed(opened)
        saying.say(answer, as_json, none_of_them, *([table] if answer["items"] else []))

    @keys.command()
    def create(
        name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for, as 'The web page'.")],
        scope: Annotated[str, typer.Option("--scope", metavar="SCOPE", help=_SCOPE)],
        namespace: Annotated[str, typer.Option("--namespace", metavar="NAMESPACE", help=_NAMESPACE)] = "",
        as_json: Json = False,
    ) -> None:
        """Make an API key, and print its secret, once."""
        with api() as opened:
            answer = made(opened, name, scope, namespace)
        saying.say(answer, as_json, secret)

    @keys.command()
    def revoke(
        key: Annotated[str, typer.Argument(metavar="ID", help="The id of a key, as `sojourn keys list` shows it.")], as_json: Json = False
    ) -> None:
        """Revoke an API key: it opens nothing any more, in every process of the API within two seconds."""
        with api() as opened:
            answer = revoked(opened, key)
        saying.say(answer, as_json, gone)


def listed(api: Api) -> dict[str, Any]:
    """All of them, the oldest first."""
    page = api.get("/v1/keys", limit=_PAGE)
    items = page["items"]
    while page["next"] is not None:
        page = api.get("/v1/keys", limit=_PAGE, cursor=page["next"])
        items += page["items"]
    return {"items": items}


def made(api: Api, name: str, scope: str, namespace: str) -> dict[str, Any]:
    """A new one, with its secret in `key`."""
    answer: dict[str, Any] = api.post("/v1/keys", {"name": name, "scope": scope, "namespace": namespace})
    return answer


def revoked(api: Api, key: str) -> dict[str, Any]:
    """Revoke one by its id. Raises BadInput for what is no id: a secret that was given by mistake is not sent on in an address."""
    if not re.fullmatch(r"key-[0-9a-f]{16}", key):
        raise BadInput("That is no id of an API key: `sojourn keys list` shows them, as key-0123456789abcdef.")
    api.delete(f"/v1/keys/{key}")
    return {"revoked": key}


def table(answer: Mapping[str, Any]) -> Table:
    """A row for each key."""
    made = Table()
    for heading in ("id", "name", "scope", "namespace", "made", "last used, by the hour"):
        made.add_column(heading)
    for one in answer["items"]:
        last = one["last_used_at"] or "never"
        made.add_row(one["id"], escape(one["name"]), one["scope"], escape(one["namespace"]), one["created_at"], last)
    return made


def none_of_them(answer: Mapping[str, Any]) -> Iterator[str]:
    """What is said of an empty list."""
    if not answer["items"]:
        yield "There are no API keys: `sojourn keys create` makes one. The keys of the settings are not listed."


def secret(answer: Mapping[str, Any]) -> Iterator[str]:
    """The secret on a line of its own, to be copied."""
    yield f"{answer['id']} is made. Its secret, which nobody can read again:"
    yield answer["key"]


def gone(answer: Mapping[str, Any]) -> Iterator[str]:
    """That it is done."""
    yield f"{answer['revoked']} is revoked."

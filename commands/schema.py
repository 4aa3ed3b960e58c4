"""`sojourn schema`: the JSON Schema of a document, for editors and for machines that write journeys. It needs no server."""

from __future__ import annotations

from typing import Annotated

import typer

from commands import saying
from journey import json_schema
from journey.errors import BadInput
from journey.nearest import meant

_KINDS = ", ".join(json_schema.DOCUMENTS)


def add_to(app: typer.Typer) -> None:
    """Make it a command."""

    @app.command()
    def schema(document: Annotated[str, typer.Argument(metavar="DOCUMENT", help=f"One of {_KINDS}.")]) -> None:
        """Print the JSON Schema of a document, as editors complete and judge files by it."""
        saying.print_json(of(document))


def of(document: str) -> dict[str, object]:
    """The schema of one kind of document. Raises BadInput for a kind that there is not."""
    if document not in json_schema.DOCUMENTS:
        raise BadInput(f"There is no document {document!r}: name one of {_KINDS}.{meant(document, list(json_schema.DOCUMENTS))}")
    return json_schema.schema(document)

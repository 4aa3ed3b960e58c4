"""Things that are put under an address: the id stands in the address, and may stand in the body too. It knows no resource."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from journey.errors import BadInput
from journey.graph import THING_ID

Id = Annotated[str, Path(pattern=THING_ID, description="A letter, then up to 62 of a-z, 0-9 and -.")]
"""The id of a segment, event definition, message or journey in an address."""


def same_id(in_body: str, in_path: str) -> str:
    """The id of a thing that is put. Raises BadInput when body and address name two."""
    if in_body and in_body != in_path:
        raise BadInput(f"The address says {in_path}, the body says {in_body}: name the same id, or leave it out of the body.", where="id")
    return in_path

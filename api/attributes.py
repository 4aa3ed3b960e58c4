"""The declared attributes: `GET PUT /v1/attributes`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends
from pydantic import Field

from api.auth import admin
from api.services import With
from journey.profiles import Attribute
from store import attributes

router = APIRouter(prefix="/v1/attributes", tags=["attributes"], dependencies=[Depends(admin)])

Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
"""A name that a rule can hold."""
Declared = Annotated[dict[Name, Attribute], Body(json_schema_extra={"additionalProperties": False})]


@router.get("")
async def read_attributes(services: With) -> dict[str, Attribute]:
    """Every declared attribute by its name."""
    return await services.database.read(attributes.all_of)


@router.put("")
async def replace_attributes(services: With, declared: Declared) -> dict[str, Attribute]:
    """Declare exactly these. The values that profiles hold stay as they are."""
    await services.database.write(lambda work: attributes.replace(work, declared))
    return await services.database.read(attributes.all_of)

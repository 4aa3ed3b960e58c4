"""The policies that sending is held to: `GET PUT /v1/policies`."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from api.auth import admin
from api.services import With
from journey.errors import BadInput
from journey.findings import blocking
from journey.policies import Policies
from journey.validation.policies import of_policies
from store import policies

router = APIRouter(prefix="/v1/policies", tags=["policies"], dependencies=[Depends(admin)])


@router.get("")
async def read_policies(services: With) -> Policies:
    """Frequency caps and quiet hours as they were put; empty when nobody has put any."""
    return await services.database.read(policies.read)


@router.put("")
async def replace_policies(services: With, document: Policies) -> Policies:
    """Hold everybody to exactly these from the next message on."""
    errors = blocking(tuple(of_policies(document)))
    if errors:
        more = f" And {len(errors) - 1} more." if len(errors) > 1 else ""
        raise BadInput(f"{errors[0].sentence}{more}", code="policies_invalid", where=errors[0].field)
    await services.database.write(lambda work: policies.put(work, document))
    return document

"""Store and Temporal server are compared whole, over HTTP. It compares nothing: a workflow does, and this asks how far it is."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, StrictBool

from api.auth import admin
from api.problems import answers
from api.services import With
from journey.contract import Repaired
from journey.errors import NotFound

router = APIRouter(prefix="/v1/reconcile", tags=["service"], dependencies=[Depends(admin)])


class ReconcileRequest(BaseModel):
    """`wake`: everybody's workflow is asked to compare what it knows with the store, as is right after an older database was restored.
    It costs each person about what a stop costs."""

    model_config = ConfigDict(extra="forbid")

    wake: StrictBool = False


class LeftAloneModel(BaseModel):
    """A workflow for which nothing could be done, and why."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    code: str
    sentence: str


class ReconciliationModel(BaseModel):
    """How far the last comparison is. `checked` people were looked at, `told` got a signal, `started` their workflow again, `ended` were
    ended since their workflow was, `adopted` got a row in the store, `busy` are at work. `left` names up to 100 of those left alone."""

    model_config = ConfigDict(from_attributes=True)

    state: Literal["running", "done"]
    checked: int
    told: int
    started: int
    ended: int
    adopted: int
    busy: int
    left_alone: int
    left: list[LeftAloneModel]


@router.post("", status_code=202, responses=answers(503))
async def start_reconciliation(services: With, request: ReconcileRequest | None = None) -> ReconciliationModel:
    """Compare every open entrant with the workflows of the server, and every running workflow with the store; what is amiss is put right.

    One runs at a time: a second call finds the first. 503 when the Temporal server cannot be reached.
    """
    await services.workflows.reconcile(wake=request is not None and request.wake)
    return _shown(*(await services.workflows.reconciled() or (False, Repaired())))


@router.get("", responses=answers(404, 503))
async def get_reconciliation(services: With) -> ReconciliationModel:
    """How far the last comparison is, or what it came to. 404 when there was none that the server remembers."""
    found = await services.workflows.reconciled()
    if found is None:
        raise NotFound("Nothing has been compared, as far as the Temporal server remembers: ask for it by POST.")
    return _shown(*found)


def _shown(over: bool, repaired: Repaired) -> ReconciliationModel:
    values = {name: getattr(repaired, name) for name in ReconciliationModel.model_fields if name not in ("state", "left")}
    left = [LeftAloneModel.model_validate(one) for one in repaired.left]
    return ReconciliationModel(state="done" if over else "running", left=left, **values)

"""Whether the service lives and is ready, and a page of links for people: `/healthz`, `/readyz`, `/`. It knows no resource."""

from __future__ import annotations

import html
import logging
from pathlib import Path
from string import Template
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel
from sqlalchemy import Connection, select

from api.problems import answers, problem
from api.services import Services, With
from store.schema import profiles

router = APIRouter(tags=["service"])

Condition = Literal["ready", "missing"]
_PAGE = Template((Path(__file__).parent / "start_page.html").read_text(encoding="utf-8"))
_RETRY_SECONDS = "5"
_log = logging.getLogger("sojourn.api")


class Alive(BaseModel):
    """This process answers."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """Each part that is needed, and whether it is there."""

    status: Condition
    parts: dict[str, Condition]


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def healthz() -> Alive:
    """This process answers; nothing else is looked at."""
    return Alive()


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", response_model=Ready, responses=answers(503))
async def readyz(services: With) -> Response:
    """Whether the database and the Temporal server can be reached; the answer 503 names the part that is missing."""
    parts: dict[str, Condition] = {
        "database": "ready" if await _database_answers(services) else "missing",
        "temporal": "ready" if await services.workflows.reachable() else "missing",
    }
    missing = [name for name, condition in parts.items() if condition == "missing"]
    if not missing:
        return JSONResponse({"status": "ready", "parts": parts})
    said = f"Not ready: {' and '.join(missing)} cannot be reached."
    return problem(503, "not_ready", said, headers={"Retry-After": _RETRY_SECONDS}, more={"parts": parts})


@router.head("/", include_in_schema=False)
@router.get("/", response_class=HTMLResponse, include_in_schema=False)
async def start_page(services: With) -> HTMLResponse:
    """A page of links for whoever opens the address in a browser."""
    temporal = services.temporal_ui
    link = f'<a class="card" href="{html.escape(temporal)}"><b>Temporal</b><span>Every person as a workflow.</span></a>' if temporal else ""
    return HTMLResponse(_PAGE.substitute(temporal=link))


async def _database_answers(services: Services) -> bool:
    def ask(connection: Connection) -> None:
        connection.execute(select(profiles.c.id).limit(1)).first()

    try:
        await services.database.read(ask)
    except Exception:  # whatever it is, the database did not answer; the log has it
        _log.warning("The database does not answer", exc_info=True)
        return False
    return True

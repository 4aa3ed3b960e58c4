"""The numbers of a version over HTTP, as a report and on its picture. It counts nothing and draws nothing itself."""

from __future__ import annotations

import csv
import io
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import BaseModel
from sqlalchemy import Connection

from api.auth import admin
from api.journeys import VersionItem, Which
from api.named import Id
from api.problems import answers
from api.records import Mode
from api.schedules import ScheduleModel, schedule_shown
from api.services import With
from journey import documents, report_lines, reports
from journey.diagrams import diagram, mermaid, svg
from journey.graph import Journey
from journey.reports import NodeReport, Totals
from store import journeys, messages, sessions, versions
from store import reports as store_reports
from store.versions import VersionRow

router = APIRouter(prefix="/v1/journeys", tags=["journeys"], dependencies=[Depends(admin)])

_DRAWN = "A number, `draft`, or `test`; absent, as for the report."


class ReportModel(BaseModel):
    """The numbers of one version as of now. `schedule` says when the journey lets in next, null when it is on none; `differences` names
    what contradicts itself: there should be none."""

    journey: str
    version: VersionItem
    versions: list[VersionItem]
    schedule: ScheduleModel | None
    totals: Totals
    nodes: list[NodeReport]
    differences: list[str]


@router.get(
    "/{journey_id}/report", response_model=ReportModel, responses={200: {"model": ReportModel, "content": {"text/csv": {}}}, **answers(404)}
)
async def get_report(
    journey_id: Id, services: With, version: Which = None, mode: Mode = "live", accept: Annotated[str, Header()] = ""
) -> ReportModel | Response:
    """The numbers of the live version, or of another: per node, in total, and whether they agree. With the mode `test` those of the test
    that is on; no other report knows them. Who accepts text/csv gets a line for each number."""

    def read(connection: Connection) -> ReportModel:
        row = journeys.version(connection, journey_id, version) if mode == "live" else _tested(connection, journey_id)
        graph = versions.frozen_version(connection, row.hash).journey
        report = store_reports.report(connection, row.id, graph, mode)
        return ReportModel(
            journey=journey_id,
            version=_item(row),
            versions=[VersionItem.model_validate(one) for one in journeys.all_versions(connection, journey_id)],
            schedule=schedule_shown(connection, journey_id) if mode == "live" else None,
            totals=report.totals,
            nodes=list(report.nodes),
            differences=list(reports.differences(graph, report)),
        )

    found = await services.database.read(read)
    if "text/csv" not in accept:
        return found
    return Response(_csv(found.model_dump(mode="json")), media_type="text/csv; charset=utf-8")


@router.get(
    "/{journey_id}/diagram",
    responses={200: {"content": {"image/svg+xml": {}, "text/plain": {}}}, **answers(404)},
    response_class=Response,
)
async def get_diagram(
    journey_id: Id,
    services: With,
    format: Literal["svg", "mermaid"] = "svg",
    version: Annotated[str, Query(pattern=r"^(|draft|test|[1-9]\d{0,8})$", description=_DRAWN)] = "",
) -> Response:
    """The picture of a version with its numbers as of now, of the test that is on, or of the draft; a journey never published shows its
    draft."""

    def read(connection: Connection) -> diagram.Diagram:
        known = messages.all_of(connection)
        row = _drawn(connection, journey_id, version)
        if row is None:
            return diagram.draw(documents.parse(Journey, journeys.get_draft(connection, journey_id).document), messages=known)
        graph = versions.frozen_version(connection, row.hash).journey
        return diagram.draw(graph, store_reports.report(connection, row.id, graph, "test" if version == "test" else "live"), known)

    drawn = await services.database.read(read)
    if format == "mermaid":
        return Response(mermaid.render(drawn), media_type="text/plain; charset=utf-8")
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "X-Content-Type-Options": "nosniff"}
    return Response(svg.render(drawn), media_type="image/svg+xml", headers=headers)


def _drawn(connection: Connection, journey_id: str, which: str) -> VersionRow | None:
    """The version to be drawn, None for the draft."""
    if which == "draft" or (not which and not journeys.all_versions(connection, journey_id)):
        return None
    if which == "test":
        return _tested(connection, journey_id)
    return journeys.version(connection, journey_id, int(which) if which else None)


def _tested(connection: Connection, journey_id: str) -> VersionRow:
    """The version of the test that is on. Raises NotFound."""
    return versions.row(connection, sessions.running(connection, journey_id).version)


def _csv(report: dict[str, Any]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows([report_lines.HEADINGS, *report_lines.lines(report)])
    return written.getvalue()


def _item(row: VersionRow) -> VersionItem:
    """A version as it is shown; that of a test session has the number of the session."""
    return VersionItem.model_validate(row).model_copy(update={"number": abs(row.number)})

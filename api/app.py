"""The API put together: every router, the middleware around them, and one table of errors. It opens nothing: the root gives it services."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from fastapi.params import Depends

from api import (
    attributes,
    cross_origin,
    diff,
    entrants,
    event_definitions,
    events,
    explaining,
    feedback,
    idempotency,
    journeys,
    keys,
    lifecycle,
    messages,
    metrics,
    native_calls,
    openapi,
    parameters,
    parking,
    planning,
    policies,
    problems,
    profiles,
    reactions,
    records,
    reference,
    repair,
    reports,
    reviews,
    runs,
    segment_compatible,
    segment_settings,
    segments,
    service,
    standing,
    suppressions,
    testing,
    testing_people,
)
from api.services import Services

_ABOUT = """Customer journeys on Temporal. Errors are problem documents (RFC 9457) with a stable `code`; pages carry a cursor in `next`.

To try a call, *Authorize* with the admin key: the setting `SOJOURN_ADMIN_KEY`, else the file `admin_key` in the server's data folder.
Programs get keys of their own (`POST /v1/keys`); one of the scope `ingest` opens only what sends data in.
"""
_ROUTERS = (
    attributes.router,
    policies.router,
    profiles.router,
    profiles.written,
    segments.router,
    event_definitions.router,
    messages.router,
    diff.router,  # before the versions themselves: `1..2` is no number of one
    journeys.router,
    reports.router,
    planning.router,
    lifecycle.router,
    runs.router,
    standing.router,
    parking.router,
    reviews.router,
    testing.router,
    testing_people.router,
    entrants.router,
    explaining.router,  # before the events: `events:explain` is a call of its own
    events.router,
    segment_compatible.router,
    segment_settings.router,
    reactions.router,
    feedback.router,
    records.router,
    suppressions.router,
    repair.router,
    keys.router,
    service.router,
    metrics.router,
    reference.router,
)
_OPEN = (segment_compatible.router, segment_settings.router, reactions.router, service.router, metrics.router, reference.router)
"""Those whose calls take no admin key."""
_SENDING = (events.router, feedback.router, profiles.written)
"""Those whose calls send data in, which a key of the scope ingest opens. All others take an admin."""
_OTHER_FORMATS = segment_compatible.PATHS | {"/v1/events", "/v1/feedback", *reactions.POSTED_BY_APPS}


def create_app(services: Services) -> FastAPI:
    """The application that serves with these services; whoever opened them closes them."""
    app = FastAPI(title="Sojourn", version="1", description=_ABOUT, openapi_url=None, redirect_slashes=False)
    app.state.services = services
    for router in _ROUTERS:
        app.include_router(router, dependencies=_judging(router))
    idempotency.install(app)
    app.add_middleware(native_calls.NativeCalls, refuse=problems.of_ours, other_formats=_OTHER_FORMATS)
    app.add_middleware(cross_origin.CrossOrigin, is_open=_for_pages)
    app.add_middleware(metrics.Measured)
    problems.install(app, [call for router in _ROUTERS for call in router.routes])
    openapi.describe(app)
    return app


def _judging(router: APIRouter) -> Sequence[Depends]:
    if router in _OPEN:
        return ()
    return parameters.FOR_SENDERS if router in _SENDING else parameters.ONLY_KNOWN


def _for_pages(path: str) -> bool:
    """Whether this is a call of Segment's libraries, which web pages make."""
    return path in segment_compatible.PATHS or (path.startswith(segment_settings.START) and path.endswith(segment_settings.END))

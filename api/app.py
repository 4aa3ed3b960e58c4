"""The API put together: every router, the middleware around them, and one table of errors. It opens nothing: the root gives it services."""

from __future__ import annotations

from fastapi import FastAPI

from api import (
    attributes,
    cross_origin,
    diff,
    entrants,
    event_definitions,
    events,
    explaining,
    feedback,
    journeys,
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
"""
_ROUTERS = (
    attributes.router,
    policies.router,
    profiles.router,
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
    service.router,
    metrics.router,
    reference.router,
)
_OPEN = (segment_compatible.router, segment_settings.router, reactions.router, service.router, metrics.router, reference.router)
"""Those whose calls take no admin key."""
_OTHER_FORMATS = segment_compatible.PATHS | {"/v1/events", "/v1/feedback", *reactions.POSTED_BY_APPS}


def create_app(services: Services) -> FastAPI:
    """The application that serves with these services; whoever opened them closes them."""
    app = FastAPI(title="Sojourn", version="1", description=_ABOUT, openapi_url=None, redirect_slashes=False)
    app.state.services = services
    for router in _ROUTERS:
        app.include_router(router, dependencies=() if router in _OPEN else parameters.ONLY_KNOWN)
    app.add_middleware(native_calls.NativeCalls, refuse=problems.of_ours, other_formats=_OTHER_FORMATS)
    app.add_middleware(cross_origin.CrossOrigin, is_open=_for_pages)
    app.add_middleware(metrics.Measured)
    problems.install(app, [call for router in _ROUTERS for call in router.routes])
    openapi.describe(app)
    return app


def _for_pages(path: str) -> bool:
    """Whether this is a call of Segment's libraries, which web pages make."""
    return path in segment_compatible.PATHS or (path.startswith(segment_settings.START) and path.endswith(segment_settings.END))

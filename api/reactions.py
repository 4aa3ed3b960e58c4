"""What people do with a message comes back: an e-mail's picture is loaded, a link followed, a push opened, a mail unsubscribed from.

No key is asked for: the signed token in the address is all it needs, and a forged one gets 404. Who looks without acting (HEAD, a
preview) has no effect. It knows no journey.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, BackgroundTasks, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from api import machines, problems, unpacking
from api.events import tell
from api.services import Services, With
from journey import documents, ids
from journey.errors import NotFound, SojournError
from journey.tracking import Tracked
from store import acceptance

_PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A transparent GIF of one pixel."""
_NO_STORE = {"Cache-Control": "no-store, private, max-age=0", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
_PAGE_HEADERS = _NO_STORE | {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
}
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type",
}
POSTED_BY_APPS = ("/v1/push/opened", "/v1/push/clicked")
_CHANNELS = {"email": "e-mails", "push": "push messages"}


class PushToken(BaseModel):
    """What an app posts when a push is opened, or something in it is pressed: the `opened_token` that came with the push."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    token: str = Field(min_length=1, max_length=8192)


class ReactionRoute(APIRoute):
    """Refuses as its caller can read it: a person who followed a link gets a page, and a web page may read why its push was refused."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except SojournError as error:
                if isinstance(error, NotFound) and "text/html" in request.headers.get("accept", ""):
                    return _page("This link does not work", "It is damaged, or what it was about is not kept any more.", status=404)
                refused = problems.of_ours(error)
                refused.headers.update(_CORS if self.path in POSTED_BY_APPS else {})
                return refused

        return answer


router = APIRouter(tags=["reactions"], route_class=ReactionRoute)


@router.get("/o/{token}.gif", responses={200: {"content": {"image/gif": {}}}}, response_class=Response)
async def email_opened(request: Request, token: str, services: With, after: BackgroundTasks) -> Response:
    """The picture of an e-mail: loading it says that the mail was opened, and counts apart where a machine says that it loads it."""
    tracked = services.signer.read("o", token)
    await _react(services, after, tracked, "opened", request)
    return Response(_PICTURE, media_type="image/gif", headers=_NO_STORE, background=after)


@router.head("/o/{token}.gif", include_in_schema=False)
async def email_looked_at(token: str, services: With) -> Response:
    """Asks about the picture without loading it."""
    services.signer.read("o", token)
    return Response(media_type="image/gif", headers=_NO_STORE | {"Content-Length": str(len(_PICTURE))})


@router.get("/c/{token}", status_code=302, response_class=RedirectResponse)
async def link_clicked(request: Request, token: str, services: With, after: BackgroundTasks) -> Response:
    """A link of a message: leads on to the address that the message held, and to no other. A machine that says it is one counts apart."""
    tracked = _link(services, token)
    await _react(services, after, tracked, "clicked", request)
    return RedirectResponse(tracked.link, 302, headers=_NO_STORE, background=after)


@router.head("/c/{token}", include_in_schema=False)
async def link_looked_at(token: str, services: With) -> Response:
    """Asks where a link leads without following it."""
    return RedirectResponse(_link(services, token).link, 302, headers=_NO_STORE)


_PUSH_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": PushToken.model_json_schema()}}}}


@router.post("/v1/push/opened", status_code=204, openapi_extra=_PUSH_BODY)
async def push_opened(request: Request, services: With, after: BackgroundTasks) -> Response:
    """An app says that its push was opened."""
    return await _of_push(request, services, after, "opened")


@router.post("/v1/push/clicked", status_code=204, openapi_extra=_PUSH_BODY)
async def push_clicked(request: Request, services: With, after: BackgroundTasks) -> Response:
    """An app says that something in its push was pressed: a button, or a link. Of one push it counts once."""
    return await _of_push(request, services, after, "clicked")


async def _of_push(request: Request, services: Services, after: BackgroundTasks, kind: str) -> Response:
    body = documents.parse(PushToken, await unpacking.read_json(request))
    await _react(services, after, services.signer.read("p", body.token), kind)
    return Response(status_code=204, headers=_NO_STORE | _CORS, background=after)


@router.options("/v1/push/opened", include_in_schema=False)
@router.options("/v1/push/clicked", include_in_schema=False)
async def push_preflight() -> Response:
    """Lets a web page post it."""
    return Response(status_code=204, headers=_CORS)


@router.get("/u/{token}", response_class=HTMLResponse)
async def unsubscribe_page(token: str, services: With) -> Response:
    """Shows what unsubscribing would do, and a button. Mail scanners follow links: looking must not act."""
    tracked = services.signer.read("u", token)
    form = '<form method="post"><button type="submit">Unsubscribe</button></form>'
    return _page("Unsubscribe", f"You will get no more {_what(tracked)} from us.{_if_test(tracked)}", form)


@router.head("/u/{token}", include_in_schema=False)
async def unsubscribe_looked_at(token: str, services: With) -> Response:
    """Asks about the page without loading it."""
    services.signer.read("u", token)
    return Response(media_type="text/html; charset=utf-8", headers=_PAGE_HEADERS)


@router.post("/u/{token}", response_class=HTMLResponse)
async def unsubscribe(token: str, services: With, after: BackgroundTasks) -> Response:
    """Unsubscribes: from the button, or in one click by a mail program (RFC 8058). The body is not needed to know who wants what."""
    tracked = services.signer.read("u", token)
    verdict = await services.database.write(lambda work: acceptance.unsubscribe(work, tracked.delivery))
    after.add_task(tell, services, [verdict])
    said = _if_test(tracked)
    title = "This was a test" if said else "You are unsubscribed"
    page = _page(title, said or f"You will get no more {_what(tracked)} from us. There is nothing else to do.")
    page.background = after
    return page


async def _react(services: Services, after: BackgroundTasks, tracked: Tracked, kind: str, request: Request | None = None) -> None:
    """What was done is a reaction, unless the request says that it comes from a machine. An app's own call is nobody else's."""
    if request is not None and machines.says_so(request.headers):
        await services.database.write(lambda work: acceptance.by_machine(work, tracked.delivery, kind))
        return
    verdict = await services.database.write(lambda work: acceptance.react(work, tracked.delivery, kind, tracked.link))
    after.add_task(tell, services, [verdict])


def _link(services: Services, token: str) -> Tracked:
    tracked = services.signer.read("c", token)
    if not tracked.link.lower().startswith(("https://", "http://")):
        raise NotFound("There is nothing here: the link leads nowhere.")
    return tracked


def _what(tracked: Tracked) -> str:
    return _CHANNELS.get(_of(tracked).channel, "messages")


def _of(tracked: Tracked) -> ids.DeliveryName:
    try:
        return ids.read_delivery(tracked.delivery)
    except ValueError:
        raise NotFound("There is no such delivery.") from None


def _if_test(tracked: Tracked) -> str:
    """What whoever unsubscribes from a message of a test session is to know, else nothing."""
    return " The message was sent in a test: unsubscribing from it changes nothing." if ids.is_test(_of(tracked).entrant) else ""


def _page(title: str, sentence: str, more: str = "", *, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=html.escape(title), sentence=html.escape(sentence), more=more), status, headers=_PAGE_HEADERS)


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: #f5f5f3; color: #222 }}
body, button {{ font: 18px/1.5 system-ui, sans-serif }}
main {{ max-width: 26rem; margin: 1rem; padding: 2.5rem; background: #fff; border-radius: 12px; box-shadow: 0 1px 4px #0002 }}
h1 {{ margin: 0 0 .5rem; font-size: 1.5rem }}
button {{ margin-top: 1rem; padding: .7rem 1.4rem; border: 0; border-radius: 8px; background: #222; color: #fff; cursor: pointer }}
</style></head><body><main><h1>{title}</h1><p>{sentence}</p>{more}</main></body></html>
"""

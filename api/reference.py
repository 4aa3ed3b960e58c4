"""The reference at `/docs`: Swagger UI over the OpenAPI document, with nothing loaded from another site. It knows no resource."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import fastapi_offline
from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse
from starlette.types import Receive, Scope, Send

from api.problems import answers

router = APIRouter(tags=["service"], include_in_schema=False)

TITLE = "Sojourn: every call"
_FILES = Path(fastapi_offline.__file__).parent / "static"
"""A package that ships the files of Swagger UI; its own pages are not used."""
_SHOWN: dict[str, Any] = {
    "docExpansion": "list",  # a newcomer wants to see at first what there is
    "defaultModelsExpandDepth": 0,
    "displayRequestDuration": True,
    "tryItOutEnabled": True,
    "validatorUrl": None,  # else the page asks a server on the internet whether the document is valid
}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


@router.head("/docs")
@router.get("/docs", response_class=HTMLResponse)
async def reference() -> HTMLResponse:
    """The page. Its addresses are relative, so that it can stand behind a prefix."""
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title=TITLE,
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url="docs/favicon.png",
        swagger_ui_parameters=_SHOWN,
    )
    page.headers["Content-Security-Policy"] = _POLICY
    return page


class WholeFile(FileResponse):
    """A file that is sent whole, whatever part of it is asked for, as a server may."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)


@router.head("/docs/{file}", responses=answers(404))
@router.get("/docs/{file}", response_class=WholeFile, responses=answers(404))
async def reference_file(file: Literal["swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"]) -> WholeFile:
    """What the page is made of. The names are a list, so that no other file can be asked for."""
    return WholeFile(_FILES / file, headers={"Cache-Control": "max-age=86400", "Accept-Ranges": "none"})


@router.head("/openapi.json")
@router.get("/openapi.json")
async def openapi_document(request: Request) -> dict[str, Any]:
    """The same for machines."""
    document: dict[str, Any] = request.app.openapi()
    return document

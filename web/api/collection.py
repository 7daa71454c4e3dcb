"""Every operation of the API, and the routes made from them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from web.api import accounts, cases, deliveries, me, messages, plans, posts, replies, reports, videos
from web.api.doorway import as_page_route
from web.api.openapi import document
from web.api.operation import Operation
from web.routes.table import Door, Gate, PageRoute

OPERATIONS: tuple[Operation, ...] = (
    *me.OPERATIONS,
    *messages.OPERATIONS,
    *cases.OPERATIONS,
    *replies.OPERATIONS,
    *posts.OPERATIONS,
    *videos.OPERATIONS,
    *deliveries.OPERATIONS,
    *reports.OPERATIONS,
    *plans.OPERATIONS,
    *accounts.OPERATIONS,
)


async def describe(request: Request) -> Response:
    """The OpenAPI document, in the reader's language. Nothing in it is secret."""
    return JSONResponse(document(OPERATIONS))


ROUTES = [
    PageRoute("/api/openapi.json", describe, Gate.public, door=Door.api),
    *map(as_page_route, OPERATIONS),
]

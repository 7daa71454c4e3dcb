"""Where platforms push to: verified and stored by intake, answered only after the commit."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from hub.errors import NotFound
from hub.i18n import _
from web.request import house
from web.routes.table import Door, Gate, PageRoute
from workflows import accounts
from workflows.intake.push import Accept, Challenge, receive_push

# Bodies are limited to 1 MiB like those of every route without upload.


async def receive(request: Request) -> Response:
    """One push, or a platform's check of our address. A wrong path is as good as none."""
    number, found = request.path_params["account_id"], house(request)
    if not accounts.is_push_path(found.ctx.settings, request.url.path, number):
        raise NotFound(_("没有这个地址。"))
    body = await request.body()
    query, headers = dict(request.query_params), dict(request.headers)
    answer = await receive_push(found, number, request.method, query, headers, body)
    if isinstance(answer, Accept | Challenge):
        return Response(answer.body, media_type=answer.content_type)
    return PlainTextResponse(answer.reason, answer.status)


ROUTES = [
    PageRoute("/hooks/{account_id:int}/{key}", receive, Gate.public, ("GET",), Door.hook),
    PageRoute("/hooks/{account_id:int}/{key}", receive, Gate.public, ("POST",), Door.hook),
]

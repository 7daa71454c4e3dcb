"""The one search box: a case number leads to its case, words to every case with a message that holds them all."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.errors import NotFound
from hub.i18n import _
from web.request import looking, me
from web.routes.cases import READS
from web.routes.table import Gate, PageRoute
from web.templating import redirect
from workflows.cases.facts import numbered

LONGEST = 200
_NUMBER = re.compile(r"\d{8}-\d{1,20}")


async def search(request: Request) -> Response:
    """Go to what was looked for; people who read no cases are told so."""
    text = request.query_params.get("q", "").strip()[:LONGEST]
    if not any(me(request).can(right) for right in READS):
        return redirect(request, "/", _("这里搜的是来信和工单，您没有可以查看的。"), kind="error")
    if _NUMBER.fullmatch(text):
        try:
            async with looking(request) as unit:
                await numbered(unit, text, me(request))
            return RedirectResponse(f"/cases/{text}", 303)
        except NotFound:
            pass  # shown as an empty list, which says how to go on
    return RedirectResponse(f"/cases?{urlencode({'which': 'all', 'q': text} if text else {'which': 'all'})}", 303)


ROUTES = [PageRoute("/search", search, Gate.signed_in)]

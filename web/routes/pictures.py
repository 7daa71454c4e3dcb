"""Pictures of posts: put in from the composer, shown to whoever may see the post, and as a platform will get them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from hub.errors import Invalid, NotFound
from hub.i18n import _
from hub.models import Account, Picture
from hub.rights import May
from web.forms import read_form, whole
from web.press.words import focus_words
from web.request import house, looking, me, writing
from web.routes.table import Gate, PageRoute
from web.templating import render
from workflows.pictures import store
from workflows.pictures.fitting import form_of
from workflows.pictures.placed import FOCUS, Placed
from workflows.pictures.ready import Altered, one
from workflows.publishing.forms import forms_of

# Nothing in a picture is ever run, whatever a browser takes it for.
HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, max-age=300"}


async def put(request: Request) -> Response:
    """Take one picture in; its line for the composer's list."""
    form = await read_form(request)
    file = form.file("file")
    if file is None:
        raise Invalid({"picture": _("请选择图片")})
    made = await store.cleaned(await file.read())
    async with writing(request) as unit:
        picture = await store.put(unit, me(request), file.filename or "", made)
    facts = {"one": Placed(picture.id or 0), "FOCUS": focus_words()}
    return await render(request, "posts/pictureline.html", facts, part="line")


async def show(request: Request) -> Response:
    """The picture as it is kept."""
    async with looking(request) as unit:
        found = await store.find(unit, me(request), request.path_params["picture_id"])
        data = await store.load(unit, found.id or 0)
    return _answer(data, found.mime)


async def thumb(request: Request) -> Response:
    """A small JPEG of it."""
    async with looking(request) as unit:
        found = await store.find(unit, me(request), request.path_params["picture_id"])
    return _answer(found.thumb, "image/jpeg")


async def sent(request: Request) -> Response:
    """The picture as one account's platform will get it; the query: ``account``, ``form``, ``place``, ``focus``."""
    query = request.query_params
    async with looking(request) as unit:
        found = await store.find(unit, me(request), request.path_params["picture_id"])
        account = await unit.get(Account, whole(query.get("account", "")) or 0)
    if account is None or account.platform not in house(request).platforms:
        raise Invalid({"account": _("没有这个账号")})
    form = form_of(forms_of(house(request), account), query.get("form", ""))
    try:
        made = await one(
            house(request), _placed(found, query.get("focus", "")), form, whole(query.get("place", "")) or 0
        )
    except Altered:
        raise NotFound(_("没有这张图片，或您无权查看")) from None
    return _answer(made.data, made.mime)


def _placed(found: Picture, focus: str) -> Placed:
    return Placed(
        found.id or 0, focus=focus if focus in FOCUS else "", sha256=found.sha256, mime=found.mime, size=found.size,
        width=found.width, height=found.height,
    )  # fmt: skip


def _answer(data: bytes, mime: str) -> Response:
    return Response(data, media_type=mime, headers=HEADERS)


ONE = "/pictures/{picture_id:int}"
ROUTES = [
    PageRoute("/pictures", put, May.write_post, ("POST",), upload=True),
    # Whoever is to publish something by hand sees its pictures too, whatever their role.
    PageRoute(ONE, show, Gate.signed_in),
    PageRoute(f"{ONE}/thumb", thumb, Gate.signed_in),
    PageRoute(f"{ONE}/sent", sent, Gate.signed_in),
]

"""Videos of posts: put in from the composer piece by piece, played by who may see the post, covers taken of them."""

from __future__ import annotations

from dataclasses import asdict
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from hub.errors import Invalid
from hub.i18n import _
from hub.models import IncomingState
from hub.rights import May
from web.forms import read_json, whole
from web.press.words import focus_words
from web.request import house, looking, me, writing
from web.routes.pictures import HEADERS
from web.routes.table import Gate, PageRoute
from web.templating import render
from workflows.pictures import store as pictures
from workflows.pictures.placed import Placed
from workflows.videos import incoming, store
from workflows.videos.cleaning import frame
from workflows.videos.incoming import Incoming

# As for pictures; a browser that opens one by itself may play it, and nothing else.
PLAYED = HEADERS | {"Content-Security-Policy": "default-src 'none'; media-src 'self'; sandbox allow-same-origin"}


async def begin(request: Request) -> Response:
    """A place for a file: ``{"name", "size"}`` in, how large a piece may be out."""
    given = await read_json(request)
    size = given.get("size")
    if not isinstance(size, int) or isinstance(size, bool):
        raise Invalid({"video": _("请选择视频")})
    async with writing(request) as unit:
        one = await incoming.begin(house(request), unit, me(request), str(given.get("name", "")), size)
    return _told(one, 201)


async def show(request: Request) -> Response:
    """How far it is: where the next piece begins."""
    async with looking(request) as unit:
        one = await incoming.find(house(request), unit, me(request), request.path_params["token"])
    return _told(one)


async def take(request: Request) -> Response:
    """One piece as it stands in the body; ``offset`` of the query: where it belongs."""
    offset = whole(request.query_params.get("offset", ""))
    if offset is None:
        raise Invalid({"video": _("请选择视频")})
    token = request.path_params["token"]
    return _told(await incoming.take(house(request), me(request), token, offset, request.stream()))


async def finish(request: Request) -> Response:
    """All of it is there: its block for the composer, 202 while it is looked into."""
    one = await incoming.finish(house(request), me(request), request.path_params["token"])
    if one.state is IncomingState.refused:
        raise Invalid({"video": one.why})
    if one.state is not IncomingState.done:
        return _told(one, 202)
    async with looking(request) as unit:
        placed = store.placed(await incoming.video_of(unit, one))
    return await render(request, "posts/videoline.html", {"one": placed}, part="line")


async def cancel(request: Request) -> Response:
    """Given up: nothing of it stays."""
    async with writing(request) as unit:
        await incoming.cancel(house(request), unit, me(request), request.path_params["token"])
    return Response(status_code=204)


async def play(request: Request) -> Response:
    """The video itself, also in parts; ``?download`` as a file to keep."""
    async with looking(request) as unit:
        found = await store.find(unit, me(request), request.path_params["video_id"])
    path = store.file_of(house(request).ctx.settings, found)
    headers = dict(PLAYED)
    if "download" in request.query_params:
        name = quote((found.name.rpartition(".")[0] or _("视频")) + ".mp4")
        named = f"attachment; filename=\"video-{found.id}.mp4\"; filename*=UTF-8''{name}"
        headers["Content-Disposition"] = named
    return FileResponse(path, media_type=found.mime, headers=headers)


async def poster(request: Request) -> Response:
    """A small picture of it."""
    async with looking(request) as unit:
        found = await store.find(unit, me(request), request.path_params["video_id"])
    return Response(found.poster, media_type="image/jpeg", headers=HEADERS)


async def take_cover(request: Request) -> Response:
    """A moment of it (``at``, seconds) as a picture of one's own; its line for the composer's list."""
    at = (await read_json(request)).get("at", 1)
    if not isinstance(at, int | float) or isinstance(at, bool) or not 0 <= at < 86400:
        raise Invalid({"video": _("请填写视频里的第几秒")})
    async with looking(request) as unit:
        found = await store.find(unit, me(request), request.path_params["video_id"])
    path = store.file_of(house(request).ctx.settings, found)
    made = await pictures.cleaned(await frame(path, float(at), incoming.scratch(house(request).ctx.settings)))
    async with writing(request) as unit:
        picture = await pictures.put(unit, me(request), f"{found.name}.jpg", made)
    facts = {"one": Placed(picture.id or 0, _("视频封面")), "FOCUS": focus_words()}
    return await render(request, "posts/pictureline.html", facts, part="line")


def _told(one: Incoming, status: int = 200) -> Response:
    return JSONResponse(asdict(one), status)


COMING = "/videos/coming"
ONE = "/videos/{video_id:int}"
ROUTES = [
    PageRoute(COMING, begin, May.write_post, ("POST",)),
    PageRoute(f"{COMING}/{{token}}", show, May.write_post),
    PageRoute(f"{COMING}/{{token}}", take, May.write_post, ("PUT",), upload=True),
    PageRoute(f"{COMING}/{{token}}", cancel, May.write_post, ("DELETE",)),
    PageRoute(f"{COMING}/{{token}}/done", finish, May.write_post, ("POST",)),
    # Whoever is to publish something by hand sees its video too, whatever their role.
    PageRoute(ONE, play, Gate.signed_in),
    PageRoute(f"{ONE}/poster", poster, Gate.signed_in),
    PageRoute(f"{ONE}/cover", take_cover, May.write_post, ("POST",)),
]

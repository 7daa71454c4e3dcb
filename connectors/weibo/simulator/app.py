"""The simulator as one Starlette application: the sandbox's frame around Weibo's own addresses."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connectors.sandbox.server import page
from connectors.sandbox.server.app import PUSH_INTERVAL, frame, health
from connectors.sandbox.server.faults import Refusal
from connectors.weibo.simulator import api, console, control, oauth
from connectors.weibo.simulator.pushes import FanPushes
from connectors.weibo.simulator.state import WeiboStore


def create_app(db_path: Path | None, *, push_interval: float = PUSH_INTERVAL) -> Starlette:
    """The platform over the SQLite file at ``db_path`` (None: in memory), with an app and an account to begin with."""
    store = WeiboStore(db_path)
    store.apps()
    if not store.accounts():
        store.save_account({"screen_name": "临江发布", "uid": "5000000001"})
    pushes = FanPushes(store, push_interval)
    routes = [
        Route("/health", health),
        Route("/2/mss/msget", dm_file),
        *api.routes(),
        *oauth.routes(),
        *control.routes(),
        *console.routes(),
        *page.routes(),
    ]
    app = frame(store, pushes, routes)
    app.state.title, app.state.links = "微博模拟器", (("/open", "开放平台"),)
    return app


async def dm_file(request: Request) -> Response:
    """A picture that came in private: given out to the account's token only."""
    try:
        api.holder(request.app.state.store, request.query_params.get("access_token", ""))
    except Refusal as refusal:
        return api.refused("/2/mss/msget", refusal)
    if not request.query_params.get("fid", "").isdigit():
        return PlainTextResponse("no such file", 404)
    return Response(_PIXEL, media_type="image/gif")


_PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")

"""The web process: one server, one house, stopped within five seconds."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import sys

import uvicorn
from starlette.applications import Starlette

from hub import log
from hub.i18n import _
from hub.settings import Settings
from web.app import create_app
from web.live import Feed
from workflows.bell import ArqBell
from workflows.house import open_house

GRACE_SECONDS = 4
SURROUNDINGS = 3


class Server(uvicorn.Server):
    """Ends live streams first: they would hold the process until it is cut off."""

    def __init__(self, config: uvicorn.Config, app: Starlette) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop taking requests, end streams, let running requests finish."""
        feed: Feed = self._app.state.feed
        feed.close()
        await super().shutdown(sockets)


def run_web(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit code; a port that cannot be had is one plain sentence."""
    log.configure(settings.log_level, settings.log_format)
    try:
        listening = _listen(settings)
    except OSError as error:
        sys.stderr.write(_why_not(settings, error) + "\n")
        return SURROUNDINGS
    bell = ArqBell(settings.queue)
    app = create_app(open_house(settings, bell))
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, lifespan="on", ws="none", proxy_headers=True,
        timeout_graceful_shutdown=GRACE_SECONDS, timeout_keep_alive=75,
    )  # fmt: skip
    _serve(Server(config, app), listening, bell)
    return 0


def _serve(server: Server, listening: socket.socket, bell: ArqBell) -> None:
    """uvicorn raises the signal again when it is done; being told to stop is no failure."""

    async def serve() -> None:
        try:
            await server.serve(sockets=[listening])
        finally:
            await bell.close()

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(serve())
    except KeyboardInterrupt:
        return


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((settings.host, settings.port))
    except OSError:
        listening.close()
        raise
    return listening


def _why_not(settings: Settings, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return _("端口 %(port)s 已被占用，请换一个：--port %(next)s", port=settings.port, next=settings.port + 10)
    if error.errno == errno.EACCES:
        return _("没有权限使用端口 %(port)s，请用 1024 以上的端口", port=settings.port)
    return _("无法监听 %(host)s:%(port)s：%(why)s", host=settings.host, port=settings.port, why=error.strerror)

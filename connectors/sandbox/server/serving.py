"""Serves one pretend platform on 127.0.0.1 until it is stopped; the simulators of real platforms are served alike."""

from __future__ import annotations

import socket
import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette


def serve(app: Starlette, port: int) -> int:
    """Serve until stopped, after the line ``ready http://127.0.0.1:PORT``. 1, with one sentence: the port is taken.

    Port 0 takes any free one.
    """
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind(("127.0.0.1", port))
    except OSError:
        return give_up(f"端口 {port} 已被占用，请换一个端口（--port）")
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, ws="none", loop="asyncio", timeout_graceful_shutdown=3
    )
    server = uvicorn.Server(config)
    app.state.cut = lambda client: _cut(server, client)
    sys.stdout.write(f"ready http://127.0.0.1:{door.getsockname()[1]}\n")
    sys.stdout.flush()
    server.run(sockets=[door])
    return 0


def give_up(why: str) -> int:
    """One sentence on standard error; the exit code."""
    sys.stderr.write(why + "\n")
    return 1


def _cut(server: uvicorn.Server, client: tuple[str, int]) -> bool:
    """Cut the connection of ``client`` without an answer; False when it is not ours."""
    for connection in list(server.server_state.connections):
        held: Any = connection
        if held.client == tuple(client) and held.transport is not None:
            held.transport.abort()
            return True
    return False

"""``python -m connectors.sandbox --port P --data DIR``: run the pretend platform on 127.0.0.1."""

from __future__ import annotations

import argparse
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn

from connectors.sandbox.server import create_app


def main() -> int:
    """Serve until stopped. Exit code 1, with one sentence, when the port or the folder cannot be used."""
    options = _options()
    try:
        app = create_app(options.data / "sandbox.db", push_interval=options.push_interval)
    except (OSError, ValueError) as error:
        return _give_up(f"沙箱平台不能使用数据目录 {options.data}：{error}")
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind(("127.0.0.1", options.port))
    except OSError:
        return _give_up(f"端口 {options.port} 已被占用，请换一个端口（--port）")
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, ws="none", loop="asyncio", timeout_graceful_shutdown=3
    )
    server = uvicorn.Server(config)
    app.state.cut = lambda client: _cut(server, client)
    sys.stdout.write(f"ready http://127.0.0.1:{door.getsockname()[1]}\n")
    sys.stdout.flush()
    server.run(sockets=[door])
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m connectors.sandbox", description="沙箱平台（演示与测试用）")
    parser.add_argument("--port", type=int, default=0, help="监听端口（127.0.0.1），0 表示任选")
    parser.add_argument("--data", type=Path, required=True, help="数据目录")
    parser.add_argument("--push-interval", type=float, default=5.0, help="推送重试间隔（秒）")
    return parser.parse_args()


def _give_up(why: str) -> int:
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


if __name__ == "__main__":
    sys.exit(main())

"""``python -m connectors.wechat.simulator --port P [--data DIR]``: run the pretend platform on 127.0.0.1."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from connectors.sandbox.server.serving import give_up, serve
from connectors.wechat.simulator.app import create_app


def main() -> int:
    """Serve until stopped. Exit code 1, with one sentence, when the port or the folder cannot be used."""
    options = _options()
    try:
        app = create_app(options.data / "wechat.json" if options.data else None)
    except (OSError, ValueError) as error:
        return give_up(f"微信模拟器不能使用数据目录 {options.data}：{error}")
    return serve(app, options.port)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m connectors.wechat.simulator", description="微信公众平台模拟器")
    parser.add_argument("--port", type=int, default=0, help="监听端口（127.0.0.1），0 表示任选")
    parser.add_argument("--data", type=Path, help="数据目录；不给则只在内存中")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

"""``python -m connectors.weibo.simulator --port P [--data DIR]``: run the simulator on 127.0.0.1."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from connectors.sandbox.server.serving import give_up, serve
from connectors.weibo.simulator.app import create_app


def main() -> int:
    """Serve until stopped. Exit code 1, with one sentence, when the port or the folder cannot be used."""
    options = _options()
    try:
        app = create_app(options.data / "weibo.db" if options.data else None, push_interval=options.push_interval)
    except (OSError, ValueError) as error:
        return give_up(f"微博模拟器不能使用数据目录 {options.data}：{error}")
    return serve(app, options.port)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m connectors.weibo.simulator", description="微博模拟器")
    parser.add_argument("--port", type=int, default=0, help="监听端口（127.0.0.1），0 表示任选")
    parser.add_argument("--data", type=Path, help="数据目录；不给则只在内存中")
    parser.add_argument("--push-interval", type=float, default=5.0, help="推送重试间隔（秒）")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

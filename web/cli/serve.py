"""Long-running processes: the demo, the web, the worker, the sandbox."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from hub.i18n import _
from hub.settings import load
from web.cli.frame import data_option, named


@click.command(help=_("一条命令启动演示：数据库、队列、网页、后台任务与沙箱平台。按 Ctrl-C 全部停止。"))
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help=_("网页端口"))
@data_option
@click.option("--fresh", is_flag=True, help=_("清空演示数据，从头开始"))
def demo(port: int, data: str | None, fresh: bool) -> None:
    """Run everything in one foreground process tree."""
    from web.demo.supervisor import run

    sys.exit(run(Path(data or "hub-data"), port, fresh=fresh))


@click.command(help=_("启动网页进程"))
@click.option("--host", help=_("监听地址（默认 127.0.0.1）"))
@click.option("--port", type=click.IntRange(1, 65535), help=_("网页端口"))
@data_option
def web(host: str | None, port: int | None, data: str | None) -> None:
    """Serve pages and the API."""
    from web.server import run_web

    sys.exit(run_web(load(named(data), host=host, port=port)))


@click.command(help=_("启动后台任务进程：收取、打标、派单、发送。可启动多个。"))
@data_option
def worker(data: str | None) -> None:
    """Work through due rows until told to stop."""
    from workflows.worker import run_worker

    run_worker(load(named(data)))


@click.command(help=_("启动沙箱平台（演示与测试用），只在本机可访问"))
@click.option("--port", type=click.IntRange(1, 65535), default=8001, show_default=True, help=_("端口"))
@data_option
def sandbox(port: int, data: str | None) -> None:
    """Hand over to the sandbox's own entry: a platform is a process of its own, even a pretended one."""
    folder = data or "hub-data"
    os.execv(  # noqa: S606 -- no shell: a fixed list
        sys.executable, [sys.executable, "-m", "connectors.sandbox", "--port", str(port), "--data", folder]
    )

"""``hub sim``: the simulators of real platforms, each a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import click

from hub.i18n import N_, _

# name → (module that serves it, one line of help). A simulator takes ``--port`` and, to keep its data, ``--data``.
SIMULATORS: Mapping[str, tuple[str, str]] = {
    "weibo": ("connectors.weibo.simulator", N_("微博开放平台与粉丝服务平台")),
    "wechat": ("connectors.wechat.simulator", N_("微信公众平台")),
}


@click.group(help=_("启动一个真实平台的模拟器（开发与测试用），只在本机可访问。首页可以扮演市民。"))
def sim() -> None:
    """One command per simulator."""


def _command(name: str, module: str, line: str) -> click.Command:
    """Hand over to the simulator's own entry: a platform is a process of its own, even a pretended one."""

    @click.command(name, help=_(line))
    @click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help=_("端口，0 任选"))
    @click.option("--data", type=click.Path(file_okay=False), help=_("数据目录；不给则只在内存中，停止后清空"))
    def run(port: int, data: str | None) -> None:
        kept = ["--data", data] if data else []
        os.execv(sys.executable, [sys.executable, "-m", module, "--port", str(port), *kept])  # noqa: S606 -- no shell

    return run


for _name, (_module, _line) in SIMULATORS.items():
    sim.add_command(_command(_name, _module, _line))

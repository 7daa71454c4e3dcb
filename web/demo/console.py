"""The one console of the demo: where things are, who may sign in, what is going on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from hub import clock
from hub.i18n import N_, _

NAMES = {"web": N_("网页"), "worker": N_("后台任务"), "sandbox": N_("沙箱平台"), "queue": N_("队列")}

# Log events that tell the story of the day, in words. Values come from the event.
STORY: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "items_stored": lambda e: _("收到 %(n)s 条新内容", n=e.get("new", "")),
    "messages_tagged": lambda e: _("已打标 %(n)s 条", n=e.get("count", "")),
    "cases_opened": lambda e: _("新立工单 %(n)s 件", n=e.get("count", "")),
    "case_moved": lambda e: _("工单 %(number)s：%(move)s", number=e.get("number", ""), move=e.get("move", "")),
    "delivery_sent": lambda e: _(
        "已发出 #%(id)s（%(account)s）", id=e.get("delivery", ""), account=e.get("account", "")
    ),
    "delivery_failed": lambda e: _("发送未成功 #%(id)s：%(why)s", id=e.get("delivery", ""), why=e.get("error", "")),
    "delivery_unknown": lambda e: _("发送结果待核实 #%(id)s", id=e.get("delivery", "")),
    "import_done": lambda e: _("文件导入完成：新增 %(new)s 条", new=e.get("new", "")),
}


class Teller:
    """Prints to the terminal from several threads, one whole line at a time."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._lock = threading.Lock()

    def say(self, text: str, style: str = "") -> None:
        """One line."""
        with self._lock:
            self._console.print(text, style=style or None, markup=False)

    def hear(self, who: str, line: str) -> None:
        """A child printed a line: show it when it tells something, keep quiet otherwise."""
        try:
            event = json.loads(line)
        except ValueError:
            return
        if not isinstance(event, dict):
            return
        told = STORY.get(str(event.get("event")))
        stamp = f"{clock.local(clock.now()):%H:%M:%S}"
        if told is not None:
            self.say(f"{stamp}  {told(event)}")
        elif event.get("level") in {"warning", "error", "critical"}:
            self.say(
                f"{stamp}  {_(NAMES.get(who, who))}：{event.get('event')} {event.get('error', '')}".rstrip(), "yellow"
            )

    def welcome(self, address: str, sandbox: str, logs: str, logins: Mapping[str, Any] | None) -> None:
        """Addresses and logins, once everything is up."""
        with self._lock:
            self._console.print()
            places = Table(box=None, show_header=False, padding=(0, 2))
            places.add_row(_("政声网页"), address)
            places.add_row(_("沙箱平台（扮演市民）"), sandbox)
            places.add_row(_("日志"), logs)
            self._console.print(places)
            if logins:
                self._console.print(_("演示口令（所有账号相同）：%(password)s", password=logins["password"]))
                people = Table(box=None, padding=(0, 2))
                for head in (_("登录名"), _("姓名"), _("角色")):
                    people.add_column(head)
                for login in logins["logins"]:
                    people.add_row(login["username"], login["name"], login["role"])
                self._console.print(people)
            self._console.print(_("按 Ctrl-C 全部停止；再次启动会接着原来的数据。"))
            self._console.print()

"""What happened to a matter, in the office's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.i18n import N_, _, number
from hub.models import MatterState

STATES: Mapping[MatterState, str] = {
    MatterState.open: N_("关注中"), MatterState.dismissed: N_("已忽略"), MatterState.merged: N_("已并入别的事"),
}  # fmt: skip
EVENTS: Mapping[str, str] = {
    "opened": N_("发现"), "named": N_("自动命名"), "renamed": N_("改名"), "dismissed": N_("忽略"),
    "reopened": N_("恢复关注"), "merged": N_("并入别的事"), "took_in": N_("并入了另一件事"), "parted": N_("拆出一部分"),
    "let_go": N_("移出留言"), "came_from": N_("从别的事拆出"), "undone": N_("撤销"),
}  # fmt: skip


def happened(what: str, data: Mapping[str, Any]) -> str:
    """One sentence on what changed; empty where the word says all."""
    name, n = data.get("name") or _("还没起名的一件事"), number(int(data.get("messages") or 0))
    match what:
        case "named" | "renamed":
            before = data.get("before", "")
            return _("「%(before)s」→「%(after)s」", before=before, after=data.get("after", "")) if before else (
                _("「%(after)s」", after=data.get("after", "")))  # fmt: skip
        case "merged":
            return _("并入「%(name)s」", name=name)
        case "took_in":
            return _("「%(name)s」并入这里", name=name)
        case "parted":
            return _("%(n)s 条留言拆到「%(name)s」", n=n, name=name)
        case "let_go":
            return _("%(n)s 条留言移出，不归任何热点", n=n)
        case "came_from":
            return _("%(n)s 条留言来自「%(name)s」", n=n, name=name)
        case "undone":
            return _undone(str(data.get("did", "")), name, n)
        case _other:
            return ""


def _undone(did: str, name: str, n: str) -> str:
    match did:
        case "took_in" | "merged":
            return _("与「%(name)s」重新分开，%(n)s 条留言随之分开", name=name, n=n)
        case "parted":
            return _("拆成「%(name)s」的 %(n)s 条留言回到这里", name=name, n=n)
        case "came_from":
            return _("%(n)s 条留言回到「%(name)s」", name=name, n=n)
        case _other:
            return _("移出的 %(n)s 条留言回到这里", n=n)

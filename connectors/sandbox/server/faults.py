"""Faults on demand: what the pretend platform does wrong, to whom, at what, how often."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from connectors.sandbox.server.store import Store

OPERATIONS = ("publish", "comment", "message", "destroy", "list", "read", "check", "upload", "video", "figures")
# Seconds of the calendar, sizes, codes: none is larger than the last second before the year 2100.
MOST = 4_102_444_800.0
GROUPS = {"write": ("publish", "comment", "message", "destroy"), "any": OPERATIONS}
# Kind → (operation it concerns unless told otherwise, its parameters with their defaults).
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "refuse": ("write", {"code": 20016, "status": 400, "when": "before"}),
    "rate_limit": ("any", {"until": 0.0, "seconds": 0.0, "code": 10023}),
    "delay": ("write", {"seconds": 1.0, "when": "before"}),
    "drop": ("write", {"when": "after"}),
    "error_after": ("write", {"status": 500, "code": 10001}),
    "garbage": ("write", {"when": "before", "status": 200}),
    "list_lag": ("list", {"seconds": 5.0}),
    "list_size": ("list", {"size": 5}),
    "list_off": ("list", {}),
    "honour_key": ("write", {}),
    "show_key": ("list", {}),
    "reject_duplicates": ("write", {}),
}
GARBAGE = "<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1><p>sorry</p></body></html>"


class Refusal(Exception):
    """The platform says no, with one of its codes."""

    def __init__(self, code: int, status: int = 400, headers: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.headers = headers


class BadFault(ValueError):
    """A fault that cannot be set; the text says why."""


@dataclass(slots=True)
class Plan:
    """What is to go wrong with one call. ``before`` and ``after``: around the moment of acceptance."""

    delay_before: float = 0.0
    delay_after: float = 0.0
    before: Response | Refusal | None = None
    after: Response | Refusal | None = None
    flags: dict[str, dict[str, Any]] = field(default_factory=dict)


class Dropped(Response):
    """No answer at all: the connection is cut, as by a broken cable."""

    def __init__(self) -> None:
        super().__init__()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cut = getattr(scope["app"].state, "cut", None)
        if cut is None or not cut(scope["client"]):
            # Served by another server than ours: an answer that breaks off comes closest.
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"512")]})
            await send({"type": "http.response.body", "body": b"{", "more_body": False})
            return
        while (await receive())["type"] != "http.disconnect":
            continue


def set_fault(store: Store, wanted: dict[str, Any]) -> int:
    """Put a fault in force; its id. :class:`BadFault` on an unknown kind, account, operation or parameter."""
    wanted = dict(wanted)
    kind = str(wanted.pop("kind", ""))
    if kind not in KINDS:
        raise BadFault(f"kind must be one of {', '.join(KINDS)}")
    default, params = KINDS[kind]
    name = str(wanted.pop("account", "") or "")
    account = store.account(name) if name else None
    if name and account is None:
        raise BadFault(f"no account {name}")
    operation = str(wanted.pop("operation", default))
    if operation not in OPERATIONS and operation not in GROUPS:
        raise BadFault(f"operation must be one of {', '.join((*OPERATIONS, *GROUPS))}")
    count = wanted.pop("count", None)
    if unknown := set(wanted) - set(params):
        raise BadFault(f"{kind} takes {', '.join(params) or 'no parameters'}, not {', '.join(sorted(unknown))}")
    return store.insert(
        "fault",
        account=account["uid"] if account else "",
        operation=operation,
        kind=kind,
        params=json.dumps(_checked(params | wanted)),
        remaining=int(count) if count is not None else None,
    )


def _checked(params: dict[str, Any]) -> dict[str, Any]:
    if params.get("when", "before") not in ("before", "after"):
        raise BadFault("when must be before or after")
    try:
        made = {name: value if name == "when" else float(value) for name, value in params.items()}
    except (TypeError, ValueError, OverflowError):
        raise BadFault("parameters are numbers") from None
    if not all(0 <= value < MOST for name, value in made.items() if name != "when"):
        raise BadFault("parameters are numbers from 0 to 4102444800")
    if "until" in made and not made["until"]:
        made["until"] = time.time() + made["seconds"]
    return made


def plan(store: Store, account: str, operation: str) -> Plan:
    """What goes wrong with this call; a fault with a count is used up by one."""
    groups = [name for name, members in GROUPS.items() if operation in members]
    made = Plan()
    for row, params in store.faults(account, (operation, *groups)):
        if _apply(made, row["kind"], params):
            store.consume(row["id"])
    return made


def _apply(made: Plan, kind: str, params: dict[str, Any]) -> bool:
    """Enter one fault into the plan; False when it does not bite now (the limit is over, another came first)."""
    if kind == "delay":
        setattr(made, f"delay_{params['when']}", params["seconds"])
        return True
    if kind not in ("refuse", "rate_limit", "drop", "error_after", "garbage"):
        made.flags[kind] = params
        return True
    ending = _ending(kind, params)
    moment = "after" if kind == "error_after" else params.get("when", "before")
    if ending is None or getattr(made, moment) is not None:
        return False
    setattr(made, moment, ending)
    return True


def _ending(kind: str, params: dict[str, Any]) -> Response | Refusal | None:
    if kind == "rate_limit":
        left = params["until"] - time.time()
        if left <= 0:
            return None
        return Refusal(int(params["code"]), 403, {"Retry-After": str(max(1, round(left + 0.5)))})
    if kind == "drop":
        return Dropped()
    if kind == "garbage":
        return Response(GARBAGE, int(params["status"]), media_type="text/html")
    return Refusal(int(params["code"]), int(params["status"]))


def in_words(row: sqlite3.Row) -> str:
    """A fault in force, for the page (Chinese)."""
    params = json.loads(row["params"])
    after = "受理后" if params.get("when") == "after" else "受理前"
    words = {
        "refuse": f"拒绝请求（错误码 {int(params.get('code', 0))}）",
        "rate_limit": "限流中",
        "delay": f"{after}延迟 {params.get('seconds', 0):g} 秒",
        "drop": f"{after}断开连接",
        "error_after": "受理后返回服务器错误",
        "garbage": f"{after}返回网页而不是数据",
        "list_lag": f"自己的列表晚 {params.get('seconds', 0):g} 秒可见",
        "list_size": f"自己的列表只给最新 {int(params.get('size', 0))} 条",
        "list_off": "自己的列表不可用",
        "honour_key": "识别重复请求编号",
        "show_key": "列表中带出请求编号",
        "reject_duplicates": "拒绝相同内容",
    }
    left = f"，还剩 {row['remaining']} 次" if row["remaining"] is not None else ""
    return words[row["kind"]] + left

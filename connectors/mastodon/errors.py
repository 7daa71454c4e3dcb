"""What the statuses and texts of failed calls mean. Servers differ: a bad token is 401 here and 400 there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime

from connectors.base import ConnectorError, ErrorKind
from connectors.http import Answer, kind_of_status, retry_at, scrub

K = ErrorKind
HUMAN: dict[ErrorKind, str] = {
    K.auth_human: "服务器不再承认该账号的访问令牌，请管理员重新授权",
    K.permission: "访问令牌没有这项权限，请管理员在服务器上补充授权",
    K.not_found: "要操作的内容不存在或已被删除",
    K.content_rejected: "服务器不接受这条内容（可能为空、过长或格式不符），请修改后再提交",
    K.rate_limited: "服务器限制了调用频率，系统会等到限制解除",
    K.transient: "服务器暂时不可用，系统会稍后处理",
    K.protocol: "服务器返回的内容无法识别，请检查服务器地址是否正确",
}
# Status → kind where the bare status says more than elsewhere.
STATUSES: dict[int, ErrorKind] = {400: K.content_rejected, 405: K.protocol, 501: K.protocol}
_TOKEN = re.compile(r"token|unauthori[sz]ed|not authenticated|log ?in", re.IGNORECASE)
_SUSPENDED = re.compile(r"suspended|disabled|pending approval", re.IGNORECASE)


def error_of(answer: Answer, now: datetime, secrets: Iterable[str]) -> ConnectorError | None:
    """The error an answer carries; None for a 2xx."""
    if answer.ok:
        return None
    said = _said(answer)
    kind = _kind(answer, said)
    human = HUMAN.get(kind, HUMAN[K.protocol])
    if kind is K.account_risk:
        human = "服务器已停用或限制该账号，已停止该账号的发布，请管理员登录服务器处理"
    return ConnectorError(
        kind,
        human,
        code=scrub(f"{answer.status} {said}".strip(), secrets),
        effect=answer.effect,
        retry_at=retry_at(answer.headers, now) if kind is K.rate_limited else None,
    )


def _kind(answer: Answer, said: str) -> ErrorKind:
    if answer.status == 403 and _SUSPENDED.search(said):
        return K.account_risk
    if answer.status == 400 and _TOKEN.search(said):
        return K.auth_human
    if answer.status == 400 and not answer.write:
        return K.protocol
    return STATUSES.get(answer.status) or kind_of_status(answer.status)


def _said(answer: Answer) -> str:
    """The server's own words, short: JSON's ``error`` or the beginning of a plain text; nothing of a web page."""
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        text = answer.body[:200].decode("utf-8", "replace")
        return "" if "<" in text else " ".join(text.split())
    return " ".join(str(body.get("error") or "").split())[:200] if isinstance(body, dict) else ""

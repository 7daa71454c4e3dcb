"""The platform's error codes as data: kind, and a sentence for people.

After open.bilibili.com › 状态码 (general, OAuth2, videos, articles) and › 接口签名实现标准和状态码 (4000–5003).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.base import ConnectorError, ErrorKind
from connectors.bodies import effect_of, unknown_kind
from connectors.failures import codes
from connectors.http import Answer, retry_at, scrub
from connectors.moments import BEIJING
from connectors.text import one_line

K = ErrorKind
# Whatever else the article interface refuses comes from here.
ARTICLES = range(129_000, 130_000)
NO_UPLOAD = 127_022


CODES: Mapping[int, tuple[ErrorKind, str]] = {
    **codes("127200 127201 5000 5001 5002 5003", K.transient, "B 站系统出错或繁忙，系统会核实后处理"),
    **codes("4004", K.transient, "B 站认为请求重复，系统会核实后处理"),
    **codes("4009", K.rate_limited, "B 站提示请求过于频繁，系统会稍后再试"),
    **codes("127009", K.quota_day, "应用今天的接口调用次数已达上限，次日恢复"),
    **codes("127001", K.auth_expired, "B 站的访问令牌已失效，系统会用刷新令牌更新"),
    **codes("122007", K.auth_human, "B 站的刷新令牌已用过或失效，请管理员点「重新授权」"),
    **codes("122002", K.auth_human, "授权码已用过或失效，请管理员点「重新授权」"),
    **codes("122000 122001 127004 4001 4002", K.auth_human, "Client ID 或 App Secret 不正确，请管理员核对"),
    **codes("127012", K.auth_human, "B 站没有认可授权，请管理员点「重新授权」"),
    **codes("127005 127006", K.permission, "机构或应用还没有通过 B 站的认证，请管理员到开放平台处理"),
    **codes("127007 4008", K.permission, "应用没有这项接口权限，请管理员向 B 站开放平台申请"),
    **codes("127011", K.permission, "授权时没有勾选这项权限，请管理员点「重新授权」并全部勾选"),
    **codes("4007", K.permission, "服务器的公网 IP 不在 B 站的白名单内，请管理员报备"),
    **codes("127102", K.content_rejected, "文件类型不符合 B 站要求，图片请用 JPG 或 PNG，视频请用 MP4"),
    **codes("129003", K.content_rejected, "标签不符合 B 站要求，请修改后再提交"),
    **codes("129004", K.content_rejected, "封面图片不符合 B 站要求，请更换后再提交"),
    **codes("129005", K.content_rejected, "专栏标题含有特殊文字，或超过 40 字，请修改后再提交"),
    **codes("127107 127124", K.not_found, "这个稿件不存在或已被删除"),
    **codes("4003", K.bug, "本机时间与 B 站相差超过 10 分钟，请管理员校准服务器时间"),
    **codes("127022", K.not_found, "B 站不再保留已上传的视频，系统会重新上传"),
    **codes("127207", K.bug, "B 站的这个视频分区暂时不能投稿，请管理员在账号设置中换一个分区编号"),
    **codes("4000 4005 4006 4010 4011 4012 4013 127000 127100", K.bug, "B 站不接受请求的写法，请联系技术人员"),
}  # fmt: skip
REFUSALS = frozenset(CODES) | frozenset(ARTICLES)
# The platform failed on its own side, or says that it has had the same before: a write may have gone through.
MAYBE_DONE = frozenset({127200, 127201, 4004, 5000, 5001, 5002, 5003})


def error_of(answer: Answer, body: Any, now: datetime, secrets: Iterable[str]) -> ConnectorError | None:
    """The error an answer carries; None for a success: a code that is there, and 0."""
    given = body.get("code") if isinstance(body, Mapping) else None
    code = given if isinstance(given, int) and not isinstance(given, bool) else None
    if code == 0 and answer.ok:
        return None
    words = one_line(str(body.get("message") or ""))[:80] if isinstance(body, Mapping) else ""
    kind, human = CODES.get(code or 0, _unknown(answer, code, scrub(words, secrets)))
    shown = scrub(f"{code or answer.status} {words}".strip(), secrets)
    until = retry_at(answer.headers, now) or (_tomorrow(now) if kind is K.quota_day else None)
    effect = effect_of(answer, code, REFUSALS, MAYBE_DONE)
    return ConnectorError(kind, human, code=shown, effect=effect, retry_at=until)


def is_no_upload(error: ConnectorError) -> bool:
    """Whether the platform does not know (any more) what was uploaded."""
    return error.code.split(" ")[0] == str(NO_UPLOAD)


def _unknown(answer: Answer, code: int | None, words: str) -> tuple[ErrorKind, str]:
    if code in ARTICLES:
        return K.content_rejected, f"B 站没有接受这篇专栏（{code} {words}）"
    human = f"B 站返回了未知的错误（{code or answer.status}）"
    return unknown_kind(answer), human


def _tomorrow(now: datetime) -> datetime:
    local = now.astimezone(BEIJING)
    return local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)

"""The platform's error codes as data, and what an answer means by them.

After its public tables: the general codes, new and old (developer.open-douyin.com, OpenAPI › 状态码), and those of the
pages on tokens and on picture posts; 2114006, 2114007 and 2190007 as clients of others have met them. Answers have the
status 200; the code stands in ``data`` or in ``extra``.
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

K = ErrorKind
# Daily quotas begin anew at eight in the morning.
RESET_HOUR = 8
TOKEN = "抖音的访问令牌已失效，系统会用刷新令牌更新"  # noqa: S105  a sentence


CODES: Mapping[int, tuple[ErrorKind, str]] = {
    # the platform's own trouble
    **codes("10001 2100004 28001005 28001006", K.transient, "抖音系统繁忙，系统会核实后处理"),
    # too often
    **codes("28003018 28001052", K.rate_limited, "抖音提示请求过于频繁，系统会稍后再试"),
    **codes("2114007", K.quota_day, "这个抖音账号今天由应用发布的条数已用完，次日可以再发"),
    **codes("2190001 28003017", K.quota_day, "抖音给应用的当日额度已用完，次日 8 点恢复；可由管理员申请提高"),
    # the authorisation
    **codes("10008 2190002 2190008 28001003 28001008", K.auth_expired, TOKEN),
    **codes("10010", K.auth_human, "抖音的授权已满 30 天，刷新令牌过期，请管理员点「重新授权」"),
    **codes("10007", K.auth_human, "授权码已过期，请管理员点「重新授权」"),
    **codes("10003 10013 10014", K.auth_human, "应用的 Client Key 或 Client Secret 不正确，请管理员核对"),
    **codes("2190015 28001015", K.auth_human, "访问令牌与账号编号不是同一个抖音账号的，请管理员点「重新授权」"),
    **codes("28001045", K.auth_human, "这个抖音账号已注销，请管理员核对"),
    **codes("10020", K.permission, "刷新令牌的续期次数已用完，到期前请管理员重新授权"),
    # rights
    **codes("10004 2100007 2190004 28001014 28001018", K.permission, "应用还没有这项能力，请管理员在抖音开放平台申请"),
    **codes("2190003 28001012 28004020", K.permission, "授权时没有勾选这项权限，请管理员点「重新授权」并全部勾选"),
    **codes("2190016 28001016 28001019 28001056", K.permission, "应用或这项能力已被抖音封禁或下线，请管理员处理"),
    **codes("28001020 28001021", K.permission, "测试应用没有绑定这个账号或已过期，请管理员在控制台处理"),
    **codes("28001047", K.permission, "账号设成了私密，抖音不提供数据，请管理员在抖音里改为公开"),
    # the content
    **codes("2114001", K.content_rejected, "文字超过 1000 字，请删减后再提交"),
    **codes("2190005", K.content_rejected, "文件超过抖音允许的大小，请压缩后再提交"),
    **codes("2114006", K.content_rejected, "视频超过抖音允许的 15 分钟，请剪短后再提交"),
    **codes("2190007", K.not_found, "抖音不再保留已上传的视频，系统会重新上传"),
    # the account itself
    **codes("2100009 28001046", K.account_risk, "抖音封禁了该账号的这项操作，已停止该账号的发布，请管理员登录抖音处理"),
    # our own fault
    **codes("10002 10005 2100005 210005 28001007 28001017 28001042", K.bug, "抖音不接受请求的写法，请联系技术人员"),
}
# The platform failed on its own side: a write may have gone through all the same.
MAYBE_DONE = frozenset({10001, 2100004, 28001005, 28001006})


def error_of(answer: Answer, body: Any, now: datetime, secrets: Iterable[str]) -> ConnectorError | None:
    """The error an answer carries; None for a success: a code that is there, and 0."""
    code, text = code_of(body)
    if code == 0 and answer.ok:
        return None
    kind, human = CODES.get(code or 0, (unknown_kind(answer), f"抖音返回了未知的错误（{code or answer.status}）"))
    shown = scrub(f"{code or answer.status} {text}".strip()[:200], secrets)
    until = retry_at(answer.headers, now) or (next_quota(now) if kind is K.quota_day else None)
    return ConnectorError(kind, human, code=shown, effect=effect_of(answer, code, CODES, MAYBE_DONE), retry_at=until)


def code_of(body: Any) -> tuple[int | None, str]:
    """Code and words of an answer; None where it carries no code at all."""
    parts = [body.get(name) for name in ("data", "extra")] if isinstance(body, Mapping) else []
    said = [(_whole(p.get("error_code")), str(p.get("description") or "")) for p in parts if isinstance(p, Mapping)]
    known = [(code, words) for code, words in said if code is not None]
    return next((one for one in known if one[0]), known[0] if known else (None, ""))


def next_quota(now: datetime) -> datetime:
    """When the day's quota begins anew."""
    local = now.astimezone(BEIJING)
    today = local.replace(hour=RESET_HOUR, minute=0, second=0, microsecond=0)
    return today if local < today else today + timedelta(days=1)


def _whole(value: Any) -> int | None:
    try:
        return None if isinstance(value, bool) or value is None else int(value)
    except (TypeError, ValueError, OverflowError):
        return None

"""What the platform's error codes mean: kind, sentence for people, and whether a write may still have happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from connectors.base import ConnectorError, Effect, ErrorKind
from connectors.http import Answer, kind_of_status, retry_at, scrub

K = ErrorKind
CODES: dict[int, tuple[ErrorKind, str]] = {
    **dict.fromkeys((10001, 10003, 10010, 10011, 20607), (K.transient, "平台内部出错，系统会核实后处理")),
    **dict.fromkeys((10002, 10009, 21331), (K.transient, "平台暂停服务或过于繁忙，系统会稍后再试")),
    **dict.fromkeys((10022, 10023, 10024, 20016, 20505), (K.rate_limited, "平台限制了调用频率，系统会等到限制解除")),
    **dict.fromkeys((10006, 21301, 21314, 21316, 21317, 21319, 21321, 21325, 21332), (
        K.auth_human, "平台不再承认该账号的访问令牌，请管理员重新授权")),
    **dict.fromkeys((21315, 21327), (K.auth_human, "该账号的访问令牌已过期，请管理员重新授权")),
    **dict.fromkeys((10004, 10005, 10013, 10014), (K.permission, "该账号没有这项接口权限，请管理员向平台申请")),
    **dict.fromkeys((20012, 20013), (K.content_rejected, "内容超过平台允许的长度，请删减后再提交")),
    20008: (K.content_rejected, "内容为空，请填写后再提交"),
    **dict.fromkeys((20005, 20006), (K.content_rejected, "图片的类型或大小不符合平台要求，请更换图片")),
    **dict.fromkeys((10017, 20018, 20020, 20021, 21602), (
        K.content_rejected, "平台认为内容违规或含有不允许的链接、词语，请修改后再提交")),
    **dict.fromkeys((20017, 20019, 20111, 20306), (K.duplicate, "平台提示相同内容已经发过，系统会核实")),
    **dict.fromkeys((20015, 20022, 20031, 20507), (
        K.account_risk, "平台判定该账号有风险，已停止该账号的发布，请管理员登录平台处理")),
    20003: (K.not_found, "对方账号不存在"),
    20101: (K.not_found, "要回复的微博不存在或已被删除"),
    20201: (K.not_found, "要回复的评论不存在或已被删除"),
    20305: (K.not_found, "要回复的私信不存在"),
    **dict.fromkeys((20102, 20203), (K.permission, "这条内容不属于该账号，不能操作")),
    **dict.fromkeys((20301, 20508), (K.target_refuses, "对方的设置不允许接收该账号的回复，请改用其他联系方式")),
    20032: (K.transient, "平台已经受理，一两分钟后可见"),
    21901: (K.window_closed, "已超过平台允许的私信回复时限（48 小时），请改用其他联系方式"),
    10008: (K.bug, "平台不接受请求的参数，请联系技术人员"),
}  # fmt: skip
# The platform failed on its own side: a write may have gone through all the same.
MAYBE_DONE = frozenset({10001, 10003, 10010, 10011, 20607, 20017, 20019, 20111, 20306})
ACCEPTED_LATE = frozenset({20032})


def error_of(answer: Answer, body: Any, now: datetime, secrets: Iterable[str]) -> ConnectorError | None:
    """The error an answer carries, by its body before its status; None for a success."""
    code, text = _code(body)
    if not code and answer.ok:
        return None
    kind, human = CODES.get(code, (_unknown_kind(answer), f"平台返回了未知的错误（{code or answer.status}）"))
    shown = scrub(f"{code or answer.status} {text}".strip()[:200], secrets)
    return ConnectorError(kind, human, code=shown, effect=_effect(answer, code), retry_at=retry_at(answer.headers, now))


def _code(body: Any) -> tuple[int, str]:
    if not isinstance(body, dict):
        return 0, ""
    try:
        return int(body.get("error_code") or 0), str(body.get("error") or "")
    except (TypeError, ValueError):
        return 0, str(body.get("error_code"))[:40]


def _unknown_kind(answer: Answer) -> ErrorKind:
    """An unknown code: reading may be tried again, writing is for a person to look at."""
    if answer.status >= 400 and answer.status != 400:
        return kind_of_status(answer.status)
    return K.protocol if answer.write else K.transient


def _effect(answer: Answer, code: int) -> Effect:
    if not answer.write:
        return Effect.not_done
    if code in ACCEPTED_LATE:
        return Effect.done
    if code in MAYBE_DONE or answer.effect is Effect.unknown:
        return Effect.unknown
    return Effect.not_done

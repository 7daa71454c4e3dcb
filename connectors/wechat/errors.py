"""What the platform's error codes mean. A failure is HTTP 200 with ``errcode``; many a success has no ``errcode``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import Any

from connectors.base import ConnectorError, Effect, ErrorKind
from connectors.bodies import unknown_kind
from connectors.http import Answer, retry_at, scrub
from connectors.moments import BEIJING

K = ErrorKind
BUSY = "微信公众平台繁忙或内部出错，系统会核实后处理"
TOKEN = "公众号的接口凭据已失效，系统会重新获取后再试"  # noqa: S105 -- a sentence
CODES: dict[int, tuple[ErrorKind, str]] = {
    **dict.fromkeys((-1, -1000, 9001002, 61450), (K.transient, BUSY)),
    **dict.fromkeys((45011, 53501), (K.rate_limited, "调用过于频繁，微信公众平台要求稍等，系统会等到限制解除")),
    45066: (K.rate_limited, "上一次群发请求还在处理，系统会在一分钟后核实"),
    **dict.fromkeys((45009, 48006), (K.quota_day, "这个公众号今天的接口调用次数已用完，明天零点恢复")),
    45028: (K.quota_day, "这个公众号的群发次数已用完，次数恢复后系统会再试"),
    **dict.fromkeys((40001, 40014, 41001, 42001), (K.auth_expired, TOKEN)),
    **dict.fromkeys((40013, 41002), (K.auth_human, "公众号的 AppID 不正确，请管理员核对")),
    **dict.fromkeys((40125, 41004), (K.auth_human, "公众号的 AppSecret 不正确或已被重置，请管理员重新填写")),
    40164: (K.auth_human, "本服务器的出口地址不在公众号的 IP 白名单中，请管理员到公众平台加入"),
    **dict.fromkeys((40243, 50004), (K.auth_human, "公众号的 AppSecret 已被冻结，请管理员到公众平台解冻")),
    **dict.fromkeys((42007, 61003, 61007, 61023), (
        K.auth_human, "公众号对第三方平台的授权已失效，请管理员重新授权")),
    **dict.fromkeys((48001, 50001), (
        K.permission, "公众号没有这项接口权限（多数接口只对已认证的公众号开放），请管理员到公众平台申请")),
    48003: (K.permission, "公众号还没有同意群发协议，请管理员登录公众平台群发一次并同意协议"),
    48004: (K.permission, "公众号的接口因违规被封禁，请管理员登录公众平台查看"),
    48005: (K.permission, "素材正被自动回复或菜单使用，不能删除"),
    48008: (K.permission, "公众号没有发送这类消息的权限，请管理员到公众平台查看"),
    50002: (K.permission, "公众号被限制使用或已被冻结，请管理员登录公众平台处理"),
    50005: (K.target_refuses, "对方没有关注公众号，发不出去，请改用其他联系方式"),
    53500: (K.permission, "公众号的发布功能被封禁，请管理员登录公众平台处理"),
    45015: (K.window_closed,
        "超过了微信允许答复的时间（对方最后一次来信后 48 小时），或对方已取消关注，请改用其他联系方式"),
    45047: (K.window_closed, "对方再次来信之前，微信允许的答复次数已用完，请改用其他联系方式"),
    **dict.fromkeys((40003, 43004, 46004), (
        K.target_refuses, "对方没有关注公众号或用户编号无效，发不出去，请改用其他联系方式")),
    43019: (K.target_refuses, "对方在公众号的黑名单里，先移出黑名单才能答复"),
    **dict.fromkeys((43101, 48002), (K.target_refuses, "对方拒收这个公众号的消息，请改用其他联系方式")),
    45002: (K.content_rejected, "内容超过微信允许的长度，请删减后再提交"),
    45003: (K.content_rejected, "标题超过微信允许的长度，请缩短标题"),
    45004: (K.content_rejected, "摘要超过微信允许的长度，请缩短第一段"),
    **dict.fromkeys((45001, 40006, 40009, 40012), (K.content_rejected, "图片超过微信允许的大小，请缩小图片")),
    **dict.fromkeys((40004, 40005, 40137, 40113), (K.content_rejected, "图片类型不符合微信的要求，请换成 JPG 或 PNG")),
    45008: (K.content_rejected, "文章篇数超过微信允许的数量"),
    45110: (K.content_rejected, "作者名超过微信允许的长度，请管理员在账号设置中缩短作者名"),
    **dict.fromkeys((45166, 40155), (K.content_rejected, "内容里有微信不允许的链接，请去掉后再提交")),
    87014: (K.content_rejected, "微信认为内容可能违规，请修改后再提交"),
    **dict.fromkeys((40007, 40118, 40121), (K.content_rejected, "素材或草稿已不存在，请重新提交")),
    **dict.fromkeys((40033, 44002, 47001), (K.bug, "微信公众平台不接受请求的写法，请联系技术人员")),
    **dict.fromkeys((44003, 44004), (K.content_rejected, "内容为空，请填写后再提交")),
    53503: (K.content_rejected, "草稿没有通过微信的发布检查，请修改后再提交"),
    53504: (K.content_rejected, "这篇草稿须到公众平台网站上发布"),
    53505: (K.content_rejected, "这篇草稿须先在公众平台网站上手动保存成功再发布"),
    45067: (K.bug, "群发编号过长，请联系技术人员"),
    45065: (K.duplicate, "这次群发微信公众平台已经收到过，系统会核实结果"),
    **dict.fromkeys((53502, 53600), (K.not_found, "要操作的文章不存在或已被删除")),
    40008: (K.bug, "微信公众平台不接受请求的写法，请联系技术人员"),
    88000: (K.permission, "公众号没有文章留言权限，请管理员到公众平台查看留言功能是否开通"),
    88001: (K.not_found, "文章不存在或没有打开留言"),
    88002: (K.permission, "这篇文章因安全原因不能留言"),
    88003: (K.content_rejected, "精选留言的数量已到上限"),
    88004: (K.not_found, "留言已被对方删除"),
    88005: (K.duplicate, "这条留言已经答复过，系统会核实"),
    88007: (K.content_rejected, "留言答复为空或超过微信允许的长度，请修改后再提交"),
    **dict.fromkeys((88008, 88009), (K.not_found, "留言或答复不存在，可能已被删除")),
    88010: (K.bug, "微信公众平台不接受请求的写法，请联系技术人员"),
    **dict.fromkeys((61500, 61501, 61503), (K.not_found, "微信公众平台还没有这一天的数据")),
}  # fmt: skip
# The platform failed on its own side, or says that it has had the same before: a write may have gone through.
MAYBE_DONE = frozenset({-1, -1000, 9001002, 61450, 88005})
DONE = frozenset({45065})
_MINUTE = {45011: timedelta(minutes=1), 45066: timedelta(seconds=65), 53501: timedelta(minutes=10)}
_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")


def error_of(answer: Answer, body: Any, now: datetime, secrets: Iterable[str]) -> ConnectorError | None:
    """The error an answer carries, by its body before its status; None for a success."""
    if not isinstance(body, Mapping):
        human = "微信公众平台返回的内容无法识别，请稍后再试；持续出现请检查平台地址"
        return ConnectorError(K.protocol, human, code=f"http {answer.status}", effect=answer.effect)
    code = code_of(body)
    if not code and answer.ok:
        return None
    kind, human = CODES.get(code, (unknown_kind(answer), f"微信公众平台返回了未知的错误（{code or answer.status}）"))
    said = str(body.get("errmsg") or "")
    if code == 40164 and (address := _ADDRESS.search(said)):
        human = f"本服务器的出口地址 {address[0]} 不在公众号的 IP 白名单中，请管理员到公众平台加入"
    return ConnectorError(
        kind,
        human,
        code=scrub(f"{code or answer.status} {said}".strip()[:200], secrets),
        effect=_effect(answer, code),
        retry_at=_again_at(code, now) or retry_at(answer.headers, now),
    )


def code_of(body: Any) -> int:
    """``errcode`` as a number; 0 where there is none, -1 where it is no number or the body no object."""
    if not isinstance(body, Mapping):
        return -1
    try:
        return int(body.get("errcode") or 0)
    except (TypeError, ValueError, OverflowError):
        return -1


def next_day(now: datetime) -> datetime:
    """The next midnight in Beijing, when quotas of a day begin anew."""
    here = now.astimezone(BEIJING)
    return datetime.combine(here.date() + timedelta(days=1), time(0, 0, 5), BEIJING)


def _again_at(code: int, now: datetime) -> datetime | None:
    if CODES.get(code, (K.bug, ""))[0] is K.quota_day:
        return next_day(now)
    return now + _MINUTE[code] if code in _MINUTE else None


def _effect(answer: Answer, code: int) -> Effect:
    """A code is a clear refusal, whatever the status, but for those that say "perhaps"."""
    if not answer.write:
        return Effect.not_done
    if code in DONE:
        return Effect.done
    return Effect.unknown if code in MAYBE_DONE or (not code and answer.effect is Effect.unknown) else Effect.not_done

"""The states of a delivery in sets and words, and the next step for every way a sending goes wrong. Pure."""

from __future__ import annotations

from connectors.base import ErrorKind
from hub.i18n import N_, NP_, _, pgettext
from hub.models import DeliveryState

S = DeliveryState

# May be on the platform already: nothing of it can be taken back by a change in the house.
LEFT = frozenset({S.sending, S.sent, S.unknown, S.removed})
# Surely not on its way: a person or a change of the post may stop or move it.
STOPPABLE = frozenset({S.waiting, S.held, S.missed, S.failed, S.by_hand})
# Nothing will ever happen to it again by itself, and nobody needs to decide anything.
CLOSED = frozenset({S.sent, S.removed, S.cancelled})
# A person decides what comes next. ``unknown`` counts once it is parked (``held_reason`` says why).
NEEDS_PERSON = frozenset({S.failed, S.missed, S.held})

_LABELS = {
    S.waiting: N_("待发"),
    S.sending: N_("发送中"),
    S.sent: N_("已发出"),
    S.failed: N_("失败"),
    S.unknown: N_("待核实"),
    S.held: NP_("state", "暂停"),
    S.missed: N_("错过"),
    S.cancelled: NP_("state", "作废"),
    S.removed: N_("平台下线"),
    S.by_hand: N_("待人工发布"),
}

_NEXT_STEPS = {
    ErrorKind.transient: N_("平台一直没有响应。确认平台恢复后点「重试」。"),
    ErrorKind.rate_limited: N_("等平台限流结束后会自动再发，无需操作。"),
    ErrorKind.quota_day: N_("当天额度已用完，额度恢复后会自动再发；急用请改由其他账号发布。"),
    ErrorKind.auth_expired: N_("请管理员在账号设置中更新授权，然后点「重试」。"),
    ErrorKind.auth_human: N_("请管理员在账号设置中重新授权，然后点「重试」。"),
    ErrorKind.permission: N_("请管理员向平台申请这项接口权限，开通后点「重试」，或改由其他账号发布。"),
    ErrorKind.content_rejected: N_("请按平台的说明修改内容，重新送审。"),
    ErrorKind.duplicate: N_("平台认为内容重复。到平台上核对是否已有这一条；确需再发请修改文字后重新送审。"),
    ErrorKind.not_found: N_("对方的内容已不在平台上，无法在其下回复；可改用其他方式联系。"),
    ErrorKind.window_closed: N_("平台允许回复的时间已过；请改用公开回复、电话或信函。"),
    ErrorKind.target_refuses: N_("对方不接收消息；请改用公开回复或其他方式联系。"),
    ErrorKind.account_risk: N_("账号被平台限制。请管理员登录平台处理后点「重试」。"),
    ErrorKind.protocol: N_("平台返回的内容无法识别。请管理员检查账号的平台地址后点「重试」。"),
    ErrorKind.bug: N_("请管理员检查账号设置；仍不行请把本页的错误信息提交给维护人员。"),
}
# Why a delivery waits without having been tried: our own count of calls, the account's circuit.
_WAITS = {
    "budget": N_("本账号的调用额度恢复后会自动再发；急用请改由其他账号发布。"),
    "circuit": N_("请管理员在账号页按提示处理；账号恢复后会自动再发。"),
    "video": N_("视频传完就会自动发出；过了最晚发布时间还没有传完，会记为错过，由人决定。"),
}
# It waits for its video, which is on its way to the platform.
VIDEO = "video"
# What a person says who could not do it by hand, as the row's error kind.
GIVEN_UP = "given_up"
_GIVEN_UP = N_("处理好原因后点「重试」，任务会再交给负责人；不再发布的点「作废」。")
_TAMPERED = N_("内容与批准的不一致，未发出。请打开稿件核对后重新送审。")


def label(state: DeliveryState) -> str:
    """The word people see."""
    return pgettext("state", _LABELS[state])


def next_step(error_kind: str) -> str:
    """What the person is to do now; empty when there was no error. ``error_kind`` as stored in the row."""
    if error_kind == "tampered":
        return _(_TAMPERED)
    if error_kind == GIVEN_UP:
        return _(_GIVEN_UP)
    if error_kind in _WAITS:
        return _(_WAITS[error_kind])
    known = error_kind in ErrorKind.__members__
    return _(_NEXT_STEPS[ErrorKind(error_kind)]) if known else ""

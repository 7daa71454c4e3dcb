"""States of posts and deliveries as pages show them: a tone, a sign on the calendar, and what it means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.i18n import N_, NP_, _, moment, pgettext
from hub.models import Delivery, DeliveryState, PostEvent, PostState
from workflows.publishing.calendar import Item, summary
from workflows.publishing.states import label

S, D = PostState, DeliveryState

# The calendar's signs → the tones of the macros ``state`` and ``badge``.
_SIGN_TONES = {"review": "soon", "ready": "action", "done": "done", "problem": "danger", "held": "soon"}
_DELIVERY_TONES = {
    D.waiting: "action", D.sending: "action", D.sent: "done", D.failed: "danger", D.unknown: "soon", D.held: "soon",
    D.missed: "danger", D.cancelled: "", D.removed: "danger", D.by_hand: "soon",
}  # fmt: skip
_MEANINGS = {
    S.draft: N_("还没有送审，不会发出。"),
    S.review: N_("等别人审核；写过或改过这篇稿的人不能自己审。"),
    S.returned: N_("审核人退回了，改好后再送审。"),
    S.approved: N_("已经通过审核，到点自动发出；改动一个字就要重新送审。"),
    S.done: N_("每个账号都有了结果，没有要等的了。"),
    S.withdrawn: N_("已从日历上撤下，不会发出；修改并保存后又成为草稿。"),
}
_STATE_TONES = {S.review: "soon", S.returned: "soon", S.approved: "action", S.done: "done"}
_EVENTS = {
    "create": NP_("event", "新建稿件"), "save": N_("修改内容"), "save_details": N_("修改标题或时限"),
    "submit": NP_("event", "送审"),
    "sign": N_("审核签字"), "approve": N_("批准，排入发送"), "send_back": NP_("event", "退回修改"),
    "withdraw": NP_("event", "撤回"),
    "reschedule": NP_("event", "改期"), "force": NP_("event", "放行红线"),
    "back_to_review": N_("批准失效，重新送审"), "waiting": N_("重新排入发送"),
    "sending": N_("开始发送"), "sent": N_("已发出"), "failed": N_("发送失败"), "unknown": N_("结果待核实"),
    "held": N_("被暂停"), "missed": N_("错过时间，没有发出"), "cancelled": NP_("event", "作废"),
    "removed": N_("平台上已找不到"), "by_hand": N_("到点，交给负责人人工发布"),
}  # fmt: skip
_EVENT_LOOKS = {
    "create": ("edit", ""), "submit": ("send", "action"), "sign": ("user-check", "done"),
    "approve": ("circle-check", "done"), "send_back": ("arrow-back-up", "soon"), "withdraw": ("ban", ""),
    "reschedule": ("calendar-event", ""), "force": ("shield", "danger"),
    "back_to_review": ("rotate", "soon"), "sent": ("check", "done"), "failed": ("alert-triangle", "danger"),
    "unknown": ("help", "soon"), "held": ("player-pause", "soon"), "missed": ("clock-pause", "danger"),
    "cancelled": ("x", ""), "removed": ("eye-off", "danger"), "waiting": ("clock", "action"),
    "by_hand": ("hand-stop", "action"),
}  # fmt: skip
ATTEMPTS = {
    "open": N_("正在进行"), "done": N_("平台已受理"), "refused": N_("平台拒绝"), "retry": N_("没有成功，稍后再试"),
    "unknown": N_("没有得到答复"), "found": N_("回查：平台上有"), "absent": N_("回查：平台上没有"),
    "by_hand": N_("人工核实"),
}  # fmt: skip
FIGURES = {
    "reads": NP_("figure", "阅读"), "likes": NP_("figure", "点赞"), "comments": NP_("figure", "评论"),
    "reposts": NP_("figure", "转发"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """How a post stands: a word, its tone, and what it means for the person who reads it."""

    words: str
    tone: str
    meaning: str


def standing(state: PostState, deliveries: Sequence[Delivery], *, signs: bool = False) -> Standing:
    """Once approved, what became of its deliveries says more than its own state. ``signs``: it waits for the reader."""
    if state is S.review and signs:
        return Standing(label(state), _STATE_TONES[state], _("等您审核：看过每个账号的文字，通过或退回。"))
    if state not in (S.approved, S.done) or not deliveries:
        return Standing(label(state), _STATE_TONES.get(state, ""), _(_MEANINGS[state]))
    said, tone = summary(state, [delivery.state for delivery in deliveries])
    if tone == "bad":
        return Standing(said, "danger", _("有账号没发成、说不准或已被下线，原因和下一步写在各账号下面。"))
    if tone == "warn":
        return Standing(said, "soon", _("被暂停了；解除暂停以后，过了时间的要逐条决定。"))
    if any(delivery.state is D.by_hand for delivery in deliveries):
        return Standing(said, "soon", _("有账号要人工发布，负责人贴回链接以后才算发出。"))
    return Standing(said, _STATE_TONES[state], _(_MEANINGS[state]))


def delivery_tone(delivery: Delivery) -> str:
    """The tone of a delivery's state; an unknown outcome becomes urgent once a person has to decide."""
    if delivery.state is D.unknown and delivery.held_reason:
        return "danger"
    return _DELIVERY_TONES[delivery.state]


def sign(item: Item) -> str:
    """The calendar's sign: draft | review | ready | done | problem | held | gone."""
    if item.state is S.withdrawn:
        return "gone"
    if item.state in (S.review, S.returned):
        return "review"
    if item.state is S.draft:
        return "draft"
    return {"bad": "problem", "warn": "held", "ok": "done", "quiet": "gone"}.get(item.tone, "ready")


def tone(item: Item) -> str:
    """The tone of a post's state in a list."""
    return _SIGN_TONES.get(sign(item), "")


def legend() -> list[tuple[str, str]]:
    """The calendar's signs in words, in order."""
    return [
        ("draft", _("草稿")), ("review", _("待审核、退回修改")), ("ready", _("待发布")), ("done", _("已发出")),
        ("problem", _("要处理：失败、错过、待核实、平台下线")), ("held", _("被暂停")),
        ("gone", pgettext("state", "作废")),
    ]  # fmt: skip


def event_words(what: str) -> str:
    """A step of the history in words."""
    return pgettext("event", _EVENTS[what]) if what in _EVENTS else what


def event_look(what: str) -> tuple[str, str]:
    """Icon and tone of a step."""
    return _EVENT_LOOKS.get(what, ("point", ""))


def moved(event: PostEvent) -> str:
    """A change of time in words."""
    old, new = (event.data.get(name, "") for name in ("from", "to"))
    said = [moment(datetime.fromisoformat(at)) if at else _("未定") for at in (old, new)]
    return _("%(old)s → %(new)s", old=said[0], new=said[1])


def focus_words() -> list[tuple[str, str]]:
    """Where the part of a picture is that must stay when it is cut."""
    return [
        ("", _("裁切时保留中间")), ("top", _("保留上边")), ("bottom", _("保留下边")), ("left", _("保留左边")),
        ("right", _("保留右边")),
    ]  # fmt: skip


def figure_words() -> list[tuple[str, str]]:
    """What is counted of a post, in order: name and words."""
    return [(name, pgettext("figure", said)) for name, said in FIGURES.items()]


def attempt_words(result: str) -> str:
    """How one try ended."""
    return _(ATTEMPTS[result])

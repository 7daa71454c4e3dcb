"""What the office calls states, moves, classes and what a move asks for; looked up in the language in force."""

from __future__ import annotations

from connectors.stages import Stage, word_of
from hub.i18n import N_, NP_, _, pgettext, said
from hub.models import CaseClass, CaseState
from workflows.cases.moves import Move

STATE_WORDS: dict[CaseState, str] = {
    CaseState.new: N_("待受理"),
    CaseState.triaged: N_("待派单"),
    CaseState.dispatched: N_("待签收"),
    CaseState.handling: N_("办理中"),
    CaseState.waiting: NP_("state", "待补充/挂起"),
    CaseState.review: N_("答复待发出"),
    CaseState.replied: N_("已答复待回访"),
    CaseState.closed: N_("已办结"),
    CaseState.void: NP_("state", "不予受理"),
    CaseState.merged: N_("已并案"),
}

MOVE_WORDS: dict[Move, str] = {
    Move.accept: N_("受理"),
    Move.refuse: N_("不予受理"),
    Move.answer_direct: N_("直接答复"),
    Move.dispatch: N_("派单"),
    Move.sign: N_("签收"),
    Move.assign: N_("指定承办人"),
    Move.hand_back: N_("退回"),
    Move.ask_ruling: N_("申请裁定"),
    Move.rule: N_("裁定"),
    Move.forward: N_("转办"),
    Move.suspend: N_("挂起"),
    Move.resume: N_("恢复办理"),
    Move.ask_extension: N_("申请延期"),
    Move.grant_extension: N_("同意延期"),
    Move.refuse_extension: N_("不同意延期"),
    Move.reclass: N_("调整紧急程度"),
    Move.submit: N_("送审"),
    Move.ask_citizen: N_("向来信人追问"),
    Move.send_back: N_("退回修改"),
    Move.approve: N_("审核通过"),
    Move.answer_sent: N_("答复已发出"),
    Move.question_sent: N_("追问已发出"),
    Move.answer_failed: N_("答复发送失败"),
    Move.answer_retried: N_("重新发送答复"),
    Move.answer_returned: N_("答复没有送达"),
    Move.answer_elsewhere: N_("登记线下答复"),
    Move.close: N_("办结"),
    Move.redo: N_("发回重办"),
    Move.reopen: N_("重新打开"),
    Move.citizen_again: N_("来信人再次来信"),
    Move.merge: N_("并案"),
    Move.unmerge: N_("拆分"),
}

# The same words in a history, where other languages say that it has been done.
DONE_WORDS: tuple[str, ...] = (
    NP_("event", "受理"), NP_("event", "不予受理"), NP_("event", "直接答复"), NP_("event", "派单"),
    NP_("event", "签收"), NP_("event", "指定承办人"), NP_("event", "退回"), NP_("event", "申请裁定"),
    NP_("event", "裁定"), NP_("event", "转办"), NP_("event", "挂起"), NP_("event", "恢复办理"),
    NP_("event", "申请延期"), NP_("event", "同意延期"), NP_("event", "不同意延期"), NP_("event", "调整紧急程度"),
    NP_("event", "送审"), NP_("event", "退回修改"), NP_("event", "审核通过"), NP_("event", "答复已发出"),
    NP_("event", "答复发送失败"), NP_("event", "答复没有送达"), NP_("event", "重新发送答复"),
    NP_("event", "登记线下答复"),
    NP_("event", "办结"), NP_("event", "发回重办"), NP_("event", "重新打开"), NP_("event", "来信人再次来信"),
    NP_("event", "向来信人追问"), NP_("event", "追问已发出"),
    NP_("event", "并案"), NP_("event", "拆分"), NP_("event", "起草答复"), NP_("event", "修正标签"),
    NP_("event", "来信人评价"), NP_("event", "放行红线"), NP_("event", "采用模型起草的文字"),
)  # fmt: skip

CLASS_WORDS: dict[CaseClass, str] = {
    CaseClass.urgent: N_("紧急"),
    CaseClass.livelihood: N_("民生"),
    CaseClass.general: N_("一般"),
    CaseClass.hard: N_("疑难"),
}

EVENT_WORDS: dict[str, str] = {
    **{move.value: word for move, word in MOVE_WORDS.items()},
    "opened": N_("收到来信"),
    "imported": N_("随文件导入"),
    "message": N_("来信人补充"),
    "citizen_rated": N_("来信人评价"),
    "note": N_("内部备注"),
    "sign_overdue": N_("催签"),
    "due_soon": N_("时限提醒"),
    "overdue": N_("催办"),
    "class_raised": N_("自动升为紧急"),
    "send_trouble": N_("发送受阻"),
    "answer_by_hand": N_("到人工发布，等人回复"),
    "answer_removed": N_("答复被平台下线"),
    "stage_told": N_("进度已送来单系统"),
    "stage_trouble": N_("进度没有送到来单系统"),
    "draft": N_("起草答复"),
    "tags_corrected": N_("修正标签"),
    "suggested": N_("重新建议派单"),
    "force_check": N_("放行红线"),
    "generated": N_("采用模型起草的文字"),
}

# Why a matter is not taken up; the desk adds where the citizen may turn instead.
REFUSALS: tuple[str, ...] = (
    N_("不属于本级政府职责范围"),
    N_("已进入诉讼、仲裁、行政复议或信访程序"),
    N_("没有具体诉求或内容无法辨认"),
    N_("广告、谩骂等无关内容"),
    N_("商业纠纷、个人隐私等不宜受理的事项"),
    N_("其他"),
)


def state_label(state: CaseState) -> str:
    """待受理 … 已并案."""
    return pgettext("state", STATE_WORDS[state])


def move_label(move: Move) -> str:
    """受理, 派单, 签收 …"""
    return _(MOVE_WORDS[move])


def stage_label(stage: str) -> str:
    """What the system an order came from is told of it."""
    return said(word_of(Stage(stage)))


def class_label(urgency: CaseClass) -> str:
    """紧急, 民生, 一般, 疑难."""
    return _(CLASS_WORDS[urgency])


def event_label(what: str) -> str:
    """The word for one line of the timeline."""
    return pgettext("event", EVENT_WORDS.get(what, what))

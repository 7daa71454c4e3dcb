"""How learning speaks: tasks, reasons, why a version was refused, what a lesson changed, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.i18n import N_, _, ngettext, percent
from hub.models import Because, LearnState
from workflows.inbox import words

TASK_WORDS = {"topic": N_("主题"), "sentiment": N_("情感"), "request": N_("诉求")}
FIELD_WORDS = {
    **TASK_WORDS, "subtopic": N_("二级主题"), "emotion": N_("情绪"), "is_sensitive": N_("敏感"),
    "urgency": N_("紧急线索"), "place": N_("地点"),
}  # fmt: skip
BECAUSE_WORDS: Mapping[Because, str] = {
    Because.subject: N_("事项看错了"), Because.tone: N_("语气看错了"), Because.irony: N_("反话、玩笑"),
    Because.quote: N_("转述或引用别人的话"), Because.local: N_("本地说法、简称"), Because.mixed: N_("几件事混在一起"),
    Because.rule: N_("本单位另有归口规定"), Because.slip: N_("上次改错了"), Because.other: N_("其他"),
    Because.right: N_("标签无误"),
}  # fmt: skip
CHOSEN = tuple(one for one in Because if one is not Because.right)
_STATES = {
    LearnState.waiting: N_("排队中"), LearnState.running: N_("学习中"), LearnState.done: N_("完成"),
    LearnState.failed: N_("失败"),
}  # fmt: skip


def task_label(task: str) -> str:
    """主题, 情感."""
    return _(TASK_WORDS.get(task, task))


def field_label(field: str) -> str:
    """The tag a correction is about."""
    return _(FIELD_WORDS.get(field, field))


def because_label(because: Because) -> str:
    """Why the tag was wrong."""
    return _(BECAUSE_WORDS[because])


def becauses() -> list[tuple[str, str]]:
    """(value, word) of the short list."""
    return [(one.value, because_label(one)) for one in CHOSEN]


def state_label(state: LearnState) -> str:
    """Where a lesson stands."""
    return _(_STATES[state])


def value_label(field: str, value: str) -> str:
    """A tag's value in words."""
    if field == "is_sensitive":
        return _("是") if value == "1" else _("否")
    names = {
        "topic": words.topic_label, "sentiment": words.sentiment_label, "request": words.request_label,
        "subtopic": words.subtopic_label, "emotion": words.emotion_label, "urgency": _cue,
    }  # fmt: skip
    return names[field](value) if field in names else value or "—"


def _cue(value: str) -> str:
    return words.cue_label(value) if value else _("无")


def number_label(number: int) -> str:
    """第 3 版, or 出厂版."""
    return _("第 %(n)s 版", n=number) if number else _("出厂版")


def class_label(label: str, model: str) -> str:
    """A class of one of the shipped models: *neutral* is 平静 among emotions, 中性 among tones."""
    if model == "emotion":
        return words.emotion_label(label)
    return words.topic_label(words.sentiment_label(label))


_SETS = {
    "gov7_dev_raw.tsv": N_("政务留言（公开开发集）"), "weibo3_dev.tsv": N_("微博，日常与疫情（公开开发集）"),
    "letters kept back": N_("来信标题自己说明诉求的来信（没有学过的一部分）"),
    "letters labelled by reading": N_("逐封读过、标了情感的来信"),
    "titles of these letters alone": N_("同样这些来信，只看标题"),
    "weibo3_dev_covid.tsv": N_("微博，另一来源、另一批标注人（没有学过的领域）"),
    "gov7_train_segmented.tsv": N_("一般的政务来信"),
}  # fmt: skip


def set_label(name: str) -> str:
    """A set in words; the model that was measured may have been trained on other sets."""
    own, _sep, file = name.rpartition(" on ")
    file, apart, _rest = file.partition(", a fifth kept back")
    known = _(_SETS[file]) if file in _SETS else file
    if apart:
        return _("%(set)s：每次留出五分之一来量", set=known)
    return _("最后出厂的模型，%(set)s", set=known) if own else known


def why(reason: Sequence[Any]) -> str:
    """Why a version was refused."""
    code, *numbers = reason
    if code == "few":
        return _("只有 %(n)s 条例子，至少要 %(least)s 条", n=numbers[0], least=numbers[1])
    if code == "left":
        return _(
            "大家看过而没有改动的来信中，有 %(p)s 会换标签，超过 %(most)s",
            p=percent(numbers[0]),
            most=percent(numbers[1]),
        )
    if code == "layer":
        return _(
            "在本单位的修正上不如在出厂模型上加学的（宏平均 F1 %(layer)s 对 %(anew)s）",
            layer=score(numbers[0]), anew=score(numbers[1]),
        )  # fmt: skip
    if code == "now":
        return _(
            "有 %(n)s 条修正是当时使用的版本没有学过的：它答对 %(before)s 条，这一版只答对 %(after)s 条",
            n=numbers[0], before=numbers[1], after=numbers[2],
        )  # fmt: skip
    if code == "thin":
        return _("底本只有 %(n)s 条，从头训练至少要 %(least)s 条", n=numbers[0], least=numbers[1])
    if code == "size":
        return _("模型太大")
    named = {"office": N_("在本单位的修正上没有变好"), "guard": N_("在核对集上变差了")}
    if code in named:
        return _(
            "%(what)s（宏平均 F1 %(before)s → %(after)s）",
            what=_(named[code]),
            before=score(numbers[0]),
            after=score(numbers[1]),
        )
    return str(code)


def note(task: str, text: str) -> str:
    """Why a lesson made no version of a task, from what its row keeps."""
    code, _sep, number = text.partition(":")
    named = task_label(task)
    if code == "few":
        return _("%(task)s：只有 %(n)s 条例子，还不够，没有学", task=named, n=number)
    if code == "right":
        return _("%(task)s：没有改错的标签，没有可学的", task=named)
    return _("%(task)s：上次学习以后没有新的修正，没有再学", task=named)


def score(value: float) -> str:
    """0.684 as .684 is read by few: 68.4."""
    return f"{value * 100:.1f}"


def summary(task: str, report: Mapping[str, Any]) -> list[str]:
    """What the lesson changed, in sentences; empty when it has no figures."""
    if "office" not in report:
        return []
    office, guard = report["office"], report["guard"]
    lines = [
        _(
            "在本单位的 %(n)s 条例子上，宏平均 F1 由 %(before)s 变为 %(after)s，答对的由 %(right)s 变为 %(now)s。",
            n=office["after"]["size"], before=score(office["before"]["macro_f1"]),
            after=score(office["after"]["macro_f1"]), right=percent(office["before"]["accuracy"]),
            now=percent(office["after"]["accuracy"]),
        ),
        _(
            "在 %(n)s 条核对来信上，宏平均 F1 由 %(before)s 变为 %(after)s。", n=guard["after"]["size"],
            before=score(guard["before"]["macro_f1"]), after=score(guard["after"]["macro_f1"]),
        ),
    ]  # fmt: skip
    now = report.get("now", {})
    if now.get("size") and not any(code == "now" for code, *_numbers in report["why"]):  # the refusal says it already
        lines.append(_(
            "有 %(n)s 条修正是当时使用的版本没有学过的：它答对 %(before)s 条，这一版答对 %(after)s 条。", n=now["size"],
            before=now["before"], after=now["after"],
        ))  # fmt: skip
    if "anew" in report:
        lines.append(_anew(report["anew"]))
    for move in report.get("moves", [])[:3]:
        lines.append(_move(task, move))
    left = report.get("left", {})
    if left.get("size"):
        lines.append(_(
            "大家看过而没有改动的 %(n)s 条来信中，会换标签的占 %(p)s。", n=left["size"], p=percent(left["turned"])
        ))  # fmt: skip
    return lines


def _anew(note: Mapping[str, Any]) -> str:
    """What came of learning from scratch."""
    if not note["why"]:
        return _("这一版由 %(n)s 条底本语料和修正一起从头训练。", n=note["base"])
    return _(
        "也用 %(n)s 条底本语料从头训练过，没有采用：%(why)s。", n=note["base"], why=_("；").join(map(why, note["why"]))
    )


def _move(task: str, move: Mapping[str, Any]) -> str:
    """One way answers went."""
    return ngettext(
        "%(n)s 条由「%(one)s」改为「%(two)s」，其中 %(right)s 条改对了，%(wrong)s 条改错了。",
        "%(n)s 条由「%(one)s」改为「%(two)s」，其中 %(right)s 条改对了，%(wrong)s 条改错了。",
        move["count"], one=value_label(task, move["from"]), two=value_label(task, move["to"]), right=move["right"],
        wrong=move["wrong"],
    )  # fmt: skip

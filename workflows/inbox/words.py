"""What the office calls kinds, tones, requests and cues; looked up in the language in force."""

from __future__ import annotations

from hub.i18n import N_, _
from hub.models import MessageKind
from nlp import SENTIMENTS, TOPICS
from workflows.opinion.charts import SENTIMENT_NAMES, TOPIC_NAMES
from workflows.tagging.corrections import REQUESTS

KIND_WORDS: dict[MessageKind, str] = {
    MessageKind.mention: N_("提及"),
    MessageKind.comment: N_("评论"),
    MessageKind.private: N_("私信"),
    MessageKind.letter: N_("来信"),
}
REQUEST_WORDS: dict[str, str] = {
    "咨询": N_("咨询"), "求助": N_("求助"), "投诉": N_("投诉"), "举报": N_("举报"), "建议": N_("建议"),
    "表扬": N_("表扬"),
}  # fmt: skip
CUE_WORDS: dict[str, str] = {
    "danger": N_("人身安全"), "outage": N_("停水停电停气"), "crowd": N_("群体聚集"), "deadline": N_("有时限"),
}  # fmt: skip


def kind_label(kind: MessageKind) -> str:
    """提及, 评论, 私信, 来信."""
    return _(KIND_WORDS[kind])


def topic_label(topic: str) -> str:
    """One of the seven classes, or 未分类."""
    return _(TOPIC_NAMES.get(topic, topic))


def sentiment_label(sentiment: str) -> str:
    """负面, 中性, 正面."""
    return _(SENTIMENT_NAMES.get(sentiment, sentiment))


def request_label(request: str) -> str:
    """咨询 … 表扬, or 未判断."""
    return _(REQUEST_WORDS.get(request, request)) if request else _("未判断")


def cue_label(cue: str) -> str:
    """What makes a message urgent."""
    return _(CUE_WORDS.get(cue, cue))


def topics() -> list[tuple[str, str]]:
    """(value, word) of every topic."""
    return [(topic, topic_label(topic)) for topic in TOPICS]


def sentiments() -> list[tuple[str, str]]:
    """(value, word) of every sentiment."""
    return [(sentiment, sentiment_label(sentiment)) for sentiment in SENTIMENTS]


def requests() -> list[tuple[str, str]]:
    """(value, word) of every kind of request."""
    return [(request, request_label(request)) for request in REQUESTS]


def kinds() -> list[tuple[str, str]]:
    """(value, word) of every kind of message."""
    return [(kind.value, kind_label(kind)) for kind in MessageKind]

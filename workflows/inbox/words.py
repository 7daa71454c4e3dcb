"""What the office calls kinds, tones, requests and cues; looked up in the language in force."""

from __future__ import annotations

from hub.i18n import N_, _
from hub.models import MessageKind
from nlp import EMOTIONS, SENTIMENTS, TOPICS
from nlp.cues import URGENCIES
from nlp.subtopics import levels
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
EMOTION_WORDS: dict[str, str] = {
    "angry": N_("愤怒"), "fear": N_("恐惧"), "happy": N_("高兴"), "neutral": N_("平静"), "sad": N_("悲伤"),
    "surprise": N_("惊讶"),
}  # fmt: skip
PERSONAL_WORDS: dict[str, str] = {
    "phone": N_("电话号码"), "id_card": N_("身份证号"), "bank_card": N_("银行卡号"), "plate": N_("车牌号"),
    "email": N_("邮箱"),
}  # fmt: skip
# The second level of the taxonomy, by its own words.
SUBTOPIC_WORDS: dict[str, str] = {
    "住房保障与房地产": N_("住房保障与房地产"), "城市建设和市政管理": N_("城市建设和市政管理"),
    "国有土地上房屋征收与补偿": N_("国有土地上房屋征收与补偿"), "城乡规划": N_("城乡规划"),
    "建筑市场": N_("建筑市场"), "工程质量": N_("工程质量"), "安全生产": N_("安全生产"), "村镇建设": N_("村镇建设"),
    "环境污染": N_("环境污染"), "环保管理": N_("环保管理"), "建设项目审批": N_("建设项目审批"),
    "出租车管理": N_("出租车管理"), "建设管理": N_("建设管理"), "客货运输": N_("客货运输"),
    "邮政管理": N_("邮政管理"), "教师队伍和待遇": N_("教师队伍和待遇"), "教育收费": N_("教育收费"),
    "考试招生": N_("考试招生"), "教育行政管理": N_("教育行政管理"), "教育体制": N_("教育体制"),
    "失学辍学": N_("失学辍学"), "体育": N_("体育"), "文化": N_("文化"), "文物管理": N_("文物管理"),
    "劳动关系": N_("劳动关系"), "工资福利": N_("工资福利"), "退休政策及待遇": N_("退休政策及待遇"),
    "城镇职工社会保险": N_("城镇职工社会保险"), "城镇居民社会保险": N_("城镇居民社会保险"),
    "就业培训": N_("就业培训"), "劳动保护": N_("劳动保护"), "社保基金管理": N_("社保基金管理"),
    "市场监管": N_("市场监管"), "旅游管理": N_("旅游管理"), "质监检验检疫": N_("质监检验检疫"),
    "商业贸易": N_("商业贸易"), "食品药品监管": N_("食品药品监管"), "医政监管": N_("医政监管"),
    "医患纠纷": N_("医患纠纷"), "公共卫生": N_("公共卫生"), "人口计生": N_("人口计生"),
}  # fmt: skip
# From here on a tag is called sure, or fairly sure.
SURE, FAIRLY = 0.85, 0.6


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


def emotion_label(emotion: str) -> str:
    """愤怒 … 惊讶, or 未判断."""
    return _(EMOTION_WORDS.get(emotion, emotion)) if emotion else _("未判断")


def subtopic_label(subtopic: str) -> str:
    """The second level, or 未细分."""
    return _(SUBTOPIC_WORDS.get(subtopic, subtopic)) if subtopic else _("未细分")


def personal_label(kind: str) -> str:
    """What kind of personal data was found."""
    return _(PERSONAL_WORDS.get(kind, kind))


def sure_label(p: float) -> str:
    """How sure: 把握大, 把握中, 把握小."""
    shown = round(p, 2)  # as the percentage beside it says
    return _("把握大") if shown >= SURE else _("把握中") if shown >= FAIRLY else _("把握小")


def emotions() -> list[tuple[str, str]]:
    """(value, word) of every emotion."""
    return [(emotion, emotion_label(emotion)) for emotion in EMOTIONS]


def urgencies() -> list[tuple[str, str]]:
    """(value, word) of every class of cues, the gravest first."""
    return [(cue, cue_label(cue)) for cue in URGENCIES]


def subtopics(topic: str) -> list[tuple[str, str]]:
    """(value, word) of the second levels under a topic."""
    return [(name, subtopic_label(name)) for name in levels().get(topic, ())]


def all_subtopics() -> list[dict[str, object]]:
    """The second levels of all topics, as groups of a choice: {text, options}."""
    return [{"text": topic_label(topic), "options": subtopics(topic)} for topic in TOPICS]

"""Messages as lines of a file: every tag with how sure it is, and what the text names."""

from __future__ import annotations

from collections.abc import Callable

from hub.i18n import _, exact, listed
from web.casework.words import tools
from workflows.inbox import words
from workflows.inbox.export import ExportRow
from workflows.inbox.said import Said

Cell = str | int | float


def head() -> list[str]:
    """The columns."""
    tags = (_("主题"), _("二级主题"), _("情感"), _("情绪"), _("诉求"), _("敏感"), _("紧急线索"))
    sure = [name for tag in tags for name in (tag, _("%(tag)s的把握", tag=tag))]
    return [
        _("编号"), _("时间"), _("来源"), _("类型"), _("作者"), _("标题"), _("内容"), *sure, _("地点"),
        _("行政区划代码"), _("部门"), _("人物"), _("时间（文中）"), _("个人信息"), _("关键词"), _("人工认定"),
        _("点赞"), _("工单"), _("状态"), _("承办单位"), _("网址"),
        _("来源编号"), _("答复"), _("答复时间"),
    ]  # fmt: skip


def line(row: ExportRow) -> list[Cell]:
    """One message."""
    return [
        row.id, exact(row.created_at), row.account, words.kind_label(row.kind), row.author_name, row.title, row.text,
        *_tags(row), row.likes, row.number, tools()["state_label"](row.state) if row.state else "", row.department,
        row.url, "" if row.external_id.startswith("sha256:") else row.external_id, row.answer,
        exact(row.answered_at) if row.answered_at else "",
    ]  # fmt: skip


def _tags(row: ExportRow) -> list[Cell]:
    said = row.said
    if said is None:
        return [*[""] * 14, row.place, *[""] * 7]
    named: list[tuple[Said, Callable[[str], str]]] = [
        (said.topic, words.topic_label), (said.subtopic, words.subtopic_label),
        (said.sentiment, words.sentiment_label), (said.emotion, words.emotion_label),
        (said.request, words.request_label), (said.sensitive, lambda _value: _("是")), (said.urgency, words.cue_label),
    ]  # fmt: skip
    cells: list[Cell] = []
    for one, label in named:
        cells += [label(one.value) if one.value else "", round(one.p, 4) if one.value and one.p is not None else ""]
    return [
        *cells, row.place, listed([place.code for place in said.places if place.code]),
        listed([one.name for one in said.departments]), listed([one.name for one in said.persons]),
        listed([one.text for one in said.times]), listed(list(map(words.personal_label, said.personal))),
        listed(said.keywords), _("是") if said.by_person else "",
    ]  # fmt: skip

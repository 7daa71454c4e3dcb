"""Which column holds what: recognised by name, guessed by content, remembered as a mapping."""

from __future__ import annotations

import re
import unicodedata
from collections import abc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from connectors.files.moments import moment


class Field(StrEnum):
    """What a column can mean."""

    id = "id"
    text = "text"
    subject = "subject"
    created_at = "created_at"
    author = "author"
    author_id = "author_id"
    url = "url"
    likes = "likes"
    dislikes = "dislikes"
    answer = "answer"
    answered_at = "answered_at"
    kind = "kind"


LABELS: dict[Field, str] = {
    Field.id: "编号",
    Field.text: "内容",
    Field.subject: "标题",
    Field.created_at: "时间",
    Field.author: "作者",
    Field.author_id: "作者编号",
    Field.url: "链接",
    Field.likes: "点赞数",
    Field.dislikes: "反对数",
    Field.answer: "答复",
    Field.answered_at: "答复时间",
    Field.kind: "类型",
}
# Names as they stand in exports. 序号 is missing on purpose: it starts again at 1 in every export, so taken for an
# id it would make new messages look known.
NAMES: dict[Field, str] = {
    Field.id: "留言编号 编号 id 平台id 消息id 微博id 评论id 帖子id 信件编号 工单编号 工单号 受理编号 受理号 诉求编号 "
    "来电编号 mid idstr messageid ticketid",
    Field.text: "留言详情 留言内容 内容 正文 详情 诉求内容 来信内容 信件内容 投诉内容 反映内容 问题描述 描述 "
    "微博内容 微博正文 评论内容 私信内容 全文 文本 text content body message description",
    Field.subject: "留言主题 留言标题 主题 标题 信件标题 诉求标题 工单标题 来信标题 title subject",
    Field.created_at: "留言时间 留言日期 时间 日期 发布时间 发表时间 创建时间 提交时间 受理时间 来信时间 来电时间 "
    "诉求时间 评论时间 投诉时间 date time datetime createdat created createtime publishtime publishedat timestamp",
    Field.author: "留言用户 留言人 用户 用户名 昵称 用户昵称 作者 发布者 发帖人 评论人 姓名 网友 来信人 诉求人 来电人 "
    "author user username name nickname screenname displayname",
    Field.author_id: "用户id 用户编号 作者id userid uid authorid openid",
    Field.url: "链接 网址 原文链接 微博链接 地址链接 url link href permalink",
    Field.likes: "点赞数 点赞 赞 支持数 赞同数 likes like likecount attitudescount favouritescount",
    Field.dislikes: "反对数 反对 踩 dislikes",
    Field.answer: "答复意见 答复内容 答复 回复内容 回复 官方回复 办理结果 处理结果 办理意见 answer reply response",
    Field.answered_at: "答复时间 答复日期 回复时间 回复日期 办结时间 answeredat repliedat answertime replytime",
    Field.kind: "类型 消息类型 信件类型 来源类型 kind type",
}
# Endings that give a column away when its name is in no list; answers first, since 答复时间 is a time too.
_ENDINGS: tuple[tuple[str, Field], ...] = (
    (r"(答复|回复|办结).*(时间|日期)", Field.answered_at),
    (r".*(答复|回复|办理结果|处理结果).*", Field.answer),
    (r".*(内容|正文|详情|描述)", Field.text),
    (r".*(标题|主题)", Field.subject),
    (r".*(时间|日期)", Field.created_at),
    (r".*(用户|昵称|作者|姓名|网友)", Field.author),
    (r".*(编号|单号)", Field.id),
    (r".*(链接|网址|url)", Field.url),
)
_KNOWN = {name: field for field, names in NAMES.items() for name in names.split()}
_NOISE = re.compile(r"[\s_\-*:：()（）【】\[\].、/]+")


@dataclass(frozen=True, slots=True)
class Mapping:
    """Column → field. Columns that are not mapped are kept with the item all the same."""

    columns: tuple[tuple[str, Field], ...] = ()

    def column(self, field: Field) -> str:
        """The column of a field, or ""."""
        return next((column for column, has in self.columns if has is field), "")

    def problems(self, headers: Sequence[str] | None = None) -> list[str]:
        """Why nothing can be imported with this mapping (Chinese); with ``headers`` also columns that are missing."""
        found = [
            f"没有指定「{LABELS[field]}」列，请选择哪一列是{LABELS[field]}"
            for field in (Field.text, Field.created_at)
            if not self.column(field) and not (field is Field.text and self.column(Field.subject))
        ]
        fields = [field for _, field in self.columns]
        found += [f"「{LABELS[f]}」指定了多列，请只保留一列" for f in dict.fromkeys(fields) if fields.count(f) > 1]
        if headers is not None:
            found += [f"文件里没有「{column}」这一列" for column, _ in self.columns if column not in headers]
        return found

    def as_data(self) -> dict[str, str]:
        """For saving as JSON: column → field."""
        return {column: field.value for column, field in self.columns}

    @classmethod
    def from_data(cls, data: abc.Mapping[str, str]) -> Mapping:
        """From saved JSON; ValueError for an unknown field. Empty values are columns left out."""
        return cls(tuple((column, Field(value)) for column, value in data.items() if value))


def suggest(headers: Sequence[str], sample: Sequence[abc.Mapping[str, str]] = ()) -> Mapping:
    """The most likely mapping: known names first, then telling endings, then what the sampled cells look like."""
    found: dict[Field, str] = {}
    for header in headers:
        if field := _KNOWN.get(_plain(header)):
            found.setdefault(field, header)
    for pattern, field in _ENDINGS:
        for header in headers:
            if header not in found.values() and re.fullmatch(pattern, _plain(header)):
                found.setdefault(field, header)
    _guess(found, headers, sample)
    order = {header: place for place, header in enumerate(headers)}
    return Mapping(tuple(sorted(((h, f) for f, h in found.items()), key=lambda pair: order[pair[0]])))


def _guess(found: dict[Field, str], headers: Sequence[str], sample: Sequence[abc.Mapping[str, str]]) -> None:
    """Time by what can be read as one, text by length; only where no name told."""
    free = [h for h in headers if h not in found.values()]
    if Field.created_at not in found and (best := _best(free, sample, _looks_like_time, 0.8)):
        found[Field.created_at] = best
        free.remove(best)
    if Field.text not in found and (best := _best(free, sample, lambda cell: len(cell) / 400, 10 / 400)):
        found[Field.text] = best


def _looks_like_time(cell: str) -> float:
    # Bare numbers may be anything.
    return float(not cell.strip().isdigit() and moment(cell) is not None)


def _best(
    headers: Sequence[str], sample: Sequence[abc.Mapping[str, str]], score: Callable[[str], float], least: float
) -> str:
    rated = [(sum(score(row.get(h, "")) for row in sample) / max(len(sample), 1), h) for h in headers]
    top = max(rated, key=lambda pair: pair[0], default=(0.0, ""))
    return top[1] if top[0] >= least else ""


def _plain(header: str) -> str:
    return _NOISE.sub("", unicodedata.normalize("NFKC", header)).lower()

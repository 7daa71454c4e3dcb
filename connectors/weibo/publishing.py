"""What a post on Weibo may be, what stands against it before anybody reviews it, and how it is sent."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from connectors.answers import against_text
from connectors.base import (
    AccountRef,
    Attachment,
    ConnectorError,
    Done,
    Effect,
    ErrorKind,
    Kind,
    Outcome,
    Outgoing,
    PostForm,
    Problem,
    Unparsable,
)
from connectors.lengths import weibo_units
from connectors.options import is_on, text
from connectors.pictures import against_pictures, in_time
from connectors.weibo.links import post_url
from connectors.weibo.schemas import item_id, number_text, weibo_time
from connectors.weibo.settings import domains, hosts
from connectors.weibo.wire import Wire

SHORT, LONG, ARTICLE = "", "long", "article"
SHORT_UNITS, LONG_UNITS, ARTICLE_UNITS = 140, 2000, 90_000
TITLE_UNITS, ARTICLE_TEXT_UNITS, SUMMARY_UNITS = 32, 1900, 60
REPLY_UNITS, MESSAGE_UNITS = 140, 300
LONG_PICTURES = 9
# The platform takes less than 5 MB.
PICTURE_BYTES = 5 * 1024 * 1024 - 1
_LINK = re.compile(r"https?://[!-~]+")
_TOPIC = re.compile(r"#[^#\n]+#")


def forms(account: AccountRef) -> tuple[PostForm, ...]:
    """The short post always; the others where the account was granted them."""
    own = "、".join(domains(account))
    where = f"（{own}）" if own else ""
    found = [
        PostForm(
            SHORT,
            "微博",
            SHORT_UNITS,
            f"须带应用安全域名{where}下的链接，不能带 #话题#，最多一张图片",
            pictures=1,
            picture_bytes=PICTURE_BYTES,
        )
    ]
    if is_on(account, "commercial"):
        found.append(
            PostForm(
                LONG,
                "长微博",
                LONG_UNITS,
                "经商业接口发布，不必带链接，可带话题",
                pictures=LONG_PICTURES,
                picture_bytes=PICTURE_BYTES,
            )
        )
    if is_on(account, "article"):
        note = "正文按段落排版；同时发出一条带标题和摘要的微博"
        found.append(PostForm(ARTICLE, "头条文章", ARTICLE_UNITS, note, title_length=TITLE_UNITS, needs_title=True))
    return tuple(found)


def problems(account: AccountRef, out: Outgoing) -> list[Problem]:
    """Every reason why ``out`` cannot go out as it stands."""
    if out.target_kind is not None:
        most = MESSAGE_UNITS if out.target_kind is Kind.private else REPLY_UNITS
        return [*against_text(out.text, weibo_units(out.text), most), *_of_answer(out)]
    form = next((one for one in forms(account) if one.name == out.form), None)
    if form is None:
        return [Problem("form", "该账号没有开通这种形式，请改用其他形式，或请管理员在账号设置中登记已开通")]
    found = [*against_text(out.text, weibo_units(out.text), form.length), *against_pictures(out.attachments, form)]
    if form.name == SHORT:
        found += _of_short(account, out.text)
    if form.name == ARTICLE:
        found += _of_article(account, out)
    return found


def _of_answer(out: Outgoing) -> Iterable[Problem]:
    if out.attachments:
        yield Problem("media", "微博的评论和私信只能发文字，请去掉图片")
    if out.target_kind is Kind.private and not out.target_author_id:
        yield Problem("target", "缺少收信人，无法发送私信")
    elif out.target_kind is not Kind.private and not out.target_id:
        yield Problem("target", "没有指明要回复的内容")


def _of_short(account: AccountRef, words: str) -> Iterable[Problem]:
    if topic := _TOPIC.search(_LINK.sub("", words)):
        yield Problem("text", f"接口发布的微博不能带话题，请去掉「{topic[0]}」")
    links, own = _LINK.findall(words), domains(account)
    if not links:
        yield Problem("text", "普通微博必须带一个应用安全域名下的链接，请加上，例如通知原文的网址")
    elif own and not any(_within(link, own) for link in links):
        yield Problem("text", f"链接须属于应用的安全域名（{'、'.join(own)}），请更换链接")


def _within(link: str, own: tuple[str, ...]) -> bool:
    try:
        host = urlsplit(link).hostname or ""
    except ValueError:
        return False
    return any(host == domain or host.endswith(f".{domain}") for domain in own)


def _of_article(account: AccountRef, out: Outgoing) -> Iterable[Problem]:
    if not out.title.strip():
        yield Problem("title", "头条文章须有标题")
    elif (length := weibo_units(out.title)) > TITLE_UNITS:
        yield Problem("title", f"标题共 {length} 字，超过平台上限 {TITLE_UNITS} 字，请缩短")
    if not text(account, "cover_url").lower().startswith(("https://", "http://")):
        yield Problem("form", "头条文章须有封面，请管理员在账号设置中填写封面图片的网址")


async def send(wire: Wire, account: AccountRef, out: Outgoing) -> Outcome:
    """Publish in the wanted form. Never tried twice; whether it may be there after a failure, the error says."""
    if out.form == ARTICLE:
        return await _article(wire, account, out)
    if out.form == LONG:
        return await _long(wire, account, out)
    picture = out.attachments[0] if out.attachments else None
    body = await wire.post(
        account, f"{hosts(account).api}/2/statuses/share.json", {"status": out.text}, picture=picture
    )
    return accepted(account, body)


async def _long(wire: Wire, account: AccountRef, out: Outgoing) -> Outcome:
    base = f"{hosts(account).c}/2/statuses"
    form = {"status": out.text}
    if weibo_units(out.text) > SHORT_UNITS:
        form["is_longtext"] = "1"
    if not out.attachments:
        return accepted(account, await wire.post(account, f"{base}/update/biz.json", form))
    pictures = await in_time(_uploaded(wire, account, f"{base}/upload_pic/biz.json", one) for one in out.attachments)
    form["pic_id"] = ",".join(pictures)
    return accepted(account, await wire.post(account, f"{base}/upload_url_text/biz.json", form))


async def _uploaded(wire: Wire, account: AccountRef, url: str, picture: Attachment) -> str:
    """The platform's name for a picture. Nothing is published by it: a failure here leaves nothing behind."""
    body = await wire.post(account, url, {}, picture=picture, write=False)
    name = body.get("pic_id") if isinstance(body, Mapping) else None
    if not isinstance(name, str) or not name:
        raise ConnectorError(ErrorKind.protocol, "平台没有返回图片编号，微博没有发出，请稍后再试", code="pic_id")
    return name


async def _article(wire: Wire, account: AccountRef, out: Outgoing) -> Outcome:
    summary = _cut(" ".join(out.text.split()), SUMMARY_UNITS)
    form = {
        "title": out.title.strip(),
        "content": as_html(out.text),
        "cover": text(account, "cover_url"),
        "summary": summary,
        "text": _cut(f"【{out.title.strip()}】{summary}", ARTICLE_TEXT_UNITS),
    }
    body = await wire.post_article(account, form)
    data = body.get("data") if isinstance(body, Mapping) else None
    told: Mapping[str, object] = data if isinstance(data, Mapping) else {}
    # The post that goes with it can be asked for later; the article's own number cannot.
    own = told.get("object_id")
    object_id = own if isinstance(own, str) else number_text(own)
    new_id = number_text(told.get("mid")) or object_id
    if not new_id:
        raise _without_id()
    url = str(told.get("url") or "")
    shown = url if url.startswith(("https://", "http://")) else ""
    return Done(new_id, shown, extra={"object_id": object_id})


def as_html(words: str) -> str:
    """A plain text as paragraphs; links can be followed."""
    paragraphs = [html.escape(part.strip()) for part in words.splitlines() if part.strip()]
    linked = [_LINK.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', part) for part in paragraphs]
    return "".join(f"<p>{part}</p>" for part in linked)


def _cut(words: str, most: int) -> str:
    """At most ``most`` 汉字 of a text."""
    while weibo_units(words) > most:
        words = words[: max(1, len(words) - max(1, weibo_units(words) - most))]
    return words


def accepted(account: AccountRef, body: object) -> Done:
    """What an accepted post or comment is called."""
    new_id = item_id(body)
    if not new_id or not isinstance(body, Mapping):
        raise _without_id()
    try:
        at = weibo_time(body.get("created_at"))
    except Unparsable:
        at = None
    root = item_id(body.get("status"))
    return Done(new_id, post_url(account.external_id, new_id) if not root else _below(body, root), at)


def _below(body: Mapping[str, object], root: str) -> str:
    status = body.get("status")
    user = status.get("user") if isinstance(status, Mapping) else None
    return post_url(str(user.get("idstr") or ""), root) if isinstance(user, Mapping) else ""


def _without_id() -> ConnectorError:
    human = "平台已受理，但没有返回编号，系统会核实"
    return ConnectorError(ErrorKind.protocol, human, code="no id", effect=Effect.unknown)


def message_data(words: str) -> str:
    """The words of a private message as the platform takes them."""
    return json.dumps({"text": words}, ensure_ascii=False)

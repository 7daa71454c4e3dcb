"""The channel through a person's hands as a :class:`connectors.base.Connector`: it calls nobody."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.answers import against_text
from connectors.base import (
    AccountRef,
    ByHand,
    Capability,
    ConnectorError,
    ErrorKind,
    Grant,
    Granted,
    Health,
    Inbound,
    Kind,
    Limits,
    Outcome,
    Outgoing,
    OwnItems,
    Page,
    PostForm,
    Problem,
    PushAnswer,
    RawItem,
    Reject,
    VideoRules,
)
from connectors.defaults import Defaults
from connectors.files.rows import parse_item
from connectors.manual.links import item_of
from connectors.manual.platforms import BY_NAME, OTHER, Cover, Site
from connectors.options import text
from connectors.pictures import against_pictures
from connectors.videos import against_video

NO_PULL = "平台没有提供接口；评论可以从文件导入，或粘贴进来"
BY_PERSON = "由专人照步骤在平台上操作，再把链接贴回来"
PICTURE_BYTES = 20 * 1024 * 1024
# What a site takes of a person differs by account; the person sees it there.
VIDEO = VideoRules(most_bytes=8 * 1024**3, most_seconds=4 * 3600, beside_pictures=True)
REPLY_LENGTH = 500
_SIZE = re.compile(r"(\d{2,5})\s*[xX×*]\s*(\d{2,5})")


class ManualConnector(Defaults):
    """What a person does on a platform. Options: ``site`` (see :mod:`connectors.manual.platforms`), ``covers``,
    ``post_length``, ``title_length``, ``pictures``.
    """

    platform = "manual"
    label = "人工发布"
    streams: Sequence[str] = ()

    def limits(self, account: AccountRef) -> Limits:
        """Lengths of the account's site; nothing is ever sent by program."""
        site = site_of(account)
        return Limits(site.length, REPLY_LENGTH, private_length=REPLY_LENGTH, by_hand=True)

    def post_forms(self, account: AccountRef) -> tuple[PostForm, ...]:
        """One: title, text, pictures and a video as the site takes them; pictures of every kind, by a person."""
        site = site_of(account)
        return (
            PostForm(
                "", site.label, site.length, "到点后由专人在平台上发布。", site.title_length, site.needs_title,
                pictures=site.pictures, picture_types=("image/jpeg", "image/png", "image/gif", "image/webp"),
                picture_bytes=PICTURE_BYTES, covers=tuple((one.label, one.width, one.height) for one in site.covers),
                video=VIDEO, by_hand=True,
            ),
        )  # fmt: skip

    def measure(self, text: str) -> int:
        """Characters."""
        return len(text)

    def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
        """Publishing and answering, by a person; nothing by program."""
        grants = {capability: Grant(Granted.no, NO_PULL) for capability in Capability}
        for by_hand in (Capability.publish, Capability.reply_public, Capability.reply_private):
            grants[by_hand] = Grant(Granted.yes, BY_PERSON)
        grants[Capability.delete] = Grant(Granted.no, "请到平台上手动删除")
        grants[Capability.find_own] = Grant(Granted.no, "平台没有提供接口；发布后贴回链接为准")
        grants[Capability.metrics] = Grant(Granted.no, "平台没有提供接口")
        return grants

    async def check(self, account: AccountRef) -> Health:
        """Whether the options make sense: there is nobody to ask."""
        if text(account, "site") not in BY_NAME:
            return Health(False, account.external_id, account.name, "请选择平台")
        for name, label in (
            ("post_length", "正文字数上限"),
            ("title_length", "标题字数上限"),
            ("pictures", "图片张数"),
        ):
            if text(account, name) and _number(account, name) is None:
                return Health(False, account.external_id, account.name, f"「{label}」请填写数字")
        if (covers := text(account, "covers")) and not _covers(covers):
            return Health(False, account.external_id, account.name, "「封面尺寸」请写成 1080x1440，多个用逗号分开")
        note = f"{site_of(account).label}由人工发布，不连接平台"
        return Health(True, account.external_id, account.external_id or account.name, note)

    async def pull(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> Page:
        """Refused."""
        raise ConnectorError(ErrorKind.permission, NO_PULL, code="manual")

    async def receive(
        self, account: AccountRef, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> PushAnswer:
        """Refused."""
        return Reject(404, "人工发布的账号不接收推送")

    def parse(self, account: AccountRef, item: RawItem) -> Inbound:
        """Understand a comment that was brought in by file or pasted; a file that names no kind brings comments."""
        found = parse_item(item)
        return replace(found, kind=Kind.comment) if found.kind is Kind.letter else found

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        """The steps to publish it."""
        site, steps = site_of(account), []
        steps.append(f"确认登录的是「{account.external_id or account.name}」。")
        steps.append(site.start)
        if out.video:
            steps.append("把下面的视频存到手机或电脑，上传这一个文件，不要剪辑。")
            if out.attachments:
                steps.append("封面用下面裁好的图。")
        elif out.attachments:
            steps.append(f"按顺序放入 {len(out.attachments)} 张图片，第一张作封面；需要裁好的封面在下面下载。")
        if out.title:
            steps.append("粘贴标题。")
        steps += [
            "粘贴正文，一个字都不要改；要改请退回重新送审。",
            "发布后点「分享－复制链接」，贴到下面，点「已发布」。",
        ]
        return ByHand(tuple(steps))

    async def reply(self, account: AccountRef, out: Outgoing) -> Outcome:
        """The steps to answer."""
        where = "私信" if out.target_kind is Kind.private else "评论"
        return ByHand(
            (
                f"确认登录的是「{account.external_id or account.name}」（{site_of(account).label}）。",
                f"找到下面这条{where}，点「回复」。",
                "粘贴答复，一个字都不要改；要改请退回重新送审。",
                "发出后点「已发布」；平台给链接的，把链接贴上。",
            )
        )

    async def poll_job(self, account: AccountRef, job: str) -> Outcome:
        """Refused."""
        raise ConnectorError(ErrorKind.bug, "人工发布没有需要等待的任务", code="job")

    async def find_own(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        """Nobody can tell from here."""
        return OwnItems((), complete=False)

    async def exists(self, account: AccountRef, external_id: str) -> bool:
        """Taken for granted: no program can look."""
        return True

    async def delete(self, account: AccountRef, external_id: str) -> None:
        """Refused."""
        raise ConnectorError(ErrorKind.permission, "请到平台上手动删除", code="manual")

    def read_link(self, account: AccountRef, link: str) -> str:
        """The id of the item behind what was pasted."""
        return item_of(site_of(account), link)

    def validate(self, account: AccountRef, out: Outgoing) -> list[Problem]:
        """Empty, too long, too many pictures."""
        (form,) = self.post_forms(account)
        most = form.length if out.target_kind is None else REPLY_LENGTH
        problems = against_text(out.text, len(out.text), most)
        if out.target_kind is not None and out.attachments:
            problems.append(Problem("media", "回复只能是文字，请去掉图片"))
        if out.target_kind is not None and not out.target_id:
            problems.append(Problem("target", "没有指明要回复的内容"))
        if out.target_kind is None:
            problems += against_video(out, form)
        return problems + against_pictures(out.attachments, form)


def site_of(account: AccountRef) -> Site:
    """The account's site with what the office changed of it."""
    site = BY_NAME.get(text(account, "site"), BY_NAME[OTHER])
    covers, title = _covers(text(account, "covers")), _number(account, "title_length")
    return replace(
        site,
        length=_number(account, "post_length") or site.length,
        title_length=site.title_length if title is None else title,
        pictures=_number(account, "pictures") or site.pictures,
        covers=covers or site.covers,
    )


def _number(account: AccountRef, name: str) -> int | None:
    given = text(account, name)
    return int(given) if given.isascii() and given.isdigit() and len(given) < 7 else None


def _covers(typed: str) -> tuple[Cover, ...]:
    sizes = [(int(w), int(h)) for w, h in _SIZE.findall(typed)]
    return tuple(Cover(f"{w}×{h}", w, h) for w, h in sizes if 50 <= w <= 5000 and 50 <= h <= 5000)

"""Two versions of a post side by side: what changed in the title, in each account's text, and in the times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.i18n import _, moment
from hub.models import PostEvent
from workflows.pictures.placed import Placed, placed_of
from workflows.publishing.content import USUAL, option_of
from workflows.publishing.detail import PostView, Version, version_of
from workflows.replies.compare import Piece, pieces
from workflows.videos.placed import PlacedVideo, placed_video


@dataclass(frozen=True, slots=True)
class Change:
    """One part that differs: ``pieces`` as the macro ``diff`` takes them, or ``words`` for what is no text."""

    name: str
    pieces: Sequence[Piece] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the history. ``kept``: the content of that moment, when the step kept it."""

    event: PostEvent
    account: str
    kept: Version | None


def changes(before: Version, after: Version, names: Mapping[int, str]) -> list[Change]:
    """What a reader of ``before`` has to look at in ``after``; empty when nothing differs."""
    found = []
    if before.title != after.title:
        found.append(Change(_("标题"), pieces(before.title, after.title)))
    found += _texts(before.texts, after.texts, names)
    found += _pictures(before.pictures, after.pictures)
    found += _video(before.video, after.video)
    found += _options(before, after, names)
    for name, old, new in (
        (_("计划时间"), before.scheduled_at, after.scheduled_at), (_("最晚发布"), before.latest_at, after.latest_at),
    ):  # fmt: skip
        if old != new:
            found.append(Change(name, words=_("%(old)s → %(new)s", old=_said(old), new=_said(new))))
    return found


def _texts(before: Mapping[int, str], after: Mapping[int, str], names: Mapping[int, str]) -> list[Change]:
    found: list[Change] = []
    for account in sorted({*before, *after}):
        name = names.get(account) or _("账号 %(id)s", id=account)
        if account not in before:
            found.append(Change(name, [("add", after[account])], _("新加的账号")))
        elif account not in after:
            found.append(Change(name, [("del", before[account])], _("不再发到这个账号")))
        elif before[account] != after[account]:
            found.append(Change(name, pieces(before[account], after[account])))
    return _merged(found)


def _merged(found: list[Change]) -> list[Change]:
    """The same change on several accounts is read once."""
    groups: dict[tuple[tuple[Piece, ...], str], list[str]] = {}
    for change in found:
        groups.setdefault((tuple(change.pieces), change.words), []).append(change.name)
    return [Change(_("、").join(names), list(parts), words) for (parts, words), names in groups.items()]


def _pictures(before: Sequence[Placed], after: Sequence[Placed]) -> list[Change]:
    """Pictures by their content: added, removed, in another order, with other words."""
    old, new = {one.sha256: one for one in before}, {one.sha256: one for one in after}
    found = []
    if before and [one for one in old if one in new] != [one for one in new if one in old]:
        found.append(Change(_("图片"), words=_("换了顺序")))
    for number, one in enumerate(after, 1):
        if one.sha256 not in old:
            found.append(
                Change(_("图片"), words=_("新加第 %(n)s 张：%(words)s", n=number, words=one.description or "…"))
            )
        elif old[one.sha256].description != one.description:
            told = pieces(old[one.sha256].description, one.description)
            found.append(Change(_("第 %(n)s 张图的说明", n=number), told))
        elif old[one.sha256].focus != one.focus:
            found.append(Change(_("图片"), words=_("第 %(n)s 张换了裁切位置", n=number)))
    gone = sum(one not in new for one in old)
    return found + ([Change(_("图片"), words=_("去掉 %(n)s 张", n=gone))] if gone else [])


def _video(before: PlacedVideo | None, after: PlacedVideo | None) -> list[Change]:
    """The video by its content, then what is said about it."""
    if before is None or after is None:
        if before is after:
            return []
        return [Change(_("视频"), words=_("新加「%(name)s」", name=after.name) if after else _("去掉了视频"))]
    if before.sha256 != after.sha256:
        return [Change(_("视频"), words=_("换成「%(name)s」", name=after.name))]
    if before.description != after.description:
        return [Change(_("视频说明"), pieces(before.description, after.description))]
    return []


def _options(before: Version, after: Version, names: Mapping[int, str]) -> list[Change]:
    """Per account: another form, another title, more or fewer of the pictures."""
    found = []
    for account in sorted(before.texts.keys() & after.texts.keys()):
        old, new = before.options.get(account, USUAL), after.options.get(account, USUAL)
        name = names.get(account) or _("账号 %(id)s", id=account)
        if old.form != new.form:
            found.append(Change(name, words=_("换了发布形式")))
        if old.title != new.title:
            found.append(Change(_("「%(name)s」的标题", name=name), pieces(old.title, new.title)))
        if old.first != new.first:
            found.append(Change(name, words=_("换了用哪几张图片")))
        if old.without_video != new.without_video:
            found.append(Change(name, words=_("不再带视频") if new.without_video else _("改为带视频")))
    return found


def _said(at: datetime | None) -> str:
    return moment(at) if at else _("未定")


def as_stored(view: PostView) -> Version:
    """The post as it stands now."""
    post = view.post
    texts = {target.account.id or 0: target.text for target in view.targets}
    return Version(
        0, "now", post.changed_at, post.author_name, post.content_hash, post.title, texts, post.scheduled_at,
        post.latest_at, placed_of(post.pictures),
        {target.account.id or 0: option for target in view.targets if (option := option_of(target.target)) != USUAL},
        placed_video(post.video),
    )  # fmt: skip


def history(view: PostView) -> list[Step]:
    """Newest first, each with the account it concerns and the content it kept."""
    names = {target.account.id: target.account.name for target in view.targets}
    return [
        Step(event, names.get(event.data.get("account_id"), ""), version_of(event)) for event in reversed(view.events)
    ]

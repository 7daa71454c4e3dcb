"""What a post says and to whom, and the identity of exactly that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hub import clock
from hub.errors import Invalid
from hub.i18n import _
from hub.models import Post, PostTarget
from workflows.delivery.outbox import picture_marks, video_mark
from workflows.pictures.placed import Placed, placed_of
from workflows.videos.placed import PlacedVideo, placed_video

LONGEST_TITLE = 200
# Of a title made from the text; forms with less room cut it further.
MADE_TITLE = 40
LONGEST_TEXT = 50_000
# Farther than this is a slip of the pen.
FARTHEST = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class Option:
    """How a post goes out on one account beside its text. ``form``: which of the platform's, empty: its usual one.

    ``title``: where the form has one. ``first``: only so many of the post's pictures, None: all. ``without_video``: the
    post's video is left out. ``assignee_id``: who publishes it where that is done by hand; no part of the content.
    """

    form: str = ""
    title: str = ""
    first: int | None = None
    assignee_id: int | None = None
    without_video: bool = False


USUAL = Option()


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person typed. ``targets``: account id → its own text, empty for the body. Times are aware.

    ``options``: per account, those that are as usual may be missing.
    """

    title: str = ""
    body: str = ""
    targets: Mapping[int, str] = field(default_factory=dict)
    scheduled_at: datetime | None = None
    latest_at: datetime | None = None
    pictures: tuple[Placed, ...] = ()
    options: Mapping[int, Option] = field(default_factory=dict)
    video: PlacedVideo | None = None

    def option(self, account_id: int) -> Option:
        """How it goes out on this account."""
        return self.options.get(account_id, USUAL)

    def pictures_on(self, account_id: int) -> tuple[Placed, ...]:
        """The pictures that go out on this account."""
        first = self.option(account_id).first
        return self.pictures if first is None else self.pictures[:first]

    def video_on(self, account_id: int) -> PlacedVideo | None:
        """The video that goes out on this account."""
        return None if self.option(account_id).without_video else self.video

    def text_on(self, account_id: int) -> str:
        """What goes out on this account."""
        return self.targets.get(account_id, "") or self.body


def draft_of(post: Post, targets: Sequence[PostTarget]) -> Draft:
    """What is stored, as it was typed."""
    texts = {target.account_id: target.text for target in targets}
    options = {target.account_id: option_of(target) for target in targets}
    return Draft(
        post.title, post.body, texts, post.scheduled_at, post.latest_at, placed_of(post.pictures),
        {account: option for account, option in options.items() if option != USUAL}, placed_video(post.video),
    )  # fmt: skip


def option_of(target: PostTarget) -> Option:
    """How a stored target goes out."""
    first = None if target.pictures is None else len(target.pictures)
    return Option(target.form, target.title, first, target.assignee_id, target.without_video)


def tidy(draft: Draft) -> Draft:
    """The draft as it is stored: cleaned, with a title in any case. :class:`Invalid` when too long."""
    made = cleaned(draft)
    title, body, targets = made.title, made.body, made.targets
    problems = {}
    if not title:
        problems["title"] = _("请填写标题或正文")
    if len(title) > LONGEST_TITLE:
        problems["title"] = _("标题不能超过 %(n)s 字", n=LONGEST_TITLE)
    if any(len(text) > LONGEST_TEXT for text in (body, *targets.values())):
        problems["body"] = _("正文不能超过 %(n)s 字", n=LONGEST_TEXT)
    for name, at in (("on", draft.scheduled_at), ("latest_at", draft.latest_at)):
        if at and abs(at - clock.now()) > FARTHEST:
            problems[name] = _("时间离现在太远，请检查年份")
    if draft.scheduled_at and draft.latest_at and draft.latest_at < draft.scheduled_at:
        problems["latest_at"] = _("最晚发布时间不能早于计划时间")
    if problems:
        raise Invalid(problems)
    return made


def cleaned(draft: Draft) -> Draft:
    """One kind of line end, no NUL, a title where there is a text: what is typed, as storing it will leave it."""
    body = _plain(draft.body).strip()
    title = " ".join(_plain(draft.title).split()) or made_title(body)
    targets = {account: _plain(text).strip() for account, text in draft.targets.items()}
    options = {account: _tidy_option(draft.option(account), draft) for account in targets}
    kept = {account: option for account, option in options.items() if option != USUAL}
    return replace(draft, title=title, body=body, targets=targets, options=kept)


def made_title(body: str, length: int = MADE_TITLE) -> str:
    """The beginning of the text, for a post nobody gave a title."""
    return " ".join((body.splitlines() or [""])[0].split())[:length].rstrip()


def is_made_title(draft: Draft) -> bool:
    """Whether the title is but the beginning of the text, so that cutting it takes nothing from its writer."""
    return made_title(draft.body, LONGEST_TITLE).startswith(draft.title)


def _tidy_option(option: Option, draft: Draft) -> Option:
    title = " ".join(_plain(option.title).split())[:LONGEST_TITLE]
    first = None if option.first is None else max(0, min(option.first, len(draft.pictures)))
    without = option.without_video and draft.video is not None
    return replace(option, title=title, form=_plain(option.form)[:32], first=first, without_video=without)


def _plain(text: str) -> str:
    """Databases refuse NUL, and half a surrogate pair cannot be encoded."""
    cleaned = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    return cleaned.encode("utf-8", "replace").decode("utf-8")


def text_for(post: Post, target: PostTarget) -> str:
    """What goes out on this account."""
    return target.text or post.body


def pictures_for(post: Post, target: PostTarget) -> list[dict[str, Any]]:
    """The pictures that go out on this account, as they stand in rows."""
    return post.pictures if target.pictures is None else post.pictures[: len(target.pictures)]


def video_for(post: Post, target: PostTarget) -> dict[str, Any] | None:
    """The video that goes out on this account, as it stands in rows."""
    return None if target.without_video else post.video


def content_hash(draft: Draft) -> str:
    """Identity of everything that goes out: the body, the accounts, what each of them says, in which form, under which
    title, with which pictures in which order and which video. Words alone, and pictures without a video, have the
    identity they had before there was more.
    """
    content: list[Any] = [draft.body, [[account, draft.text_on(account)] for account in sorted(draft.targets)]]
    marks = picture_marks([one.kept() for one in draft.pictures])
    more = [[account, *_beside(draft.option(account))] for account in sorted(draft.targets)]
    if marks or draft.video is not None or any(one[1:] != list(_beside(USUAL)) for one in more):
        content += [marks, more]
    if draft.video is not None:
        without = [account for account in sorted(draft.targets) if draft.option(account).without_video]
        content += [video_mark(draft.video.kept()), without]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def _beside(option: Option) -> tuple[Any, ...]:
    return option.form, option.title, option.first


def hash_of(post: Post, targets: Sequence[PostTarget]) -> str:
    """:func:`content_hash` of what is stored."""
    return content_hash(draft_of(post, targets))


def snapshot(post: Post, targets: Sequence[PostTarget]) -> dict[str, Any]:
    """The whole content as plain values, for the history: what a signer saw."""
    return {
        "title": post.title,
        "body": post.body,
        "targets": {str(target.account_id): target.text for target in targets},
        "pictures": post.pictures,
        **({"video": post.video} if post.video else {}),
        "options": {
            str(target.account_id): asdict(option) for target in targets if (option := option_of(target)) != USUAL
        },
        "scheduled_at": post.scheduled_at.isoformat() if post.scheduled_at else "",
        "latest_at": post.latest_at.isoformat() if post.latest_at else "",
    }

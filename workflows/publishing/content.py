"""What a post says and to whom, and the identity of exactly that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hub import clock
from hub.errors import Invalid
from hub.i18n import _
from hub.models import Post, PostTarget

LONGEST_TITLE = 200
LONGEST_TEXT = 50_000
# Farther than this is a slip of the pen.
FARTHEST = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person typed. ``targets``: account id → its own text, empty for the body. Times are aware."""

    title: str = ""
    body: str = ""
    targets: Mapping[int, str] = field(default_factory=dict)
    scheduled_at: datetime | None = None
    latest_at: datetime | None = None

    def text_on(self, account_id: int) -> str:
        """What goes out on this account."""
        return self.targets.get(account_id, "") or self.body


def draft_of(post: Post, targets: Sequence[PostTarget]) -> Draft:
    """What is stored, as it was typed."""
    texts = {target.account_id: target.text for target in targets}
    return Draft(post.title, post.body, texts, post.scheduled_at, post.latest_at)


def tidy(draft: Draft) -> Draft:
    """The draft as it is stored: one kind of line end, no NUL, a title in any case. :class:`Invalid` when too long."""
    body = _plain(draft.body).strip()
    title = " ".join(_plain(draft.title).split()) or (body.splitlines() or [""])[0][:40]
    targets = {account: _plain(text).strip() for account, text in draft.targets.items()}
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
    return Draft(title, body, targets, draft.scheduled_at, draft.latest_at)


def _plain(text: str) -> str:
    """Databases refuse NUL, and half a surrogate pair cannot be encoded."""
    cleaned = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    return cleaned.encode("utf-8", "replace").decode("utf-8")


def text_for(post: Post, target: PostTarget) -> str:
    """What goes out on this account."""
    return target.text or post.body


def content_hash(body: str, targets: Mapping[int, str]) -> str:
    """Identity of everything that goes out: the body, the accounts, and what each of them says."""
    content = [body, [[account, targets[account] or body] for account in sorted(targets)]]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def hash_of(post: Post, targets: Sequence[PostTarget]) -> str:
    """:func:`content_hash` of what is stored."""
    return content_hash(post.body, {target.account_id: target.text for target in targets})


def snapshot(post: Post, targets: Sequence[PostTarget]) -> dict[str, Any]:
    """The whole content as plain values, for the history: what a signer saw."""
    return {
        "title": post.title,
        "body": post.body,
        "targets": {str(target.account_id): target.text for target in targets},
        "scheduled_at": post.scheduled_at.isoformat() if post.scheduled_at else "",
        "latest_at": post.latest_at.isoformat() if post.latest_at else "",
    }

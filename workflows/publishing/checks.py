"""Whether a post could go out as it stands: per account as its platform counts, and what collides with it.

``problems_of`` blocks; ``warnings_of`` is shown before review and blocks nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select

from connectors.base import Capability, Granted, Outgoing
from hub import clock
from hub.db import Unit
from hub.i18n import _, moment
from hub.models import Account, Post, PostState, PostTarget
from workflows.house import House
from workflows.publishing.content import text_for
from workflows.publishing.history import targets_of

CLOSE_BY = timedelta(minutes=15)
SAME_TEXT_WITHIN = timedelta(days=7)
SAME_TEXT = 0.9
# People pick minutes: the running one is not the past yet.
GRACE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Measure:
    """Length of a text in the platform's own units."""

    units: int
    limit: int

    @property
    def left(self) -> int:
        """Units left; negative: too long by so many."""
        return self.limit - self.units


def measure(house: House, account: Account, text: str) -> Measure:
    """For the counter of the composer. Pure: asks nobody."""
    connector = house.connector(account)
    return Measure(connector.measure(text), connector.limits(house.ref(account)).post_length)


async def problems_of(house: House, unit: Unit, post: Post, *, ignore_time: bool = False) -> list[str]:
    """Every reason why this post cannot go out as it stands; empty: it can."""
    targets = await targets_of(unit, post)
    problems = []
    if not targets:
        problems.append(_("请至少选择一个发布账号"))
    if not ignore_time and post.scheduled_at is not None and post.scheduled_at < clock.now() - GRACE:
        problems.append(_("计划时间已经过去，请改期或选择立即发布"))
    accounts = await _accounts(unit, targets)
    for target in targets:
        problems += account_problems(house, accounts[target.account_id], text_for(post, target))
    return problems


def account_problems(house: House, account: Account, text: str) -> list[str]:
    """Why ``text`` cannot go out on ``account``, each sentence with the account's name."""
    if not account.is_active:
        return [_("「%(name)s」已停用", name=account.name)]
    if not text.strip():
        return [_("「%(name)s」的正文为空", name=account.name)]
    ref, connector = house.ref(account), house.connector(account)
    grant = connector.capabilities(ref).get(Capability.publish)
    if grant is None or grant.granted is not Granted.yes:
        why = grant.reason if grant and grant.reason else _("没有发布权限")
        return [_("「%(name)s」不能发布：%(why)s", name=account.name, why=why)]
    found = connector.validate(ref, Outgoing(text=text, key=""))
    return [_("「%(name)s」：%(why)s", name=account.name, why=problem.text) for problem in found]


async def warnings_of(unit: Unit, post: Post) -> list[str]:
    """Same account within 15 minutes, or nearly the same text on the same account within 7 days."""
    targets = {target.account_id: text_for(post, target) for target in await targets_of(unit, post)}
    if post.scheduled_at is None or not targets:
        return []
    names = {key: account.name for key, account in (await _accounts(unit, list(targets))).items()}
    warnings = []
    for other, target in await _neighbours(unit, post, list(targets), post.scheduled_at):
        at = other.scheduled_at or post.scheduled_at
        said = {"name": names[target.account_id], "title": other.title, "at": moment(at)}
        if abs(at - post.scheduled_at) < CLOSE_BY:
            warnings.append(_("「%(name)s」在 %(at)s 已排有「%(title)s」，间隔不足 15 分钟", **said))
        if likeness(targets[target.account_id], text_for(other, target)) >= SAME_TEXT:
            warnings.append(_("与「%(name)s」%(at)s 的「%(title)s」内容几乎相同", **said))
    return warnings


def likeness(one: str, other: str) -> float:
    """Share of character pairs two texts have in common, 0..1; word order hardly matters, length does."""
    a, b = _pairs(one), _pairs(other)
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0


def _pairs(text: str) -> set[str]:
    letters = "".join(letter for letter in text.lower() if letter.isalnum())
    return {letters[i : i + 2] for i in range(max(1, len(letters) - 1))}


async def _neighbours(
    unit: Unit, post: Post, accounts: Sequence[int], at: datetime
) -> Sequence[tuple[Post, PostTarget]]:
    """What stands on the calendar within seven days for any of ``accounts``, drafts of others included."""
    found = await unit.session.exec(
        select(Post, PostTarget)
        .join(PostTarget, col(PostTarget.post_id) == col(Post.id))
        .where(
            col(PostTarget.account_id).in_(accounts),
            col(Post.id) != post.id,
            col(Post.state) != PostState.withdrawn,
            col(Post.scheduled_at).between(at - SAME_TEXT_WITHIN, at + SAME_TEXT_WITHIN),
        )
        .order_by(col(Post.scheduled_at), col(Post.id))
        .limit(2000)
    )
    return list(found.all())


async def _accounts(unit: Unit, targets: Sequence[PostTarget] | Sequence[int]) -> dict[int, Account]:
    ids = [target if isinstance(target, int) else target.account_id for target in targets]
    found = await unit.all(select(Account).where(col(Account.id).in_(ids)))
    return {account.id or 0: account for account in found}

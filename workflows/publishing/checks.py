"""Whether a post could go out as it stands: per account as its platform counts, and what collides with it.

``problems_of`` blocks; ``warnings_of`` is shown before review and blocks nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select

from connectors.base import Capability, Granted, Outgoing
from hub import clock
from hub.db import Unit
from hub.i18n import _, moment
from hub.models import Account, Post, PostEvent, PostState, PostTarget
from workflows.checking.confirming import Finding
from workflows.checking.gate import Told, blocking, judge, red_lines
from workflows.house import House
from workflows.pictures.ready import planned
from workflows.publishing.content import USUAL, Draft, Option, draft_of, is_made_title, text_for
from workflows.publishing.forms import chosen_form, form_problems, is_settled
from workflows.publishing.history import targets_of

CLOSE_BY = timedelta(minutes=15)
SAME_TEXT_WITHIN = timedelta(days=7)
SAME_TEXT = 0.9
# People pick minutes: the running one is not the past yet.
GRACE = timedelta(minutes=1)
FORCE = "force"


@dataclass(frozen=True, slots=True)
class Measure:
    """Length of a text in the platform's own units."""

    units: int
    limit: int

    @property
    def left(self) -> int:
        """Units left; negative: too long by so many."""
        return self.limit - self.units


def measure(house: House, account: Account, text: str, option: Option = USUAL) -> Measure:
    """For the counter of the composer. Pure: asks nobody."""
    return Measure(house.connector(account).measure(text), chosen_form(house, account, option).length)


async def problems_of(house: House, unit: Unit, post: Post, *, ignore_time: bool = False) -> list[str]:
    """Every reason why this post cannot go out as it stands; empty: it can. Red lines that were let pass are none."""
    draft = draft_of(post, await targets_of(unit, post))
    problems = await draft_problems(house, unit, draft, ignore_time=ignore_time)
    problems += await _unsettled(house, unit, draft)
    found = await findings_of(unit, draft, post.department_id)
    return problems + blocking(await red_lines_of(unit, post, found))


async def remarks_of(unit: Unit, post: Post) -> list[Finding]:
    """Everything its author should have read before handing it in: what the check found in each text, red lines nobody
    let pass as blocking and those let pass, and what collides with it on the calendar."""
    found = await findings_of(unit, draft_of(post, await targets_of(unit, post)), post.department_id)
    red = {line.key for line in await red_lines_of(unit, post, found)}
    told = [
        Finding(told.sentence, told.key in red, told, one.field, passed=told.is_red and told.key not in red)
        for one in found
        for told in one.findings
    ]
    return told + [Finding(text, blocks=False, field="") for text in await warnings_of(unit, post)]


async def _unsettled(house: House, unit: Unit, draft: Draft) -> list[str]:
    """Accounts whose form or title nobody named yet, so that no approval could be bound to it."""
    return [
        _("「%(name)s」还没有确定发布形式或标题，请打开编辑页保存一次", name=account.name)
        for account in await _accounts(unit, draft.targets)
        if account.platform in house.platforms
        and not is_settled(chosen_form(house, account, draft.option(account.id or 0)), draft.option(account.id or 0))
    ]


@dataclass(frozen=True, slots=True)
class Checked:
    """One text that goes out, and what the check found in it. ``account_id`` 0: the text common to all accounts.

    ``name``: of its field in the composer's form, where it is no post's text: a title, the words of a picture.
    """

    account_id: int
    text: str
    findings: Sequence[Told]
    name: str = ""

    @property
    def field(self) -> str:
        """Its name in the composer's form."""
        if self.name:
            return self.name
        return f"text_{self.account_id}" if self.account_id else "body"


async def findings_of(unit: Unit, draft: Draft, department_id: int | None = None) -> list[Checked]:
    """What the check says, by the lists of the department, about every text of a draft that goes out anywhere."""
    texts = {account: text for account, text in draft.targets.items() if text.strip()}
    if draft.body.strip() and (len(texts) < len(draft.targets) or not draft.targets):
        texts = {0: draft.body} | texts
    named = [(account, text, "") for account, text in texts.items()] + list(_beside(draft, texts))
    found = await judge(unit, [text for _account, text, _name in named], department_id)
    return [Checked(account, text, told, name) for (account, text, name), told in zip(named, found, strict=True)]


def _beside(draft: Draft, texts: Mapping[int, str]) -> Iterable[tuple[int, str, str]]:
    """The other texts that go out: the title where a form shows one, titles of their own, and what is said about
    pictures. A title made from a text that is looked at itself is not told twice."""
    titles = {account: draft.option(account).title for account in draft.targets}
    told = 0 in texts and is_made_title(draft)
    if draft.title.strip() and draft.title in titles.values() and not told:
        yield 0, draft.title, "title"
    for account, title in titles.items():
        if title not in ("", draft.title):
            yield account, title, f"title_{account}"
    for picture in draft.pictures if any(draft.pictures_on(account) for account in draft.targets) else ():
        if picture.description.strip():
            yield 0, picture.description, f"alt_{picture.id}"
    if draft.video is not None and draft.video.description.strip() and any(map(draft.video_on, draft.targets)):
        yield 0, draft.video.description, "video_alt"


async def red_lines_of(unit: Unit, post: Post, checked: Iterable[Checked]) -> list[Told]:
    """What blocks this post: red lines nobody let pass for exactly this content."""
    reds = red_lines(told for one in checked for told in one.findings)
    if not reds:
        return []
    events = await unit.all(
        select(PostEvent).where(
            PostEvent.post_id == post.id, PostEvent.what == FORCE, PostEvent.content_hash == post.content_hash
        )
    )
    return red_lines(reds, {key for event in events for key in event.data.get("passed", ())})


async def draft_problems(house: House, unit: Unit, draft: Draft, *, ignore_time: bool = False) -> list[str]:
    """As :func:`problems_of`, of what somebody is typing."""
    problems = []
    if not draft.targets:
        problems.append(_("请至少选择一个发布账号"))
    if not ignore_time and draft.scheduled_at is not None and draft.scheduled_at < clock.now() - GRACE:
        problems.append(_("计划时间已经过去，请改期或选择立即发布"))
    if draft.latest_at is not None and draft.latest_at < clock.now():
        problems.append(_("最晚发布时间已经过去，发出去也会被拦下，请先修改"))
    for account in await _accounts(unit, draft.targets):
        problems += account_problems(house, account, draft)
    return problems


def account_problems(house: House, account: Account, draft: Draft) -> list[str]:
    """Why the draft cannot go out on ``account``, each sentence with the account's name."""
    text = draft.text_on(account.id or 0)
    if not account.is_active:
        return [_("「%(name)s」已停用", name=account.name)]
    if not text.strip():
        return [_("「%(name)s」的正文为空", name=account.name)]
    ref, connector = house.ref(account), house.connector(account)
    grant = connector.capabilities(ref).get(Capability.publish)
    if grant is None or grant.granted is not Granted.yes:
        why = grant.reason if grant and grant.reason else _("没有发布权限")
        return [_("「%(name)s」不能发布：%(why)s", name=account.name, why=why)]
    found = form_problems(house, account, draft) or [
        each.text for each in connector.validate(ref, _out(draft, account))
    ]
    return [_("「%(name)s」：%(why)s", name=account.name, why=why) for why in found]


def _out(draft: Draft, account: Account) -> Outgoing:
    """What would leave, its pictures as they are described: their bytes are looked at when it leaves."""
    number = account.id or 0
    option = draft.option(number)
    pictures = planned(draft.pictures_on(number))
    video = draft.video_on(number)
    return Outgoing(
        text=draft.text_on(number), key="", title=option.title or draft.title, form=option.form, attachments=pictures,
        video=video.going_out() if video else None,
    )  # fmt: skip


async def warnings_of(unit: Unit, post: Post) -> list[str]:
    """Same account within 15 minutes, or nearly the same text on the same account within 7 days."""
    return await draft_warnings(unit, draft_of(post, await targets_of(unit, post)), post.id)


async def draft_warnings(unit: Unit, draft: Draft, post_id: int | None = None) -> list[str]:
    """As :func:`warnings_of`, of what somebody is typing; ``post_id``: the post it is to become, if there is one."""
    if draft.scheduled_at is None or not draft.targets:
        return []
    names = {account.id: account.name for account in await _accounts(unit, draft.targets)}
    warnings = []
    for other, target in await _neighbours(unit, post_id, list(draft.targets), draft.scheduled_at):
        at = other.scheduled_at or draft.scheduled_at
        said = {"name": names.get(target.account_id, ""), "title": other.title, "at": moment(at)}
        if abs(at - draft.scheduled_at) < CLOSE_BY:
            warnings.append(_("「%(name)s」在 %(at)s 已排有「%(title)s」，间隔不足 15 分钟", **said))
        if likeness(draft.text_on(target.account_id), text_for(other, target)) >= SAME_TEXT:
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
    unit: Unit, post_id: int | None, accounts: Sequence[int], at: datetime
) -> Sequence[tuple[Post, PostTarget]]:
    """What stands on the calendar within seven days for any of ``accounts``, drafts of others included."""
    found = await unit.session.exec(
        select(Post, PostTarget)
        .join(PostTarget, col(PostTarget.post_id) == col(Post.id))
        .where(
            col(PostTarget.account_id).in_(accounts),
            col(Post.id) != (post_id or 0),
            col(Post.state) != PostState.withdrawn,
            col(Post.scheduled_at).between(at - SAME_TEXT_WITHIN, at + SAME_TEXT_WITHIN),
        )
        .order_by(col(Post.scheduled_at), col(Post.id))
        .limit(2000)
    )
    return list(found.all())


async def _accounts(unit: Unit, ids: Iterable[int]) -> Sequence[Account]:
    return await unit.all(select(Account).where(col(Account.id).in_(list(ids))).order_by(col(Account.id)))

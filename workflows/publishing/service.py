"""What people do to a post: write, submit, approve, send back, withdraw, move in time.

Rule for moving an approved post in time: the approval stays when the person who moves it may review posts, or when
the new time lies within seven days of the time that was approved; otherwise the post goes back to review. The
content is never touched by a move, and every move stands in the post's history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, func, select

from hub import audit, clock
from hub.db import Unit
from hub.errors import Invalid, NotAllowed, Refused, Stale
from hub.i18n import _, written
from hub.models import Account, Delivery, DeliveryKind, Post, PostEvent, PostState, PostTarget
from hub.rights import Actor, May
from workflows.checking.confirming import Unfit, settle
from workflows.delivery import create as create_delivery
from workflows.delivery import text_hash
from workflows.delivery.stopping import cancel_all, give_to, move_all
from workflows.house import House
from workflows.pictures import store
from workflows.publishing.checks import problems_of, remarks_of
from workflows.publishing.content import (
    FARTHEST,
    Draft,
    content_hash,
    draft_of,
    hash_of,
    pictures_for,
    text_for,
    tidy,
    video_for,
)
from workflows.publishing.forms import forms_of, settled
from workflows.publishing.history import facts_of, find, note, targets_of
from workflows.publishing.states import CHAIN, Move, next_stage, reasons_against
from workflows.videos import store as videos

MOVE_KEEPS_APPROVAL = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Moved:
    """Outcome of a reschedule: the post, whether its approval still stands, and the time it had before."""

    post: Post
    kept_approval: bool
    before: datetime | None


async def create(unit: Unit, actor: Actor, draft: Draft) -> Post:
    """A new draft of the person's department. :class:`Invalid` names each field that cannot be taken."""
    if not actor.can(May.write_post) or actor.user_id is None:
        raise NotAllowed(_("您没有撰写稿件的权限"))
    if actor.department_id is None:
        raise Invalid({"department": _("您还没有所属部门，请管理员先设置")})
    made = await _resolved(unit, actor, tidy(draft))
    post = Post(
        title=made.title,
        body=made.body,
        pictures=[one.kept() for one in made.pictures],
        video=made.video.kept() if made.video else None,
        content_hash=content_hash(made),
        department_id=actor.department_id,
        author_id=actor.user_id,
        author_name=actor.name,
        scheduled_at=made.scheduled_at,
        latest_at=made.latest_at,
    )
    unit.add(post)
    await unit.flush()
    await _set_targets(unit, post, made)
    await note(unit, post, "create", actor, with_content=True)
    await audit.record(unit, actor, "post.create", f"post:{post.id}", hash=post.content_hash)
    return post


async def save(unit: Unit, actor: Actor, post_id: int, *, version: int, draft: Draft) -> Post:
    """Change a post. One changed character of an approved post puts it back in review and cancels what waits.

    :class:`Stale` when somebody else saved meanwhile; refused once anything of it has left the house.
    """
    post = await find(unit, actor, post_id)
    await _refuse(unit, Move.save, post, actor)
    made = await _resolved(unit, actor, tidy(draft))
    new_hash = content_hash(made)
    is_new = new_hash != post.content_hash
    state = _state_after_save(post, is_new)
    await _set(
        unit,
        post,
        version,
        title=made.title,
        body=made.body,
        pictures=[one.kept() for one in made.pictures],
        video=made.video.kept() if made.video else None,
        content_hash=new_hash,
        latest_at=made.latest_at,
        state=state,
        changed_at=clock.now(),
    )
    await _set_targets(unit, post, made)
    if state is PostState.review:
        await cancel_all(unit, post.id or 0, written("稿件已修改，重新送审"))
    elif state is PostState.approved and post.scheduled_at is not None:
        await give_to(unit, post.id or 0, {key: option.assignee_id for key, option in made.options.items()})
        await move_all(unit, post.id or 0, post.scheduled_at, post.latest_at)
    await note(unit, post, "save" if is_new else "save_details", actor, with_content=True)
    await audit.record(unit, actor, "post.save", f"post:{post.id}", hash=new_hash)
    if made.scheduled_at != post.scheduled_at:
        await _move(unit, actor, post, post.version, made.scheduled_at)
    return post


async def submit(house: House, unit: Unit, actor: Actor, post_id: int, *, version: int, confirm: str = "") -> Post:
    """Hand it to the reviewers. Unfit with every reason why it could not go out as it stands; Unconfirmed unless
    ``confirm`` names exactly what was shown, see :mod:`workflows.checking.confirming`."""
    post = await find(unit, actor, post_id)
    await settle_forms(house, unit, post)
    remarks = await remarks_of(unit, post)
    reasons = reasons_against(Move.submit, await facts_of(unit, post), actor, note="")
    if reasons := [*reasons, *await problems_of(house, unit, post)]:
        raise Unfit(reasons, [one for one in remarks if one.blocks])
    settle(remarks, confirm)
    await _set(unit, post, version, state=PostState.review, submitted_at=clock.now(), review_note="")
    # What the check had said, so that nobody can say it had not.
    told = {"findings": [one.key for one in remarks if one.told is not None and not one.is_hint]}
    await note(unit, post, "submit", actor, with_content=True, data=told)
    await audit.record(unit, actor, "post.submit", f"post:{post.id}", hash=post.content_hash)
    return post


async def approve(
    house: House,
    unit: Unit,
    actor: Actor,
    post_id: int,
    *,
    content_hash: str,
    remark: str = "",
    at_once: bool = False,
) -> Post:
    """Sign for exactly the content with this hash; the last signature of the chain creates one delivery per account.

    :class:`Stale` when the text changed since the reviewer read it; refused for whoever wrote any of it.
    ``at_once``: the time has passed meanwhile and it shall go out now.
    """
    post = await find(unit, actor, post_id)
    if post.content_hash != content_hash:
        raise Stale([_("内容在您打开之后已被修改，请看过新内容再审核")])
    targets = await targets_of(unit, post)
    if hash_of(post, targets) != post.content_hash:
        raise Refused([_("稿件内容与其指纹不一致，不能审核；请作者重新保存")])
    await _refuse(unit, Move.approve, post, actor, more=await problems_of(house, unit, post, ignore_time=at_once))
    stage = next_stage(await facts_of(unit, post))
    await note(unit, post, "sign", actor, reason=remark, with_content=True, data={"stage": stage.name if stage else ""})
    await audit.record(unit, actor, "post.sign", f"post:{post.id}", hash=content_hash)
    await unit.flush()
    if next_stage(await facts_of(unit, post)) is None:
        await _release(house, unit, actor, post, targets, remark, at_once)
    return post


async def send_back(unit: Unit, actor: Actor, post_id: int, *, content_hash: str, reason: str) -> Post:
    """Return it to its author with a reason; an approval given before is undone and what waits is cancelled."""
    post = await find(unit, actor, post_id)
    if post.content_hash != content_hash:
        raise Stale([_("内容在您打开之后已被修改，请看过新内容再退回")])
    await _refuse(unit, Move.send_back, post, actor, reason=reason)
    await _set(
        unit,
        post,
        post.version,
        state=PostState.returned,
        approved_hash="",
        reviewer_id=actor.user_id,
        reviewer_name=actor.name,
        reviewed_at=clock.now(),
        review_note=reason,
    )
    await cancel_all(unit, post.id or 0, written("审核人退回：%(reason)s", reason=reason))
    await note(unit, post, "send_back", actor, reason=reason, with_content=True)
    await audit.record(unit, actor, "post.send_back", f"post:{post.id}", hash=content_hash)
    return post


async def withdraw(unit: Unit, actor: Actor, post_id: int, *, version: int, reason: str) -> Post:
    """Take it off the calendar. Refused once anything of it has left; single deliveries can still be cancelled."""
    post = await find(unit, actor, post_id)
    await _refuse(unit, Move.withdraw, post, actor, reason=reason)
    await _set(unit, post, version, state=PostState.withdrawn, approved_hash="")
    await cancel_all(unit, post.id or 0, written("稿件已撤回：%(reason)s", reason=reason))
    await note(unit, post, "withdraw", actor, reason=reason)
    await audit.record(unit, actor, "post.withdraw", f"post:{post.id}")
    return post


async def reschedule(unit: Unit, actor: Actor, post_id: int, *, version: int, scheduled_at: datetime) -> Moved:
    """Move a post and everything of it that waits to another time, in one transaction.

    Refused with reasons when the time has passed, when its own latest time comes before, or when any of it is
    being sent or out. Whether the approval stays: see the rule at the top of this module.
    """
    post = await find(unit, actor, post_id)
    return await _move(unit, actor, post, version, scheduled_at)


async def _move(unit: Unit, actor: Actor, post: Post, version: int, scheduled_at: datetime | None) -> Moved:
    """The move itself; ``scheduled_at`` None: no time yet, which an approved post cannot have."""
    await _refuse(unit, Move.reschedule, post, actor, more=_against_time(post, scheduled_at))
    before = post.scheduled_at
    keeps = post.state is not PostState.approved or await _keeps_approval(unit, actor, post, scheduled_at)
    values: dict[str, Any] = {"scheduled_at": scheduled_at, "changed_at": clock.now()}
    if not keeps:
        values |= {"state": PostState.review, "approved_hash": ""}
    await _set(unit, post, version, **values)
    if not keeps:
        await cancel_all(unit, post.id or 0, written("改期超过 7 天，重新送审"))
    elif post.state is PostState.approved and scheduled_at is not None:
        await move_all(unit, post.id or 0, scheduled_at, post.latest_at)
    moved = {"from": before.isoformat() if before else "", "to": scheduled_at.isoformat() if scheduled_at else ""}
    await note(unit, post, "reschedule", actor, data=moved)
    if not keeps:
        await note(unit, post, "back_to_review", actor, reason=written("改期超过 7 天，重新送审"))
    await audit.record(unit, actor, "post.reschedule", f"post:{post.id}", **moved)
    return Moved(post, keeps, before)


async def settle_forms(house: House, unit: Unit, post: Post) -> None:
    """Name forms and titles that were left to the platform's usual ones, before anybody reads what is to go out.

    :class:`Stale` when the text was changed since ``post`` was read: its mark must be that of what is kept.
    """
    draft = draft_of(post, await targets_of(unit, post))
    accounts = await unit.all(select(Account).where(col(Account.id).in_(list(draft.targets))))
    forms = {one.id or 0: forms_of(house, one) for one in accounts if one.platform in house.platforms}
    made = settled(forms, draft)
    if made == draft:
        return
    unchanged = (col(Post.id) == post.id, col(Post.version) == post.version)
    if await unit.first(select(col(Post.id)).where(*unchanged).with_for_update()) is None:
        raise _stale()
    await _set_targets(unit, post, made)
    post.title, post.content_hash = made.title, content_hash(made)
    await unit.flush()


def _against_time(post: Post, scheduled_at: datetime | None) -> list[str]:
    if scheduled_at is None:
        return [_("已批准的稿件须有计划时间")] if post.state is PostState.approved else []
    reasons = []
    if scheduled_at < clock.now():
        reasons.append(_("计划时间已经过去"))
    if scheduled_at > clock.now() + FARTHEST:
        reasons.append(_("时间离现在太远，请检查年份"))
    if post.latest_at and scheduled_at > post.latest_at:
        reasons.append(_("晚于本稿的最晚发布时间，请先修改最晚发布时间"))
    return reasons


async def _keeps_approval(unit: Unit, actor: Actor, post: Post, scheduled_at: datetime | None) -> bool:
    if actor.can(May.review_post):
        return True
    approved = await unit.first(
        select(PostEvent.data)
        .where(PostEvent.post_id == post.id, PostEvent.what == "approve")
        .order_by(col(PostEvent.id).desc())
        .limit(1)
    )
    was = str((approved or {}).get("scheduled_at", ""))
    if not was or scheduled_at is None:
        return False
    # Measured from the time that was approved, so that many small moves are no way round.
    return abs(scheduled_at - datetime.fromisoformat(was)) <= MOVE_KEEPS_APPROVAL


def _state_after_save(post: Post, is_new: bool) -> PostState:
    if post.state is PostState.withdrawn:
        return PostState.draft
    if post.state is PostState.approved and is_new:
        return PostState.review
    return post.state


async def _by_hand(house: House, unit: Unit, targets: Sequence[PostTarget]) -> set[int]:
    """The accounts where people publish: no program brings anything there."""
    accounts = await unit.all(select(Account).where(col(Account.id).in_([one.account_id for one in targets])))
    known = [one for one in accounts if one.platform in house.platforms]
    return {one.id or 0 for one in known if house.connector(one).limits(house.ref(one)).by_hand}


async def _release(
    house: House, unit: Unit, actor: Actor, post: Post, targets: Sequence[PostTarget], remark: str, at_once: bool
) -> None:
    """All signatures are there: bind the approval to the content and put one delivery per account into the outbox."""
    now = clock.now()
    when = now if at_once or post.scheduled_at is None else post.scheduled_at
    await _set(
        unit,
        post,
        post.version,
        state=PostState.approved,
        approved_hash=post.content_hash,
        scheduled_at=when,
        reviewer_id=actor.user_id,
        reviewer_name=actor.name,
        reviewed_at=now,
        review_note=remark,
    )
    by_hand = await _by_hand(house, unit, targets)
    last = await unit.one(select(func.max(Delivery.round)).where(Delivery.post_id == post.id))
    for target in targets:
        beside: dict[str, Any] = {
            "title": target.title,
            "form": target.form,
            "attachments": pictures_for(post, target),
            "video": video_for(post, target),
        }
        text = text_for(post, target)
        delivery = await create_delivery(
            unit,
            kind=DeliveryKind.post,
            account_id=target.account_id,
            text=text,
            **beside,
            travels=target.account_id not in by_hand,
            assignee_id=target.assignee_id,
            approved_hash=text_hash(text, account_id=target.account_id, **beside),
            scheduled_at=when,
            latest_at=post.latest_at,
            post_id=post.id,
            round=(last or 0) + 1,
        )
        target.delivery_id = delivery.id
    await note(unit, post, "approve", actor, reason=remark, with_content=True, data={"stages": len(CHAIN)})


async def _refuse(
    unit: Unit, move: Move, post: Post, actor: Actor, *, reason: str = "", more: Sequence[str] = ()
) -> None:
    reasons = reasons_against(move, await facts_of(unit, post), actor, note=reason)
    if reasons or more:
        raise Refused([*reasons, *more])


async def _set(unit: Unit, post: Post, version: int, **values: Any) -> None:
    if post.version != version or not await unit.compare_and_set(post, **values):
        raise _stale()


def _stale() -> Stale:
    return Stale([_("稿件刚被他人修改，请刷新后再试")])


async def _resolved(unit: Unit, actor: Actor, draft: Draft) -> Draft:
    """The draft with pictures and video as they are kept. :class:`Invalid` for an account, picture or video that is
    not there."""
    await _check_accounts(unit, draft)
    pictures = await store.resolve(unit, actor, draft.pictures)
    return replace(draft, pictures=pictures, video=await videos.resolve(unit, actor, draft.video))


async def _check_accounts(unit: Unit, draft: Draft) -> None:
    known = set(await unit.all(select(col(Account.id)).where(col(Account.id).in_(draft.targets))))
    if set(draft.targets) - known:
        raise Invalid({"targets": _("所选账号不存在")})


async def _set_targets(unit: Unit, post: Post, draft: Draft) -> None:
    there = {target.account_id: target for target in await targets_of(unit, post)}
    for account_id in there.keys() - draft.targets.keys():
        await unit.session.delete(there[account_id])
    for account_id, text in draft.targets.items():
        if account_id in there:
            target = there[account_id]
        else:
            target = PostTarget(post_id=post.id or 0, account_id=account_id)
            unit.add(target)
        _fill(target, text, draft)
    await store.note_use(unit, post.id or 0, draft.pictures)
    await videos.note_use(unit, post.id or 0, draft.video)
    await unit.flush()


def _fill(target: PostTarget, text: str, draft: Draft) -> None:
    option = draft.option(target.account_id)
    target.text, target.form, target.title = text, option.form, option.title
    target.assignee_id, target.without_video = option.assignee_id, option.without_video
    own = None if option.first is None else draft.pictures_on(target.account_id)
    target.pictures = None if own is None else [one.kept() for one in own]

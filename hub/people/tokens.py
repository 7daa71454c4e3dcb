"""Personal tokens for ``/api/v1``: shown once, kept as a digest, limited by scopes, revocable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import or_, update
from sqlmodel import col, select

from hub import audit, clock, crypto
from hub.db import Unit
from hub.errors import Invalid, NotAllowed, NotFound
from hub.i18n import N_, _, listed
from hub.models import ApiToken, User
from hub.people.actors import Identity, load_actor
from hub.rights import Actor, May

PREFIX = "hub_"
# Such a token stands in an address that calendar programs keep and pass on: it opens the calendar and nothing else.
CALENDAR = "calendar:read"
LONGEST_DAYS = 366
SCOPES = {
    "messages:read": N_("读消息"),
    "messages:write": N_("修正消息的标签"),
    "cases:read": N_("读工单"),
    "cases:write": N_("处理工单"),
    "posts:read": N_("读发布"),
    "posts:write": N_("编写、审核和安排发布"),
    "deliveries:read": N_("读发送记录"),
    "deliveries:write": N_("处理发送失败和待核实"),
    "accounts:read": N_("读账号和部门名录"),
    "reports:read": N_("读舆情和报表"),
    "plans:read": N_("读监测方案和命中"),
    CALENDAR: N_("订阅发布日历"),
}
_CASES = (May.read_all_cases, May.read_tree_cases, May.read_department_cases)
# One of these rights makes a scope worth having: nobody is offered a key to a door that stays shut for them. Leaders
# and auditors, who only read, thereby get tokens that only read.
SCOPE_NEEDS: Mapping[str, tuple[May, ...]] = {
    "messages:read": (May.read_messages, *_CASES),
    "messages:write": (May.correct_tags,),
    "cases:read": (*_CASES, May.review_reply),
    "cases:write": (
        May.accept, May.refuse, May.dispatch, May.sign, May.hand_back, May.suspend, May.close, May.reopen,
        May.add_note, May.draft_reply, May.review_reply,
    ),
    "posts:read": (May.read_posts, May.write_post),
    "posts:write": (May.write_post, May.review_post),
    "deliveries:read": (May.read_posts, *_CASES),
    "deliveries:write": (May.settle_delivery,),
    "accounts:read": (),
    "reports:read": (May.read_opinion,),
    "plans:read": (May.read_opinion,),
    CALENDAR: (May.read_posts,),
}  # fmt: skip
_TOUCH_EVERY = timedelta(minutes=1)


def scopes_for(actor: Actor) -> list[str]:
    """The scopes that let this person's programs do anything, in the order of the list."""
    return [scope for scope in SCOPES if not SCOPE_NEEDS[scope] or any(map(actor.can, SCOPE_NEEDS[scope]))]


async def issue(unit: Unit, actor: Actor, name: str, scopes: Iterable[str], days: int) -> tuple[ApiToken, str]:
    """A new token; the second value is its text, which is never to be had again."""
    if not actor.can(May.use_api):
        raise NotAllowed(_("你没有使用接口的权限。"))
    chosen, problems = sorted(set(scopes)), {}
    if not name.strip() or len(name) > 100:
        problems["name"] = _("请写明用途，最多 100 个字。")
    if not chosen or not set(chosen) <= set(SCOPES):
        problems["scopes"] = _("请至少选择一项范围。")
    elif beyond := sorted(set(chosen) - set(scopes_for(actor))):
        problems["scopes"] = _("您没有这些范围所需的权限：%(scopes)s", scopes=listed(beyond))
    elif CALENDAR in chosen and len(chosen) > 1:
        problems["scopes"] = _("「订阅发布日历」的令牌写在网址里，容易外传，请单独生成，不要再选别的范围。")
    if not 1 <= days <= LONGEST_DAYS:
        problems["days"] = _("有效期为 1 至 %(n)s 天。", n=LONGEST_DAYS)
    if problems:
        raise Invalid(problems)
    text = PREFIX + crypto.new_token()
    row = ApiToken(
        user_id=actor.user_id or 0, name=name.strip(), token_hash=crypto.digest(text), hint=text[:8] + "…",
        scopes=chosen, expires_at=clock.now() + timedelta(days=days),
    )  # fmt: skip
    unit.add(row)
    await unit.flush()
    await audit.record(unit, actor, "token.issue", f"token/{row.id}", name=row.name, scopes=chosen)
    return row, text


async def resolve(unit: Unit, text: str, address: str = "") -> tuple[Identity, bool] | None:
    """The person behind a token with its scopes, and whether its use should be noted (:func:`touch`).

    None when the token is unknown, revoked, expired, or its owner gone or without the right to use the API.
    """
    row = await unit.first(select(ApiToken).where(ApiToken.token_hash == crypto.digest(text)))
    now = clock.now()
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        return None
    actor = await load_actor(unit, row.user_id, address)
    user = await unit.get(User, row.user_id)
    if actor is None or user is None or not actor.can(May.use_api):
        return None
    stale = row.used_at is None or row.used_at < now - _TOUCH_EVERY
    return Identity(actor=actor, username=user.username, scopes=frozenset(row.scopes)), stale


async def touch(unit: Unit, text: str) -> None:
    """Note the use, at most once a minute."""
    stale = or_(col(ApiToken.used_at).is_(None), col(ApiToken.used_at) < clock.now() - _TOUCH_EVERY)
    same = col(ApiToken.token_hash) == crypto.digest(text)
    await unit.run(update(ApiToken).where(same, stale).values(used_at=clock.now()))


async def of_person(unit: Unit, user_id: int) -> Sequence[ApiToken]:
    """The person's tokens that are not revoked, newest first."""
    statement = select(ApiToken).where(ApiToken.user_id == user_id, col(ApiToken.revoked_at).is_(None))
    return await unit.all(statement.order_by(col(ApiToken.id).desc()))


async def revoke(unit: Unit, actor: Actor, token_id: int) -> None:
    """End one of the person's own tokens; another person's counts as not there."""
    mine = [col(ApiToken.id) == token_id, col(ApiToken.user_id) == actor.user_id, col(ApiToken.revoked_at).is_(None)]
    if not await unit.claim(ApiToken, *mine, revoked_at=clock.now()):
        raise NotFound(_("没有这个令牌，或者它已经作废。"))
    await audit.record(unit, actor, "token.revoke", f"token/{token_id}")


async def revoke_all(unit: Unit, user_id: int) -> int:
    """End all tokens of a person. Safe to run twice."""
    living = [col(ApiToken.user_id) == user_id, col(ApiToken.revoked_at).is_(None)]
    return (await unit.run(update(ApiToken).where(*living).values(revoked_at=clock.now()))).rowcount

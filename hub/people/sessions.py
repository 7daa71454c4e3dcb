"""Signing in and server-side sessions. The cookie holds a random token, the row its digest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, update
from sqlmodel import col, select

from hub import audit, clock, crypto
from hub.db import Context, Unit, reading, unit_of_work
from hub.errors import NotFound
from hub.i18n import _
from hub.models import Department, SignIn, User, UserRole
from hub.people import passwords
from hub.people.actors import Identity, actor_of, load_actor
from hub.rights import Actor, system
from hub.settings import Settings

# A row per request would make every page a write; once in this long is exact enough for an idle exit in minutes.
TOUCH_EVERY = timedelta(seconds=60)
# Hashing takes ~50 ms and 64 MiB each: a flood of sign-ins must not take all memory.
_hashing = ThreadPoolExecutor(4, "password")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Outcome of a sign-in: a token for the cookie, or a sentence that says why not."""

    token: str = ""
    problem: str = ""
    must_change_password: bool = False


async def sign_in(ctx: Context, username: str, password: str, *, address: str, agent: str) -> SignedIn:
    """Check the password and open a new session. Takes the same time for unknown, locked and known names.

    Counts wrong passwords; at ``lockout_tries`` in a row the account is locked for ``lockout_minutes``.
    """
    async with reading(ctx) as unit:
        user = await unit.first(select(User).where(User.username == username.strip()[:64].lower()))
    right = await matches(user, password)
    async with unit_of_work(ctx) as unit:
        done = await _decide(unit, user.id if user else 0, right, address=address[:64], agent=agent[:300])
    return done or SignedIn(problem=_wrong(ctx.settings))


async def matches(user: User | None, password: str) -> bool:
    """Whether the password is the person's, off the event loop; as slow for nobody."""
    stored = user.password_hash if user else None
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_hashing, crypto.password_matches, stored, password[: passwords.LONGEST])


def _wrong(settings: Settings) -> str:
    """The same words whatever was wrong: they tell neither names nor, while locked, a right password."""
    return _(
        "登录名或密码不对。连续输错 %(tries)s 次，账号锁定 %(minutes)s 分钟，其间密码正确也不能登录；可请管理员解锁。",
        tries=settings.lockout_tries, minutes=settings.lockout_minutes,
    )  # fmt: skip


async def _decide(unit: Unit, user_id: int | None, right: bool, *, address: str, agent: str) -> SignedIn | None:
    mine = select(User).where(col(User.id) == user_id).with_for_update()  # guesses at once are counted one by one
    user, now = await unit.first(mine), clock.now()
    if user is None or not user.is_active or (user.locked_until and user.locked_until > now):
        return None
    if not right:
        await _count_failure(unit, user, address)
        return None
    user.failures, user.locked_until = 0, None
    actor = await load_actor(unit, user.id or 0, address)
    if actor is None:
        return None
    await audit.record(unit, actor, "session.sign_in", f"user/{user.id}")
    return SignedIn(_open_session(unit, user.id or 0, address, agent), must_change_password=user.must_change_password)


async def _count_failure(unit: Unit, user: User, address: str) -> None:
    settings = unit.ctx.settings
    user.failures += 1
    if user.failures >= settings.lockout_tries:
        user.failures, user.locked_until = 0, clock.now() + timedelta(minutes=settings.lockout_minutes)
        await audit.record(unit, system(), "session.lock_out", f"user/{user.id}", address=address)


def _open_session(unit: Unit, user_id: int, address: str, agent: str) -> str:
    token = crypto.new_token()
    until = clock.now() + timedelta(hours=unit.ctx.settings.session_hours)
    unit.add(
        SignIn(
            user_id=user_id, token_hash=crypto.digest(token), csrf=crypto.new_token(), expires_at=until,
            address=address, agent=agent,
        )
    )  # fmt: skip
    return token


async def resolve(unit: Unit, token: str, address: str = "") -> tuple[Identity, datetime] | None:
    """The person behind a session token and when the session was last seen; None when it is over for any reason."""
    now = clock.now()
    statement = (
        select(SignIn, User, Department, col(UserRole.role))
        .join(User, col(User.id) == col(SignIn.user_id))
        .join(Department, col(Department.id) == col(User.department_id))
        .outerjoin(UserRole, col(UserRole.user_id) == col(User.id))
        .where(col(SignIn.token_hash) == crypto.digest(token), col(User.is_active), *_alive(unit, now))
    )
    rows = (await unit.session.exec(statement)).all()
    if not rows:
        return None
    session, user, department, _role = rows[0]
    identity = Identity(
        actor=actor_of(user, department.path, [role for *_rest, role in rows if role is not None], address),
        username=user.username, department=department.short_name, theme=user.theme,
        must_change_password=user.must_change_password, sign_in_id=session.id, csrf=session.csrf,
    )  # fmt: skip
    return identity, session.seen_at


def _alive(unit: Unit, now: datetime) -> list[ColumnElement[bool]]:
    idle = now - timedelta(minutes=unit.ctx.settings.idle_minutes)
    return [col(SignIn.revoked_at).is_(None), col(SignIn.expires_at) > now, col(SignIn.seen_at) > idle]


async def is_alive(unit: Unit, sign_in_id: int) -> bool:
    """Whether the session still holds: for streams that outlive a request."""
    statement = (
        select(col(SignIn.id))
        .join(User, col(User.id) == col(SignIn.user_id))
        .where(col(SignIn.id) == sign_in_id, col(User.is_active), *_alive(unit, clock.now()))
    )
    return await unit.first(statement) is not None


async def touch(unit: Unit, sign_in_id: int) -> None:
    """Note that the person is there. Safe to run twice."""
    await unit.run(update(SignIn).where(col(SignIn.id) == sign_in_id).values(seen_at=clock.now()))


async def sign_out(unit: Unit, actor: Actor, sign_in_id: int) -> None:
    """End the session. Safe to run twice."""
    await revoke(unit, actor.user_id or 0, only=sign_in_id)
    await audit.record(unit, actor, "session.sign_out", f"user/{actor.user_id}")


async def revoke(unit: Unit, user_id: int, *, only: int | None = None, but: int | None = None) -> int:
    """End sessions of a person: ``only`` one, all ``but`` one, or all. Returns how many were ended."""
    which = [col(SignIn.user_id) == user_id, col(SignIn.revoked_at).is_(None)]
    if only is not None:
        which.append(col(SignIn.id) == only)
    if but is not None:
        which.append(col(SignIn.id) != but)
    return (await unit.run(update(SignIn).where(*which).values(revoked_at=clock.now()))).rowcount


async def of_person(unit: Unit, user_id: int) -> Sequence[SignIn]:
    """The person's living sessions, newest first."""
    alive = _alive(unit, clock.now())
    statement = select(SignIn).where(SignIn.user_id == user_id, *alive).order_by(col(SignIn.seen_at).desc())
    return await unit.all(statement)


async def end_one(unit: Unit, actor: Actor, sign_in_id: int) -> None:
    """End one of the person's own sessions; another person's counts as not there."""
    if not await revoke(unit, actor.user_id or 0, only=sign_in_id):
        raise NotFound(_("这个登录已经结束。"))
    await audit.record(unit, actor, "session.end", f"user/{actor.user_id}", session=sign_in_id)


async def sweep(unit: Unit) -> int:
    """Forget sessions over for 30 days. Safe to run at any time."""
    before = clock.now() - timedelta(days=30)
    old = or_(col(SignIn.expires_at) < before, col(SignIn.revoked_at) < before)
    return (await unit.run(delete(SignIn).where(old))).rowcount

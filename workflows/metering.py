"""Calls to platforms counted in rows, so that all processes together never make more than a platform allows.

One row per window and owner (an account, an app, this house); one small write per call, before it is made. A platform
without windows costs nothing. The queue is not needed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import case, literal, update
from sqlmodel import col, func, select

from connectors.base import AccountRef, ConnectorError, ErrorKind
from connectors.budget import Purpose, Scope, Standing, Window
from hub import clock, crypto
from hub.db import Context, Unit, unit_of_work
from hub.i18n import N_, written
from hub.insert import insert
from hub.models import Spending

# The code of our own refusals: no platform was asked, so nothing is wrong with the account.
BUDGET = "budget"
OVERRIDES = "budgets"
DAY = timedelta(days=1)
# How far figures of posts may use what people leave of a window: the rest is for reading what citizens write.
FIGURES_SHARE = 0.5
# How far the calendar that platforms count by is ahead of UTC.
CHINA = timedelta(hours=8)
Key = tuple[str, str, int]
_tally: ContextVar[Counter[Key] | None] = ContextVar("spent", default=None)

CALLS = {
    "all": N_("全部接口"), "read": N_("读取接口"), "write": N_("发布接口"), "comment": N_("评论接口"),
    "token": N_("令牌接口"), "message": N_("客服消息接口"), "media": N_("素材接口"), "mass": N_("群发接口"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much of a window is ours: ``most`` calls, of which ``reserve`` (a share) is for people."""

    most: int
    reserve: float
    is_overridden: bool
    has_own_reserve: bool = False

    def kept(self, by_people: int = 0) -> int:
        """Calls still kept for people, who have made so many."""
        return max(0, self.most - int(self.most * (1 - self.reserve) + 1e-9) - by_people)


@dataclass(frozen=True, slots=True)
class Left:
    """One window as it stands. ``ends_at``: when it begins anew, None while nothing was spent in it.

    ``by_people``: the part of ``used`` that people spent; it comes out of what is kept for them.
    """

    window: Window
    allowance: Allowance
    used: int
    ends_at: datetime | None
    by_people: int = 0

    @property
    def left(self) -> int:
        """Calls left for people."""
        return max(0, self.allowance.most - self.used)

    @property
    def left_to_read(self) -> int:
        """Calls left for the hub's own reading."""
        return max(0, self.left - self.kept)

    @property
    def kept(self) -> int:
        """Calls still kept for people."""
        return self.allowance.kept(self.by_people)


@contextmanager
def tallied() -> Iterator[Counter[Key]]:
    """Within: which windows were charged how often by this task."""
    spent: Counter[Key] = Counter()
    token = _tally.set(spent)
    try:
        yield spent
    finally:
        _tally.reset(token)


def owner_of(account: AccountRef, scope: Scope) -> str:
    """Who shares a window, as text; apps by digest, since their keys are nobody's business."""
    match scope:
        case Scope.account:
            return f"account/{account.id}"
        case Scope.app:
            return f"app/{account.platform}/{crypto.digest(account.app)[:32]}"
        case _:
            return f"house/{account.platform}"


def key_of(account: AccountRef, window: Window) -> Key:
    """The row of a window."""
    return owner_of(account, window.scope), window.calls, int(window.per.total_seconds())


def override_name(window: Window) -> str:
    """The name of a window among the account's own numbers (``options["budgets"]``)."""
    return f"{window.calls}/{int(window.per.total_seconds())}"


def allowance(account: AccountRef, window: Window, told: int | None = None) -> Allowance:
    """The office's own number where it has one, else the platform's word, else the connector's default."""
    own: Any = (account.options.get(OVERRIDES) or {}).get(override_name(window)) or {}
    most, reserve = own.get("most"), own.get("reserve")
    return Allowance(
        most=int(most if most is not None else window.most if told is None else told),
        reserve=float(window.reserve if reserve is None else reserve),
        is_overridden=most is not None,
        has_own_reserve=reserve is not None,
    )


def end_of(window: Window, now: datetime) -> datetime:
    """When a window that begins with a call at ``now`` ends."""
    since = now + CHINA - datetime(1970, 1, 1, tzinfo=UTC)
    return now + window.per - since % window.per


class RowMeter:
    """The meter over the table of spendings: one per process, any number of them agree."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._most: dict[Key, int] = {}

    async def take(self, account: AccountRef, windows: Sequence[Window], calls: str) -> None:
        """Count one call against every window of its class, or count none and raise; see :class:`Meter`."""
        charged = sorted(_counted(account, windows, calls), key=lambda window: key_of(account, window))
        if not charged:
            return
        now = clock.now()
        async with unit_of_work(self._ctx) as unit:
            for window in charged:
                if not await _charge(unit, account, window, now):
                    raise await _refusal(unit, account, window)
        if (spent := _tally.get()) is not None:
            spent.update(key_of(account, window) for window in charged)
        for window in charged:
            self._most[key_of(account, window)] = allowance(account, window).most

    async def learn(self, account: AccountRef, standings: Sequence[Standing]) -> None:
        """What the platform says counts: how many are left, how many it allows, and until when."""
        told = [one for one in standings if account.id or one.scope is not Scope.account]
        if not told:
            return
        now = clock.now()
        async with unit_of_work(self._ctx) as unit:
            for one in sorted(told, key=lambda each: _key_told(account, each)):
                await self._correct(unit, account, one, now)

    async def _correct(self, unit: Unit, account: AccountRef, one: Standing, now: datetime) -> None:
        key = _key_told(account, one)
        row = await unit.first(_row(key))
        window = Window(one.calls, self._most.get(key, one.most or one.left), one.per, one.scope)
        told = one.most if one.most is not None else row.told if row else None
        used = max(0, allowance(account, window, told).most - one.left)
        runs = row is not None and row.ends_at > now
        lasts = row.ends_at if row and runs else end_of(window, now)
        by_people = min(used, row.by_people) if row and runs else 0
        values = {"used": used, "by_people": by_people, "ends_at": one.resets_at or lasts, "told": told}
        kept = insert(unit, Spending).values(owner=key[0], calls=key[1], seconds=key[2], **values)
        await unit.run(kept.on_conflict_do_update(index_elements=["owner", "calls", "seconds"], set_=values))


async def standing(unit: Unit, account: AccountRef, windows: Sequence[Window]) -> list[Left]:
    """How each of the account's windows stands now."""
    if not windows:
        return []
    owners = {owner_of(account, window.scope) for window in windows}
    rows = await unit.all(select(Spending).where(col(Spending.owner).in_(owners)))
    found = {(row.owner, row.calls, row.seconds): row for row in rows}
    return [_left(account, window, found.get(key_of(account, window))) for window in windows]


def _left(account: AccountRef, window: Window, row: Spending | None) -> Left:
    runs = row is not None and row.ends_at > clock.now()
    ours = allowance(account, window, row.told if row else None)
    return Left(window, ours, row.used, row.ends_at, row.by_people) if row and runs else Left(window, ours, 0, None)


def pace(
    lefts: Sequence[Left], spent: Mapping[Key, int], account: AccountRef, sharers: Mapping[Scope, int]
) -> timedelta:
    """The gap between two readings of a stream that makes the calls left last until each window begins anew.

    ``spent``: calls of one usual reading; ``sharers``: how many streams live off a window of that scope.
    """
    now, gap = clock.now(), timedelta()
    for one in lefts:
        each = spent.get(key_of(account, one.window), 0)
        if not each or one.ends_at is None:
            continue
        rest = one.ends_at - now
        turns = one.left_to_read / (each * max(1, sharers.get(one.window.scope, 1)))
        gap = max(gap, min(rest, rest / turns) if turns else rest)
    return gap


def words_of_calls(calls: str) -> str:
    """A class of calls in words (Chinese, for ``said``)."""
    return CALLS.get(calls, calls)


def words_of_span(per: timedelta) -> str:
    """The length of a window in words (Chinese, for ``said``)."""
    known = {DAY: N_("每天"), timedelta(hours=1): N_("每小时"), timedelta(minutes=1): N_("每分钟")}
    if per in known:
        return known[per]
    if per % DAY == timedelta():
        return written("每 %(n)s 天", n=per // DAY)
    return written("每 %(n)s 分钟", n=max(1, per // timedelta(minutes=1)))


def _counted(account: AccountRef, windows: Sequence[Window], calls: str) -> list[Window]:
    """The windows of this class; an account that is only being connected has none of its own yet."""
    return [one for one in windows if one.calls == calls and (account.id or one.scope is not Scope.account)]


async def _charge(unit: Unit, account: AccountRef, window: Window, now: datetime) -> bool:
    """One conditional write: True when the call is ours, counted; False when the window is used up."""
    owner, calls, seconds = key_of(account, window)
    ours = allowance(account, window)
    by_people = int(account.purpose is Purpose.people)
    reserve = 0.0 if by_people else ours.reserve
    share = FIGURES_SHARE if account.purpose is Purpose.figures else 1.0
    most = literal(ours.most) if ours.is_overridden else func.coalesce(col(Spending.told), ours.most)
    is_over, ends_at = col(Spending.ends_at) <= now, end_of(window, now)
    values = {
        "used": case((is_over, 1), else_=col(Spending.used) + 1),
        "by_people": case((is_over, by_people), else_=col(Spending.by_people) + by_people),
        "ends_at": case((is_over, ends_at), else_=col(Spending.ends_at)),
    }
    # What people have made comes out of what is kept for them.
    kept = case((is_over, most * reserve), else_=most * reserve - col(Spending.by_people))
    used = case((is_over, 0), else_=col(Spending.used))
    room = used + 1 <= (most - case((kept > 0, kept), else_=0)) * share + 1e-9
    if ours.most * (1 - reserve) * share + 1e-9 >= 1:
        fresh = insert(unit, Spending).values(
            owner=owner, calls=calls, seconds=seconds, ends_at=ends_at, used=1, by_people=by_people, told=None
        )
        statement: Any = fresh.on_conflict_do_update(
            index_elements=["owner", "calls", "seconds"], set_=values, where=room
        )
    else:
        statement = update(Spending).where(*_is((owner, calls, seconds)), room).values(**values)
    return (await unit.run(statement)).rowcount == 1


async def _refusal(unit: Unit, account: AccountRef, window: Window) -> ConnectorError:
    row = await unit.first(_row(key_of(account, window)))
    ours = allowance(account, window, row.told if row else None)
    until = row.ends_at if row and row.ends_at > clock.now() else end_of(window, clock.now())
    kind = ErrorKind.quota_day if window.per >= DAY else ErrorKind.rate_limited
    places = {
        "calls": words_of_calls(window.calls), "span": words_of_span(window.per), "most": ours.most,
        "time": clock.local(until).strftime("%m-%d %H:%M"),
    }  # fmt: skip
    if account.purpose is Purpose.figures:
        human = written(
            "平台的%(calls)s%(span)s允许 %(most)s 次，余下的留给人工答复、发布和收取留言；"
            "%(time)s 起继续读取阅读、点赞等数据", **places,
        )  # fmt: skip
    elif account.purpose is Purpose.reading and row is not None and row.used < ours.most:
        human = written(
            "平台的%(calls)s%(span)s允许 %(most)s 次，供系统读取的 %(share)s 次已用完，其余留给人工答复和发布；"
            "%(time)s 起继续读取，期间的内容不会丢失",
            share=ours.most - ours.kept(row.by_people), **places,
        )  # fmt: skip
    else:
        human = written("平台的%(calls)s%(span)s允许 %(most)s 次，已用完，%(time)s 起继续", **places)
    return ConnectorError(kind, human, code=BUDGET, retry_at=until)


def _key_told(account: AccountRef, one: Standing) -> Key:
    return owner_of(account, one.scope), one.calls, int(one.per.total_seconds())


def _is(key: Key) -> tuple[Any, ...]:
    return col(Spending.owner) == key[0], col(Spending.calls) == key[1], col(Spending.seconds) == key[2]


def _row(key: Key) -> Any:
    return select(Spending).where(*_is(key))

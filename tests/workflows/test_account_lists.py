"""The list of accounts on both databases: counted by health, narrowed, page by page; own items followed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlmodel import select

from connectors.base import Limits, Published
from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.models import Account, CircuitState, Delivery, DeliveryKind, DeliveryState, Stream
from tests.workflows import tollhouse
from workflows import accounts
from workflows.accounts import Filters, Health
from workflows.intake import streams


async def _town(ctx: Context) -> None:
    """One account of each health, two of those that are fine."""
    now = clock.now()
    given: dict[str, dict[str, Any]] = {
        "一": {}, "二": {}, "三": {"circuit": CircuitState.open, "circuit_reason": "账号异常"},
        "四": {"expires_at": now + timedelta(days=3), "is_renewable": False}, "五": {"is_active": False},
        "六": {"is_active": False, "disconnected_at": now}, "七": {}, "八": {},
        "九": {"expires_at": now + timedelta(hours=1), "is_renewable": True},
    }  # fmt: skip
    async with unit_of_work(ctx) as unit:
        for name, values in given.items():
            unit.add(Account(platform="toll", name=name, external_id=f"10_{name}", **values))
        await unit.flush()
        rows = {row.name: row.id or 0 for row in await unit.all(select(Account))}
        unit.add(Stream(account_id=rows["七"], name="mentions", error="没有响应", failures=2))
        unit.add(Stream(account_id=rows["八"], name="mentions", error="额度已用完", failures=0))


async def test_counted_by_health_and_narrowed(any_ctx: Context) -> None:
    house = tollhouse.open_toll_house(any_ctx)
    await _town(any_ctx)
    async with reading(any_ctx) as unit:
        found = await accounts.page(house, unit, Filters())
        assert found.counts == {
            Health.fine: 3, Health.broken: 1, Health.expiring: 1, Health.off: 1, Health.gone: 1, Health.failing: 1,
            Health.waiting: 1,
        }  # fmt: skip
        assert (found.total, found.needing, len(found.rows)) == (9, 2, 9)
        for health, names in ((Health.failing, ["七"]), (Health.waiting, ["八"]), (Health.gone, ["六"])):
            narrowed = await accounts.page(house, unit, Filters(health=health))
            assert [row.account.name for row in narrowed.rows] == names
            assert narrowed.counts == found.counts, "the tabs keep their numbers"
        needing = await accounts.page(house, unit, Filters(needs_person=True))
        assert {row.account.name for row in needing.rows} == {"三", "四"}
        assert [row.account.name for row in (await accounts.page(house, unit, Filters(text="10_三"))).rows] == ["三"]
        assert (await accounts.page(house, unit, Filters(text="10%三"))).rows == [], "signs stand for themselves"
        assert [one.name for one in await accounts.attention(unit)] == ["三", "四"]


async def test_own_items_are_followed_with_what_was_kept_of_them(any_ctx: Context) -> None:
    """For platforms that read comments under each item; the newest first, old ones and failed ones left out."""
    async with tollhouse.opened(any_ctx) as (house, _toll, number):
        now = clock.now()
        given = [("1", 1, DeliveryState.sent), ("2", 2, DeliveryState.sent), ("3", 40, DeliveryState.sent),
                 ("4", 1, DeliveryState.failed), ("", 1, DeliveryState.sent)]  # fmt: skip
        async with unit_of_work(any_ctx) as unit:
            for remote, days, state in given:
                unit.add(Delivery(
                    kind=DeliveryKind.post, account_id=number, text="通告", content_hash="h", approved_hash="h",
                    state=state, scheduled_at=now, remote_id=remote, sent_at=now - timedelta(days=days),
                    extra={"msg_data_id": remote},
                ))  # fmt: skip
        stream = await tollhouse.stream_of(house, number)
        before = await streams.lease(house, stream.id or 0)
        assert before is not None
        assert before.account.published == (), "only where the platform asks for it"
        async with unit_of_work(any_ctx) as unit:
            await streams.release(unit, stream.id or 0, before.lease_until)
        house.platforms["toll"].limits = _following  # type: ignore[method-assign]
        leased = await streams.lease(house, stream.id or 0)
        assert leased is not None
        assert leased.account.published == (
            Published("1", now - timedelta(days=1), {"msg_data_id": "1"}),
            Published("2", now - timedelta(days=2), {"msg_data_id": "2"}),
        )


def _following(account: object) -> Limits:
    return Limits(140, 140, follow_own=30)

"""What the delivery and pause pages read, and addresses people copy from the platform."""

from __future__ import annotations

from datetime import timedelta

from connectors.files.client import FileConnector
from hub import clock
from hub.i18n import speaking
from hub.models import Account, Delivery, DeliveryState
from tests.workflows.delivery.office import Office
from workflows.delivery import lists, pausing, service
from workflows.delivery.lists import Group

S = DeliveryState


async def put(office: Office, delivery_id: int, **values: object) -> None:
    async with office.work() as unit:
        delivery = await unit.get(Delivery, delivery_id)
        for name, value in values.items():
            setattr(delivery, name, value)


async def ids(office: Office, group: Group, **wanted: object) -> list[int]:
    async with office.read() as unit:
        page = await lists.page(unit, office["press"], group, **wanted)  # type: ignore[arg-type]
    return [view.delivery.id or 0 for view in page.views]


async def test_every_delivery_stands_in_its_group(office: Office) -> None:
    made = [key for n in range(7) for key in await office.approved(f"第{n}", after=3600)]
    failed, parked, reading, missed, held, sent, waiting = made
    await put(office, failed, state=S.failed, error_kind="permission")
    await put(office, parked, state=S.unknown, held_reason="平台没有列表")
    await put(office, reading, state=S.unknown)
    await put(office, missed, state=S.missed)
    await put(office, held, state=S.held, held_reason="停")
    await put(office, sent, state=S.removed)
    assert await ids(office, Group.attention) == [sent, held, missed, parked, failed]
    await put(office, sent, state=S.removed, held_reason="已申诉")
    assert await ids(office, Group.attention) == [held, missed, parked, failed]
    assert await ids(office, Group.unknown) == [parked]
    assert await ids(office, Group.moving) == [waiting, reading]
    assert await ids(office, Group.sent) == await ids(office, Group.removed) == [sent]
    assert len(await ids(office, Group.all)) == 7
    assert await ids(office, Group.all, account_id=office.accounts[0] + 1) == []
    assert await ids(office, Group.attention, limit=2) == [held, missed]
    assert await ids(office, Group.attention, limit=2, before=missed) == [parked, failed]
    async with office.read() as unit:
        counted = await lists.counts(unit, office["press"])
        assert counted == {Group.failed: 1, Group.unknown: 1, Group.missed: 1, Group.held: 1, Group.attention: 4}
        assert await lists.counts(unit, office["clerk"]) == {Group.attention: 0}


async def test_an_address_from_the_browser_names_the_item(office: Office) -> None:
    (one,) = await office.approved(after=3600)
    await put(office, one, state=S.unknown, held_reason="看一眼", unknown_since=clock.now())
    async with office.work() as unit:
        copied = " https://example.org/@press/109876/?from=feed "
        done = await service.settle_by_hand(unit, office["press"], one, True, copied, "已在平台看到")
    assert (done.state, done.remote_id) == (S.sent, "109876")
    assert done.remote_url == copied.strip()


async def test_what_a_pause_would_hold_and_holds(office: Office) -> None:
    other = await office.connect("江北发布")
    async with office.work() as unit:
        unit.add(Account(platform="file", name="文件导入"))  # nothing ever leaves on it
    office.house.platforms = {**office.house.platforms, "file": FileConnector()}
    (soon,) = await office.approved("快", after=30)
    await office.approved("慢", [other], after=3600)
    async with office.read() as unit:
        assert [(one.name, one.waiting, one.is_paused) for one in await pausing.reach(office.house, unit)] == [
            ("临江发布", 1, False), ("江北发布", 1, False),
        ]  # fmt: skip
    async with office.work() as unit:
        await service.pause(unit, office["press"], "突发")
        await service.pause(unit, office["press"], "被盗", other)
    await put(office, soon, scheduled_at=clock.now() - timedelta(seconds=5))
    async with office.read() as unit:
        everything, account = await pausing.in_force(unit)
        assert [one.is_paused for one in await pausing.reach(office.house, unit)] == [False, True]
    assert (everything.to_come, everything.overdue, everything.by_name) == (1, 1, "press")
    assert (account.account_name, account.to_come, account.overdue) == ("江北发布", 0, 0)


async def test_a_pause_made_in_one_language_is_lifted_in_another(office: Office) -> None:
    (one,) = await office.approved(after=3600)
    with speaking("zh_TW"):
        async with office.work() as unit:
            pause = await service.pause(unit, office["press"], "突发事件")
    async with office.work() as unit:
        assert await service.lift(unit, office["press"], pause.id or 0, "已核实") == 1
    assert await office.states([one]) == ["waiting"]

"""Douyin through the real engine: a picture post goes through review and out once; a video is a person's work."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from PIL import Image
from sqlmodel import col, select

from connectors.base import AccountRef
from connectors.douyin.client import DouyinConnector
from connectors.http import Http
from hub import clock
from hub.db import unit_of_work
from hub.models import Account, Arrival, Delivery, DeliveryState, Stream
from tests.sims.douyin import ALL, KEY, OPEN_ID, SECRET, Douyin, douyin
from tests.workflows.delivery.office import Hands, Office
from workflows.delivery import byhand
from workflows.intake.pulling import pull_due
from workflows.pictures import store
from workflows.pictures.placed import Placed
from workflows.publishing.content import Option

S = DeliveryState


@pytest.fixture
def there() -> Iterator[Douyin]:
    with douyin() as state:
        yield state


@dataclass
class Press:
    """The press office with a Douyin account; both clocks are moved together."""

    office: Office
    platform: Douyin
    account_id: int
    pictures: tuple[Placed, ...]
    hands: Hands

    def on(self, seconds: float) -> None:
        self.hands.on(seconds)
        self.platform.ahead += seconds

    async def approved(self, text: str = "明早八点停水，请储水。", form: str = "") -> Delivery:
        given: dict[str, Any] = {"options": {self.account_id: Option(form=form)}} if form else {}
        (number,) = await self.office.approved(text, [self.account_id], pictures=self.pictures, **given)
        return await self.office.delivery(number)

    async def until(self, delivery: Delivery, *states: DeliveryState, most: int = 60) -> Delivery:
        for _ in range(most):
            await self.office.sweep()
            found = await self.office.delivery(delivery.id or 0)
            if found.state in states:
                return found
            self.on(20)
        raise AssertionError(f"{found.state}: {found.error} {found.held_reason}")


@pytest.fixture
async def press(office: Office, there: Douyin, hands: Hands) -> Press:
    client = DouyinConnector(Http(live=False, clock=clock.now, read=4.0, total=8.0))
    office.house = replace(office.house, platforms={**office.house.platforms, "douyin": client})
    keys = {"app_secret": SECRET, "token": there.token, "refresh_token": there.refresh_token}
    painted = io.BytesIO()
    Image.new("RGB", (1000, 700), "navy").save(painted, "JPEG")
    async with unit_of_work(office.ctx) as unit:
        account = Account(
            platform="douyin", name="临江发布抖音", external_id=OPEN_ID, base_url=there.base_url,
            sealed=office.ctx.vault.seal(keys), options={"app_key": KEY, **ALL},
        )  # fmt: skip
        unit.add(account)
        await unit.flush()
        row = await store.put(unit, office["press"], "a.jpg", await store.cleaned(painted.getvalue()))
        unit.add(Stream(account_id=account.id or 0, name="comments"))
    return Press(office, there, account.id or 0, (Placed(row.id or 0, "现场"),), hands)


async def test_a_picture_post_is_sent_once_it_is_reviewed(press: Press) -> None:
    delivery = await press.approved()
    await press.office.sweep()
    assert (await press.office.delivery(delivery.id or 0)).state is not S.sent, "seen by nobody yet"
    (work,) = press.platform.works
    work["video_status"] = 5
    sent = await press.until(delivery, S.sent)
    assert (sent.remote_id, sent.attempts) == (work["item_id"], 1)
    assert sent.extra == {"video_id": work["video_id"]}
    assert sent.remote_url.startswith("https://")


async def test_a_refusal_says_so(press: Press) -> None:
    delivery = await press.approved()
    await press.office.sweep()
    press.platform.works[0]["video_status"] = 2
    failed = await press.until(delivery, S.failed)
    assert "不适宜公开" in failed.error


async def test_a_lost_answer_is_found_among_own_works_and_nothing_goes_out_twice(press: Press) -> None:
    real = press.platform._create

    def lost(body: Any) -> Any:
        press.platform.drops = 1
        return real(body)

    press.platform._create = lost  # type: ignore[method-assign]
    delivery = await press.approved()
    await press.office.sweep()
    assert (await press.office.delivery(delivery.id or 0)).state is S.unknown
    sent = await press.until(delivery, S.sent)
    assert len(press.platform.works) == 1
    assert sent.remote_id == press.platform.works[0]["item_id"]
    assert "found" in await press.office.attempts(delivery.id or 0)


async def test_a_dead_token_is_renewed_and_the_post_goes_out_in_the_same_attempt(press: Press) -> None:
    press.platform.token = "act.new"
    delivery = await press.approved()
    await press.office.sweep()
    press.platform.works[0]["video_status"] = 5
    assert (await press.until(delivery, S.sent)).attempts == 1


async def test_a_video_is_a_persons_work_and_counted_by_its_link(press: Press) -> None:
    delivery = await press.until(await press.approved(form="by_hand"), S.by_hand)
    assert any("抖音" in step for step in delivery.steps)
    assert press.platform.works == []
    press.platform.work("明早八点停水")
    number = press.platform.works[0]["video_id"]
    async with press.office.work() as unit:
        done = await byhand.finish(
            press.office.house, unit, press.office["press"], delivery.id or 0,
            link=f"7.43 复制打开抖音 https://www.douyin.com/video/{number} 看看",
        )  # fmt: skip
    assert (done.state, done.remote_id) == (S.sent, number)
    async with press.office.read() as unit:
        account = await unit.get(Account, press.account_id)
    assert account is not None
    ref: AccountRef = press.office.house.ref(account)
    (figures,) = await press.office.house.platforms["douyin"].metrics(ref, [number])
    assert figures.reads == 100


async def test_comments_under_videos_from_a_phone_come_in(press: Press) -> None:
    work = press.platform.work("手机上发的视频")
    press.platform.say(work, "几点来水 {n}", count=45)
    await pull_due(press.office.house)
    async with press.office.read() as unit:
        rows = await unit.all(select(Arrival).where(col(Arrival.account_id) == press.account_id))
    assert len(rows) == 45

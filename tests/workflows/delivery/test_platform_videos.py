"""Videos through the real engine on Bilibili, Douyin and Kuaishou: there before their minute, out once, found again."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlmodel import select

from connectors.base import Connector
from connectors.bilibili.client import BilibiliConnector
from connectors.douyin.client import DouyinConnector
from connectors.http import Http
from connectors.kuaishou.client import KuaishouConnector
from hub import clock
from hub.db import unit_of_work
from hub.models import Account, Delivery, DeliveryState, VideoJourney
from tests.sims.bilibili import bilibili
from tests.sims.douyin import douyin
from tests.sims.film import MB, film
from tests.sims.kuaishou import kuaishou
from tests.workflows.delivery.office import Hands, Office
from workflows.delivery.uploading import upload_videos
from workflows.pictures import store as pictures
from workflows.pictures.placed import Placed
from workflows.publishing.content import Option
from workflows.videos import store
from workflows.videos.cleaning import Looked
from workflows.videos.placed import PlacedVideo

S = DeliveryState
TEXT = "明早八点停水，请储水。"
SIZE = 17 * MB


@dataclass(frozen=True)
class Stage:
    """One platform: its connector, its simulator, how the simulator creates a work, the works, how one is reviewed."""

    make: Callable[[Http], Connector]
    sim: Callable[[], AbstractContextManager[Any]]
    create: str
    works: Callable[[Any], list[dict[str, Any]]]
    number: Callable[[dict[str, Any]], str]
    pass_: Callable[[dict[str, Any]], Any]
    refuse: Callable[[dict[str, Any]], Any] | None
    forget: Callable[[Any], Any]


STAGES = {
    "bilibili": Stage(
        BilibiliConnector, bilibili, "_submit", lambda sim: sim.archives, lambda work: work["resource_id"],
        lambda work: work["addit_info"].update(state=0),
        lambda work: work["addit_info"].update(state=-2, reject_reason="含有联系方式"),
        lambda sim: (sim.parts.clear(), sim.joined.clear()),
    ),
    "douyin": Stage(
        DouyinConnector, douyin, "_create_video", lambda sim: sim.works, lambda work: work["item_id"],
        lambda work: work.update(video_status=5), lambda work: work.update(video_status=2),
        lambda sim: (sim.parts.clear(), sim.films.clear()),
    ),
    "kuaishou": Stage(
        KuaishouConnector, kuaishou, "_publish", lambda sim: sim.works, lambda work: work["photo_id"],
        lambda work: work.update(pending=False), None, lambda sim: (sim.parts.clear(), sim.whole.clear()),
    ),
}  # fmt: skip


@dataclass
class Press:
    """The press office with an account of one platform; both clocks are moved together."""

    office: Office
    stage: Stage
    sim: Any
    account_id: int
    pictures: tuple[Placed, ...]
    video: PlacedVideo
    hands: Hands

    @property
    def works(self) -> list[dict[str, Any]]:
        return self.stage.works(self.sim)

    def on(self, seconds: float) -> None:
        self.hands.on(seconds)
        self.sim.ahead += seconds

    async def approved(self, after: float = 1800, form: str = "video") -> Delivery:
        options = {self.account_id: Option(form=form, title="停水通知")}
        (number,) = await self.office.approved(
            TEXT, [self.account_id], after=after, pictures=self.pictures, video=self.video, options=options
        )
        return await self.office.delivery(number)

    async def journey(self, delivery: Delivery) -> VideoJourney:
        async with self.office.read() as unit:
            found = await unit.first(select(VideoJourney).where(VideoJourney.delivery_id == delivery.id))
        assert isinstance(found, VideoJourney)
        return found

    async def until(self, delivery: Delivery, *states: DeliveryState, most: int = 150) -> Delivery:
        for _ in range(most):
            await upload_videos(self.office.house)
            await self.office.sweep()
            found = await self.office.delivery(delivery.id or 0)
            if found.state in states:
                return found
            self.on(30)
        raise AssertionError(f"{found.state}: {found.error} {found.held_reason}")


@pytest.fixture(params=sorted(STAGES))
def stage(request: pytest.FixtureRequest) -> Stage:
    return STAGES[request.param]


@pytest.fixture
def sim(stage: Stage) -> Iterator[Any]:
    with stage.sim() as state:
        yield state


@pytest.fixture
async def press(office: Office, stage: Stage, sim: Any, hands: Hands, tmp_path: Path) -> Press:
    ref = sim.ref()
    client = stage.make(Http(live=False, clock=clock.now, read=4.0, total=8.0))
    office.house = replace(office.house, platforms={**office.house.platforms, ref.platform: client})
    painted = io.BytesIO()
    Image.new("RGB", (1000, 700), "navy").save(painted, "JPEG")
    made = film(tmp_path, SIZE)
    sha256, size = store.take_in(office.ctx.settings, made.path)
    async with unit_of_work(office.ctx) as unit:
        account = Account(
            platform=ref.platform, name="临江发布视频", external_id=ref.external_id, base_url=sim.base_url,
            sealed=office.ctx.vault.seal(dict(ref.secrets)), options=dict(ref.options),
        )  # fmt: skip
        unit.add(account)
        await unit.flush()
        picture = await pictures.put(unit, office["press"], "a.jpg", await pictures.cleaned(painted.getvalue()))
        looked = Looked(60.0, 1920, 1080, "h264", True, b"\xff\xd8")
        row = await store.put(unit, office["press"], "防汛.mp4", sha256, size, looked)
        video = store.placed(row)
    return Press(office, stage, sim, account.id or 0, (Placed(picture.id or 0, "现场"),), video, hands)


async def test_a_video_is_there_before_its_minute_and_sent_once_it_is_reviewed(press: Press) -> None:
    delivery = await press.approved()
    await upload_videos(press.office.house)
    assert (await press.journey(delivery)).is_there
    assert press.works == [], "seen by nobody before its minute"
    assert (await press.office.delivery(delivery.id or 0)).state is S.waiting
    press.on(1801)
    await press.office.sweep()
    (work,) = press.works
    assert (await press.office.delivery(delivery.id or 0)).state is not S.sent
    press.stage.pass_(work)
    sent = await press.until(delivery, S.sent)
    assert (sent.remote_id, sent.attempts) == (press.stage.number(work), 1)
    assert len(press.works) == 1


async def test_a_lost_answer_is_found_again_and_nothing_goes_out_twice(press: Press) -> None:
    real = getattr(press.sim, press.stage.create)

    def lost(*given: Any) -> Any:
        press.sim.drops = 1
        return real(*given)

    setattr(press.sim, press.stage.create, lost)
    delivery = await press.approved(after=0)
    await upload_videos(press.office.house)
    await press.office.sweep()
    assert (await press.office.delivery(delivery.id or 0)).state is S.unknown
    sent = await press.until(delivery, S.sent)
    assert len(press.works) == 1
    assert sent.remote_id == press.stage.number(press.works[0])
    assert "found" in await press.office.attempts(delivery.id or 0)


async def test_a_token_that_dies_on_the_way_is_renewed_and_the_way_goes_on(press: Press) -> None:
    press.sim.token = f"{press.sim.token}.new"
    delivery = await press.approved(after=0)
    await upload_videos(press.office.house)
    assert (await press.journey(delivery)).is_there
    await press.office.sweep()
    press.stage.pass_(press.works[0])
    assert (await press.until(delivery, S.sent)).attempts == 1


async def test_an_upload_that_is_forgotten_on_the_way_begins_anew_by_itself(press: Press) -> None:
    delivery = await press.approved()
    real, asked = press.sim.answer, []

    def forgetful(*given: Any) -> Any:
        asked.append(1)
        if len(asked) == 3:
            press.stage.forget(press.sim)
        return real(*given)

    press.sim.answer = forgetful
    await upload_videos(press.office.house)
    assert not (await press.journey(delivery)).is_there
    assert "重新上传" in (await press.journey(delivery)).error
    for _ in range(10):
        press.on(30)
        await upload_videos(press.office.house)
    assert (await press.journey(delivery)).is_there


async def test_a_refusal_says_so(press: Press) -> None:
    if press.stage.refuse is None:
        pytest.skip("how a refusal by review is told is not written anywhere")
    delivery = await press.approved(after=0)
    await upload_videos(press.office.house)
    await press.office.sweep()
    press.stage.refuse(press.works[0])
    failed = await press.until(delivery, S.failed)
    assert "不适宜公开" in failed.error or "含有联系方式" in failed.error


async def test_what_a_person_publishes_waits_for_no_upload(press: Press) -> None:
    delivery = await press.approved(after=0, form="by_hand")
    await asyncio.wait_for(press.until(delivery, S.by_hand, most=5), 30)
    assert press.works == []

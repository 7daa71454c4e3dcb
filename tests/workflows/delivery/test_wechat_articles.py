"""Articles through the real engine onto the pretend WeChat platform: published once, whatever breaks in between."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from PIL import Image
from sqlmodel import select

from connectors.base import ConnectorError, ErrorKind
from connectors.http import Http
from connectors.wechat.client import WechatConnector
from hub import clock
from hub.db import unit_of_work
from hub.models import Account, Arrival, Delivery, DeliveryState, Stream
from tests.sims.wechat import Control, WechatProcess
from tests.workflows.delivery.office import Hands, Office
from workflows.intake.pulling import pull_due
from workflows.pictures import store
from workflows.pictures.placed import Placed
from workflows.publishing.content import Option

S = DeliveryState


@pytest.fixture(scope="module")
def platform() -> Iterator[Control]:
    with WechatProcess() as control:
        yield control


@dataclass
class Press:
    """The press office with a WeChat account; both clocks are moved together."""

    office: Office
    platform: Control
    account: dict[str, Any]
    account_id: int
    pictures: tuple[Placed, ...]
    hands: Hands

    def on(self, seconds: float) -> None:
        self.hands.on(seconds)
        self.platform.post("clock", seconds=seconds)

    async def approved(self, text: str = "明早八点停水。\n[图2]\n请储水。", form: str = "") -> Delivery:
        given: dict[str, Any] = {"options": {self.account_id: Option(form=form)}} if form else {}
        (number,) = await self.office.approved(text, [self.account_id], pictures=self.pictures, **given)
        return await self.office.delivery(number)

    async def until(self, delivery: Delivery, *states: DeliveryState, most: int = 40) -> Delivery:
        """Sweep and let time pass until the delivery has come so far."""
        for _ in range(most):
            await self.office.sweep()
            found = await self.office.delivery(delivery.id or 0)
            if found.state in states:
                return found
            self.on(10)
            time.sleep(0.2)  # the platform works on its own time
        raise AssertionError(f"{found.state}: {found.error} {found.held_reason}")

    def standing(self) -> list[dict[str, Any]]:
        return list(self.platform.state()["articles"].values())


def painted(colour: str) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (1000, 700), colour).save(made, "JPEG")
    return made.getvalue()


@pytest.fixture
async def press(office: Office, platform: Control, hands: Hands) -> Press:
    platform.post("reset")
    platform.post("clock", seconds=0)
    there = platform.account(review_seconds=0.1)
    client = WechatConnector(Http(live=False, clock=clock.now, read=4.0, total=8.0))
    office.house = replace(office.house, platforms={**office.house.platforms, "wechat": client})
    keys = {"app_secret": there["secret"], "token": there["token"]}
    async with unit_of_work(office.ctx) as unit:
        account = Account(
            platform="wechat", name="临江微信", external_id=there["gh"], base_url=platform.base_url,
            sealed=office.ctx.vault.seal(keys), options={"app_key": there["app"], "open_comment": "1"},
        )  # fmt: skip
        unit.add(account)
        await unit.flush()
        made = [await store.cleaned(painted(colour)) for colour in ("navy", "maroon")]
        rows = [await store.put(unit, office["press"], "a.jpg", one) for one in made]
        unit.add(Stream(account_id=account.id or 0, name="comments"))
    placed = tuple(Placed(row.id or 0, "现场") for row in rows)
    return Press(office, platform, there, account.id or 0, placed, hands)


async def test_an_article_goes_out_and_its_comments_come_in(press: Press) -> None:
    """No access token was ever typed: it is fetched when the first call finds none."""
    sent = await press.until(await press.approved(), S.sent)
    (article,) = press.standing()
    assert sent.remote_id in press.platform.state()["articles"]
    (job,) = press.platform.state()["jobs"]
    assert sent.extra == {"msg_data_id": article["msg_data_id"], "publish_id": job}
    assert sent.remote_url == article["news_item"][0]["url"]
    assert article["news_item"][0]["content"].count("<img") == 1
    press.platform.post("comments", msg_data_id=article["msg_data_id"], text="几点来水？", count=60)
    press.on(600)
    await pull_due(press.office.house)
    async with press.office.read() as unit:
        assert len(await unit.all(select(Arrival).where(Arrival.account_id == press.account_id))) == 60


async def test_death_between_draft_and_submission(press: Press) -> None:
    press.platform.fault("drop", "freepublish/submit", when="before")
    delivery = await press.approved()
    await press.office.sweep()
    assert (await press.office.delivery(delivery.id or 0)).state is S.unknown
    sent = await press.until(delivery, S.sent, most=80)
    assert len(press.standing()) == 1
    assert len(press.platform.calls("draft/add")) == 1
    assert sent.attempts == 2


async def test_a_submission_whose_answer_is_lost(press: Press) -> None:
    press.platform.fault("drop", "freepublish/submit", when="after")
    delivery = await press.approved()
    sent = await press.until(delivery, S.sent)
    assert sent.remote_id in press.platform.state()["articles"]
    assert (len(press.standing()), sent.attempts) == (1, 1)
    assert "found" in await press.office.attempts(delivery.id or 0)


async def test_a_token_that_dies_is_renewed_and_the_call_repeated_once(press: Press) -> None:
    await press.until(await press.approved("第一篇。"), S.sent)
    press.platform.post("revoke", app=press.account["app"])
    sent = await press.until(await press.approved("第二篇。"), S.sent)
    assert sent.attempts == 1
    assert len(press.standing()) == 2


async def test_a_refusal_says_why(press: Press) -> None:
    press.platform.post("accounts", app=press.account["app"], review=4)
    failed = await press.until(await press.approved(), S.failed)
    assert "审核" in failed.error
    assert press.standing() == []


async def test_a_mass_message_whose_answer_is_lost_goes_out_once(press: Press) -> None:
    press.platform.fault("drop", "message/mass/sendall", when="after")
    sent = await press.until(await press.approved(form="mass"), S.sent, most=80)
    assert sent.remote_id.startswith("mass:")
    assert len(press.platform.state()["masses"]) == len(press.standing()) == 1
    assert sent.extra["msg_data_id"] == press.standing()[0]["msg_data_id"]


async def test_taken_down_afterwards_is_noticed(press: Press) -> None:
    from workflows.delivery.watch import watch_removed

    sent = await press.until(await press.approved(), S.sent)
    press.platform.post("takedown", article_id=sent.remote_id)
    press.on(3600)
    assert await watch_removed(press.office.house) == 1
    assert (await press.office.delivery(sent.id or 0)).state is S.removed


async def test_only_a_verdict_on_the_article_ends_it_as_failed(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever could not ask knows nothing: it may be out, and must not be offered to be sent again."""
    waiting = await press.until(await press.approved(), S.unknown)

    async def refuse(_self: object, _account: object, _job: str) -> None:
        raise ConnectorError(kind, "平台说了原因")

    for kind in ErrorKind:
        if kind in (ErrorKind.content_rejected, ErrorKind.target_refuses):
            continue
        monkeypatch.setattr(WechatConnector, "poll_job", refuse)
        press.on(600)
        await press.office.sweep()
        found = await press.office.delivery(waiting.id or 0)
        assert (kind, found.state) == (kind, S.unknown)
    kind = ErrorKind.content_rejected
    press.on(600)
    await press.office.sweep()
    assert (await press.office.delivery(waiting.id or 0)).state is S.failed

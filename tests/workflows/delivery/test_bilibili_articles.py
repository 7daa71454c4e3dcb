"""Bilibili through the real engine: an article goes through review and out once; a video is a person's work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from connectors.bilibili.client import BilibiliConnector
from connectors.http import Http
from hub import clock
from hub.db import unit_of_work
from hub.models import Account, Delivery, DeliveryState
from tests.sims.bilibili import KEY, OPENID, SECRET, Bilibili, bilibili
from tests.workflows.delivery.office import Hands, Office
from workflows.delivery.watch import watch_removed
from workflows.publishing.content import Option

S = DeliveryState
TEXT = "关于城东片区停水的通知\n\n" + "因管网检修，明早八点起停水。" * 20


@pytest.fixture
def there() -> Iterator[Bilibili]:
    with bilibili() as state:
        yield state


@dataclass
class Press:
    """The press office with a Bilibili account; both clocks are moved together."""

    office: Office
    platform: Bilibili
    account_id: int
    hands: Hands

    def on(self, seconds: float) -> None:
        self.hands.on(seconds)
        self.platform.ahead += seconds

    async def approved(self, form: str = "") -> Delivery:
        options = {self.account_id: Option(form=form, title="停水通知")}
        (number,) = await self.office.approved(TEXT, [self.account_id], options=options)
        return await self.office.delivery(number)

    async def until(self, delivery: Delivery, *states: DeliveryState, most: int = 60) -> Delivery:
        for _ in range(most):
            await self.office.sweep()
            found = await self.office.delivery(delivery.id or 0)
            if found.state in states:
                return found
            self.on(30)
        raise AssertionError(f"{found.state}: {found.error} {found.held_reason}")


@pytest.fixture
async def press(office: Office, there: Bilibili, hands: Hands) -> Press:
    client = BilibiliConnector(Http(live=False, clock=clock.now, read=4.0, total=8.0))
    office.house = replace(office.house, platforms={**office.house.platforms, "bilibili": client})
    keys = {"app_secret": SECRET, "token": there.token, "refresh_token": there.refresh_token}
    async with unit_of_work(office.ctx) as unit:
        account = Account(
            platform="bilibili", name="临江发布B站", external_id=OPENID, base_url=there.base_url,
            sealed=office.ctx.vault.seal(keys), options={"app_key": KEY, "category": "15"},
        )  # fmt: skip
        unit.add(account)
        await unit.flush()
    return Press(office, there, account.id or 0, hands)


async def test_an_article_is_sent_once_it_is_reviewed_and_its_removal_is_noticed(press: Press) -> None:
    delivery = await press.approved()
    await press.office.sweep()
    assert (await press.office.delivery(delivery.id or 0)).state is not S.sent
    (article,) = press.platform.articles
    assert article["title"] == "停水通知"
    article["group"] = 2
    sent = await press.until(delivery, S.sent)
    assert (sent.remote_id, sent.attempts) == (f"cv{article['id']}", 1)
    press.platform.articles.clear()
    press.on(3600)
    assert await watch_removed(press.office.house) == 1


async def test_a_lost_answer_is_found_by_its_text_and_nothing_goes_out_twice(press: Press) -> None:
    real = press.platform._add

    def lost(form: Any) -> Any:
        press.platform.drops = 1
        return real(form)

    press.platform._add = lost  # type: ignore[method-assign]
    delivery = await press.approved()
    await press.office.sweep()
    assert (await press.office.delivery(delivery.id or 0)).state is S.unknown
    sent = await press.until(delivery, S.sent)
    assert sent.remote_id == f"cv{press.platform.articles[0]['id']}"
    assert len(press.platform.articles) == 1


async def test_a_dead_token_is_renewed_in_the_same_attempt_and_a_refusal_says_why(press: Press) -> None:
    press.platform.token = "another"
    delivery = await press.approved()
    await press.office.sweep()
    press.platform.articles[0] |= {"group": 3, "reason": "含有联系方式"}
    failed = await press.until(delivery, S.failed)
    assert "含有联系方式" in failed.error
    assert failed.attempts == 1


async def test_a_video_is_a_persons_work(press: Press) -> None:
    delivery = await press.until(await press.approved(form="by_hand"), S.by_hand)
    assert any("哔哩哔哩" in step for step in delivery.steps)
    assert press.platform.articles == []

"""How a published post does, on its page: figures per account, what is not told, what a person types."""

from __future__ import annotations

import re

from hub.models import DeliveryState
from tests.web.press.conftest import Browse
from tests.workflows.delivery.office import Hands, Office
from tests.workflows.delivery.test_figures import HOUR, by_hand, sent, set_figures
from workflows.delivery.measuring import read_figures


def said(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


async def test_the_page_shows_figures_growth_and_what_is_not_told(office: Office, browse: Browse, hands: Hands) -> None:
    (one,) = await sent(office)
    address = f"/posts/{one.post_id}"
    async with browse("press") as page:
        before = said((await page.get(address)).text)
        assert "传播数据" in before
        assert "起第一次读取" in before
    for likes, hours in ((1200, 1), (1150, 5)):
        set_figures(office, one, likes, 3)
        hands.on(hours * HOUR + 1)
        assert await read_figures(office.house) == 1
    async with browse("press") as page:
        shown = said((await page.get(address)).text)
    assert re.search(r"临江发布 平台未提供 1,150 −50 0 3 ", shown), shown
    assert "各次的数据" in shown
    assert "填写「" not in shown
    office.sandbox.fault("refuse", operation="figures", code=10001)
    hands.on(24 * HOUR)
    await read_figures(office.house)
    async with browse("press") as page:
        assert "读取失败：" in said((await page.get(address)).text)


async def test_a_post_that_is_not_out_has_no_figures(office: Office, browse: Browse) -> None:
    post = await office.draft()
    async with browse("press") as page:
        assert "传播数据" not in (await page.get(f"/posts/{post.id}")).text


async def test_an_editor_types_what_the_platform_shows(office: Office, browse: Browse, hands: Hands) -> None:
    one = await by_hand(office)
    assert one.state is DeliveryState.sent
    address = f"/posts/{one.post_id}"
    async with browse("review") as page:
        assert "填写「" not in (await page.get(address)).text
        answer = await page.post(f"{address}/figures", data={"delivery": str(one.id), "reads": "5"})
        assert answer.status_code == 403
    async with browse("press") as page:
        assert "填写「临江发布（抖音）」的数据" in (await page.get(address)).text
        for typed, why in (({"reads": "很多"}, "请填写数字"), ({}, "请至少填写一项"), ({"likes": "-3"}, "0 到 1 万亿")):
            refused = await page.post(f"{address}/figures", data={"delivery": str(one.id), **typed})
            assert refused.status_code == 422
            assert why in refused.text
            assert all(value in refused.text for value in typed.values())
        done = await page.post(f"{address}/figures", data={"delivery": str(one.id), "reads": "20000", "likes": "0"})
        assert done.status_code == 303
        shown = said((await page.get(address)).text)
    assert re.search(r"临江发布（抖音） 2万 0 — — .*press 填写", shown), shown

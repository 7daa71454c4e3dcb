"""The pause switch: what it will stop is said before, everybody sees it, lifting lists what is to be decided."""

from __future__ import annotations

from tests.web.press.conftest import Browse
from tests.workflows.delivery.office import Hands, Office


async def test_pressing_says_before_what_it_stops_and_everybody_sees_it(office: Office, browse: Browse) -> None:
    ids = [key for n in range(3) for key in await office.approved(f"{n}", after=3600)]
    async with browse("press") as page:
        before = (await page.get("/pause")).text
        assert "将有 3 条待发内容被暂停。" in before
        unsaid = await page.post("/pause", data={"scope": "everything", "reason": " "})
        assert unsaid.status_code == 422
        assert await office.states(ids) == ["waiting"] * 3
        assert (await page.post("/pause", data={"scope": "everything", "reason": "突发事件"})).status_code == 303
        assert "停住 3 条还没到时间的" in (await page.get("/pause")).text
        assert (await page.post("/pause", data={"scope": "everything", "reason": "再按"})).status_code == 409
    assert await office.states(ids) == ["held"] * 3
    for who in ("clerk", "review", "press"):
        async with browse(who) as page:
            assert "全部发布已暂停：突发事件" in (await page.get("/me")).text
            assert "突发事件" in (await page.get("/pause")).text


async def test_lifting_goes_on_and_lists_what_is_overdue(office: Office, browse: Browse, hands: Hands) -> None:
    (soon,) = await office.approved("快", after=30)
    (later,) = await office.approved("慢", after=7200)
    async with browse("chief") as page:
        await page.post("/pause", data={"scope": "everything", "reason": "核实"})
    hands.on(600)
    async with browse("press") as page:
        shown = (await page.get("/pause")).text
        assert "停住 1 条还没到时间的" in shown
        assert "1 条已经过了时间" in shown
        meanwhile = (await page.get("/deliveries?group=held")).text
        assert meanwhile.count("发布处于暂停状态，请先解除暂停") == 2
        assert 'value="send_now"' not in meanwhile
        assert (await page.post("/pause/1/lift", data={"reason": ""})).status_code == 422
        answer = await page.post("/pause/1/lift", data={"reason": "已核实"})
        assert answer.headers["location"] == "/deliveries?group=held"
        listed = (await page.get("/deliveries?group=held")).text
        assert listed.count('class="decide"') == 1
        assert 'value="send_now"' in listed
        assert "全部发布已暂停" not in (await page.get("/me")).text
        assert (await page.post("/pause/1/lift", data={"reason": "再来"})).status_code == 409
    assert await office.states([soon, later]) == ["held", "waiting"]


async def test_one_account_alone(office: Office, browse: Browse) -> None:
    other = await office.connect("江北发布")
    (one,) = await office.approved("甲", after=3600)
    (two,) = await office.approved("乙", [other], after=3600)
    async with browse("press") as page:
        await page.post("/pause", data={"scope": str(other), "reason": "账号被盗"})
        text = (await page.get("/me")).text
        assert (await page.post("/pause", data={"scope": "999", "reason": "没有"})).status_code == 404
        assert (await page.post("/pause", data={"scope": "abc", "reason": "没有"})).status_code == 422
        shown = (await page.get("/pause")).text
    assert "「江北发布」的发布已暂停：账号被盗" in text
    assert f'value="{other}"' not in shown
    assert await office.states([one, two]) == ["waiting", "held"]


async def test_who_may_not_press_is_told_whom_to_ask(browse: Browse) -> None:
    async with browse("clerk") as page:
        shown = (await page.get("/pause")).text
        answer = await page.post("/pause", data={"scope": "everything", "reason": "我要"})
    assert "没有暂停" in shown
    assert "立即暂停" not in shown
    assert answer.status_code == 403

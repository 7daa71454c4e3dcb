"""Connecting an account against the real sandbox platform, and pushes through the real address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
import uvicorn
from sqlmodel import col, func, select
from starlette.applications import Starlette

from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.models import Account, Arrival, AuditEntry, Case, Delivery, DeliveryState, Stream
from hub.settings import Settings
from tests.sims.sandbox import Control, SandboxProcess
from tests.web.conftest import Visit
from tests.web.world import World
from web import accountwords
from workflows import accounts
from workflows.house import House


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    with SandboxProcess(tmp_path_factory.mktemp("sandbox"), push_interval=0.2) as control:
        yield control


def form_of(control: Control, given: dict[str, str], **more: str) -> dict[str, str]:
    return {
        "platform": "sandbox", "name": "澄江应急", "base_url": control.base_url, "external_id": given["uid"],
        "token": given["token"], "app_secret": given["app_secret"],
    } | more  # fmt: skip


async def test_connect_check_stop_disconnect(visit: Visit, platform: Control, ctx: Context) -> None:
    there = platform.account("澄江应急")
    async with visit("administrator") as client:
        done = await client.post("/accounts", data=form_of(platform, there))
        assert done.status_code == 303, done.text
        path = done.headers["location"]
        page = (await client.get(path)).text
        assert "已接入，平台上的名称是「澄江应急」" in page
        assert there["token"] not in page
        assert "提及" in page
        assert (await client.post(f"{path}/check")).status_code == 303
        assert "连接正常" in (await client.get(path)).text
        await client.post(f"{path}/active", data={"active": "0"})
        assert "已停用" in (await client.get("/accounts")).text
        await client.post(f"{path}/active", data={"active": "1"})
        assert (await client.post(f"{path}/disconnect", data={"reason": ""})).status_code == 422
        assert (await client.post(f"{path}/disconnect", data={"reason": "机构撤并"})).status_code == 303
        assert "已断开" in (await client.get(path)).text
        assert (await client.post(f"{path}/active", data={"active": "1"})).status_code == 409
    async with reading(ctx) as unit:
        account = await unit.one(select(Account).where(Account.name == "澄江应急"))
        assert account.sealed == ""
        deeds = await unit.all(select(col(AuditEntry.what)).where(AuditEntry.object == f"account/{account.id}"))
        assert deeds[0] == "account.connect"
        assert deeds[-1] == "account.disconnect"
        entries = await unit.all(select(AuditEntry))
        assert there["token"] not in str([entry.model_dump() for entry in entries])


async def test_secrets_are_sealed_and_every_stream_is_read(visit: Visit, platform: Control, house: House) -> None:
    there = platform.account("澄江城管")
    async with visit("administrator") as client:
        await client.post("/accounts", data=form_of(platform, there, name="澄江城管"))
    async with reading(house.ctx) as unit:
        account = await unit.one(select(Account).where(Account.name == "澄江城管"))
        streams = await unit.all(select(col(Stream.name)).where(Stream.account_id == account.id))
    assert there["token"] not in account.sealed
    assert house.ref(account).secrets["token"] == there["token"]
    assert set(streams) == set(house.connector(account).streams)


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"token": ""}, 422, "请填写「访问令牌」"),
        ({"name": ""}, 422, "名称"),
        ({"token": "wrong"}, 409, "重新生成访问令牌"),
        ({"external_id": "1"}, 409, "令牌属于另一个账号（澄江水务），请核对账号编号"),
        ({"base_url": "http://127.0.0.1:9"}, 409, "连不上 http://127.0.0.1:9：地址写错"),
        ({"base_url": "http://example.org"}, 409, "把设置 HUB_LIVE 改为 true"),
        ({"base_url": "file:///etc/passwd"}, 422, "「平台地址」要填完整的地址：以 https:// 或 http:// 开头"),
        ({"base_url": "不是网址"}, 422, "「平台地址」要填完整的地址"),
        ({"base_url": "http://127.0.0.1:port"}, 422, "「平台地址」要填完整的地址"),
        ({"base_url": "http://127.0.0.1 :80"}, 422, "「平台地址」要填完整的地址"),
        (
            {"platform": "mailbox", "base_url": "https://imap.a.cn"},
            422,
            "「收信服务器」要填完整的地址：以 imaps:// 或 imap",
        ),
        ({"platform": "mailbox", "smtp": "smtp.a.cn"}, 422, "「发信服务器」要填完整的地址：以 smtps:// 或 smtp"),
        ({"platform": "exchange", "base_url": "ftp://x"}, 422, "「对方接口地址」要填完整的地址"),
        ({"platform": "exchange", "stages": "受理，签发"}, 422, "「签发」不能用。可以填的是 受理"),
        ({"platform": "exchange", "statuses": "受理=1,退件=4"}, 422, "「退件=4」不能用。逐个写成 受理=1 这样"),
        ({"platform": "exchange", "mapping": "result:BLJG"}, 422, "「result:BLJG」不能用"),
        ({"platform": "webform", "embed": "https://a.gov.cn *"}, 422, "「*」不是网站的地址"),
        ({"platform": "webform", "embed": "a.gov.cn"}, 422, "「a.gov.cn」不是网站的地址"),
        (
            {"platform": "webform", "embed": "https://a.gov.cn; script-src *"},
            422,
            "「https://a.gov.cn;」不是网站的地址",
        ),
        ({"platform": "weibo", "hosts": "rm https://proxy.cn"}, 422, "「rm」不能用"),
        ({"platform": "weibo", "hosts": "rm=https://a.cn，rmm=https://b.cn"}, 422, "「rmm=https://b.cn」不能用"),
        ({"platform": "weibo", "hosts": "rm=https://[a"}, 422, "「rm=https://[a」不能用"),
        ({"platform": "webform", "embed": "https://*"}, 422, "「https://*」不是网站的地址"),
        ({"platform": "webform", "embed": "https://县政府.cn"}, 422, "「https://县政府.cn」不是网站的地址"),
        ({"name": "澄江发布"}, 422, "已有名称相同的账号"),
        ({"platform": "nowhere"}, 404, "没有这个平台"),
    ],
)
async def test_nothing_is_kept_when_it_is_not_right(
    visit: Visit, platform: Control, ctx: Context, changed: dict[str, str], status: int, words: str
) -> None:
    there = platform.account("澄江水务")
    async with reading(ctx) as unit:
        before = len(await unit.all(select(Account)))
    async with visit("administrator") as client:
        done = await client.post("/accounts", data=form_of(platform, there, **changed))
        assert done.status_code == status, done.text
        assert words in done.text
        assert "稍后处理" not in done.text, "nobody will see to it later: the person at the form must"
        assert there["token"] not in done.text, "a typed secret is never sent back"
    async with reading(ctx) as unit:
        assert len(await unit.all(select(Account))) == before


async def test_the_same_account_twice(visit: Visit, platform: Control) -> None:
    there = platform.account("澄江交警")
    async with visit("administrator") as client:
        await client.post("/accounts", data=form_of(platform, there, name="交警一"))
        again = await client.post("/accounts", data=form_of(platform, there, name="交警二"))
        assert again.status_code == 409
        assert "已经接入" in again.text


async def test_renewing_keeps_what_is_not_typed(visit: Visit, platform: Control, house: House) -> None:
    there, other = platform.account("澄江文旅"), platform.account("澄江体育")
    async with visit("administrator") as client:
        path = (await client.post("/accounts", data=form_of(platform, there, name="文旅"))).headers["location"]
        done = await client.post(path, data=form_of(platform, there, name="文旅局", token="", app_secret=""))
        assert done.status_code == 303, done.text
        wrong = await client.post(path, data=form_of(platform, other, name="文旅局"))
        assert wrong.status_code == 409
        assert "属于另一个账号" in wrong.text
    async with reading(house.ctx) as unit:
        account = await unit.one(select(Account).where(Account.name == "文旅局"))
    assert house.ref(account).secrets == {"token": there["token"], "app_secret": there["app_secret"]}


async def test_disconnecting_says_which_cases_lose_their_way_back(visit: Visit, world: World, ctx: Context) -> None:
    async with reading(ctx) as unit:
        opened = await unit.one(
            select(func.count(col(Case.id))).where(Case.account_id == world.account_id, col(Case.is_open))
        )
    assert opened
    warning = f"还有 {opened} 件没有办结的工单来自这个账号。断开后不能在平台上答复，工单照常办理"
    async with visit("administrator") as client:
        page = (await client.get(f"/accounts/{world.account_id}")).text
        assert page.count(warning) == 2, "beside the button and in the question it asks"
        async with unit_of_work(ctx) as unit:
            account = await unit.get(Account, world.account_id)
            assert account is not None
            account.platform = "webform"
        assert "没有办结的工单" not in (await client.get(f"/accounts/{world.account_id}")).text


async def test_what_waits_keeps_an_account(visit: Visit, world: World, ctx: Context) -> None:
    path = f"/accounts/{world.account_id}"
    async with visit("administrator") as client:
        refused = await client.post(f"{path}/disconnect", data={"reason": "换号"})
        assert refused.status_code == 409
        assert "等待核实" in refused.text
        async with unit_of_work(ctx) as unit:
            for delivery in await unit.all(select(Delivery)):
                delivery.state = DeliveryState.cancelled
        assert (await client.post(f"{path}/disconnect", data={"reason": "换号"})).status_code == 303


async def test_read_now_rings(visit: Visit, world: World, ctx: Context) -> None:
    async with visit("administrator") as client:
        await client.post(f"/accounts/{world.account_id}/read")
    assert ("pull_due", ()) in ctx.bell.rung  # type: ignore[attr-defined]


# --- pushes ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def address(app: Starlette) -> AsyncIterator[str]:
    """The application behind a real port: the platform pushes to it."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


async def test_a_push_is_stored_before_it_is_answered(
    visit: Visit, platform: Control, house: House, address: str
) -> None:
    there = platform.account("澄江民政")
    async with visit("administrator") as client:
        path = (await client.post("/accounts", data=form_of(platform, there, name="民政"))).headers["location"]
    number = int(path.rpartition("/")[2])
    where = address + accounts.push_path(house.ctx.settings, number)
    await asyncio.to_thread(platform.account, "澄江民政", push_url=where)
    assert await asyncio.to_thread(platform.challenge, there["uid"])
    await asyncio.to_thread(platform.mentions, there["uid"], "低保怎么办 {n}", 5, push=True)
    async with asyncio.timeout(20):
        while len(await _arrived(house, number)) < 5:
            await asyncio.sleep(0.1)
    assert {arrival.via for arrival in await _arrived(house, number)} == {"push"}


async def _arrived(house: House, number: int) -> list[Arrival]:
    async with reading(house.ctx) as unit:
        return list(await unit.all(select(Arrival).where(Arrival.account_id == number)))


async def test_wrong_pushes(visit: Visit, house: House, world: World) -> None:
    right = accounts.push_path(house.ctx.settings, world.account_id)
    async with visit(None) as client:
        assert (await client.post(right, content=b"{}")).status_code == 403
        assert (await client.post(right[:-1] + "x", content=b"{}")).status_code == 404
        assert (await client.post(right.replace("/hooks/1/", "/hooks/2/"), content=b"{}")).status_code == 404
        assert (await client.get(right)).status_code == 403
        assert (await client.post(right, content=b"x" * (1024**2 + 1))).status_code == 413
        assert (await client.put(right)).status_code == 405


def test_the_path_depends_on_the_key(tmp_path: Path, house: House) -> None:
    settings = house.ctx.settings
    elsewhere = Settings(data=tmp_path / "other")
    assert accounts.push_path(settings, 1) != accounts.push_path(elsewhere, 1)
    assert accounts.push_path(settings, 1) != accounts.push_path(settings, 2)


async def test_a_number_that_is_none_is_refused_at_its_field(visit: Visit) -> None:
    typed = {"platform": "webform", "name": "信箱", "slug": "box", "title": "信箱", "phone": "不要"}
    async with visit("administrator") as client:
        for hourly in ("很多", "0", "1.5", "99999999999"):
            refused = await client.post("/accounts", data=typed | {"hourly": hourly})
            assert refused.status_code == 422
            assert "「每小时限写」要填 1 到 9999 之间的整数。" in refused.text
            assert '<option value="不要" selected>' in refused.text
        assert (await client.post("/accounts", data=typed | {"hourly": " 20 "})).status_code == 303


async def test_a_letter_page_gets_no_address_that_another_page_has(visit: Visit) -> None:
    typed = {"platform": "webform", "name": "信箱", "title": "信箱"}
    async with visit("administrator") as client:
        for slug in ("query", "files"):
            refused = await client.post("/accounts", data=typed | {"slug": slug})
            assert refused.status_code == 409
            assert "已有别的用处" in refused.text


async def test_what_a_switch_held_before_it_had_choices_stays_chosen(visit: Visit, ctx: Context) -> None:
    async with unit_of_work(ctx) as unit:
        account = Account(platform="wechat", name="澄江公众号", external_id="gh_1", options={"secure_only": "是"})
        unit.add(account)
        await unit.flush()
    async with visit("administrator") as client:
        page = (await client.get(f"/accounts/{account.id}")).text
    assert '<option value="是" selected>是</option>' in page


async def test_a_platform_kept_by_hand_is_chosen_not_taken_for_granted(visit: Visit) -> None:
    async with visit("administrator") as client:
        page = (await client.get("/accounts/new?platform=manual")).text
    assert '<option value="">请选择</option><option value="douyin">' in page
    assert "接入账号：人工发布" in page


async def test_an_account_shows_what_its_platform_has(visit: Visit, ctx: Context, platform: Control) -> None:
    """An address for pushes and reading at once where there are any, the public page of a letter box."""
    async with visit("administrator") as client:
        there = platform.account("澄江发布")
        typed = form_of(platform, there, name="澄江的沙箱号")
        pages = {"sandbox": (await client.post("/accounts", data=typed)).headers["location"]}
        typed = {"platform": "webform", "name": "信箱", "slug": "mayor", "title": "信箱"}
        pages["webform"] = (await client.post("/accounts", data=typed)).headers["location"]
        typed = {"platform": "manual", "name": "快手", "site": "kuaishou", "handle": "澄江发布"}
        pages["manual"] = (await client.post("/accounts", data=typed)).headers["location"]
        shown = {name: (await client.get(path)).text for name, path in pages.items()}
    has = {name: ('id="push-url"' in page, f'{pages[name]}/read"' in page) for name, page in shown.items()}
    assert has == {"sandbox": (True, True), "webform": (False, False), "manual": (False, False)}
    assert [name for name, page in shown.items() if f'href="{ctx.settings.address}/letters/mayor"' in page] == [
        "webform"
    ]


async def test_only_secrets_that_are_there_are_said_to_be_kept(visit: Visit, platform: Control) -> None:
    there = platform.account("澄江文旅")
    async with visit("administrator") as client:
        typed = form_of(platform, there, name="澄江文旅", app_secret="")
        path = (await client.post("/accounts", data=typed)).headers["location"]
        page = (await client.get(path)).text
        assert page.count("已保存，不改就留空") == 1
        await client.post(path, data=typed | {"token": "", "app_secret": there["app_secret"]})
        assert (await client.get(path)).text.count("已保存，不改就留空") == 2


async def test_who_publishes_by_hand_is_somebody_of_the_office(visit: Visit, world: World, ctx: Context) -> None:
    typed = {"platform": "manual", "name": "抖音号", "site": "douyin", "handle": "澄江发布"}
    async with visit("administrator") as client:
        page = (await client.get("/accounts/new?platform=manual")).text
        assert '<option value="press_officer.own">' in page, "chosen, not typed"
        refused = await client.post("/accounts", data=typed | {"assignee": "chef"})
        assert refused.status_code == 422
        assert "没有登录名为「chef」的人" in unescape(refused.text)
        path = (await client.post("/accounts", data=typed | {"assignee": "press_officer.own"})).headers["location"]
        assert '<option value="press_officer.own" selected>' in (await client.get(path)).text
        assert (await client.post(path, data=typed | {"assignee": "chef"})).status_code == 422
        await client.post(f"{path}/check")
        assert "抖音由人工发布，不连接平台" in (await client.get(path)).text, "what the check says beside the name"


async def test_pushes_that_stay_away_are_noticed(visit: Visit, platform: Control, ctx: Context) -> None:
    there = platform.account("澄江水务")
    async with visit("administrator") as client:
        path = (await client.post("/accounts", data=form_of(platform, there, name="澄江水务"))).headers["location"]
        assert "还没有收到过" in (await client.get(path)).text
        for days, is_said in ((1, False), (8, True)):
            async with unit_of_work(ctx) as unit:
                at = clock.now() - timedelta(days=days)
                await unit.claim(Account, col(Account.name) == "澄江水务", last_push_at=at)
            page = (await client.get(path)).text
            assert "还没有收到过" not in page
            assert ("很久没有收到了" in page) is is_said


async def test_a_stream_that_failed_says_what_to_do(visit: Visit, world: World, ctx: Context) -> None:
    said = {
        ("permission", 1): "要向谁申请", ("transient", 2): "不用处理", ("protocol", 1): "点「核对连接」看原因",
        ("rate_limited", 0): "到时自动继续", ("", 0): "",
    }  # fmt: skip
    async with visit("administrator") as client:
        for (kind, failures), words in said.items():
            async with unit_of_work(ctx) as unit:
                error = "平台说不行" if kind else ""
                soon = clock.now() + timedelta(seconds=20)
                of_account = col(Stream.account_id) == world.account_id
                values = {"error_kind": kind, "error": error, "failures": failures, "due_at": soon}
                await unit.claim(Stream, of_account, **values)
            page = unescape((await client.get(f"/accounts/{world.account_id}")).text)
            assert words in page
            assert "马上</td>" in page, "in a moment is not a moment ago"


def test_ended_access_is_not_said_to_end() -> None:
    now = clock.now()
    account = Account(platform="x", name="号", expires_at=now - timedelta(hours=1))
    for by_page in (True, False):
        told = accountwords.access(account, by_page, now)
        assert told is not None
        assert "到期前" not in told.advice
        assert "自动恢复" in told.advice

"""Granting access on a platform's own page, there and back through the real pages of both."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape

import httpx
import pytest
from sqlmodel import col, select
from starlette.applications import Starlette

from connectors import registry
from hub import clock
from hub.crypto import Vault
from hub.db import Context, reading, unit_of_work
from hub.models import Account, Authorisation, CircuitState, Stream
from tests.sims.toll import FORM, SELF_MADE, Toll, serving
from tests.web.conftest import Visit
from tests.workflows import tollhouse
from web.app import create_app
from workflows import circuits
from workflows.house import House


@pytest.fixture
async def toll() -> AsyncIterator[Toll]:
    async with serving(Toll(lasts=timedelta(days=5))) as there:
        yield there


@pytest.fixture
def house(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setitem(registry.FORMS, "toll", FORM)
    return tollhouse.open_toll_house(ctx)


@pytest.fixture
def app(house: House) -> Starlette:
    return create_app(house)


def typed(toll: Toll, **more: str) -> dict[str, str]:
    return {"platform": "toll", "base_url": toll.url, "app_key": "k1", "app_secret": "secret-of-app"} | more


def link_of(page: str) -> str:
    """The address of the platform's page."""
    found = re.search(r'href="(http://127[^"]+/authorize[^"]+)"', page)
    assert found is not None, page
    return unescape(found[1])


async def press(url: str, *, no: bool = False) -> str:
    """What a person does on the platform's page; the address they are sent back to, without the host."""
    async with httpx.AsyncClient() as browser:
        back = (await browser.get(url + ("&press=no" if no else ""))).text
    return back.partition("//")[2].partition("/")[2]


async def accounts_of(ctx: Context) -> list[Account]:
    async with reading(ctx) as unit:
        return list(await unit.all(select(Account).where(Account.platform == "toll")))


async def test_there_and_back_connects_an_account(visit: Visit, toll: Toll, house: House, ctx: Context) -> None:
    async with visit("administrator") as client:
        going = await client.post("/accounts/authorise", data=typed(toll))
        assert going.status_code == 200, going.text
        assert "127.0.0.1" in going.text
        assert "secret-of-app" not in going.text
        done = await client.get("/" + await press(link_of(going.text)))
        assert done.status_code == 303, done.text
        assert "code" not in done.headers["location"]
        page = (await client.get(done.headers["location"])).text
        assert "授权成功，「号1001」已连接。" in page
        assert "到期（还有" in page
    [account] = await accounts_of(ctx)
    assert (account.name, account.external_id, account.options["app_key"]) == ("号1001", "1001", "k1")
    assert account.expires_at is not None
    secrets = house.ref(account).secrets
    assert secrets["app_secret"] == "secret-of-app"
    assert secrets["token"].startswith("token-")
    async with reading(ctx) as unit:
        assert await unit.all(select(col(Stream.name)).where(Stream.account_id == account.id)) == ["mentions"]
        assert await unit.all(select(col(Authorisation.sealed))) == [""], "what was typed is not kept twice"


async def test_what_must_be_known_before_going_is_asked_for(visit: Visit, toll: Toll) -> None:
    async with visit("administrator") as client:
        refused = await client.post("/accounts/authorise", data=typed(toll, app_secret=""))
        assert refused.status_code == 422
        assert "请填写「应用密钥」" in refused.text
        assert "请填写「访问令牌」" not in refused.text, "the page brings it"
        outside = await client.post("/accounts/authorise", data=typed(toll, base_url="https://example.org"))
        assert outside.status_code == 409
        assert "HUB_LIVE" in outside.text
        assert (await client.post("/accounts/authorise", data={"platform": "sandbox"})).status_code == 409


async def test_a_refusal_there_is_said_and_one_may_go_again(visit: Visit, toll: Toll, ctx: Context) -> None:
    async with visit("administrator") as client:
        going = await client.post("/accounts/authorise", data=typed(toll))
        back = await client.get("/" + await press(link_of(going.text), no=True))
        assert back.status_code == 409
        assert "你在平台上没有同意授权" in back.text
        assert await accounts_of(ctx) == []
        again = re.search(r'action="(/accounts/authorise/\d+)"', back.text)
        assert again is not None
        going = await client.post(again[1])
        assert (await client.get("/" + await press(link_of(going.text)))).status_code == 303
    assert len(await accounts_of(ctx)) == 1


async def test_the_way_back_works_once_for_ten_minutes_and_for_who_set_out(
    visit: Visit, toll: Toll, ctx: Context
) -> None:
    async with visit("administrator") as client, visit("administrator", side="other") as other:
        going = await client.post("/accounts/authorise", data=typed(toll))
        back = "/" + await press(link_of(going.text))
        stolen = await other.get(back)
        assert stolen.status_code == 409
        assert "这次授权不是从这里发起的" in stolen.text
        assert (await client.get(back)).status_code == 303
        twice = await client.get(back)
        assert twice.status_code == 409
        assert "已经用过了" in twice.text
        assert (await client.get("/accounts/authorised?state=x&code=y")).status_code == 409
        going = await client.post("/accounts/authorise", data=typed(toll))
        late = "/" + await press(link_of(going.text))
        async with unit_of_work(ctx) as unit:
            unused = col(Authorisation.used_at).is_(None)
            await unit.claim(Authorisation, unused, expires_at=clock.now() - timedelta(seconds=1))
        refused = await client.get(late)
        assert "超过了 10 分钟" in refused.text
    assert len(await accounts_of(ctx)) == 1


async def test_nobody_signed_in_is_asked_to_sign_in(visit: Visit) -> None:
    async with visit(None) as client:
        back = await client.get("/accounts/authorised?state=x&code=y")
        assert back.status_code == 303
        assert back.headers["location"].startswith("/login")


async def test_new_access_for_an_account_there_is(visit: Visit, toll: Toll, house: House, ctx: Context) -> None:
    number = await tollhouse.connect(house, toll)
    async with unit_of_work(ctx) as unit:
        await circuits.trip(unit, number, circuits.REVOKED, "平台通知：对本系统的授权已被取消，需要重新授权")
    before = (await accounts_of(ctx))[0]
    async with visit("administrator") as client:
        page = (await client.get(f"/accounts/{number}")).text
        assert "已自动停用，不收取也不发送" in page
        assert "请点「重新授权」" in page
        assert "授权已失效，换上新的授权后恢复" in page
        assert ">可以<" not in page, "nothing can be done under the word that all has stopped"
        assert "平台没有这个接口" in page
        home = (await client.get("/admin/status")).text
        assert "账号「收费号」已自动停用：平台通知：对本系统的授权已被取消" in home, "said at the head of every page"
        going = await client.post(f"/accounts/{number}/authorise")
        assert (await client.get("/" + await press(link_of(going.text)))).status_code == 303
        page = (await client.get(f"/accounts/{number}")).text
        assert "已自动停用" not in page
        assert ">可以<" in page
    [after] = await accounts_of(ctx)
    assert after.circuit is CircuitState.closed
    assert after.sealed != before.sealed
    assert after.name == "收费号"
    async with visit("handler") as client:
        assert "已自动停用" not in (await client.get("/cases")).text


async def test_signed_in_there_as_somebody_else(visit: Visit, toll: Toll, house: House, ctx: Context) -> None:
    number = await tollhouse.connect(house, toll)
    toll.uid = "2002"
    async with visit("administrator") as client:
        going = await client.post(f"/accounts/{number}/authorise")
        back = await client.get("/" + await press(link_of(going.text)))
        assert back.status_code == 409
        assert "您在平台上登录的是另一个账号（号2002）" in back.text
    [account] = await accounts_of(ctx)
    assert account.external_id == "1001"


async def test_the_same_account_is_not_connected_twice(visit: Visit, toll: Toll, house: House) -> None:
    await tollhouse.connect(house, toll)
    async with visit("administrator") as client:
        going = await client.post("/accounts/authorise", data=typed(toll))
        back = await client.get("/" + await press(link_of(going.text)))
        assert back.status_code == 409
        assert "这个账号已经接入，名称是「收费号」" in back.text


# --- where the hub enters itself as an app ------------------------------------------------------------------------


@pytest.fixture
def self_made(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.FORMS, "toll", SELF_MADE)


def only_address(toll: Toll) -> dict[str, str]:
    return {"platform": "toll", "base_url": toll.url}


@pytest.mark.usefixtures("self_made")
async def test_the_address_alone_is_enough_where_the_hub_enters_itself(
    visit: Visit, toll: Toll, house: House, ctx: Context
) -> None:
    async with visit("administrator") as client:
        page = (await client.get("/accounts/new?platform=toll")).text
        assert "自己新建应用的，回调地址填：" in page
        going = await client.post("/accounts/authorise", data=only_address(toll))
        assert going.status_code == 200, going.text
        assert "secret-of-k2" not in going.text
        refused = await client.get("/" + await press(link_of(going.text), no=True))
        again = re.search(r'action="(/accounts/authorise/\d+)"', refused.text)
        assert again is not None
        going = await client.post(again[1])
        assert (await client.get("/" + await press(link_of(going.text)))).status_code == 303
    [account] = await accounts_of(ctx)
    assert account.options["app_key"] == "k2"
    assert house.ref(account).secrets["app_secret"] == "secret-of-k2"
    assert "secret-of-k2" not in account.sealed + repr(account.options)
    assert list(toll.apps) == ["k1", "k2"], "once, however often one sets out"


@pytest.mark.usefixtures("self_made")
async def test_two_clicks_at_once_get_one_app_and_either_may_come_back(
    visit: Visit, toll: Toll, house: House, ctx: Context
) -> None:
    toll.slow = 0.3
    async with visit("administrator") as client:
        both = await asyncio.gather(*[client.post("/accounts/authorise", data=only_address(toll)) for _ in range(2)])
        assert list(toll.apps) == ["k1", "k2"]
        first, second = (link_of(one.text) for one in both)
        assert first != second, "a state of its own each"
        assert (await client.get("/" + await press(first))).status_code == 303
        assert "已经接入" in (await client.get("/" + await press(second))).text
    [account] = await accounts_of(ctx)
    assert (account.options["app_key"], house.ref(account).secrets["app_secret"]) == ("k2", "secret-of-k2")


@pytest.mark.usefixtures("self_made")
async def test_an_account_with_a_pasted_token_gets_its_app_when_access_is_granted_anew(
    visit: Visit, toll: Toll, house: House, ctx: Context
) -> None:
    number = await tollhouse.connect(house, toll)
    [account] = await accounts_of(ctx)
    bare = {"options": {}, "sealed": house.ctx.vault.seal({"token": toll.grant()})}
    await tollhouse.change(house, number, **bare)
    async with visit("administrator") as client, visit("administrator", side="other") as other:
        toll.slow = 0.3
        both = await asyncio.gather(*[one.post(f"/accounts/{number}/authorise") for one in (client, other)])
        assert list(toll.apps) == ["k1", "k2"]
        [account] = await accounts_of(ctx)
        assert account.options == {}, "the key comes with the access"
        assert (await other.get("/" + await press(link_of(both[1].text)))).status_code == 303
    [account] = await accounts_of(ctx)
    secrets = house.ref(account).secrets
    assert (account.options["app_key"], secrets["app_secret"]) == ("k2", "secret-of-k2")
    assert secrets["token"].startswith("token-")


@pytest.mark.usefixtures("self_made")
async def test_a_platform_that_takes_no_app_says_so_and_leaves_the_other_ways(
    visit: Visit, toll: Toll, ctx: Context
) -> None:
    toll.takes_apps = False
    async with visit("administrator") as client:
        refused = await client.post("/accounts/authorise", data=only_address(toll))
        assert refused.status_code == 409
        assert "平台没有让系统自己登记应用" in refused.text
        assert "或者直接粘贴访问令牌" in refused.text
        assert toll.url in refused.text, "what was typed is still there"
        away = await client.post("/accounts/authorise", data=only_address(toll) | {"base_url": "http://127.0.0.1:9"})
        assert "连不上 http://127.0.0.1:9" in away.text
        outside = await client.post(
            "/accounts/authorise", data=only_address(toll) | {"base_url": "https://example.org"}
        )
        assert "HUB_LIVE" in outside.text
        assert "粘贴访问令牌" not in outside.text
        by_hand = await client.post("/accounts/authorise", data=typed(toll))
        assert by_hand.status_code == 200
        pasted = await client.post("/accounts", data=only_address(toll) | {"token": toll.grant(), "name": "号"})
        assert pasted.status_code == 303
    assert list(toll.apps) == ["k1"]
    async with reading(ctx) as unit:
        assert len(await unit.all(select(Authorisation))) == 1


# --- budgets and the list ------------------------------------------------------------------------------------------


async def test_budgets_are_shown_and_the_offices_own_numbers_kept(
    visit: Visit, toll: Toll, house: House, ctx: Context
) -> None:
    number = await tollhouse.connect(house, toll)
    async with visit("administrator") as client:
        await client.post(f"/accounts/{number}/check")
        page = (await client.get(f"/accounts/{number}")).text
        assert "已用 1 / 100 次，还剩 99 次" in page
        assert "其中 29 次留给人工答复和发布" in page, "one of the thirty is used"
        given = {"window": "all/86400", "most:all/86400": "5000", "share:all/86400": "10"}
        assert (await client.post(f"/accounts/{number}/budgets", data=given)).status_code == 303
        page = (await client.get(f"/accounts/{number}")).text
        assert "已用 1 / 5,000 次" in page
        assert "其中 499 次" in page
        wrong = await client.post(f"/accounts/{number}/budgets", data=given | {"share:all/86400": "99"})
        assert wrong.status_code == 422
        assert "比例填 0 到 90" in wrong.text
        await client.post(f"/accounts/{number}/budgets", data={"window": "all/86400"})
        assert "/ 100 次" in (await client.get(f"/accounts/{number}")).text, "empty: as the platform says"


async def test_a_province_of_accounts_is_found_by_name_platform_and_health(
    visit: Visit, house: House, ctx: Context
) -> None:
    async with unit_of_work(ctx) as unit:
        unit.add(*[
            Account(
                platform="toll", name=f"县{n:04d}发布", external_id=str(n), is_active=n % 10 != 0,
                circuit=CircuitState.open if n % 100 == 1 else CircuitState.closed, circuit_reason="平台没有响应",
            )
            for n in range(600)
        ])  # fmt: skip
    async with visit("administrator") as client:
        page = (await client.get("/accounts?platform=toll")).text
        assert page.count("lrow-title") == 50
        assert "县0049发布" in page
        assert "县0050发布" not in page
        older = re.search(r'href="(/accounts\?[^"]*after=[^"]+)"', page)
        assert older is not None
        assert "县0050发布" in (await client.get(unescape(older[1]))).text
        found = (await client.get("/accounts?q=0123")).text
        assert found.count("lrow-title") == 1
        needs = (await client.get("/accounts?health=needs")).text
        assert needs.count("lrow-title") == 6
        assert "平台没有响应" in needs
        off = (await client.get("/accounts?health=off&platform=toll")).text
        assert ">60</" in off or "60" in off
        assert "没有符合条件的账号" in (await client.get("/accounts?q=无此号")).text
        assert (await client.get("/accounts?health=nonsense&department=x&after=zz")).status_code == 200


async def test_the_status_page_and_the_figures_name_what_needs_somebody(
    visit: Visit, toll: Toll, house: House, ctx: Context
) -> None:
    number = await tollhouse.connect(house, toll)
    async with unit_of_work(ctx) as unit:
        soon = {"expires_at": clock.now() + timedelta(days=5), "is_renewable": False}
        await unit.claim(Account, col(Account.id) == number, **soon)
        waits = {"error": "已用完，11-24 00:00 起继续", "error_kind": "quota_day", "failures": 0}
        await unit.claim(Stream, col(Stream.account_id) == number, **waits)
    async with visit("administrator") as client:
        await client.post(f"/accounts/{number}/check")
        page = (await client.get("/admin/status")).text
        assert "账号「收费号」的授权还有" in page
        assert "等待额度" in page
        shown = (await client.get(f"/accounts/{number}")).text
        assert "请点「重新授权」" in shown
        assert "授权将到期" in (await client.get("/accounts")).text
        figures = (await client.get("/metrics")).text
    assert f'hub_account_needs_person{{account="{number}"}} 1.0' in figures
    assert f'hub_pull_waiting{{account="{number}",stream="mentions"}} 1.0' in figures
    assert f'hub_budget_used{{calls="all",owner="account/{number}",seconds="86400"}} 1.0' in figures


async def test_a_check_that_finds_the_access_ended_stops_the_account_and_says_where_to_go(
    visit: Visit, toll: Toll, house: House, ctx: Context
) -> None:
    number = await tollhouse.connect(house, toll)
    toll.end_tokens()
    toll.is_revoked = True
    async with visit("administrator") as client:
        await client.post(f"/accounts/{number}/check")
        page = (await client.get(f"/accounts/{number}")).text
        assert "请在账号页点「重新授权」" in page
        assert "粘贴进来" not in page, "nothing is typed where a page grants access"
        assert "已自动停用，不收取也不发送" in page
        part = (await client.get(f"/accounts/{number}?part=state")).text
        assert "已自动停用</" in part.partition("</header>")[0], "the head of the page follows by itself"
        await client.post(f"/accounts/{number}/active", data={"active": "0"})
    [account] = await accounts_of(ctx)
    assert (account.circuit, account.circuit_reason) == (
        CircuitState.open, "平台不再承认这个应用的授权，请重新授权"
    )  # fmt: skip


async def test_an_account_no_key_opens_says_so_and_takes_new_credentials(
    visit: Visit, toll: Toll, house: House, ctx: Context
) -> None:
    number = await tollhouse.connect(house, toll)
    lost = Vault(b"another key").seal({"token": "old", "app_secret": "old"})
    await tollhouse.change(house, number, sealed=lost)
    async with visit("administrator") as client:
        assert (await client.get("/api/v1/accounts")).status_code == 200, "the others' accounts are not its matter"
        page = (await client.get(f"/accounts/{number}")).text
        assert "这个账号的凭据打不开" in page
        assert "已保存，不改就留空" not in page
        await client.post(f"/accounts/{number}/check")
        assert "HUB_OLD_KEYS" in (await client.get(f"/accounts/{number}")).text
        [account] = await accounts_of(ctx)
        assert (account.sealed, account.circuit) == (lost, CircuitState.closed), "the key may yet be found"
        missing = await client.post(f"/accounts/{number}", data=typed(toll, name="收费号", app_secret=""))
        assert missing.status_code == 422
        fresh = typed(toll, name="收费号", token=toll.grant())
        assert (await client.post(f"/accounts/{number}", data=fresh)).status_code == 303
        assert "这个账号的凭据打不开" not in (await client.get(f"/accounts/{number}")).text

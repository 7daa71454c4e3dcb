"""Letters on our own page, as a citizen without any account: written, followed, supplemented, answered, rated."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from sqlmodel import col, select
from starlette.applications import Starlette
from starlette.requests import Request

from connectors.base import Attached
from connectors.webform.client import WebFormConnector
from hub import clock
from hub.crypto import Vault
from hub.db import reading, unit_of_work
from hub.models import (
    Account,
    Arrival,
    ArrivalFile,
    Audience,
    Case,
    CaseEvent,
    CaseState,
    Letter,
    Message,
    Reply,
    ReplyState,
)
from hub.rights import system
from tests.sims.serving import Answer, Asked, served
from tests.web.conftest import Visit
from tests.web.world import World
from web.request import neighbourhood
from workflows.house import House
from workflows.intake import quarantine
from workflows.intake.files import MOST_BYTES
from workflows.intake.reading import read_waiting
from workflows.letters.files import judge
from workflows.letters.tickets import code_of, new_ticket
from workflows.tagging.batches import tag_waiting

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
GOOD = {
    "kind": "投诉", "title": "人民路路灯不亮", "text": "人民路小学门口的路灯坏了三天。", "place": "人民路 12 号",
    "name": "李小明", "phone": "13812345678", "agreed": "1",
}  # fmt: skip


@pytest.fixture
async def slug(house: House, world: World) -> str:
    """An open letter page that a site of the office may frame."""
    async with unit_of_work(house.ctx) as unit:
        options = {"slug": "leader", "title": "临江市领导信箱", "embed": "https://www.example.gov.cn", "hourly": "3"}
        unit.add(Account(platform="webform", name="领导信箱", external_id="leader", options=options))
    return "leader"


def ticket(house: House, slug: str = "leader", *, seconds: float = 60) -> str:
    return new_ticket(house.ctx.settings.key, slug, clock.now() - timedelta(seconds=seconds))


async def post(client: httpx.AsyncClient, house: House, files: Any = None, **changed: str) -> httpx.Response:
    data = GOOD | {"ticket": ticket(house)} | changed
    return await client.post("/letters/leader", data=data, files=files or {"none": ("", b"")})


def shown_code(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    found = re.search(r'name="code" value="(\d{10})"', answer.text)
    assert found is not None
    return found[1]


async def rows(house: House, statement: Any) -> list[Any]:
    async with reading(house.ctx) as unit:
        return list(await unit.all(statement))


async def through(house: House) -> Case:
    """Read, tag and open the case of the newest letter."""
    await read_waiting(house, 100)
    await tag_waiting(house, 100)
    (case,) = await rows(house, select(Case).order_by(col(Case.id).desc()).limit(1))
    return case  # type: ignore[no-any-return]


async def test_a_letter_is_stored_before_its_code_is_shown(client: httpx.AsyncClient, house: House, slug: str) -> None:
    page = await client.get("/letters/leader")
    assert "临江市领导信箱" in page.text
    assert "frame-ancestors 'self' https://www.example.gov.cn" in page.headers["content-security-policy"]
    answer = await post(client, house, {"files": ("照片.exe", PNG, "text/html")})
    code = shown_code(answer)
    (letter,) = await rows(house, select(Letter).where(Letter.code != None))  # noqa: E711
    assert code not in repr(letter.model_dump())
    (arrival,) = await rows(house, select(Arrival).where(Arrival.external_id == letter.external_id))
    assert "13812345678" not in arrival.payload
    assert "李小明" not in arrival.payload
    assert house.ctx.vault.open(letter.sealed) == {"name": "李小明", "phone": "13812345678"}
    (file,) = await rows(house, select(ArrivalFile).where(ArrivalFile.arrival_id == arrival.id))
    assert (file.name, file.mime) == ("照片.png", "image/png")
    case = await through(house)
    (message,) = await rows(house, select(Message).where(Message.external_id == letter.external_id))
    assert message.case_id == case.id
    assert message.author_name == "李＊＊（138****5678）"
    assert message.media == [{"kind": "image", "url": f"/letters/files/{file.id}", "description": "照片.png"}]


async def test_one_form_is_one_letter_however_often_it_is_sent(
    client: httpx.AsyncClient, house: House, slug: str
) -> None:
    same = ticket(house)
    answers = await asyncio.gather(*[post(client, house, ticket=same) for _ in range(4)], return_exceptions=True)
    codes = {shown_code(a) for a in answers if isinstance(a, httpx.Response) and a.status_code == 200}
    assert codes == {code_of(house.ctx.settings.key, same)}
    assert len(await rows(house, select(Letter).where(Letter.code != None))) == 1  # noqa: E711
    assert "没有重复收下" in (await post(client, house, ticket=same)).text


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"title": ""}, "请填写「标题」"),
        ({"text": "长" * 5001}, "「内容」最多 5000 个字"),
        ({"kind": "别的"}, "请选择信件类型"),
        ({"phone": "110"}, "请填写手机号"),
        ({"phone": ""}, "请填写联系电话"),
        ({"agreed": ""}, "请阅读「我已知晓」并勾选"),
        ({"website": "https://spam.example"}, "提交得太快"),
        ({"ticket": "1.x.y"}, "打开得太久"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    client: httpx.AsyncClient, house: House, slug: str, changed: dict[str, str], says: str
) -> None:
    answer = await post(client, house, **changed)
    assert answer.status_code == 422
    assert says in answer.text
    kept = changed.get("text", GOOD["text"])
    assert kept in answer.text
    assert await rows(house, select(Letter).where(Letter.code != None)) == []  # noqa: E711


async def test_errors_come_as_the_fields_stand_on_the_page(client: httpx.AsyncClient, house: House, slug: str) -> None:
    wrong = {"kind": "", "title": "", "text": "", "place": "长" * 101, "name": "长" * 31, "phone": "", "agreed": ""}
    answer = await post(client, house, files={"files": ("a.exe", b"MZ", "image/png")}, **wrong)
    fields = ["kind", "title", "text", "place", "files", "name", "phone", "agreed"]
    summary = answer.text.partition('class="errors"')[2].partition("</ul>")[0]
    assert re.findall(r'href="#(\w+)"', summary) == fields
    places = [answer.text.index(f'name="{field}"') for field in fields]
    assert places == sorted(places)


async def test_tickets_of_other_pages_stale_ones_and_quick_ones_do_not_count(
    client: httpx.AsyncClient, house: House, slug: str
) -> None:
    for bad in (ticket(house, "other"), ticket(house, seconds=5 * 3600), ticket(house, seconds=1), ""):
        assert (await post(client, house, ticket=bad)).status_code == 422


async def test_letters_from_one_address_are_limited_by_the_hour(
    client: httpx.AsyncClient, house: House, slug: str
) -> None:
    for _ in range(3):
        assert (await post(client, house)).status_code == 200
    refused = await post(client, house)
    assert refused.status_code == 422
    assert "已达上限" in refused.text


def test_files_are_judged_by_their_bytes() -> None:
    kept, problem = judge([Attached("../../a<b>.html", PNG), Attached("说明.pdf", b"%PDF-1.7 x")])
    assert problem == ""
    assert [(one.name, one.mime) for one in kept] == [("ab.png", "image/png"), ("说明.pdf", "application/pdf")]
    for bad in (b"<svg onload=alert(1)>", b"MZ\x90\x00", b"PK\x03\x04", b""):
        assert judge([Attached("x.png", bad)])[1]
    assert "MB" in judge([Attached("x.png", PNG + b"x" * MOST_BYTES)])[1]
    assert "5" in judge([Attached("x.png", PNG)] * 6)[1]


async def test_the_citizen_follows_the_letter_to_its_answer_and_rates_it(
    client: httpx.AsyncClient, house: House, slug: str, world: World
) -> None:
    code = shown_code(await post(client, house))
    spaced = f"{code[:3]} {code[3:6]}-{code[6:]}"
    assert "已收到，等待受理" in (await client.post("/letters/query", data={"code": spaced})).text
    case = await through(house)
    async with unit_of_work(house.ctx) as unit:
        row = await unit.one(select(Case).where(Case.id == case.id))
        row.state, row.is_open = CaseState.replied, False
        (message,) = await unit.all(select(Message).where(Message.case_id == case.id))
        unit.add(
            CaseEvent(case_id=row.id or 0, what="note", note="内部的话", by_name="某人"),
            CaseEvent(case_id=row.id or 0, what="sign", audience=Audience.citizen, by_name="承办人姓名"),
            CaseEvent(case_id=row.id or 0, what="forward", audience=Audience.citizen, note="内部的话",
                      data={"department": "市水务局"}),
            Reply(case_id=row.id or 0, message_id=message.id or 0, text="已修好。", state=ReplyState.sent,
                  sent_at=clock.now(), author_name="经办"),
            Reply(case_id=row.id or 0, message_id=message.id or 0, text="还没审的草稿", author_name="经办"),
        )  # fmt: skip
    text = (await client.post("/letters/query", data={"code": code})).text
    assert "已修好。" in text
    assert "承办单位已签收" in text
    assert "已转市水务局办理" in text
    assert not any(hidden in text for hidden in ("内部的话", "还没审的草稿", "承办人姓名", "13812345678", "经办"))
    assert (await client.post("/letters/query/rate", data={"code": code})).status_code == 422
    rated = await client.post(
        "/letters/query/rate", data={"code": code, "solved": "no", "satisfied": "2", "note": "<b>没修</b>"}
    )
    assert "谢谢您的评价" in rated.text
    assert (
        await client.post("/letters/query/rate", data={"code": code, "solved": "yes", "satisfied": "5"})
    ).status_code == 422
    (event,) = await rows(house, select(CaseEvent).where(CaseEvent.what == "citizen_rated"))
    assert (event.data["solved"], event.data["satisfied"], event.note) == ("no", 2, "<b>没修</b>")


async def test_an_answer_to_a_letter_is_called_so(
    client: httpx.AsyncClient, house: House, slug: str, world: World, visit: Visit
) -> None:
    await post(client, house)
    case = await through(house)
    async with unit_of_work(house.ctx) as unit:
        row = await unit.one(select(Case).where(Case.id == case.id))
        row.state, row.department_id = CaseState.handling, world.departments["own"]
    async with visit("head") as desk:
        page = (await desk.get(f"/cases/{case.number}")).text
    assert "答复来信" in page
    assert "私信答复" not in page


async def test_a_supplement_joins_the_same_case(client: httpx.AsyncClient, house: House, slug: str) -> None:
    code = shown_code(await post(client, house))
    case = await through(house)
    more = {"code": code, "ticket": ticket(house, "query"), "text": "又坏了两盏。"}
    files = {"files": ("a.png", PNG, "image/png")}
    for _ in range(2):
        waiting = (await client.post("/letters/query/add", data=more, files=files)).text
        assert "补充的内容已收到" in waiting
    assert "正在登记，过几秒再刷新就能看到" in waiting, "what was sent is not lost from sight"
    assert "附件：a.png" in waiting
    await through(house)
    found = await rows(house, select(Message).where(Message.case_id == case.id).order_by(col(Message.id)))
    assert [one.text for one in found] == [GOOD["text"], "又坏了两盏。"]
    assert found[1].title == "", "one title on all supplements would make a hot issue of them"
    shown = (await client.post("/letters/query", data={"code": code})).text
    assert "又坏了两盏。" in shown
    assert "正在登记" not in shown
    assert shown.count("附件：") == 1
    assert (await client.post("/letters/query/add", data=more | {"ticket": "x", "text": ""})).status_code == 422


async def test_what_could_not_be_read_in_is_called_so_until_the_desk_ends_it(
    client: httpx.AsyncClient, house: House, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = shown_code(await post(client, house))
    case = await through(house)
    for n in (1, 2):
        more = {"code": code, "ticket": f"{ticket(house, 'query')}{n}", "text": f"又坏了第{n}盏。"}
        assert "正在登记" in (await client.post("/letters/query/add", data=more)).text
    with monkeypatch.context() as broken:
        broken.setattr(WebFormConnector, "parse", lambda *_: {}["number"])
        await through(house)
    waiting = (await client.post("/letters/query", data={"code": code})).text
    assert waiting.count("需要人工核对。核对后会显示在这里") == 2
    assert "正在登记" not in waiting
    desk = system()
    async with unit_of_work(house.ctx) as unit:
        read, given_up = [one.id for one in await quarantine.held(unit, desk, limit=2)]
        await quarantine.replay(unit, desk, read)
        await quarantine.ignore(unit, desk, given_up, "重复")
    await through(house)
    ended = (await client.post("/letters/query", data={"code": code})).text
    assert "又坏了第2盏。" in ended
    assert ended.count("没有登记这部分内容") == 1
    assert "核对后会显示" not in ended
    assert len(await rows(house, select(Message).where(Message.case_id == case.id))) == 2


async def test_a_letter_that_could_not_be_read_in_is_not_called_waiting_for_acceptance(
    client: httpx.AsyncClient, house: House, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = shown_code(await post(client, house))
    with monkeypatch.context() as broken:
        broken.setattr(WebFormConnector, "parse", lambda *_: {}["number"])
        await read_waiting(house, 100)
    assert "已收到，需要人工核对" in (await client.post("/letters/query", data={"code": code})).text
    async with unit_of_work(house.ctx) as unit:
        (held,) = await quarantine.held(unit, system(), limit=1)
        await quarantine.ignore(unit, system(), held.id, "测试信件")
    ended = (await client.post("/letters/query", data={"code": code})).text
    assert "没有登记" in ended
    assert "等待受理" not in ended


async def test_codes_cannot_be_guessed_by_trying(client: httpx.AsyncClient, house: House, slug: str) -> None:
    for wrong in ("", "123", "０１２３４５６７８９", "abcdefghij", "1234567890"):
        assert (await client.post("/letters/query", data={"code": wrong})).status_code == 422
    answers = [
        (await client.post("/letters/query", data={"code": f"{n:010}"})).status_code for n in range(10)
    ]  # fmt: skip
    assert answers[-1] == 429
    refused = await client.post("/letters/query/rate", data={"code": "1234567890"})
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)
    assert "尝试太频繁" in refused.text
    assert "frame-ancestors 'self' https://www.example.gov.cn" in refused.headers["content-security-policy"]


async def test_many_tries_at_once_and_from_one_network_are_counted_together(
    client: httpx.AsyncClient, house: House, slug: str, app: Starlette
) -> None:
    async def rate(code: str) -> int:
        return (await client.post("/letters/query/rate", data={"code": code})).status_code

    statuses = await asyncio.gather(*[rate(f"{n:010}") for n in range(30)])
    assert statuses.count(422) <= 10
    for n, expected in ((9, 422), (12, 429)):
        for last in range(n):
            sender = httpx.ASGITransport(app=app, client=(f"2001:db8:1:2::{last:x}", 1))
            async with httpx.AsyncClient(transport=sender, base_url="http://testserver") as other:
                answer = await other.post("/letters/query", data={"code": "0000000000"})
        assert answer.status_code == expected
    sender = httpx.ASGITransport(app=app, client=("2001:db8:1:3::1", 1))
    async with httpx.AsyncClient(transport=sender, base_url="http://testserver") as other:
        assert (await other.post("/letters/query", data={"code": "0000000000"})).status_code == 422


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"), ("", ""), ("testclient", "testclient"),
    ],
)  # fmt: skip
def test_of_ipv6_the_network_is_counted(address: str, counted: str) -> None:
    assert neighbourhood(Request({"type": "http", "client": (address, 1)})) == counted


async def test_too_many_photos_are_told_on_the_form_and_nothing_typed_is_lost(
    client: httpx.AsyncClient, house: House, slug: str
) -> None:
    photo = PNG + b"x" * 7 * 1024**2
    answer = await post(client, house, [("files", (f"{n}.png", photo)) for n in range(4)])
    assert answer.status_code == 422
    assert "附件合计不能超过 16 MB" in answer.text
    assert GOOD["text"] in answer.text
    assert await rows(house, select(Letter).where(Letter.code != None)) == []  # noqa: E711


async def test_an_error_leads_to_its_field_and_belongs_to_it(
    client: httpx.AsyncClient, house: House, slug: str
) -> None:
    page = (await post(client, house, kind="", agreed="")).text
    assert re.search(r'<fieldset [^>]*id="kind" tabindex="-1" aria-describedby=" kind-error"', page)
    assert re.search(
        r'<input type="checkbox" name="agreed"[^>]* aria-describedby=" agreed-error" aria-invalid="true" id="agreed"',
        page,
    )
    wrong = (await client.post("/letters/query", data={"code": "1"})).text
    assert '<a href="#code">没有找到这个查询码' in wrong
    assert "data-focus" in wrong


async def test_contact_and_files_are_for_those_who_handle_the_case_and_each_look_is_kept(
    client: httpx.AsyncClient, visit: Visit, house: House, slug: str, world: World
) -> None:
    await post(client, house, {"files": ("a.png", PNG, "image/png")})
    case = await through(house)
    async with unit_of_work(house.ctx) as unit:
        row = await unit.one(select(Case).where(Case.id == case.id))
        row.department_id = world.departments["own"]
    (message,) = await rows(house, select(Message).where(Message.case_id == case.id))
    address = message.media[0]["url"]
    async with visit("handler") as clerk, visit("handler", side="other") as stranger:
        page = (await clerk.get(f"/cases/{case.number}")).text
        assert "投诉 · 人民路 12 号" in page
        assert "13812345678" not in page
        assert address in page
        file = await clerk.get(address)
        assert (file.content, file.headers["content-type"]) == (PNG, "image/png")
        assert "sandbox" in file.headers["content-security-policy"]
        assert file.headers["x-content-type-options"] == "nosniff"
        assert (await stranger.get(address)).status_code == 404
        assert "13812345678" in (await clerk.post(f"/messages/{message.id}/reveal")).text
        async with unit_of_work(house.ctx) as unit:
            letter = await unit.one(select(Letter).where(Letter.external_id == message.external_id))
            letter.sealed = Vault(b"another key").seal({"phone": "13812345678"})
        lost = await clerk.post(f"/messages/{message.id}/reveal")
        assert lost.status_code == 200, "a lost key hides who wrote, not what"
        assert "姓名和电话打不开" in lost.text
        assert "13812345678" not in lost.text
        assert (await stranger.post(f"/messages/{message.id}/reveal")).status_code == 404
    assert (await client.get(address)).status_code in (303, 302)


async def test_its_account_says_that_letters_are_taken(visit: Visit, house: House, slug: str) -> None:
    (account,) = await rows(house, select(Account).where(Account.name == "领导信箱"))
    async with visit("administrator") as client:
        page = (await client.get(f"/accounts/{account.id}")).text
    taken = page.split("收取私信、来信")[1].split("</tr>")[0]
    assert "可以" in taken
    assert "信件直接写在本系统里" in taken
    assert "关闭写信页面，不再收信；已收到的来信照常答复" in page, "what disconnecting it means"


async def test_a_page_that_is_switched_off_is_not_there(client: httpx.AsyncClient, house: House, slug: str) -> None:
    async with unit_of_work(house.ctx) as unit:
        (await unit.one(select(Account).where(Account.name == "领导信箱"))).is_active = False
    assert (await client.get("/letters/leader")).status_code == 404
    assert (await post(client, house)).status_code == 404


def _believes(asked: Asked) -> Answer:
    """A captcha service that believes "good", and is out of order for "broken"."""
    sent = parse_qs(asked.body.decode())
    good = sent["response"] == ["good"] and sent["secret"] == ["our-secret"]
    return Answer.of({"success": good}, 500 if sent["response"] == ["broken"] else 200)


async def test_a_captcha_service_is_asked_where_one_is_set(
    client: httpx.AsyncClient, house: House, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(_believes) as url:
        given = {
            "captcha_script": "https://captcha.example/api.js", "captcha_key": "site-key",
            "captcha_secret": "our-secret", "captcha_verify": f"{url}/siteverify",
        }  # fmt: skip
        for name, value in given.items():
            monkeypatch.setitem(house.ctx.settings.__dict__, name, value)
        page = await client.get("/letters/leader")
        assert 'data-sitekey="site-key"' in page.text
        assert "script-src 'self' https://captcha.example;" in page.headers["content-security-policy"]
        assert "our-secret" not in page.text
        for answer, status in (("", 422), ("bad", 422), ("good", 200), ("broken", 200)):
            done = await post(client, house, **{"h-captcha-response": answer})
            assert (answer, done.status_code) == (answer, status)
        assert "请完成下面的验证" in (await post(client, house)).text
        once = {"ticket": ticket(house), "h-captcha-response": "good"}
        code = shown_code(await post(client, house, **once))
        assert shown_code(await post(client, house, **(once | {"h-captcha-response": "used up"}))) == code, "the same"

"""Pushes of the fan-service platform: genuine ones kept once, whatever they look like; receipts; what is passed by."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import (
    Accept,
    AccountRef,
    Challenge,
    Inbound,
    Kind,
    Notice,
    NoticeKind,
    RawItem,
    Reject,
    Unparsable,
)
from connectors.http import Http
from connectors.weibo.client import PUSH_BYTES, WeiboConnector
from connectors.weibo.pushes import read
from tests.sims.sandbox import signed_query
from tests.sims.weibo import WeiboControl

SECRET = "app-secret"
CONNECTOR = WeiboConnector(Http(live=False))


def account(**options: Any) -> AccountRef:
    return AccountRef(1, "weibo", "临江发布", "1902538057", "", {"app_secret": SECRET}, options)


def message(**changes: Any) -> dict[str, Any]:
    shape = {
        "type": "text", "receiver_id": 1902538057, "sender_id": 2489518277,
        "created_at": "Mon Jul 16 18:09:20 +0800 2012", "text": "私信或留言内容", "data": {},
    }  # fmt: skip
    return shape | changes


async def push(body: Any, ref: AccountRef | None = None) -> Accept:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    answer = await CONNECTOR.receive(ref or account(), "POST", signed_query(SECRET), {}, raw)
    assert isinstance(answer, Accept), answer
    return answer


async def understood(body: Any, **options: Any) -> Inbound:
    [item] = (await push(body)).items
    return CONNECTOR.parse(account(**options), item)


async def test_the_address_proves_itself() -> None:
    query = signed_query(SECRET) | {"echostr": "a1b2<c>"}
    assert await CONNECTOR.receive(account(), "GET", query, {}, b"") == Challenge("a1b2<c>")
    assert isinstance(await CONNECTOR.receive(account(), "GET", signed_query(SECRET), {}, b""), Reject)


@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        ({}, b"{}", 403),
        (signed_query("another"), b"{}", 403),
        (signed_query(SECRET) | {"timestamp": "1"}, b"{}", 403),
        (signed_query(SECRET, time.time() - 86_400), b"{}", 403),
        (signed_query(SECRET, time.time() + 86_400), b"{}", 403),
        (None, b" ", 400),
        (None, b"x" * (PUSH_BYTES + 1), 413),
    ],
)
async def test_what_is_not_genuine_is_rejected(query: dict[str, str] | None, body: bytes, status: int) -> None:
    answer = await CONNECTOR.receive(account(), "POST", signed_query(SECRET) if query is None else query, {}, body)
    assert isinstance(answer, Reject)
    assert answer.status == status
    no_secret = AccountRef(1, "weibo", "x", "1", "", {}, {})
    assert isinstance(await CONNECTOR.receive(no_secret, "POST", signed_query(""), {}, b"{}"), Reject)


@pytest.mark.parametrize("off", [-600, 0, 600])
async def test_clocks_may_be_ten_minutes_off(off: int) -> None:
    query = signed_query(SECRET, time.time() + off)
    answer = await CONNECTOR.receive(account(), "POST", query, {}, json.dumps(message()).encode())
    assert isinstance(answer, Accept)
    assert len(answer.items) == 1


async def test_the_signature_covers_no_content() -> None:
    assert len({(await push(message())).proof, (await push(message())).proof} - {""}) == 2, "one for each push"


async def test_a_message_is_understood() -> None:
    found = await understood(message(), message_replies="3", reply_hours="72")
    at = datetime(2012, 7, 16, 10, 9, 20, tzinfo=UTC)
    assert (found.kind, found.text, found.author.id, found.created_at) == (
        Kind.private, "私信或留言内容", "2489518277", at,
    )  # fmt: skip
    assert (found.thread_id, found.reply_until, found.reply_left) == (
        "private:2489518277", at + timedelta(hours=72), 3,
    )  # fmt: skip
    assert (await understood(message())).reply_until == at + timedelta(hours=48)
    assert (await understood(message())).reply_left is None


async def test_the_same_message_three_times_is_one_and_two_messages_are_two() -> None:
    answers = await asyncio.gather(*(push(message()) for _ in range(3)))
    assert len({item.external_id for answer in answers for item in answer.items}) == 1
    others = [message(text="另一句"), message(sender_id=7), message(created_at="Mon Jul 16 18:09:21 +0800 2012")]
    ids = {item.external_id for other in [message(), *others] for item in (await push(other)).items}
    assert len(ids) == 4
    [first] = (await push(message(message_id=99))).items
    [second] = (await push(message(message_id="99", text="改过"))).items
    assert first.external_id == second.external_id == "99"
    assert len((await push([message(), message(), message(text="又")])).items) == 2


@pytest.mark.parametrize(
    ("changes", "text", "media"),
    [
        ({"type": "image", "text": "发了一张图片", "data": {"vfid": 1, "tovfid": 2}}, "［图片］ 发了一张图片", "image"),
        ({"type": "voice", "text": "", "data": {"tovfid": "2"}}, "［语音］", "audio"),
        (
            {"type": "position", "text": "", "data": {"longitude": "116.3", "latitude": "39.9"}},
            "［位置］ 39.9 116.3",
            "",
        ),
        ({"type": "image", "text": None, "data": None}, "［图片］", ""),
    ],
)
async def test_messages_without_words(changes: dict[str, Any], text: str, media: str) -> None:
    found = await understood(message(**changes))
    assert found.text == text
    assert [one.kind for one in found.media] == ([media] if media else [])
    if media:
        assert found.media[0].url == "https://upload.api.weibo.com/2/mss/msget?fid=2"


async def test_a_mention_with_its_text_is_kept_under_its_own_id() -> None:
    """The list brings the same post under the same id: it is stored once."""
    found = await understood(message(type="mention", text="@临江发布 路灯", data={"subtype": "status", "key": "45"}))
    assert (found.kind, found.external_id, found.thread_id, found.text) == (Kind.mention, "45", "45", "@临江发布 路灯")
    assert found.extra["private_left"] == 1
    below = await understood(message(type="mention", text="@临江发布 同问", data={"subtype": "comment", "key": 46}))
    assert (below.kind, below.external_id, below.thread_id) == (Kind.comment, "46", "")


@pytest.mark.parametrize(
    "shape",
    [
        message(type="mention", text="", data={"subtype": "status", "key": "45"}),
        message(type="event", data={"subtype": "follow"}),
        message(type="something new"),
    ],
)
async def test_what_carries_no_item_is_counted(shape: dict[str, Any]) -> None:
    answer = await push(shape)
    assert (answer.items, answer.passed_over, answer.body) == ((), 1, "")


@pytest.mark.parametrize(
    "body", [b"not json", b"<xml><a>", "混乱".encode("gb18030"), b"[1,2]", b"{}", b'"x"', b"[" * 9999]
)
async def test_what_nobody_understands_waits_in_quarantine(body: bytes) -> None:
    answer = await push(body)
    assert answer.items
    for item in answer.items:
        with pytest.raises(Unparsable):
            CONNECTOR.parse(account(), item)


XML = (
    "<xml><ToUserName>1902538057</ToUserName><FromUserName>2489518277</FromUserName><CreateTime>1342433360</CreateTime>"
    "<MsgType>{kind}</MsgType><Content><![CDATA[路灯 & <坏了>]]></Content>{more}</xml>"
)


async def test_xml_says_the_same_as_json() -> None:
    found = await understood(XML.format(kind="text", more="").encode())
    assert (found.text, found.author.id) == ("路灯 & <坏了>", "2489518277")
    assert found.created_at == datetime(2012, 7, 16, 10, 9, 20, tzinfo=UTC)
    event = XML.format(kind="event", more="<Event>follow</Event>").encode()
    assert (await push(event)).passed_over == 1
    mention = XML.format(kind="mention", more="<Event>status</Event><EventKey>77</EventKey>").encode()
    assert (await understood(mention)).external_id == "77"


def test_xml_bombs_and_outside_entities_stay_shut() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml><Content>&b;</Content></xml>'
    outside = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Content>&a;</Content></xml>'
    for body in (bomb, outside):
        assert read(body.encode()) == body


async def test_a_receipt_goes_back_with_the_answer() -> None:
    ref = account(receipt="已收到，我们会尽快答复 & 处理。")
    answer = await push(message(), ref)
    told = json.loads(answer.body)
    assert answer.content_type == "application/json"
    assert (told["result"], told["sender_id"], told["receiver_id"]) == (True, "1902538057", "2489518277")
    assert json.loads(unquote(told["data"])) == {"text": "已收到，我们会尽快答复 & 处理。"}
    xml = await push(XML.format(kind="text", more="").encode(), ref)
    assert "<FromUserName><![CDATA[1902538057]]></FromUserName>" in xml.body
    assert "答复 & 处理" in xml.body
    assert (await push(message(type="event", data={"subtype": "follow"}), ref)).body == ""
    assert (await push(message())).body == ""


@asynccontextmanager
async def listening(ref: AccountRef, *, fail: int = 0) -> AsyncIterator[tuple[str, list[Any]]]:
    """A real address on this machine that hands every push to the connector, after failing ``fail`` times."""
    answers: list[Any] = []
    failures = [None] * fail

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *fields = head.split("\r\n")
        named = dict(field.lower().split(": ", 1) for field in fields if ": " in field)
        body = await reader.readexactly(int(named.get("content-length", "0")))
        if failures and line.startswith("POST"):
            failures.pop()
            writer.write(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n")
        else:
            method, target, _ = line.split(" ")
            answer = await CONNECTOR.receive(ref, method, dict(parse_qsl(urlsplit(target).query)), {}, body)
            answers.append(answer)
            said = getattr(answer, "body", "").encode()
            status = answer.status if isinstance(answer, Reject) else 200
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(said)}\r\n\r\n".encode() + said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks/1", answers


async def until(answers: list[Any], count: int) -> None:
    async with asyncio.timeout(10):
        while len(answers) < count:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("form", ["json", "xml"])
async def test_the_simulator_pushes_what_the_connector_understands(
    weibo: WeiboControl, press: AccountRef, form: str
) -> None:
    uid, ref = press.external_id, press
    options = dict(press.options) | {"receipt": "已收到"}
    ref = AccountRef(1, "weibo", press.name, uid, press.base_url, press.secrets, options)
    async with listening(ref, fail=1) as (url, answers):
        weibo.account(press.name, push_url=url)
        weibo.fan(uid, format=form, mentions="text")
        assert await asyncio.to_thread(weibo.challenge, uid)
        answers.clear()
        weibo.messages(uid, "举报 <噪声>", author="小赵")
        await until(answers, 1)
        weibo.mentions(uid, "路灯坏了", author="小钱")
        await until(answers, 2)
        weibo.media(uid, "小孙", "position")
        await until(answers, 3)
        weibo.event(uid, "小孙", "follow")
        await until(answers, 4)
        weibo.event(uid, "小孙", "unfollow")
        await until(answers, 5)
    items = [item for answer in answers for item in answer.items]
    parsed = [CONNECTOR.parse(ref, item) for item in items]
    assert [one.kind for one in parsed] == [Kind.private, Kind.mention, Kind.private]
    assert parsed[0].text == "举报 <噪声>"
    assert parsed[0].author.id == weibo.uid_of("小赵")
    assert "39.98" in parsed[2].text
    assert (answers[3].passed_over, answers[3].notices) == (1, ())
    assert answers[4].notices == (Notice(NoticeKind.left, f"private:{weibo.uid_of('小孙')}"),), "the window is closed"
    assert answers[4].notices[0].about == parsed[2].thread_id
    assert answers[4].passed_over == 0
    if form == "json":
        assert [row["text"] for row in await asyncio.to_thread(weibo.receipts, uid)] == ["已收到", "已收到"]


async def test_a_bare_mention_comes_with_the_list_once(
    weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef
) -> None:
    uid = press.external_id
    async with listening(press) as (url, answers):
        weibo.account(press.name, push_url=url)
        weibo.fan(uid, mentions="bare")
        [bare] = weibo.mentions(uid, "路灯坏了", author="小钱")
        await until(answers, 1)
        weibo.fan(uid, mentions="text")
        [told] = weibo.mentions(uid, "井盖坏了", author="小钱")
        await until(answers, 2)
    pushed = {(item.kind, item.external_id) for answer in answers for item in answer.items}
    assert pushed == {(Kind.mention, told)}
    cursor: Any = {}
    listed: set[tuple[Kind, str]] = set()
    more = True
    while more:
        page = await microblog.pull(press, "incoming", cursor)
        cursor, more = page.cursor, page.more
        listed |= {(item.kind, item.external_id) for item in page.items}
    assert listed == {(Kind.mention, bare), (Kind.mention, told)}


_NAMES = (
    "type receiver_id sender_id created_at text data subtype key vfid tovfid longitude message_id id idstr mid user "
    "status xml label deleted"
)
_TAGS = "xml MsgType Content FromUserName ToUserName CreateTime MsgId Event EventKey"
NAMES = st.sampled_from(_NAMES.split())
WORDS = st.sampled_from(
    ["text", "image", "voice", "position", "mention", "event", "Mon Jul 16 18:09:20 +0800 2012", "1342433360", "9" * 30]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=12) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=7),
    max_leaves=20,
)
SHAPES = st.fixed_dictionaries(
    {"type": WORDS, "sender_id": st.integers(1, 10**18) | VALUES, "created_at": WORDS | VALUES},
    optional={"text": VALUES, "data": VALUES, "receiver_id": VALUES, "message_id": VALUES},
)
TAGS = st.sampled_from(_TAGS.split())
MARKUP = st.lists(
    st.tuples(TAGS, st.text(st.characters(), max_size=8) | WORDS).map(lambda p: f"<{p[0]}>{p[1]}</{p[0]}>"), max_size=6
).map(lambda parts: f"<xml>{''.join(parts)}</xml>".encode("utf-8", "surrogatepass"))
MUTATED = st.builds(
    lambda at, by: (lambda raw: raw[: at % len(raw)] + by + raw[at % len(raw) + 1 :])(json.dumps(message()).encode()),
    st.integers(0, 500), st.binary(max_size=4),
)  # fmt: skip


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    body=st.binary(max_size=200) | VALUES.map(lambda v: json.dumps(v).encode())
    | SHAPES.map(lambda v: json.dumps(v).encode()) | MARKUP | MUTATED,
    receipt=st.sampled_from(["", "已收到"]),
)  # fmt: skip
async def test_any_body_is_answered_and_whatever_is_kept_is_an_item_or_a_sentence(body: bytes, receipt: str) -> None:
    ref = account(receipt=receipt)
    answer = await CONNECTOR.receive(ref, "POST", signed_query(SECRET), {}, body)
    assert isinstance(answer, Accept) or (isinstance(answer, Reject) and 400 <= answer.status < 500)
    for item in getattr(answer, "items", ()):
        assert 0 < len(item.external_id) <= 200
        (item.external_id + item.payload).encode()
        try:
            found = CONNECTOR.parse(ref, item)
        except Unparsable:
            continue
        assert found.created_at.tzinfo is not None
        (found.text + found.author.name + found.author.id + found.thread_id + found.url).encode()


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=VALUES | SHAPES, kind=st.sampled_from(Kind))
def test_any_stored_payload_is_an_item_or_a_sentence(value: Any, kind: Kind) -> None:
    item = RawItem(kind, secrets.token_hex(4), json.dumps(value))
    try:
        found = CONNECTOR.parse(account(), item)
    except Unparsable:
        return
    assert found.external_id
    assert found.created_at.tzinfo is not None

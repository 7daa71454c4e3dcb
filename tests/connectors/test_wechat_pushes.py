"""Pushes in all three modes, hostile ones too; the cipher against two independent implementations."""

from __future__ import annotations

import base64
import secrets
import time
import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import xml
from connectors.base import (
    Accept,
    AccountRef,
    Challenge,
    Inbound,
    Kind,
    NoticeKind,
    PushAnswer,
    RawItem,
    Reject,
    Unparsable,
)
from connectors.http import Http
from connectors.signature import sign
from connectors.wechat.client import WechatConnector
from connectors.wechat.crypto import Foreign, Unreadable, decrypt, encrypt, key_of, sealed
from connectors.wechat.pushes import LARGEST, answer
from connectors.wechat.simulator.pushing import opened
from connectors.wechat.simulator.pushing import sealed as pushed
from connectors.wechat.simulator.world import Official, new_official

OFFICIAL = new_official("临江发布")
NOW = datetime.now(UTC)
REF = AccountRef(
    7, "wechat", "临江发布", OFFICIAL.gh, "http://127.0.0.1:9",
    {"app_secret": OFFICIAL.secret, "token": OFFICIAL.token, "aes_key": OFFICIAL.aes_key}, {"app_key": OFFICIAL.app},
)  # fmt: skip
CLIENT = WechatConnector(Http(live=False))
TEXT = {
    "ToUserName": OFFICIAL.gh, "FromUserName": "oCitizen_1", "CreateTime": int(NOW.timestamp()), "MsgType": "text",
    "Content": "解放路路灯<不亮> ]]> & 怎么办", "MsgId": "23456789012345678",
}  # fmt: skip
MODES = ("plain", "compatible", "secure")


def official(mode: str) -> Official:
    return replace(OFFICIAL, mode=mode)


def push(values: dict[str, Any], mode: str = "plain", ref: AccountRef = REF, at: datetime = NOW) -> PushAnswer:
    query, body = pushed(official(mode), values, str(int(at.timestamp())))
    return answer(ref, "POST", query, body.encode(), NOW)


def one(found: PushAnswer) -> RawItem:
    assert isinstance(found, Accept)
    assert len(found.items) == 1
    return found.items[0]


def read(values: dict[str, Any]) -> Inbound:
    return CLIENT.parse(REF, one(push(values)))


# --- genuine ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_message_in_every_mode(mode: str) -> None:
    found = push(TEXT, mode)
    assert isinstance(found, Accept)
    assert (found.body, found.content_type) == ("success", "text/plain")
    item = one(found)
    assert (item.kind, item.external_id) == (Kind.private, "23456789012345678")
    message = CLIENT.parse(REF, item)
    assert message.text == TEXT["Content"]
    assert message.author.id == "oCitizen_1"
    assert message.thread_id == "private:oCitizen_1"
    assert message.created_at == NOW.replace(microsecond=0)
    assert message.reply_until == message.created_at + timedelta(hours=48)
    assert message.reply_left == 5


@pytest.mark.parametrize(("mode", "covers"), [("plain", False), ("compatible", True), ("secure", True)])
def test_only_what_is_sealed_is_covered_by_its_signature(mode: str, covers: bool) -> None:
    for found in (push(TEXT, mode), push({**TEXT, "MsgType": "event", "Event": "unsubscribe"}, mode)):
        assert isinstance(found, Accept)
        assert bool(found.proof) is not covers


def test_the_address_is_checked_in_plain_whatever_the_mode() -> None:
    query, _ = pushed(OFFICIAL, TEXT, str(int(NOW.timestamp())))
    assert answer(REF, "GET", query | {"echostr": "12 34<"}, b"", NOW) == Challenge("12 34<")
    assert isinstance(answer(REF, "GET", query, b"", NOW), Reject)
    assert isinstance(answer(REF, "GET", query | {"echostr": "1", "signature": "0" * 40}, b"", NOW), Reject)


KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "image": ({"PicUrl": "http://mmbiz.qpic.cn/a/0", "MediaId": "m1"}, "［图片］"),
    "voice": ({"MediaId": "m1", "Format": "amr", "Recognition": "路灯坏了"}, "［语音］路灯坏了"),
    "video": ({"MediaId": "m1", "ThumbMediaId": "t"}, "［视频，请到公众平台观看］"),
    "shortvideo": ({"MediaId": "m1"}, "［视频，请到公众平台观看］"),
    "location": (
        {"Location_X": "30.27", "Location_Y": "120.15", "Scale": "20", "Label": "解放路 1 号"},
        "［位置］解放路 1 号（纬度 30.27，经度 120.15）",
    ),
    "link": (
        {"Title": "标题", "Description": "说明", "Url": "http://example.cn/1"},
        "［链接］标题\n说明\nhttp://example.cn/1",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_message_says_something(kind: str) -> None:
    values, text = KINDS[kind]
    message = read({**TEXT, "MsgType": kind, **values})
    assert message.text == text
    assert message.extra["type"] == kind
    assert [m.url for m in message.media] == ([values["PicUrl"]] if "PicUrl" in values else [])
    assert message.extra.get("media_id") == values.get("MediaId")


def test_a_message_out_of_an_article_says_which() -> None:
    assert read({**TEXT, "MsgDataId": "2247483649", "Idx": "1"}).extra["msg_data_id"] == "2247483649"


def test_without_a_number_sender_and_second_are_the_identity() -> None:
    bare = {k: v for k, v in TEXT.items() if k != "MsgId"}
    assert one(push(bare)).external_id == f"oCitizen_1:{TEXT['CreateTime']}"
    assert one(push(bare)).external_id == one(push(bare, "secure")).external_id


def test_events_are_no_messages() -> None:
    head = {k: TEXT[k] for k in ("ToUserName", "FromUserName", "CreateTime")} | {"MsgType": "event"}
    for event in ("subscribe", "SCAN", "LOCATION", "CLICK", "VIEW", "TEMPLATESENDJOBFINISH", ""):
        assert push({**head, "Event": event, "EventKey": "x"}) == Accept((), "success")
    ended = push({**head, "Event": "PUBLISHJOBFINISH", "PublishEventInfo": {"publish_id": "77", "publish_status": "0"}})
    assert isinstance(ended, Accept)
    assert [(n.kind, n.about) for n in ended.notices] == [(NoticeKind.job_ended, "publish:77")]
    mass = push({**head, "Event": "MASSSENDJOBFINISH", "MsgID": "88", "Status": "err(10001)"}, "secure")
    assert isinstance(mass, Accept)
    assert [(n.about, n.words) for n in mass.notices] == [("mass:88", "err(10001)")]
    left = push({**head, "Event": "unsubscribe", "EventKey": ""})
    assert isinstance(left, Accept)
    assert [(n.kind, n.about) for n in left.notices] == [(NoticeKind.left, "private:oCitizen_1")]
    for odd in ({"Event": "PUBLISHJOBFINISH", "PublishEventInfo": "x"}, {"Event": "MASSSENDJOBFINISH"}):
        assert push({**head, **odd}) == Accept((), "success")


@pytest.mark.parametrize("mode", MODES)
def test_the_receipt_is_sealed_as_the_push_was(mode: str) -> None:
    ref = replace(REF, options={**REF.options, "receipt": "已收到，我们会尽快答复 ]]> 好"})
    found = push(TEXT, mode, ref)
    assert isinstance(found, Accept)
    assert found.content_type == "text/xml"
    receipt = opened(official("plain" if mode == "plain" else mode), found.body)
    assert receipt is not None
    assert receipt["Content"] == "已收到，我们会尽快答复 ]]> 好"
    assert (receipt["ToUserName"], receipt["FromUserName"]) == ("oCitizen_1", OFFICIAL.gh)
    long = push(TEXT, mode, replace(REF, options={**REF.options, "receipt": "字" * 5000}))
    assert isinstance(long, Accept)
    cut = opened(official("plain" if mode == "plain" else mode), long.body)
    assert cut is not None
    assert len(cut["Content"].encode()) <= 2048
    event = push({**TEXT, "MsgType": "event", "Event": "CLICK"}, mode, ref)
    assert isinstance(event, Accept)
    assert event.body == "success"


@pytest.mark.parametrize("minutes", [-10, 10])
@pytest.mark.parametrize("mode", MODES)
def test_clocks_may_be_ten_minutes_apart(minutes: int, mode: str) -> None:
    assert isinstance(push(TEXT, mode, at=NOW + timedelta(minutes=minutes)), Accept)


# --- not genuine ------------------------------------------------------------------------------------------------------


def refused(found: PushAnswer, status: int = 403) -> str:
    assert isinstance(found, Reject)
    assert found.status == status
    return found.reason


def test_what_is_not_genuine_is_refused() -> None:
    for mode in MODES:
        query, body = pushed(official(mode), TEXT, str(int(NOW.timestamp())))
        for broken in ({"signature": "0" * 40}, {"timestamp": "1"}, {"nonce": "x"}, {"timestamp": "²"}):
            refused(answer(REF, "POST", query | broken, body.encode(), NOW))
        refused(answer(REF, "POST", {}, body.encode(), NOW))
        refused(push(TEXT, mode, at=NOW - timedelta(minutes=16)))
        refused(push(TEXT, mode, replace(REF, secrets={})))
        assert "另一个公众号" in refused(push({**TEXT, "ToUserName": "gh_other"}, mode))


def test_the_sealed_part_counts_and_not_what_stands_beside_it() -> None:
    query, body = pushed(official("compatible"), TEXT, str(int(NOW.timestamp())))
    forged = body.replace("路灯", "赌场", 1)
    assert "赌场" not in CLIENT.parse(REF, one(answer(REF, "POST", query, forged.encode(), NOW))).text
    refused(answer(REF, "POST", query | {"msg_signature": "0" * 40}, body.encode(), NOW))


def test_sealed_for_another_account_or_with_another_key() -> None:
    stranger = new_official("别的号", gh=OFFICIAL.gh, token=OFFICIAL.token, aes_key=OFFICIAL.aes_key, mode="secure")
    query, body = pushed(stranger, TEXT, str(int(NOW.timestamp())))
    assert "另一个公众号" in refused(answer(REF, "POST", query, body.encode(), NOW))
    other = new_official("临江发布", app=OFFICIAL.app, gh=OFFICIAL.gh, token=OFFICIAL.token, mode="secure")
    query, body = pushed(other, TEXT, str(int(NOW.timestamp())))
    assert "密钥" in refused(answer(REF, "POST", query, body.encode(), NOW), 400)
    keyless = replace(REF, secrets={"token": OFFICIAL.token})
    assert "密钥" in refused(push(TEXT, "secure", keyless))
    assert one(push(TEXT, "compatible", keyless)).external_id == TEXT["MsgId"], "it can still read what is not sealed"


def test_an_account_may_insist_on_sealed_pushes() -> None:
    strict = replace(REF, options={**REF.options, "secure_only": "1"})
    assert "安全模式" in refused(push(TEXT, "plain", strict))
    assert isinstance(push(TEXT, "secure", strict), Accept)
    for off in ("0", "否", "", None, False):
        assert isinstance(push(TEXT, "plain", replace(REF, options={**REF.options, "secure_only": off})), Accept)


# --- hostile ----------------------------------------------------------------------------------------------------------

LAUGHS = "<!DOCTYPE l [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9)
) + "]><xml><Content>&j;</Content></xml>"  # fmt: skip
HOSTILE: dict[str, bytes] = {
    "billion laughs": LAUGHS.encode(),
    "external entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><Content>&e;</Content></xml>',
    "external dtd": b'<!DOCTYPE xml SYSTEM "http://127.0.0.1:9/x.dtd"><xml><Content>x</Content></xml>',
    "parameter entity": b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/">%p;]><xml><MsgType>text</MsgType></xml>',
    "half": b"<xml><Content>",
    "json": b'{"MsgType": "text"}',
    "another root": b"<html><body/></html>",
    "noise": bytes(range(256)),
    "nul": b"<xml><Content>a\x00b</Content></xml>",
    "an unknown encoding": b'<?xml version="1.0" encoding="x-nothing"?><xml><MsgType>text</MsgType></xml>',
}


def signed() -> dict[str, str]:
    query, _ = pushed(OFFICIAL, TEXT, str(int(NOW.timestamp())))
    return query


@pytest.mark.parametrize("what", HOSTILE)
def test_dangerous_xml_is_kept_as_text_and_never_opened(what: str) -> None:
    begun = time.process_time()
    item = one(answer(REF, "POST", signed(), HOSTILE[what], NOW))
    assert time.process_time() - begun < 1
    assert item.external_id.startswith("sha256:")
    assert "root:" not in item.payload
    with pytest.raises(Unparsable):
        CLIENT.parse(REF, item)


def test_huge_and_deep_ones() -> None:
    assert isinstance(answer(REF, "POST", signed(), b" " * (LARGEST + 1), NOW), Reject)
    assert isinstance(answer(REF, "POST", signed(), b"", NOW), Reject)
    deep = b"<xml>" + b"<a>" * 30_000 + b"</a>" * 30_000 + b"</xml>"
    begun = time.process_time()
    assert one(answer(REF, "POST", signed(), deep, NOW)).external_id.startswith("sha256:")
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    "values",
    [
        {"CreateTime": "yesterday"},
        {"CreateTime": 10**17},
        {"FromUserName": ""},
        {"MsgType": "hologram"},
        {"MsgType": ""},
    ],
)
def test_what_makes_no_sense_waits_in_quarantine(values: dict[str, Any]) -> None:
    with pytest.raises(Unparsable):
        read({**TEXT, **values})


quick = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TAGS = st.sampled_from(
    [*TEXT, "Event", "PublishEventInfo", "Encrypt", "PicUrl", "Label"],
)
PART = st.one_of(
    st.binary(max_size=20),
    st.text(max_size=20).map(str.encode),
    TAGS.map(lambda tag: f"<{tag}>".encode()),
    TAGS.map(lambda tag: f"</{tag}>".encode()),
    st.sampled_from([b"<xml>", b"</xml>", b"<![CDATA[", b"]]>", b"&lt;", b"text", b"event", b"<!DOCTYPE"]),
)


@quick
@given(parts=st.lists(PART, max_size=12), body=st.binary(max_size=100))
def test_any_signed_body_is_answered(parts: list[bytes], body: bytes) -> None:
    for made in (b"".join(parts), b"<xml>" + b"".join(parts) + b"</xml>", body):
        found = answer(REF, "POST", signed(), made, NOW)
        assert not isinstance(found, Reject) or 400 <= found.status < 500
        for item in found.items if isinstance(found, Accept) else ():
            (item.external_id + item.payload).encode()
            with_words(item)


@quick
@given(
    values=st.dictionaries(TAGS, st.text(max_size=30) | st.integers() | st.sampled_from(["text", "event"]), max_size=9),
    damage=st.integers(0, 400),
    replaced=st.binary(min_size=1, max_size=1),
)
def test_any_values_and_any_damage_to_a_sealed_push(values: dict[str, Any], damage: int, replaced: bytes) -> None:
    sent = {**values, "ToUserName": OFFICIAL.gh}
    for item in getattr(push({k: v for k, v in sent.items() if k != "Encrypt"}, "secure"), "items", ()):
        with_words(item)
    query, body = pushed(official("secure"), TEXT, str(int(NOW.timestamp())))
    broken = bytearray(body.encode())
    broken[damage % len(broken)] = replaced[0]
    found = answer(REF, "POST", query, bytes(broken), NOW)
    assert isinstance(found, Accept | Reject)


def with_words(item: RawItem) -> None:
    try:
        found = CLIENT.parse(REF, item)
    except Unparsable:
        return
    assert found.created_at.tzinfo is not None


# --- the cipher against two others ------------------------------------------------------------------------------------

SAMPLES = ["<xml><Content>好</Content></xml>", "x", "字" * 700, "a" * 31, "b" * 32, "c" * 33, "😀" * 100]


@pytest.fixture(scope="module")
def others() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from wechatpy.crypto import WeChatCrypto
        from werobot.crypto import MessageCrypt
    keys = OFFICIAL.token, OFFICIAL.aes_key, OFFICIAL.app
    return {"werobot": MessageCrypt(*keys), "wechatpy": WeChatCrypto(*keys)}


@pytest.mark.parametrize("text", SAMPLES)
def test_two_others_read_what_we_seal(text: str, others: dict[str, Any]) -> None:
    envelope = xml.read(sealed(text, REF.secrets, OFFICIAL.app, "1764230000"))
    assert envelope is not None
    parts = (envelope["TimeStamp"], envelope["Nonce"], envelope["MsgSignature"], envelope["Encrypt"])
    found = others["werobot"].decrypt_message(*parts)
    assert (found.decode() if isinstance(found, bytes) else found) == text
    body = f"<xml><Encrypt><![CDATA[{parts[3]}]]></Encrypt></xml>"
    assert others["wechatpy"].decrypt_message(body, parts[2], parts[0], parts[1]) == text


@pytest.mark.parametrize("text", SAMPLES)
def test_we_read_what_two_others_seal(text: str, others: dict[str, Any]) -> None:
    for made in (
        others["werobot"].encrypt_message(text, "1764230000", "nonce1"),
        others["wechatpy"].encrypt_message(text, "nonce1", "1764230000"),
    ):
        envelope = xml.read(made)
        assert envelope is not None
        assert envelope["MsgSignature"] == sign(OFFICIAL.token, "1764230000", "nonce1", envelope["Encrypt"])
        assert decrypt(envelope["Encrypt"], OFFICIAL.aes_key, OFFICIAL.app) == text


def test_the_same_text_is_never_sealed_alike() -> None:
    assert len({encrypt("好", OFFICIAL.aes_key, OFFICIAL.app) for _ in range(20)}) == 20


def test_what_does_not_open_says_so() -> None:
    good = encrypt("好", OFFICIAL.aes_key, OFFICIAL.app)
    with pytest.raises(Foreign):
        decrypt(good, OFFICIAL.aes_key, "wx_other")
    for broken in ("", "!", good[:-4], good[:24], base64.b64encode(secrets.token_bytes(64)).decode(), "字"):
        with pytest.raises(Unreadable):
            decrypt(broken, OFFICIAL.aes_key, OFFICIAL.app)
    for key in ("", "short", "字" * 43, "a" * 44):
        with pytest.raises(Unreadable):
            key_of(key)

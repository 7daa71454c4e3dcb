"""Every platform that pushes: an account that takes its pushes, genuine bodies, and its signature over any body."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.base import AccountRef
from connectors.douyin.pushes import signature
from connectors.exchange.signature import signed
from connectors.kuaishou.pushes import signature as kuaishou_signature
from connectors.signature import sign
from connectors.wechat.crypto import encrypt
from tests.sims.sandbox import push_body, signed_query

OWN, APP, SECRET = "9001", "wx0123456789abcdef", "s3cret-of-the-pushes"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
Sent = tuple[dict[str, str], dict[str, str], bytes]


@dataclass(frozen=True)
class Door:
    """How one platform pushes. ``about(n)``: the genuine body with the id and the text of item ``n``; ``more``: other
    genuine bodies; ``sign(body)``: query, headers and body as they are sent."""

    platform: str
    about: Callable[[int], bytes]
    sign: Callable[[bytes], Sent]
    more: tuple[bytes, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def ref(self) -> AccountRef:
        """The account as the connector sees it."""
        return AccountRef(1, self.platform, "临江发布", OWN, "http://127.0.0.1:9", self.secrets, self.options)


def _by_query(body: bytes) -> Sent:
    return signed_query(SECRET), {}, body


def _weibo(n: int, kind: str = "text", **data: Any) -> bytes:
    push = {
        "type": kind, "receiver_id": int(OWN), "sender_id": 7000000001, "created_at": "Fri Nov 27 12:00:00 +0800 2026",
        "text": f"第 {n} 条：路灯不亮", "message_id": 5_000_000 + n, "data": data,
    }  # fmt: skip
    return json.dumps(push, ensure_ascii=False).encode()


def _xml(n: int, kind: str = "text", **more: object) -> bytes:
    told = {"ToUserName": OWN, "FromUserName": "oAbCdEf0123456789", "CreateTime": int(time.time()), "MsgType": kind}
    told |= {"Content": f"第 {n} 条：路灯不亮", "MsgId": 23_000_000_000 + n} | more
    inside = "".join(
        f"<{tag}>{v}</{tag}>" if isinstance(v, int) else f"<{tag}><![CDATA[{v}]]></{tag}>" for tag, v in told.items()
    )
    return f"<xml>{inside}</xml>".encode()


_NESTED = _xml(0, "event").replace(b"</xml>", (
    b"<Event><![CDATA[PUBLISHJOBFINISH]]></Event><PublishEventInfo><publish_id>2247503051</publish_id>"
    b"<publish_status>0</publish_status><article_id><![CDATA[b5O2OUs25HB]]></article_id><article_detail><count>1"
    b"</count><item><idx>1</idx><article_url><![CDATA[https://mp.weixin.qq.com/s/x]]></article_url></item>"
    b"</article_detail></PublishEventInfo></xml>"
))  # fmt: skip
_WECHAT_MORE = (
    _xml(0, "image", PicUrl="https://mmbiz.qpic.cn/1", MediaId="m1"),
    _xml(0, "voice", Recognition="路灯不亮", MediaId="m2", Format="amr"),
    _xml(0, "location", Location_X="23.1", Location_Y="113.3", Scale=20, Label="某路口"),
    _xml(0, "link", Title="t", Description="d", Url="https://example.org/"),
    _xml(0, "event", Event="unsubscribe"), _NESTED,
    _xml(0, "event", Event="MASSSENDJOBFINISH", MsgID=1000001625, Status="send success"),
)  # fmt: skip


def _wechat_query(*more: str) -> dict[str, str]:
    at, nonce = str(int(time.time())), secrets.token_hex(4)
    query = {"timestamp": at, "nonce": nonce, "signature": sign(SECRET, at, nonce)}
    return query | ({"msg_signature": sign(SECRET, at, nonce, *more), "encrypt_type": "aes"} if more else {})


def _sealed(body: bytes) -> Sent:
    """What is inside may be anything; the envelope is the platform's."""
    inner = encrypt(body.decode("utf-8", "replace"), AES_KEY, APP)
    whole = f"<xml><ToUserName><![CDATA[{OWN}]]></ToUserName><Encrypt><![CDATA[{inner}]]></Encrypt></xml>"
    return _wechat_query(inner), {}, whole.encode()


def _order(n: int, **more: Any) -> dict[str, Any]:
    return {
        "order_id": f"GD{n:06}", "title": "路灯", "content": f"第 {n} 条：路灯不亮", "kind": "求助", "person": "李女士",
        "phone": "13800000000", "address": "某路 1 号", "region": "440100", "accepted_at": "2026-11-27T09:00:00+08:00",
        "due_at": "2026-12-01", "channel": "电话", "attachments": [{"name": "a.jpg", "url": "https://example.org/a"}],
    } | more  # fmt: skip


def _exchange(body: bytes) -> Sent:
    return {}, signed("office-1", SECRET, body, datetime.now(UTC)), body


def _douyin(n: int, event: str = "im_receive_msg", **content: Any) -> bytes:
    told = {
        "conversation_short_id": "@conv", "server_message_id": f"@msg{n:06}", "message_type": "text",
        "text": f"第 {n} 条：路灯不亮", "create_time": int(time.time() * 1000),
        "user_infos": [{"open_id": "citizen-1", "nick_name": "李女士"}],
    } | content  # fmt: skip
    push = {
        "event": event, "from_user_id": "citizen-1", "to_user_id": OWN, "client_key": APP,
        "content": json.dumps(told, ensure_ascii=False),
    }  # fmt: skip
    return json.dumps(push, ensure_ascii=False).encode()


_COMMENT = {
    "comment_id": "@c000001", "comment_user_id": "citizen-1", "content": "路灯不亮", "digg_count": 2,
    "reply_to_comment_id": "@c0", "reply_to_item_id": "@9Vw1", "create_time": int(time.time()),
}  # fmt: skip
_WECHAT = {"token": SECRET, "aes_key": AES_KEY, "app_secret": "x" * 32}
DOORS: Mapping[str, Door] = {
    "sandbox": Door(
        "sandbox", lambda n: push_body(OWN, f"55{n:08}", f"第 {n} 条：路灯不亮"), _by_query,
        (b'{"type":"event","receiver_id":9001,"sender_id":7,"data":{"subtype":"follow"}}',), {"app_secret": SECRET},
    ),
    "weibo": Door(
        "weibo", _weibo, _by_query,
        (
            _weibo(0, "image", tovfid="2032", vfid="2031"), _weibo(0, "voice", tovfid="2032"),
            _weibo(0, "position", longitude="116.3", latitude="39.9"), _weibo(0, "event", subtype="follow"),
            _weibo(0, "mention", subtype="comment", key="5000000000000000009"),
            b"[" + _weibo(1) + b"," + _weibo(2) + b"]",
            _xml(0, FromUserName=7000000001), _xml(0, "image", MediaId="2032", FromUserName=7000000001),
            _xml(0, "event", Event="follow", FromUserName=7000000001),
        ),
        {"app_secret": SECRET, "fan_token": "fan-token-of-it"}, {"receipt": "已收到"},
    ),
    "wechat": Door(
        "wechat", _xml, lambda body: (_wechat_query(), {}, body), _WECHAT_MORE, _WECHAT,
        {"app_key": APP, "receipt": "已收到"},
    ),
    "wechat sealed": Door("wechat", _xml, _sealed, _WECHAT_MORE, _WECHAT, {"app_key": APP, "receipt": "已收到"}),
    "douyin": Door(
        "douyin", _douyin, lambda body: ({}, {"X-Douyin-Signature": signature(SECRET, body)}, body),
        (
            _douyin(0, "item_comment_reply", **_COMMENT), _douyin(0, message_type="image"), _douyin(0, "im_send_msg"),
            _douyin(0, "unauthorize"),
        ),
        {"app_secret": SECRET},
    ),
    "exchange": Door(
        "exchange", lambda n: json.dumps(_order(n), ensure_ascii=False).encode(), _exchange,
        (
            json.dumps({"orders": [_order(1), _order(2, accepted_at="2026-11-27 09:00")]}).encode(),
            json.dumps([_order(3, phone=None, attachments=None)]).encode(),
        ),
        {"key": SECRET}, {"key_id": "office-1"},
    ),
}  # fmt: skip


def _kuaishou(n: int, event: str = "UN_AUTHORIZE", **data: Any) -> bytes:
    told = {"open_id": OWN, "scope": ["user_video_publish"]} | data
    push = {"app_id": APP, "event": event, "timestamp": int(time.time() * 1000), "message_id": f"m{n}", "data": told}
    return json.dumps(push).encode()


# Pushes that bring no items, only word of our own affairs.
QUIET: Mapping[str, Door] = {
    "kuaishou": Door(
        "kuaishou", _kuaishou, lambda body: ({}, {"kwaisign": kuaishou_signature(SECRET, body)}, body),
        (_kuaishou(0, "AUTHORIZE", is_new=True), _kuaishou(0, open_id="another")), {"app_secret": SECRET},
    ),
}  # fmt: skip

"""Pushes: verified on their raw bytes, opened, split into items and notices, answered within 5 seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors import xml
from connectors.base import Accept, AccountRef, Challenge, Kind, Notice, NoticeKind, PushAnswer, RawItem, Reject
from connectors.options import is_on, text
from connectors.signature import is_signed, proof_of, reason_against
from connectors.text import as_payload, id_of
from connectors.wechat.crypto import Foreign, Unreadable, decrypt, sealed
from connectors.wechat.schemas import pushed_item
from connectors.wechat.wire import text_of

LARGEST = 256 * 1024
RECEIPT_BYTES = 2048
SUCCESS = "success"
NO_TOKEN = "账号没有填写令牌，无法核对推送签名"  # noqa: S105  a sentence


def answer(account: AccountRef, method: str, query: Mapping[str, str], body: bytes, now: datetime) -> PushAnswer:
    """What the push says and how to answer it; the caller stores first."""
    if reason := reason_against(query, account.secrets.get("token", ""), now, no_secret=NO_TOKEN):
        return Reject(403, reason)
    if method == "GET":
        echo = query.get("echostr")
        return Challenge(echo, proof=proof_of(query)) if echo else Reject(400, "缺少 echostr")
    if len(body) > LARGEST:
        return Reject(413, "推送内容过大")
    if not body:
        return Reject(400, "推送没有内容")
    outer = xml.read(body)
    if outer is None:  # signed all the same: it is kept, and people see it in quarantine
        return Accept((_unread(body.decode("utf-8", "backslashreplace")),), SUCCESS, proof=proof_of(query))
    return _opened(account, query, outer, now)


def _opened(account: AccountRef, query: Mapping[str, str], outer: Mapping[str, Any], now: datetime) -> PushAnswer:
    encrypted = outer.get("Encrypt")
    if not isinstance(encrypted, str) or not encrypted:
        if is_on(account, "secure_only", usually=True):
            return Reject(403, "账号只收加密推送，请在公众平台把消息加解密方式设为安全模式")
        return _in_plain(account, query, outer, now)
    if not account.secrets.get("aes_key"):
        if outer.get("MsgType"):  # compatible mode sends both
            return _in_plain(account, query, outer, now)
        return Reject(403, "推送已加密，请管理员在账号设置中填写消息加解密密钥")
    signed = (account.secrets["token"], query.get("timestamp", ""), query.get("nonce", ""), encrypted)
    if not is_signed(query.get("msg_signature", ""), *signed):
        return Reject(403, "推送的消息签名不正确")
    try:
        inner = decrypt(encrypted, account.secrets["aes_key"], account.app)
    except Foreign as error:
        return Reject(403, str(error))
    except Unreadable as error:
        return Reject(400, str(error))
    push = xml.read(inner)
    return Accept((_unread(inner),), SUCCESS) if push is None else _split(account, push, now, is_sealed=True)


def _in_plain(account: AccountRef, query: Mapping[str, str], push: Mapping[str, Any], now: datetime) -> PushAnswer:
    """What came unsealed: its signature says nothing of what stands in it."""
    found = _split(account, push, now, is_sealed=False)
    return replace(found, proof=proof_of(query)) if isinstance(found, Accept) else found


def _split(account: AccountRef, push: Mapping[str, Any], now: datetime, *, is_sealed: bool) -> PushAnswer:
    """Messages are items; of events only what concerns our own affairs is told on, the others are acknowledged."""
    to = text_of(push.get("ToUserName"))
    if account.external_id and to and to != account.external_id:
        return Reject(403, "推送属于另一个公众号，请核对原始 ID")
    if text_of(push.get("MsgType")).strip().lower() == "event":
        return Accept((), SUCCESS, notices=_notices(push))
    receipt = _receipt(account, push, now, is_sealed=is_sealed)
    return Accept((pushed_item(push),), receipt or SUCCESS, "text/xml" if receipt else "text/plain")


def _notices(push: Mapping[str, Any]) -> tuple[Notice, ...]:
    match text_of(push.get("Event")).strip().upper():
        case "PUBLISHJOBFINISH":
            told = push.get("PublishEventInfo")
            job = text_of(told.get("publish_id")) if isinstance(told, Mapping) else ""
            return (Notice(NoticeKind.job_ended, f"publish:{job}"),) if job else ()
        case "MASSSENDJOBFINISH":
            job = text_of(push.get("MsgID"))
            return (Notice(NoticeKind.job_ended, f"mass:{job}", text_of(push.get("Status"))),) if job else ()
        case "UNSUBSCRIBE":
            sender = text_of(push.get("FromUserName"))
            return (Notice(NoticeKind.left, f"private:{sender}"),) if sender else ()
    return ()


def _receipt(account: AccountRef, push: Mapping[str, Any], now: datetime, *, is_sealed: bool) -> str:
    """The passive answer of the option ``receipt``, sealed when the push was; "" without one."""
    words = text(account, "receipt")
    sender = text_of(push.get("FromUserName"))
    if not words or not sender:
        return ""
    second = int(now.timestamp())
    made = xml.written(
        {
            "ToUserName": sender,
            "FromUserName": text_of(push.get("ToUserName")) or account.external_id,
            "CreateTime": second,
            "MsgType": "text",
            "Content": words.encode("utf-8", "replace")[:RECEIPT_BYTES].decode("utf-8", "ignore"),
        }
    )
    return sealed(made, account.secrets, account.app, str(second)) if is_sealed else made


def _unread(text: str) -> RawItem:
    payload = as_payload(text)
    return RawItem(Kind.private, id_of(None, payload), payload)

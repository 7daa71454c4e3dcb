"""Pushes: proven on their raw bytes, split into items and notices, answered within five seconds.

After developer.open-douyin.com › Webhooks › 概述: the header ``X-Douyin-Signature`` is SHA-1 over the client secret and
the raw body; ``verify_webhook`` is answered with its challenge; what is not answered in 5 s comes three times, with the
same ``Msg-Id``. One address serves all accounts of an app, so that what is for another account is acknowledged and
passed over: it reaches that account's own address only if the app is entered there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from connectors.base import (
    Accept,
    AccountRef,
    Challenge,
    Notice,
    NoticeKind,
    PushAnswer,
    RawItem,
    Reject,
)
from connectors.douyin.schemas import comment_item, message_item, text_of
from connectors.signature import signed_object


def signature(secret: str, body: bytes) -> str:
    """Hex SHA-1 over secret and body."""
    return hashlib.sha1(secret.encode() + body, usedforsecurity=False).hexdigest()


def answer(account: AccountRef, method: str, headers: Mapping[str, str], body: bytes) -> PushAnswer:
    """What the push says and how to answer it; the caller stores first."""
    push = signed_object(
        method, headers, body, account.secrets.get("app_secret", ""), header="x-douyin-signature", sign=signature,
        only_post="抖音只用 POST 推送", unset="账号没有填写 Client Secret，无法核对推送签名",
    )  # fmt: skip
    return push if isinstance(push, Reject) else _split(account, push)


def _split(account: AccountRef, push: Mapping[str, Any]) -> PushAnswer:
    event, content = text_of(push.get("event")), _content(push.get("content"))
    if event == "verify_webhook":
        challenge = content.get("challenge")
        if not isinstance(challenge, (int, str)) or isinstance(challenge, bool):
            return Reject(400, "校验请求缺少 challenge")
        return Challenge(json.dumps({"challenge": challenge}), "application/json")
    if event == "unauthorize":
        # The one who withdrew is the sender.
        mine = text_of(push.get("from_user_id")) == account.external_id
        return Accept((), notices=(Notice(NoticeKind.revoked),) if mine else (), passed_over=0 if mine else 1)
    items = _items(push, event, content) if _is_mine(account, push) else ()
    return Accept(items, passed_over=0 if items else 1)


def _items(push: Mapping[str, Any], event: str, content: Mapping[str, Any]) -> tuple[RawItem, ...]:
    if event == "im_receive_msg":
        return (message_item(push, content),)
    if event == "item_comment_reply":
        work = text_of(content.get("reply_to_item_id"))
        author = content.get("comment_user_id") or push.get("from_user_id")
        return (comment_item({**content, "comment_user_id": author}, work),)
    return ()


def _is_mine(account: AccountRef, push: Mapping[str, Any]) -> bool:
    return bool(account.external_id) and text_of(push.get("to_user_id")) == account.external_id


def _content(value: Any) -> Mapping[str, Any]:
    """The content, an object or an object as text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, Mapping) else {}

"""Pushes: only that access was granted or withdrawn, and the test of our address.

After open.kuaishou.com › WebHook (read in its mirror apifox.com/apidoc/docs-site/462993, doc-355267 to 355270): the
header ``kwaisign`` is MD5 over the raw body and the app secret; what is not answered comes three times more, five
seconds apart; the answer is {result: 1, message_id}. Events AUTHORIZE and UN_AUTHORIZE with ``data.open_id``. How the
test of an address is named could not be read: whatever is signed is answered in the same way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from connectors.base import Accept, AccountRef, Notice, NoticeKind, PushAnswer, Reject
from connectors.signature import signed_object

WITHDRAWN = "UN_AUTHORIZE"


def signature(secret: str, body: bytes) -> str:
    """Hex MD5 over body and secret."""
    return hashlib.md5(body + secret.encode(), usedforsecurity=False).hexdigest()


def answer(account: AccountRef, method: str, headers: Mapping[str, str], body: bytes) -> PushAnswer:
    """What the push says and how to answer it."""
    push = signed_object(
        method, headers, body, account.secrets.get("app_secret", ""), header="kwaisign", sign=signature,
        only_post="快手只用 POST 推送", unset="账号没有填写应用密钥，无法核对推送签名",
    )  # fmt: skip
    if isinstance(push, Reject):
        return push
    told, number = push.get("data"), push.get("message_id")
    is_ours = isinstance(told, Mapping) and bool(account.external_id) and told.get("open_id") == account.external_id
    notices = (Notice(NoticeKind.revoked),) if push.get("event") == WITHDRAWN and is_ours else ()
    said = json.dumps({"result": 1, "message_id": number if isinstance(number, str) else ""})
    return Accept((), said, "application/json", notices, passed_over=0 if notices else 1)

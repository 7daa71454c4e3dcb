"""The platform's error codes as data: kind, and a sentence for people.

After open.kuaishou.com › 错误码 (read in its mirror apifox.com/apidoc/docs-site/462993/doc-355272) and the table of the
platform's own Java kit (com.github.kwaiopen:kwai-open-sdk, KwaiOpenResultCode). ``result`` in the body is 1 for a
success. What is written 120001 there comes as 100120001 too, as clients of others have met it. Codes of the gateway
that takes files are not written anywhere that was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from connectors.base import ConnectorError, ErrorKind
from connectors.bodies import effect_of, unknown_kind
from connectors.failures import codes
from connectors.http import Answer, retry_at, scrub
from connectors.text import one_line

K = ErrorKind
SUCCESS = 1
NO_UPLOAD = frozenset({120_002, 100_120_002})


CODES: Mapping[int, tuple[ErrorKind, str]] = {
    **codes("100200500", K.transient, "快手系统出错，系统会核实后处理"),
    **codes("100200410", K.rate_limited, "快手提示请求过于频繁，系统会稍后再试"),
    **codes("100200102 100200108", K.auth_expired, "快手的访问令牌已失效，系统会用刷新令牌更新"),
    **codes("100200113", K.auth_human, "快手的刷新令牌已过期，请管理员点「重新授权」"),
    **codes("100200105", K.auth_human, "授权码已用过或失效，请管理员点「重新授权」"),
    **codes("100200107 100200109-100200111", K.auth_human, "快手账号的授权已取消或过期，请管理员点「重新授权」"),
    **codes("100200101 100200114", K.auth_human, "应用编号、应用密钥或回调地址不正确，请管理员核对"),
    **codes("100200106 100200115", K.permission, "应用没有这项权限，请管理员在快手开放平台申请，开通后重新授权"),
    **codes("100200301", K.account_risk, "快手的风控拦下了这项操作，已停止该账号的发布，请管理员登录快手处理"),
    **codes("120001 100120001", K.not_found, "这个视频不存在或已被删除"),
    **codes("120002 100120002", K.not_found, "快手不再保留已上传的视频，系统会重新上传"),
    **codes("120003 100120003", K.content_rejected, "快手没有发布这个视频，请检查视频、封面和文字后再提交"),
    **codes("100400 100100400 100200100 100200103 100200104 100200112", K.bug,
            "快手不接受请求的写法，请联系技术人员"),
}  # fmt: skip
# The platform failed on its own side: a write may have gone through all the same.
MAYBE_DONE = frozenset({100_200_500})


def error_of(answer: Answer, body: Any, now: datetime, secrets: Iterable[str]) -> ConnectorError | None:
    """The error an answer carries; None for a success: a result that is there, and 1."""
    code = code_of(body)
    if code == SUCCESS and answer.ok:
        return None
    words = one_line(str(body.get("error_msg") or ""))[:80] if isinstance(body, Mapping) else ""
    told = None if code == SUCCESS else code
    kind, human = CODES.get(told or 0, (unknown_kind(answer), f"快手返回了未知的错误（{told or answer.status}）"))
    shown = scrub(f"{told or answer.status} {words}".strip(), secrets)
    effect = effect_of(answer, told, CODES, MAYBE_DONE)
    return ConnectorError(kind, human, code=shown, effect=effect, retry_at=retry_at(answer.headers, now))


def code_of(body: Any) -> int | None:
    """The number under ``result``; None where there is none."""
    given = body.get("result") if isinstance(body, Mapping) else None
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def is_unknown(body: Any) -> bool:
    """Whether an answer is a refusal by a number that is written nowhere."""
    code = code_of(body)
    return code is not None and code != SUCCESS and code not in CODES


def is_no_upload(error: ConnectorError) -> bool:
    """Whether the platform does not know (any more) what was uploaded."""
    return any(error.code.split(" ")[0] == str(code) for code in NO_UPLOAD)

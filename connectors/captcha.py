"""Asking a captcha service whether a person filled in a form: the call hCaptcha, Turnstile and their kin share."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.base import ConnectorError, ErrorKind
from connectors.http import Http


@dataclass(frozen=True, slots=True)
class Captcha:
    """``verify``: the service's address for this question; ``secret``: ours with the service."""

    verify: str
    secret: str = field(repr=False)


async def is_person(captcha: Captcha, answer: str, *, live: bool) -> bool:
    """Whether the service believes ``answer`` (what its script put into the form).

    Raises :class:`ConnectorError` when it cannot be asked: the caller decides whether people must wait for it.
    """
    if not answer or len(answer) > 10_000:
        return False
    told = await Http(live, read=8.0, total=10.0).call(
        "POST", captcha.verify, form={"secret": captcha.secret, "response": answer}
    )
    body = told.json()
    if not told.ok or not isinstance(body, dict):
        raise ConnectorError(ErrorKind.protocol, "验证服务没有正常回答", code=f"http {told.status}")
    return body.get("success") is True

"""Errors only a web request can have; told in words by :mod:`web.errors` like all the others."""

from __future__ import annotations

from hub.errors import HubError
from hub.i18n import _


class SignInNeeded(HubError):
    """Nobody is signed in, or the session is over."""

    status = 401

    def __str__(self) -> str:
        return _("请先登录。登录可能因为久未操作而结束。")


class TokenNeeded(SignInNeeded):
    """A program came without a token that holds."""

    def __str__(self) -> str:
        return _("请在 Authorization 头中给出有效的个人令牌：Bearer 加空格加令牌。令牌可能写错、已作废或已过期。")


class PasswordChangeNeeded(HubError):
    """The person has to choose a password of their own first."""

    status = 403

    def __str__(self) -> str:
        return _("请先修改初始密码。")


class Forged(HubError):
    """A write without the session's token: a page from before the last sign-in, or another site's form."""

    status = 403

    def __str__(self) -> str:
        return _("这个页面已经过期，没有保存。请返回上一页刷新后再提交。")


class BadRequest(HubError):
    """The request itself cannot be read."""

    status = 400


class WrongFormat(HubError):
    """The body is of a kind this address does not read."""

    status = 415

    def __str__(self) -> str:
        return _("请以 Content-Type: application/json 发送 JSON。")


class TooLarge(HubError):
    """The body is larger than this route takes."""

    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return _("内容太大，最多 %(n)s MB。", n=max(1, self.limit // 1024**2))


class TooMany(HubError):
    """Too many tries from one address."""

    status = 429

    def __init__(self, wait: int) -> None:
        super().__init__(wait)
        self.wait = wait

    def __str__(self) -> str:
        return _("尝试太频繁，请 %(n)s 秒后再试。", n=self.wait)

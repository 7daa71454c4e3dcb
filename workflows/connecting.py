"""Why an account could not be connected, and what the administrator does about it. Pure.

Nobody waits in the background while a form is open: the words of a failed sending ("the system will see to it later")
would be wrong here. Every answer is two sentences: what is wrong, what to do.
"""

from __future__ import annotations

from connectors.base import ConnectorError, ErrorKind
from hub.i18n import _, moment

K = ErrorKind
_SLOW = ("TimeoutError", "ReadTimeout", "WriteTimeout", "PoolTimeout")


def reasons_of(error: ConnectorError, address: str, *, live: bool) -> list[str]:
    """What is wrong and what to do, in the reader's language; ``address`` is the platform's as it was typed."""
    at = address or _("平台")
    if error.code == "address":
        return [error.human, _against_address(error, live)]
    if error.kind is K.transient:
        return _unreachable(error.code, at)
    if error.kind in (K.protocol, K.not_found):
        return [
            _("%(address)s 有回应，但不是这个平台的接口。", address=at),
            _("请核对平台地址：要填接口所在的网站地址，不是某个网页或登录页的地址。"),
        ]
    if error.kind in (K.rate_limited, K.quota_day):
        return [_("平台限制了调用频率。"), _when(error)]
    return [error.human, _NEXT.get(error.kind, _check_form)()]


def _against_address(error: ConnectorError, live: bool) -> str:
    if live:
        return _("请填写平台对外公开的地址。")
    if error.kind is K.permission:
        return _("没有开启正式模式时只能接入本机的沙箱平台。要接入真实平台，请把设置 HUB_LIVE 改为 true 后重新启动。")
    return _check_form()


def _unreachable(code: str, at: str) -> list[str]:
    """Nobody there, too slow, broken off, or the platform's own trouble (``code`` begins with its status)."""
    if code in ("ConnectError", "ConnectTimeout"):
        return [
            _("连不上 %(address)s：地址写错、端口没有开放、证书无效，或者网络不通。", address=at),
            _("请核对地址和端口；地址没错的，请网络管理员确认本服务器可以访问它，再提交。"),
        ]
    if code in _SLOW:
        return [
            _("%(address)s 没有在限定时间内回应。", address=at),
            _("平台可能正忙，请过几分钟再提交；一直如此，请核对地址和网络。"),
        ]
    if code[:1].isdigit():
        return [
            _("平台自己出错或正在维护（%(code)s）。", code=code[:80]),
            _("凭据不一定有错。请过几分钟再提交；一直如此，请联系平台。"),
        ]
    return [
        _("与 %(address)s 的连接中断。", address=at),
        _("请核对地址开头是 http:// 还是 https://、端口对不对，再提交。"),
    ]


def _when(error: ConnectorError) -> str:
    if error.retry_at is None:
        return _("请过几分钟再提交。")
    return _("请在 %(time)s 之后再提交。", time=moment(error.retry_at))


def new_token() -> str:
    """What to do about credentials the platform does not know."""
    return _("请到平台后台重新生成访问令牌，完整地粘贴进来（前后不要带空格），再提交。")


def _more_rights() -> str:
    return _("请在平台后台给这个应用补上读取账号资料的权限，重新生成令牌后再提交。")


def _sign_in_there() -> str:
    return _("请先登录平台，按平台的提示处理这个账号，再回来提交。")


def _check_form() -> str:
    return _("请核对填写的内容，改好后再提交；仍不行，请把这句话发给维护人员。")


_NEXT = {
    K.auth_expired: new_token,
    K.auth_human: new_token,
    K.permission: _more_rights,
    K.account_risk: _sign_in_there,
}

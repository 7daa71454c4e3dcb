"""Every way a connection fails says what is wrong and what to do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.base import ConnectorError, ErrorKind
from hub.i18n import speaking
from workflows.connecting import reasons_of

K = ErrorKind


@pytest.mark.parametrize(
    ("error", "wrong", "next_step"),
    [
        (ConnectorError(K.transient, "稍后处理", code="ConnectError"), "连不上 https://a.example", "请网络管理员确认"),
        (ConnectorError(K.transient, "稍后处理", code="ReadTimeout"), "没有在限定时间内回应", "请过几分钟再提交"),
        (ConnectorError(K.transient, "稍后处理", code="RemoteProtocolError"), "的连接中断", "https://"),
        (ConnectorError(K.transient, "稍后处理", code="503 busy"), "正在维护（503 busy）", "联系平台"),
        (ConnectorError(K.protocol, "无法识别", code="http 200"), "不是这个平台的接口", "请核对平台地址"),
        (ConnectorError(K.not_found, "不存在"), "不是这个平台的接口", "请核对平台地址"),
        (ConnectorError(K.rate_limited, "系统会等到限制解除"), "限制了调用频率", "请过几分钟再提交"),
        (ConnectorError(K.permission, "没有这项权限"), "没有这项权限", "补上读取账号资料的权限"),
        (ConnectorError(K.account_risk, "账号有风险"), "账号有风险", "先登录平台"),
        (ConnectorError(K.permission, "指向内部网络", code="address"), "指向内部网络", "对外公开的地址"),
    ],
)
def test_what_is_wrong_and_what_to_do(error: ConnectorError, wrong: str, next_step: str) -> None:
    said = reasons_of(error, "https://a.example", live=True)
    assert len(said) == 2
    assert wrong in said[0]
    assert next_step in said[1]


@pytest.mark.parametrize("kind", ErrorKind)
def test_nobody_is_told_to_wait_for_the_system(kind: ErrorKind) -> None:
    for code in ("", "ConnectError", "503"):
        text = "".join(reasons_of(ConnectorError(kind, "出错了", code=code), "", live=False))
        assert "系统会" not in text
        with speaking("en"):
            assert all(reasons_of(ConnectorError(kind, "出错了", code=code), "", live=False))


def test_a_limit_names_its_end() -> None:
    error = ConnectorError(K.rate_limited, "", retry_at=datetime(2026, 11, 27, 2, 30, tzinfo=UTC))
    assert "10:30" in reasons_of(error, "", live=True)[1]

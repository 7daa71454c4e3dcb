"""The platform's codes: every one has a kind and a sentence; what is known of a failed write; no secret gets out."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest

from connectors.base import AccountRef, ConnectorError, Effect, ErrorKind
from connectors.http import Answer, Http
from connectors.wechat.client import WechatConnector
from connectors.wechat.errors import CODES, error_of, next_day
from tests.connectors.wechat import Desk, answer
from tests.sims.wechat import Control

K = ErrorKind
NOW = datetime(2026, 11, 27, 15, 30, tzinfo=UTC)
# The table of the platform's documentation, by class, written down apart from the code.
CLASSES: dict[ErrorKind, tuple[int, ...]] = {
    K.transient: (-1, -1000, 9001002),
    K.rate_limited: (45011, 45066, 53501),
    K.quota_day: (45009, 48006, 45028),
    K.auth_expired: (40001, 40014, 42001, 41001),
    K.auth_human: (40013, 40125, 40164, 61003, 61007, 61023),
    K.permission: (48001, 48003, 48004, 48008, 50001, 50002, 53500, 88000),
    K.window_closed: (45015, 45047),
    K.target_refuses: (40003, 43004, 43019, 48002, 46004),
    K.content_rejected: (45002, 45003, 45004, 45008, 45166, 87014, 40007, 40118, 40121, 44003, 44004),
    K.bug: (40033, 47001, 45067),
    K.duplicate: (45065, 88005),
    K.not_found: (53502, 53600, 88001, 88004, 88008, 88009),
}


def failed(code: int, *, write: bool = True, status: int = 200, text: str = "said") -> ConnectorError:
    body = {"errcode": code, "errmsg": text}
    error = error_of(Answer(status, {}, json.dumps(body).encode(), write), body, NOW, ["topsecret"])
    assert error is not None
    return error


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in CLASSES.items() for code in codes])
def test_every_documented_code_has_its_kind(kind: ErrorKind, code: int) -> None:
    assert failed(code).kind is kind


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_of_the_table_says_something_to_people(code: int) -> None:
    error = failed(code)
    assert any("\u4e00" <= c <= "\u9fff" for c in error.human)
    assert error.code.startswith(str(code))
    assert failed(code, write=False).effect is Effect.not_done


def test_what_a_failed_write_did() -> None:
    assert failed(-1).effect is Effect.unknown
    assert failed(45065).effect is Effect.done
    assert failed(88005).effect is Effect.unknown
    for code in (40001, 45002, 45015, 48001, 12345):
        assert failed(code).effect is Effect.not_done
    broken = Answer(502, {}, b"{}", True)
    error = error_of(broken, {}, NOW, [])
    assert error is not None
    assert (error.kind, error.effect) == (K.transient, Effect.unknown)


def test_an_unknown_code_is_looked_at_when_writing_and_tried_again_when_reading() -> None:
    assert failed(123456).kind is K.protocol
    assert failed(123456, write=False).kind is K.transient
    assert "123456" in failed(123456).human


def test_when_to_try_again() -> None:
    assert failed(45011).retry_at == NOW + timedelta(minutes=1)
    assert failed(45009).retry_at == next_day(NOW) == datetime(2026, 11, 27, 16, 0, 5, tzinfo=UTC)
    assert failed(45002).retry_at is None


def test_the_address_to_be_listed_is_told() -> None:
    assert "203.0.113.9" in failed(40164, text="invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist").human


def test_no_code_is_a_success_and_odd_answers_are_none() -> None:
    assert error_of(Answer(200, {}, b"{}", True), {"media_id": "x"}, NOW, []) is None
    assert error_of(Answer(200, {}, b"{}", True), {"errcode": "0"}, NOW, []) is None
    odd: object
    for odd in ([], None, 3, "x"):
        error = error_of(Answer(200, {}, b"", True), odd, NOW, [])
        assert error is not None
        assert (error.kind, error.effect) == (K.protocol, Effect.unknown)
    assert failed(40001, text="token topsecret died").code == "40001 token *** died"


SECRETS = {"app_secret": "s3cret-of-app", "token": "push-t0ken", "aes_key": "a" * 43, "access_token": "acc3ss-token-x"}


async def test_the_token_in_the_address_reaches_no_log_and_no_error(
    caplog: pytest.LogCaptureFixture,
    wechat_desk: Desk,
    wechat_platform: Control,
) -> None:
    caplog.set_level(logging.DEBUG)
    access = wechat_desk.ref.secrets["access_token"]
    wechat_platform.fault("code", "message", code=40001, errmsg=f"invalid credential {access}")
    errors = []
    for url in ("http://127.0.0.1:9", "http://127.0.0.1:bad", "ht!tp://x", wechat_platform.base_url):
        ref = AccountRef(1, "wechat", "x", "gh_1", url, {**SECRETS, "access_token": access}, {"app_key": "wx1"})
        for call in (
            lambda ref=ref: wechat_desk.client.reply(ref, answer("好", "o1")),
            lambda ref=ref: wechat_desk.client.refresh(ref),
            lambda ref=ref: wechat_desk.client.poll_job(ref, "publish:1"),
        ):
            with pytest.raises(ConnectorError) as caught:
                await call()
            errors.append(caught.value)
        errors.append(ConnectorError(K.bug, repr(ref)))
    said = (
        "\n".join(f"{e!r} {e} {e.human} {e.code} {e.__cause__!r} {e.__context__ and ''}" for e in errors) + caplog.text
    )
    for secret in (*SECRETS.values(), access):
        assert secret not in said


async def test_without_a_token_nothing_is_called() -> None:
    client = WechatConnector(Http(live=False))
    ref = AccountRef(1, "wechat", "x", "gh_1", "http://127.0.0.1:9", {"app_secret": "s"}, {"app_key": "wx1"})
    with pytest.raises(ConnectorError) as caught:
        await client.reply(ref, answer("好", "o1"))
    assert (caught.value.kind, caught.value.effect) == (K.auth_expired, Effect.not_done)

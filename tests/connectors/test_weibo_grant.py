"""Access to Weibo: granted on its page, looked after, lost in every way it can be lost; always said in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connectors.base import AccountRef, ConnectorError, ErrorKind
from connectors.weibo.client import WeiboConnector
from connectors.weibo.settings import HOSTS, domains, hosts
from tests.sims.weibo import WeiboControl

BACK = "http://127.0.0.1:8000/accounts/authorised"


def before(weibo: WeiboControl, **options: str) -> AccountRef:
    """The account as it is described before anybody granted anything."""
    app = weibo.apps()[0]
    own = {"app_key": app["key"]} | options
    return AccountRef(0, "weibo", "临江发布", "", weibo.base_url, {"app_secret": app["secret"]}, own)


def on_the_page(url: str, account: str, answer: str = "yes") -> dict[str, str]:
    """A person looks at the page and answers; what the platform sends along on the way back."""
    with httpx.Client(trust_env=False) as browser:
        shown = browser.get(url)
        assert shown.status_code == 200, shown.text
        assert "临江发布" in shown.text
        hidden = dict(re.findall(r'name="(\w+)" value="([^"]*)"', shown.text.partition("<select")[0]))
        form = {name: value.replace("&amp;", "&") for name, value in hidden.items()}
        done = browser.post(
            urlsplit(url)._replace(query="").geturl(), data=form | {"account": account, "answer": answer}
        )
    assert done.status_code == 302
    target = urlsplit(done.headers["location"])
    assert target._replace(query="").geturl() == BACK
    return {name: values[0] for name, values in parse_qs(target.query).items()}


async def test_a_grant_by_page_from_end_to_end(weibo: WeiboControl, microblog: WeiboConnector) -> None:
    uid = weibo.account("临江发布")["uid"]
    ref = before(weibo)
    query = on_the_page(microblog.authorise_url(ref, BACK, "s&=1"), uid)
    assert query["state"] == "s&=1"
    got = await microblog.exchange(ref, BACK, query)
    assert got.account_id == uid
    assert got.expires_at is not None
    assert got.expires_at - datetime.now(UTC) > timedelta(days=5 * 365 - 1)
    assert "2.00" not in repr(got)
    held = AccountRef(1, "weibo", "x", uid, ref.base_url, dict(ref.secrets) | got.secrets, ref.options)
    health = await microblog.check(held)
    assert (health.ok, health.account_id, health.account_name) == (True, uid, "临江发布")
    assert health.token_expires_at is not None
    assert abs(health.token_expires_at - got.expires_at) < timedelta(minutes=1)
    assert await microblog.refresh(held) is None
    with pytest.raises(ConnectorError) as caught:
        await microblog.exchange(ref, BACK, query)
    assert caught.value.kind is ErrorKind.auth_human
    assert "授权码" in caught.value.human


async def test_ways_a_grant_does_not_come_about(weibo: WeiboControl, microblog: WeiboConnector) -> None:
    uid = weibo.account("临江发布")["uid"]
    other = weibo.account("别的账号")["uid"]
    ref = before(weibo)
    url = microblog.authorise_url(ref, BACK, "s")
    denied = on_the_page(url, uid, "no")
    wrong_secret = AccountRef(0, "weibo", "x", "", ref.base_url, {"app_secret": "wrong"}, ref.options)
    somebody = AccountRef(1, "weibo", "x", uid, ref.base_url, ref.secrets, ref.options)
    for account, query, words in (
        (ref, denied, "没有同意"),
        (ref, {}, "没有带回授权码"),
        (ref, {"code": "made up"}, "授权码"),
        (wrong_secret, on_the_page(url, uid), "App Secret"),
        (somebody, on_the_page(url, other), "另一个微博账号"),
    ):
        with pytest.raises(ConnectorError) as caught:
            await microblog.exchange(account, BACK, query)
        assert caught.value.kind is ErrorKind.auth_human
        assert words in caught.value.human
    with pytest.raises(ConnectorError) as caught:
        await microblog.exchange(ref, BACK + "/elsewhere", on_the_page(url, uid))
    assert "回调地址" in caught.value.human


def test_the_page_refuses_strangers(weibo: WeiboControl, microblog: WeiboConnector) -> None:
    weibo.account("临江发布")
    weibo.app(callback="http://127.0.0.1:8000/")
    ref = before(weibo)
    assert httpx.get(microblog.authorise_url(ref, BACK, "s"), trust_env=False).status_code == 200
    for address in ("http://127.0.0.1:9999/x", "javascript:alert(1)", "http://["):
        refused = httpx.get(microblog.authorise_url(ref, address, "s"), trust_env=False)
        assert refused.status_code == 400
        assert "21322" in refused.text
    unknown = AccountRef(0, "weibo", "x", "", ref.base_url, {}, {"app_key": "1"})
    assert httpx.get(microblog.authorise_url(unknown, BACK, "s"), trust_env=False).status_code == 400
    assert microblog.authorise_url(AccountRef(0, "weibo", "x", "", "", {}, {}), BACK, "s") == ""


@pytest.mark.parametrize(
    ("why", "words"),
    [("expired", "已过期"), ("revoked", "授权已被取消"), ("withdrawn", "账号的主人"), ("password", "改过密码")],
)
async def test_a_grant_that_ended_says_how(
    weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef, why: str, words: str
) -> None:
    assert (await microblog.check(press)).ok
    weibo.end(press.external_id, why)
    health = await microblog.check(press)
    assert not health.ok
    assert words in health.note
    assert "授权" in health.note
    with pytest.raises(ConnectorError) as caught:
        await microblog.pull(press, "incoming", {})
    assert caught.value.kind is ErrorKind.auth_human


@pytest.mark.parametrize("code", [10014, 20003])
async def test_an_app_that_may_not_ask_for_names_is_connected_all_the_same(
    weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef, code: int
) -> None:
    weibo.fault("refuse", operation="check", code=code)
    health = await microblog.check(press)
    assert (health.ok, health.account_id, health.account_name) == (True, press.external_id, "")


async def test_a_token_of_somebody_else(weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef) -> None:
    other = AccountRef(1, "weibo", "x", "12345", press.base_url, press.secrets, press.options)
    health = await microblog.check(other)
    assert not health.ok
    assert "临江发布" in health.note
    nobody = AccountRef(1, "weibo", "x", "", press.base_url, {}, press.options)
    assert "还没有授权" in (await microblog.check(nobody)).note


async def test_no_secret_is_ever_said(weibo: WeiboControl, microblog: WeiboConnector, press: AccountRef) -> None:
    weibo.fault("refuse", operation="any", code=10008)
    with pytest.raises(ConnectorError) as caught:
        await microblog.exists(press, "1")
    said = str(caught.value) + repr(caught.value) + repr(press)
    assert not any(secret in said for secret in press.secrets.values())
    assert not any(secret in call["path"] for call in weibo.asked() for secret in press.secrets.values())


@pytest.mark.parametrize("base", ["", "https://api.weibo.com", "https://api.weibo.com/"])
def test_addresses_of_the_real_platform(base: str) -> None:
    found = hosts(
        AccountRef(1, "weibo", "x", "1", base, {}, {"hosts": "m=https://proxy.example.cn/m/，rm＝http://r:1"})
    )
    assert (found.api, found.c, found.upload) == (HOSTS["api"], HOSTS["c"], HOSTS["upload"])
    assert (found.m, found.rm) == ("https://proxy.example.cn/m", "http://r:1")


def test_what_is_no_address_sets_none() -> None:
    found = hosts(AccountRef(1, "weibo", "x", "1", "", {}, {"hosts": "upload=https://[a m=proxy c = https://c.cn"}))
    assert (found.upload, found.m, found.c) == (HOSTS["upload"], HOSTS["m"], "https://c.cn")


def test_one_local_server_for_all() -> None:
    found = hosts(AccountRef(1, "weibo", "x", "1", "http://127.0.0.1:8001/", {}, {}))
    assert {found.api, found.rm, found.m, found.c, found.upload} == {"http://127.0.0.1:8001"}


def test_domains_however_they_are_typed() -> None:
    typed = "www.A.gov.cn，https://b.gov.cn/x; c.gov.cn\nd.gov.cn:8080 http://["
    ref = AccountRef(1, "weibo", "x", "1", "", {}, {"domains": typed})
    assert domains(ref) == ("www.a.gov.cn", "b.gov.cn", "c.gov.cn", "d.gov.cn")

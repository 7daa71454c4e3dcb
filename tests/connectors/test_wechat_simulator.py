"""The simulator as people use it: a page without scripts, one command, memory across a restart."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sims.wechat import _NO_TLS, PNG, Control, WechatProcess


@pytest.fixture
def page(wechat_platform: Control) -> Iterator[httpx.Client]:
    wechat_platform.post("reset")
    with httpx.Client(base_url=wechat_platform.base_url, verify=_NO_TLS, trust_env=False, timeout=20) as client:
        yield client


def say(page: httpx.Client, name: str, /, **form: str) -> str:
    """Send one form of the page; the page afterwards."""
    answer = page.post(f"/say/{name}", data=form, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_an_empty_platform_says_what_to_do_first(page: httpx.Client) -> None:
    empty = page.get("/")
    assert "还没有公众号" in empty.text
    assert "script" not in empty.text
    assert "default-src 'none'" in empty.headers["content-security-policy"]
    assert page.get("/page.css").headers["content-type"].startswith("text/css")


def test_a_person_plays_follower_and_back_office(page: httpx.Client, wechat_platform: Control) -> None:
    made = say(page, "account", name="临江发布")
    app = re.search(r"wx[0-9a-f]{16}", made)
    assert app
    given = {"app": app[0], "author": "老陈"}
    assert "路灯坏了&lt;b&gt;" in say(page, "message", text="路灯坏了<b>", **given)
    shown = page.get("/", params={"app": app[0]}).text
    assert "还可答复 5 次" in shown
    (citizen,) = wechat_platform.state()["citizens"]
    assert "已取消关注" in say(page, "leave", app=app[0], openid=citizen)
    say(page, "settings", app=app[0], mode="secure", review="4", push_url="http://127.0.0.1:9/x", comments="1")
    settings = page.get("/", params={"app": app[0]}).text
    assert re.search(r'<option value="secure" selected>', settings)
    assert re.search(r'<option value="4" selected>', settings)


def test_an_article_is_shown_without_anything_that_runs(page: httpx.Client, wechat_platform: Control) -> None:
    account = wechat_platform.account()
    access = page.post(
        "/cgi-bin/stable_token",
        json={"grant_type": "client_credential", "appid": account["app"], "secret": account["secret"]},
    ).json()["access_token"]
    call: dict[str, Any] = {"params": {"access_token": access, "type": "image"}}
    cover = page.post("/cgi-bin/material/add_material", files={"media": ("a.png", PNG)}, **call).json()
    evil = '<p onclick="x()">正文<script>alert(1)</script><iframe src="x"></iframe></p>'
    evil += f'<img src="{cover["url"]}" onerror="y()">'
    article = {"title": "<i>标题</i>", "content": evil, "thumb_media_id": cover["media_id"], "need_open_comment": 1}
    draft = page.post("/cgi-bin/draft/add", content=_raw({"articles": [article]}), **call).json()["media_id"]
    page.post("/cgi-bin/freepublish/submit", json={"media_id": draft}, **call)
    state = wechat_platform.until(lambda s: s["articles"])
    shown = page.get("/", params={"app": account["app"]}).text
    assert "&lt;i&gt;标题&lt;/i&gt;" in shown
    for bad in ("alert(1)", "onclick", "onerror", "iframe"):
        assert bad not in shown
    found = re.findall(r'src="(/pictures/[\w-]+)"', shown)
    assert len(found) == 2
    assert page.get(found[0]).content == PNG
    (number, standing), *_ = state["articles"].items()
    say(page, "comment", app=account["app"], author="读者", article=standing["msg_data_id"], text="什么时候来水？")
    assert "什么时候来水？" in page.get("/").text
    assert "已被平台下线" in say(page, "takedown", app=account["app"], article=number)


def _raw(values: dict[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode()


def test_forms_of_another_site_are_refused(page: httpx.Client) -> None:
    answer = page.post("/say/account", data={"name": "x"}, headers={"Origin": "http://evil.test"})
    assert answer.status_code == 403


def test_odd_calls_are_answered_as_the_platform_answers(page: httpx.Client, wechat_platform: Control) -> None:
    account = wechat_platform.account()
    access = page.post(
        "/cgi-bin/stable_token",
        json={"grant_type": "client_credential", "appid": account["app"], "secret": account["secret"]},
    ).json()["access_token"]
    where = {"access_token": access}
    for content, code in (
        (b"{", 47001),
        (b"[]", 47001),
        (b'{"touser": "\\u4e2d"}', 40033),
        (b"{}", 40003),
    ):
        answer = page.post("/cgi-bin/message/custom/send", params=where, content=content)
        assert (answer.status_code, answer.json()["errcode"]) == (200, code)
    for params, code in (({}, 41001), ({"access_token": "x"}, 40001)):
        assert page.get("/cgi-bin/draft/count", params=params).json()["errcode"] == code


def test_it_remembers_what_it_was_told_to_keep(tmp_path: Path) -> None:
    process = WechatProcess(tmp_path / "kept")
    try:
        account = process.start().account("临江发布")
        Control(process.base_url).say(account, "路灯坏了")
        process.kill()
        control = process.start()
        assert control.account("临江发布")["app"] == account["app"]
        assert control.says("citizen") == ["路灯坏了"]
    finally:
        process.kill()

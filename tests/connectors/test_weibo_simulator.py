"""The Weibo simulator itself: started by the command, its console, its rules to the number, what only it answers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sims.weibo import LINK, WeiboControl

ROOT = Path(__file__).resolve().parents[2]
Caller = Any


@pytest.fixture
def browser(weibo: WeiboControl) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=weibo.base_url, trust_env=False) as client:
        yield client


class Api:
    """Plain calls with an account's token."""

    def __init__(self, client: httpx.Client, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"OAuth2 {token}"}

    def get(self, path: str, **values: str) -> Any:
        return self._client.get(f"/2/{path}.json", params=values, headers=self._headers).json()

    def post(self, path: str, **values: str) -> Any:
        return self._client.post(f"/2/{path}.json", data=values, headers=self._headers).json()

    def code(self, path: str, **values: str) -> int:
        return int(self.post(path, **values).get("error_code", 0))


@pytest.fixture
def account(weibo: WeiboControl) -> dict[str, Any]:
    return weibo.account("临江发布")


@pytest.fixture
def api(weibo: WeiboControl, browser: httpx.Client, account: dict[str, Any]) -> Api:
    return Api(browser, weibo.token(account["uid"]))


def test_the_command_serves_and_keeps_its_data(tmp_path: Path) -> None:
    """``hub sim weibo``: ready line, pages, SIGTERM, the same account on the next start; a taken port is a sentence."""

    def start(*more: str) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "web.cli", "sim", "weibo", *more], cwd=ROOT, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        assert process.stdout is not None
        return process, process.stdout.readline().strip().removeprefix("ready ")

    seen = []
    for _ in range(2):
        process, url = start("--port", "0", "--data", str(tmp_path))
        assert httpx.get(f"{url}/health", trust_env=False).json()["ok"]
        assert "微博模拟器" in httpx.get(url, trust_env=False).text
        seen.append(httpx.get(f"{url}/control/accounts", trust_env=False).json()["accounts"])
        taken, said = start("--port", url.rpartition(":")[2])
        assert taken.wait(30) == 1
        assert said == ""
        assert "已被占用" in taken.communicate()[1]
        process.terminate()
        assert process.wait(15) in (0, -15)
        process.communicate()
    assert seen[0] == seen[1]
    assert [one["screen_name"] for one in seen[0]] == ["临江发布"]


def test_budgets_end_at_their_number(weibo: WeiboControl, api: Api, account: dict[str, Any]) -> None:
    weibo.rules(calls_per_day=10, writes_per_hour=3)
    assert [api.code("statuses/share", status=f"通知 {n} {LINK}") for n in range(4)] == [0, 0, 0, 20016]
    assert [api.get("account/get_uid").get("error_code", 0) for _ in range(7)] == [0] * 6 + [10023]
    told = api.get("account/rate_limit_status")
    assert (told["user_limit"], told["remaining_user_hits"]) == (10, 0)
    assert 0 < told["reset_time_in_seconds"] <= 86_400
    assert told["api_rate_limits"][0]["remaining_hits"] == 0
    weibo.forget_spending()
    weibo.rules(calls_per_day=1000, calls_per_hour_from_one_address=5)
    assert [api.get("account/get_uid").get("error_code", 0) for _ in range(6)] == [0] * 5 + [10022]
    assert weibo.budget(account["uid"])["remaining_ip_hits"] == 0


def test_a_day_and_an_hour_begin_anew(weibo: WeiboControl, api: Api) -> None:
    weibo.rules(calls_per_day=2)
    noon = 1_795_752_000.0
    weibo.clock(noon)
    try:
        assert [api.get("account/get_uid").get("error_code", 0) for _ in range(3)] == [0, 0, 10023]
        weibo.clock(noon + 86_400)
        assert api.get("account/get_uid").get("error_code", 0) == 0
    finally:
        weibo.clock(None)


def test_grants_live_and_end(weibo: WeiboControl, browser: httpx.Client, account: dict[str, Any]) -> None:
    weibo.app(life=3600)
    token = weibo.token(account["uid"])
    told = browser.post("/oauth2/get_token_info", data={"access_token": token}).json()
    assert (str(told["uid"]), told["expire_in"]) == (account["uid"], 3600) or told["expire_in"] == 3599
    assert browser.post("/oauth2/revokeoauth2", data={"access_token": token}).json() == {"result": "true"}
    assert Api(browser, token).get("account/get_uid")["error_code"] == 21321
    short = weibo.app(life=0.2)
    assert short["life"] == 0.2
    dead = weibo.token(account["uid"])
    weibo.clock(time.time() + 1)
    try:
        assert Api(browser, dead).get("account/get_uid")["error_code"] == 21327
        assert browser.post("/oauth2/get_token_info", data={"access_token": dead}).json()["error_code"] == 21327
    finally:
        weibo.clock(None)
    assert Api(browser, "nonsense").get("account/get_uid")["error_code"] == 21332
    assert browser.get("/2/account/get_uid.json").json()["error_code"] == 10006


def test_the_same_again_is_refused_for_a_while(weibo: WeiboControl, api: Api, account: dict[str, Any]) -> None:
    [mention] = weibo.mentions(account["uid"], "路灯坏了")
    text = f"通知 {LINK}"
    assert [api.code("statuses/share", status=text) for _ in range(2)] == [0, 20019]
    assert api.code("statuses/share", status=f"通知！！ {LINK}") == 20017
    assert [api.code("comments/create", id=mention, comment="好的") for _ in range(2)] == [0, 20019]
    assert [api.code("statuses/repost", id=mention, status="转") for _ in range(2)] == [0, 20111]
    weibo.rules(duplicate_seconds=0)
    assert api.code("statuses/share", status=text) == 0


def test_topics_lose_their_marks(weibo: WeiboControl, api: Api) -> None:
    assert api.post("statuses/share", status=f"#停水# 通知 {LINK}")["text"] == f"停水 通知 {LINK}"


def test_what_only_this_platform_answers(
    weibo: WeiboControl, api: Api, browser: httpx.Client, account: dict[str, Any]
) -> None:
    uid = account["uid"]
    made = weibo.mentions(uid, "路灯 {n}", count=7)
    dead = api.get("statuses/mentions/ids")
    assert (dead["statuses"], dead["total_number"]) == ([], 7)
    posts = weibo.posts(uid, "通知 {n}", count=8)
    own = api.get("statuses/user_timeline", count="50")
    assert [one["idstr"] for one in own["statuses"]] == posts[:2:-1]
    assert (own["total_number"], own["next_cursor"]) == (8, 0)
    assert len(api.get("statuses/user_timeline/biz", count="50")["statuses"]) == 8
    short = api.get("statuses/querymid", id=made[0], type="1", is_batch="1")[0][made[0]]
    assert api.get("statuses/queryid", mid=short, type="1", is_batch="1", isBase62="1") == [{short: made[0]}]
    assert api.get("statuses/queryid", mid=short, type="1", isBase62="1") == {"id": made[0]}
    [comment] = weibo.comments("好", post=posts[0])
    below = api.post("comments/reply", cid=comment, id=posts[0], comment="谢谢")["idstr"]
    assert [one["idstr"] for one in api.post("comments/destroy_batch", cids=f"{below},{comment},1")] == [below]
    assert len(api.get("comments/show", id=posts[0])["comments"]) == 1
    assert api.get("statuses/count", ids="")["error_code"] == 20001
    assert api.get("statuses/count", ids=",".join(["1"] * 101))["error_code"] == 20009
    assert api.get("users/show", screen_name="nobody")["error_code"] == 20003
    assert api.post("eps/push/set_format", format="xml") == {"result": True}
    assert api.code("eps/push/set_format", format="csv") == 10008
    assert browser.get("/2/mss/msget", params={"fid": "1", "access_token": account["token"]}).content[:3] == b"GIF"
    assert browser.get("/2/mss/msget", params={"fid": "1"}).json()["error_code"] == 21332


def test_a_deleted_post_is_a_stub_under_its_comments(weibo: WeiboControl, api: Api, account: dict[str, Any]) -> None:
    [post] = weibo.posts(account["uid"], "通知")
    weibo.comments("几点？", post=post)
    weibo.take_down(post)
    [comment] = api.get("comments/to_me")["comments"]
    assert comment["status"]["deleted"] == "1"
    assert "user" not in comment["status"]
    assert api.get("statuses/show", id=post)["error_code"] == 20101


def test_the_console_registers_and_ends(weibo: WeiboControl, browser: httpx.Client, account: dict[str, Any]) -> None:
    uid = account["uid"]
    token = weibo.token(uid)
    form = {"callback": "http://127.0.0.1:8000/", "domains": "a.gov.cn", "commercial": "1"}
    assert browser.post("/open/app", data=form).headers["location"] == "/open"
    app = weibo.apps()[0]
    assert (app["callback"], app["domains"], app["level"]) == ("http://127.0.0.1:8000/", "a.gov.cn", "commercial")
    browser.post("/open/account", data={"screen_name": "清河发布", "kind": "3"})
    assert [one["screen_name"] for one in weibo.accounts()] == ["临江发布", "清河发布"]
    browser.post("/open/push", data={"account": uid, "push_url": "http://127.0.0.1:9/x", "format": "xml"})
    browser.post("/open/rules", data={"calls_per_day": "250"})
    shown = browser.get("/open").text
    for words in (app["key"], app["secret"], "清河发布", "250", "http://127.0.0.1:9/x", "有效至"):
        assert words in shown
    browser.post("/open/end", data={"account": uid, "why": "password"})
    assert Api(browser, token).get("account/get_uid")["error_code"] == 21332
    assert "改过密码" in browser.get("/open").text


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/open/account", {"screen_name": ""}),
        ("/open/account", {"screen_name": "临江发布"}),
        ("/open/account", {"screen_name": "x", "kind": "y"}),
        ("/open/push", {"account": "nobody"}),
        ("/open/end", {"account": "临江发布", "why": "x"}),
        ("/open/rules", {"calls_per_day": "-1"}),
    ],
)
def test_what_makes_no_sense_is_refused(
    browser: httpx.Client, account: dict[str, Any], path: str, form: dict[str, str]
) -> None:
    answer = browser.post(path, data=form)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text


def test_another_site_cannot_press_the_buttons(browser: httpx.Client, account: dict[str, Any]) -> None:
    form = {"account": account["uid"], "why": "revoked"}
    answer = browser.post("/open/end", data=form, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert browser.get("/open", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("apps", {"nonsense": 1}),
        ("apps", {"level": "x"}),
        ("tokens/end", {"account": "临江发布", "why": "x"}),
        ("tokens", {"account": "nobody"}),
        ("rules", {"nonsense": 1}),
        ("fan", {"account": "临江发布", "format": "csv"}),
        ("figures", {"item": "1"}),
        ("late", {"account": "临江发布", "item": "1"}),
    ],
)
def test_control_calls_that_make_no_sense(
    browser: httpx.Client, account: dict[str, Any], path: str, body: dict[str, Any]
) -> None:
    answer = browser.post(f"/control/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]

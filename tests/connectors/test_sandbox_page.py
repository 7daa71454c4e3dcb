"""The page a person types into, the control API's manners, and its reference page."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from connectors.base import Kind, Outgoing
from connectors.sandbox.client import SandboxConnector
from connectors.sandbox.server.control import routes
from connectors.sandbox.server.faults import KINDS, OPERATIONS
from connectors.sandbox.server.page import OFFERS
from connectors.sandbox.server.wire import BROKEN
from tests.sims.sandbox import Control, SandboxProcess

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def browser(sandbox: Control):  # type: ignore[no-untyped-def]
    with httpx.Client(base_url=sandbox.base_url, follow_redirects=True, trust_env=False, verify=False) as client:
        yield client


async def test_a_typed_mention_reaches_the_account_and_its_answer_stands_below(
    sandbox: Control, browser: httpx.Client, client: SandboxConnector
) -> None:
    account = sandbox.account("临江发布")
    ref = sandbox.ref(account)
    form = {"author": "小明", "account": account["uid"], "text": "解放路路灯不亮"}
    assert "@临江发布 解放路路灯不亮" in browser.post("/say/mention", data=form).text
    [item] = (await client.pull(ref, "mentions", {})).items
    found = client.parse(ref, item)
    assert (found.text, found.author.name) == ("@临江发布 解放路路灯不亮", "小明")
    await client.reply(ref, Outgoing("已通知市政部门", "k", found.external_id, Kind.mention, found.thread_id))
    page = browser.get("/").text
    assert page.index("解放路路灯不亮") < page.index("已通知市政部门")
    assert found.external_id in page
    assert "已通知市政部门" in browser.get(f"/item/{found.external_id}").text


def test_comments_and_private_messages_can_be_typed(sandbox: Control, browser: httpx.Client) -> None:
    account = sandbox.account("临江发布")
    [post] = sandbox.posts(account["uid"], "停水通知")
    assert "停到几点" in browser.post("/say/comment", data={"target": post, "author": "老王", "text": "停到几点"}).text
    form = {"account": account["uid"], "author": "小赵", "text": "想反映一件事"}
    page = browser.post("/say/message", data=form).text
    assert "想反映一件事" in page
    assert "私信" in page


def test_everything_typed_is_escaped(sandbox: Control, browser: httpx.Client) -> None:
    account = sandbox.account("临江<i>发布")
    form = {"author": "<script>a", "account": account["uid"], "text": "<img src=x onerror=alert(1)>\u202e\x00😀"}
    answer = browser.post("/say/mention", data=form)
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "<img" not in answer.text
    assert "<i>" not in answer.text
    assert "&lt;img src=x" in answer.text
    assert "script" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "form", "sentence"),
    [
        ("/say/mention", {"text": "无账号"}, "请先选择一个政务账号"),
        ("/say/comment", {"target": "999", "text": "x"}, "不存在或已被删除"),
        ("/say/comment", {"target": "x" * 50, "text": "x"}, "不存在或已被删除"),
        ("/say/fault", {"fault": "nonsense"}, "请选择一种故障"),
        ("/say/fault", {"fault": "drop", "account": "nobody"}, "nobody"),
        ("/say/removal", {"target": "1"}, "已经不在了"),
    ],
)
def test_a_wrong_form_is_one_sentence(
    sandbox: Control, browser: httpx.Client, path: str, form: dict[str, str], sentence: str
) -> None:
    answer = browser.post(path, data=form)
    assert answer.status_code == 400
    assert sentence in answer.text


def test_an_empty_or_endless_text_is_one_sentence(sandbox: Control, browser: httpx.Client) -> None:
    account = sandbox.account("临江发布")
    assert "不能为空" in browser.post("/say/mention", data={"account": account["uid"], "text": "  "}).text
    assert "过长" in browser.post("/say/mention", data={"account": account["uid"], "text": "x" * 20_001}).text


@pytest.mark.parametrize("offer", sorted(OFFERS))
def test_every_fault_on_offer_can_be_set_seen_and_lifted(sandbox: Control, browser: httpx.Client, offer: str) -> None:
    sandbox.account("临江发布")
    page = browser.post("/say/fault", data={"fault": offer, "account": ""}).text
    [fault] = sandbox.faults()
    assert fault["kind"] == OFFERS[offer][1]["kind"]
    assert "全部恢复正常" in page
    assert "一切正常" in browser.post("/say/repair").text
    assert sandbox.faults() == []


def test_the_page_says_what_it_is_and_pages_through_old_threads(sandbox: Control, browser: httpx.Client) -> None:
    assert "还没有政务账号" in browser.get("/").text
    account = sandbox.account("临江发布")
    sandbox.mentions(account["uid"], "第 {n} 条", count=25)
    page = browser.get("/").text
    assert "沙箱平台 · 演示用" in page
    assert page.count("<article") == 20
    older = re.search(r'href="(/\?before=\d+)"', page)
    assert older is not None
    assert browser.get(older[1]).text.count("<article") == 5
    assert browser.get("/item/12345").status_code == 404
    assert browser.get("/page.css").headers["content-type"].startswith("text/css")


def test_foreign_sites_and_hosts_are_refused(sandbox: Control, browser: httpx.Client) -> None:
    account = sandbox.account("临江发布")
    form = {"account": account["uid"], "text": "x"}
    assert browser.post("/say/mention", data=form, headers={"Origin": "http://evil.example"}).status_code == 403
    assert browser.post("/control/reset", headers={"Origin": "http://evil.example"}).status_code == 403
    assert browser.get("/", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "nonsense"},
        {"kind": "drop", "operation": "nonsense"},
        {"kind": "drop", "account": "nobody"},
        {"kind": "drop", "seconds": 1},
        {"kind": "delay", "seconds": "x"},
        {"kind": "drop", "when": "never"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(sandbox: Control, body: dict[str, object]) -> None:
    with pytest.raises(httpx.HTTPStatusError):
        sandbox._call("POST", "/control/faults", body)
    assert sandbox.faults() == []


def test_bulk_is_all_or_none(sandbox: Control) -> None:
    account = sandbox.account("临江发布")
    with pytest.raises(httpx.HTTPStatusError):
        sandbox.items("mentions", [{"text": "好"}, {"text": " "}], account=account["uid"])
    assert sandbox.items("mentions", [{"text": str(n)} for n in range(1000)], account=account["uid"])[999]


def test_the_reference_page_names_everything() -> None:
    page = (ROOT / "docs/reference/sandbox.md").read_text(encoding="utf-8")
    for route in routes():
        path = re.sub(r":int\}", "}", route.path)
        [method] = set(route.methods or ()) - {"HEAD"}
        assert f"`{method} {path}`" in page
    for name in (*KINDS, *OPERATIONS, *BROKEN):
        assert f"`{name}`" in page


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "connectors.sandbox", "--port", port, "--data", str(tmp_path)]
        done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "已被占用" in done.stderr


def test_the_process_stays_small_and_ends_on_sigterm(tmp_path: Path) -> None:
    process = SandboxProcess(tmp_path)
    control = Control(process.start())
    account = control.account("临江发布")
    control.mentions(account["uid"], "第 {n} 条", count=5000)
    httpx.get(control.base_url, trust_env=False, verify=False)
    assert psutil.Process(process.pid).memory_info().rss < 60 * 2**20
    assert process.stop() in (0, -15)

"""Accounts by command: connected, checked and listed; secrets never on the command line, never in an answer."""
# ruff: noqa: F811 -- the fixtures of another module

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from sqlmodel import col, select

from hub.db import open_context, reading
from hub.models import Account
from hub.settings import load
from tests.sims.sandbox import Control, SandboxProcess
from tests.sims.weibo import WeiboControl, WeiboProcess
from tests.web.test_commands import hub, ready  # noqa: F401

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    with SandboxProcess(tmp_path_factory.mktemp("sandbox"), push_interval=5.0) as control:
        yield control


def words_of(platform: Control, name: str) -> tuple[dict[str, str], list[str], dict[str, str]]:
    """The account there, the words of the command, the secrets as variables."""
    there = platform.account(name)
    secrets = {"HUB_ACCOUNT_TOKEN": there["token"], "HUB_ACCOUNT_APP_SECRET": there["app_secret"]}
    words = ["account", "add", "sandbox", "--name", name, "--base-url", platform.base_url]
    return there, [*words, f"--external-id={there['uid']}"], secrets


def test_add_check_list(ready: Run, platform: Control) -> None:
    there, words, secrets = words_of(platform, "栖澜发布")
    code, out, err = ready(*words, "--json", **secrets)
    assert code == 0, err
    told = json.loads(out)
    assert (told["name"], told["platform"], told["ok"], told["external_id"]) == (
        "栖澜发布",
        "sandbox",
        True,
        there["uid"],
    )
    assert there["token"] not in out + err
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/hooks/1/[0-9a-f]{32}", told["push_url"])
    code, out, _ = ready("account", "check", "栖澜发布", "--json")
    found = json.loads(out)
    assert (code, found["ok"], found["health"], found["platform_name"]) == (0, True, "fine", "栖澜发布")
    assert set(found) >= {"circuit", "expires_at", "budgets", "reasons", "pulled_at", "pushed_at", "renews_itself"}
    code, out, _ = ready("account", "list")
    assert code == 0
    assert "栖澜发布" in out
    assert [json.loads(line)["name"] for line in ready("account", "list", "--json")[1].splitlines()] == ["栖澜发布"]
    platform.account("栖澜发布", token="another-token-now")
    code, out, _ = ready("account", "check", "栖澜发布", "--json")
    assert code == 1
    assert json.loads(out)["ok"] is False
    assert json.loads(out)["reasons"]
    code, out, _ = ready("account", "check", "栖澜发布")
    said = "".join(out.split()).replace("│", "")
    assert code == 1
    for reason in json.loads(ready("account", "check", "栖澜发布", "--json")[1])["reasons"]:
        assert reason in said, "in full, however narrow the window"
    assert "push_url" not in json.loads(ready("account", "check", "栖澜发布", "--json")[1]), "it holds a password"
    code, out, err = ready("account", "check", "无此号")
    assert (code, out) == (1, "")
    assert "没有名称为「无此号」的账号" in err
    code, out, err = ready("account", "check", "无此号", "--json")
    assert (code, err) == (1, "")
    told = json.loads(out)
    assert (told["name"], told["ok"]) == ("无此号", False)
    assert "没有名称为「无此号」的账号" in told["reasons"][0]


def test_budgets_are_told_with_the_time_they_begin_anew(ready: Run, tmp_path: Path) -> None:
    with WeiboProcess(tmp_path) as weibo:
        control = WeiboControl(weibo.base_url)
        there, app = control.account("临江发布"), control.apps()[0]
        secrets = {"HUB_ACCOUNT_TOKEN": control.token(there["uid"]), "HUB_ACCOUNT_APP_SECRET": app["secret"]}
        words = ["--name", "临江微博", "--app-key", app["key"], "--base-url", weibo.base_url]
        assert ready("account", "add", "weibo", *words, **secrets)[0] == 0
        code, out, _ = ready("account", "check", "临江微博")
    assert code == 0
    line = next(line for line in out.splitlines() if line.startswith("调用额度 全部接口（每天）"))
    assert " / 100" in line
    assert line.endswith("重新计算")


def test_secrets_come_from_a_file_or_standard_input(
    ready: Run,
    platform: Control,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there, words, _ = words_of(platform, "栖澜城管")
    file = tmp_path / "secrets"
    file.write_text(f"# 凭据\ntoken = {there['token']}\napp_secret={there['app_secret']}\n", "utf-8")
    code, out, _ = ready(*words, "--secrets-file", str(file))
    assert code == 0
    assert "推送地址，填到平台后台（含口令，不要外传）：http://127.0.0.1:8000/hooks/1/" in out
    there, words, _ = words_of(platform, "栖澜交通")
    given = json.dumps({"token": there["token"], "app_secret": there["app_secret"]})
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    assert ready(*words, "--secrets-stdin")[0] == 0


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--token", "abcd-secret"], 2, "不要写在命令行上"),
        (["--colour", "red"], 2, "没有 --colour 这一项"),
        (["--external-id"], 2, "后面缺少值"),
        ([], 1, "token"),
        (["--department", "无此部门"], 1, "没有「无此部门」"),
    ],
)
def test_what_is_wrong_is_said(
    ready: Run,
    platform: Control,
    more: list[str],
    code: int,
    words: str,
) -> None:
    _, given, secrets = words_of(platform, "栖澜教育")
    some = secrets if "--department" in more else {}
    ended, out, err = ready(*given, *more, **some)
    assert ended == code, err
    assert words in err
    assert "abcd-secret" not in out + err


def test_unknown_platform(ready: Run) -> None:
    assert ready("account", "add", "nowhere", "--name", "x")[0] == 1
    code, out, _ = ready("account", "add", "nowhere", "--name", "x", "--json")
    assert code == 1
    assert json.loads(out) == {"name": "x", "platform": "nowhere", "ok": False, "reasons": ["没有这个平台。"]}


# --- rotating the key -----------------------------------------------------------------------------------------------


async def _sealed(folder: Path, **given: object) -> tuple[str, dict[str, str]]:
    ctx = open_context(load(folder, **given))
    try:
        async with reading(ctx) as unit:
            sealed = await unit.one(select(col(Account.sealed)))
        return sealed, ctx.vault.open(sealed)
    finally:
        await ctx.close()


def sealed_in(folder: Path, **given: object) -> tuple[str, dict[str, str]]:

    return asyncio.run(_sealed(folder, **given))


def test_everything_is_sealed_anew_with_the_newest_key(ready: Run, platform: Control, tmp_path: Path) -> None:
    there, words, secrets = words_of(platform, "栖澜人社")
    first, second, data = {"HUB_SECRET_KEY": "k" * 43}, {"HUB_SECRET_KEY": "n" * 43}, tmp_path / "data"
    assert ready(*words, **secrets, **first)[0] == 0
    assert ready("key", "rotate", **second)[0] == 1, "without the earlier key nothing opens, and nothing is changed"
    both = second | {"HUB_OLD_KEYS": "k" * 43}
    code, out, err = ready("key", "rotate", **both)
    assert code == 0, err
    assert "已重新加密 1 条" in out
    sealed, opened = sealed_in(data, secret_key="n" * 43)
    assert opened["token"] == there["token"]
    assert there["token"] not in sealed
    with pytest.raises(ValueError, match="another key"):
        sealed_in(data, secret_key="k" * 43)
    assert ready("account", "check", "栖澜人社", **second)[0] == 0
    assert ready("key", "rotate", "--new", **second)[0] == 3, "the key stands in the settings"


def test_a_new_key_in_the_data_folder(ready: Run, platform: Control, tmp_path: Path) -> None:
    there, words, secrets = words_of(platform, "栖澜生态")
    assert ready(*words, **secrets)[0] == 0
    before = (tmp_path / "data" / "secret.key").read_text()
    assert ready("key", "rotate", "--new")[0] == 0
    path, old = tmp_path / "data" / "secret.key", tmp_path / "data" / "secret.key.old"
    assert path.read_text() != before
    assert old.read_text().split() == [before]
    assert (path.stat().st_mode & 0o777, old.stat().st_mode & 0o777) == (0o600, 0o600)
    old.unlink()
    assert sealed_in(tmp_path / "data")[1]["token"] == there["token"], "the new key alone opens it"


def test_doctor_sees_a_key_that_is_short_and_one_that_opens_nothing(
    ready: Run, platform: Control, tmp_path: Path
) -> None:
    def finding(**variables: str) -> dict[str, Any]:
        found = {one["name"]: one for one in json.loads(ready("doctor", "--json", **variables)[1])}
        return cast(dict[str, Any], found["密钥文件"])

    _, words, secrets = words_of(platform, "栖澜水务")
    assert ready(*words, **secrets)[0] == 0
    assert finding()["ok"]
    assert "太短" in finding(HUB_SECRET_KEY="zhengfu2026")["said"]
    another = finding(HUB_SECRET_KEY="k" * 43)
    assert not another["ok"]
    assert "栖澜水务" in another["said"]
    assert "HUB_OLD_KEYS" in another["advice"]
    was = (tmp_path / "data/secret.key").read_text().strip()
    assert finding(HUB_SECRET_KEY="k" * 43, HUB_OLD_KEYS=was)["ok"]

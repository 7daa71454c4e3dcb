"""The pretend WeChat platform as a process of its own, and the control API it offers to tests.

::

    with WechatProcess() as control:
        account = control.account("临江发布", push_url=...)
        control.say(account, "路灯坏了", author="老陈")
"""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from connectors.base import AccountRef, Attachment, Published

ROOT = Path(__file__).resolve().parents[2]
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100"
    "18dd8db00000000049454e44ae426082"
)
JPG = b"\xff\xd8\xff\xe0" + bytes(200)


def picture(data: bytes = PNG, mime: str = "image/png", description: str = "") -> Attachment:
    return Attachment("a.png", mime, data, description, 900, 383)


class WechatProcess:
    """One simulator; without ``data`` it forgets everything when it ends."""

    def __init__(self, data: Path | None = None) -> None:
        self.data = data
        self.process: subprocess.Popen[str] | None = None
        self.base_url = ""

    def start(self) -> Control:
        options = ["--data", str(self.data)] if self.data else []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "connectors.wechat.simulator", "--port", "0", *options],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready "), f"the simulator did not start: exit code {self.process.wait(5)}"
        self.base_url = line.removeprefix("ready ").strip()
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                httpx.get(f"{self.base_url}/health", timeout=2, verify=_NO_TLS, trust_env=False)
                return Control(self.base_url)
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("the simulator does not answer")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(15)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def __enter__(self) -> Control:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()


class Control:
    """One method per control call."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def post(self, name: str, /, **values: Any) -> dict[str, Any]:
        answer = httpx.post(f"{self.base_url}/control/{name}", json=values, timeout=30, verify=_NO_TLS, trust_env=False)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def state(self) -> dict[str, Any]:
        answer = httpx.get(f"{self.base_url}/control/state", timeout=30, verify=_NO_TLS, trust_env=False)
        return dict(answer.json())

    def account(self, name: str = "临江发布", **fields: Any) -> dict[str, Any]:
        return dict(self.post("accounts", name=name, **fields)["account"])

    def say(self, account: Mapping[str, Any], text: str, author: str = "老陈", **more: Any) -> dict[str, Any]:
        return self.post("messages", app=account["app"], author=author, text=text, **more)

    def fault(self, kind: str, path: str, **more: Any) -> None:
        self.post("faults", kind=kind, path=f"/cgi-bin/{path}", **more)

    def calls(self, path: str) -> list[dict[str, Any]]:
        """What reached the platform under a path, as it was answered."""
        return [call for call in self.state()["calls"] if call["path"] == f"/cgi-bin/{path}"]

    def api(self, access: str, path: str, body: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """A call of the platform's own interface, for what a test needs to stand there."""
        answer = httpx.post(
            f"{self.base_url}/cgi-bin/{path}", params={"access_token": access, "type": "image"}, json=body, timeout=30,
            verify=_NO_TLS, trust_env=False, **more,
        )  # fmt: skip
        return dict(answer.json())

    def stand(self, account: Mapping[str, Any], at: datetime) -> Published:
        """An article that takes comments, as the hub would remember it."""
        asked = {"grant_type": "client_credential", "appid": account["app"], "secret": account["secret"]}
        access = self.api("", "stable_token", asked)["access_token"]
        cover = self.api(access, "material/add_material", files={"media": ("a.png", PNG)})["media_id"]
        article = {"title": "停水通知", "content": "<p>明早停水</p>", "thumb_media_id": cover, "need_open_comment": 1}
        draft = self.api(access, "draft/add", {"articles": [article]})["media_id"]
        data_id = str(self.api(access, "freepublish/submit", {"media_id": draft})["msg_data_id"])
        standing = self.until(lambda state: state["articles"])["articles"]
        number = next(key for key, row in standing.items() if row["msg_data_id"] == data_id)
        return Published(number, at, {"msg_data_id": data_id})

    def says(self, who: str) -> list[str]:
        return [said["text"] for said in self.state()["says"] if said["who"] == who]

    def ref(
        self, account: Mapping[str, Any], *, access: str = "", published: tuple[Published, ...] = (), **options: Any
    ) -> AccountRef:
        """The account as a connector sees it; ``access``: an access token."""
        keys = {"app_secret": account["secret"], "token": account["token"], "aes_key": account["aes_key"]}
        keys |= {"access_token": access} if access else {}
        return AccountRef(
            1, "wechat", account["name"], account["gh"], self.base_url, keys,
            {"app_key": account["app"], **options}, published=published,
        )  # fmt: skip

    def until(self, holds: Callable[[dict[str, Any]], Any], seconds: float = 15.0) -> dict[str, Any]:
        """Wait for the platform's state to be so."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            state = self.state()
            if holds(state):
                return state
            time.sleep(0.1)
        raise AssertionError(f"it did not come to that: {str(self.state()['pushes'])[-2000:]}")

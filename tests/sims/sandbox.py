"""Starts the pretend platform as a process of its own and speaks its control API: the judge of fault tests.

::

    platform = SandboxProcess(tmp_path)
    base_url = platform.start()
    control = Control(base_url)
    account = control.account("临江发布")
    control.mentions(account["uid"], "路灯坏了 {n}", count=25)
    ...
    platform.kill()      # kill -9; start() again continues with the same data on the same port
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx

from connectors.base import AccountRef

# Loading the root certificates for every call to this machine would take longer than the call.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ROOT = Path(__file__).resolve().parents[2]


class SandboxProcess:
    """The sandbox platform as a child process over ``data_dir``. ``kill`` is kill -9, ``stop`` is SIGTERM."""

    module = "connectors.sandbox"

    def __init__(self, data_dir: Path, port: int = 0, push_interval: float = 5.0) -> None:
        self.data_dir = data_dir
        self.port = port
        self.push_interval = push_interval
        self.process: subprocess.Popen[str] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self, seconds: float = 20.0) -> str:
        """Start and wait until it answers; the base URL. A second start keeps the port of the first."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        options = ["--port", str(self.port), "--data", str(self.data_dir), "--push-interval", str(self.push_interval)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.module, *options],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("ready "):
            raise RuntimeError(f"the sandbox did not start: exit code {self.process.wait(5)}")
        self.port = int(line.strip().rpartition(":")[2])
        self._wait(time.monotonic() + seconds)
        return self.base_url

    def _wait(self, until: float) -> None:
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.base_url}/health", timeout=2, verify=_NO_TLS, trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise RuntimeError("the sandbox does not answer")

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self._end(9)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return self._end(15)

    def _end(self, signal: int) -> int:
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal)
        code = self.process.wait(15)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return code

    def __enter__(self) -> Control:
        return Control(self.start())

    def __exit__(self, *_: object) -> None:
        self.kill()


class Control:
    """The whole control API of the sandbox, one method per call. Raises ``httpx.HTTPStatusError`` on a refusal."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def _call(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        answer = httpx.request(
            method, self.base_url + path, json=body, params=params or None, timeout=60, verify=_NO_TLS, trust_env=False
        )
        if answer.status_code >= 400:
            raise httpx.HTTPStatusError(answer.text, request=answer.request, response=answer)
        return answer.json()

    def reset(self) -> None:
        self._call("POST", "/control/reset", {})

    def accounts(self) -> list[dict[str, Any]]:
        return self._call("GET", "/control/accounts")["accounts"]

    def account(self, screen_name: str, **fields: Any) -> dict[str, Any]:
        """Create or change an account (uid, token, app_secret, push_url, verified_type, expires_at)."""
        return self._call("POST", "/control/accounts", {"screen_name": screen_name} | fields)

    def ref(self, account: Mapping[str, Any], number: int = 1, **options: Any) -> AccountRef:
        """The account as a connector sees it."""
        keys = {"token": account["token"], "app_secret": account["app_secret"]}
        return AccountRef(number, "sandbox", account["screen_name"], account["uid"], self.base_url, keys, options)

    def challenge(self, account: str) -> bool:
        return self._call("POST", f"/control/accounts/{account}/challenge", {})["ok"]

    def posts(self, account: str, text: str, count: int = 1, **more: Any) -> list[str]:
        """Posts an official account published earlier (``created_at``: unix seconds); not counted as accepted."""
        return self._call("POST", "/control/posts", {"account": account, "text": text, "count": count} | more)["ids"]

    def mentions(self, account: str, text: str, count: int = 1, **more: Any) -> list[str]:
        """Mentions by a citizen; ``{n}`` in the text is the number. More: author, created_at, broken, push, listed."""
        return self._call("POST", "/control/mentions", {"account": account, "text": text, "count": count} | more)["ids"]

    def comments(self, text: str, *, post: str = "", comment: str = "", count: int = 1, **more: Any) -> list[str]:
        body = {"post": post, "comment": comment, "text": text, "count": count} | more
        return self._call("POST", "/control/comments", body)["ids"]

    def messages(self, account: str, text: str, count: int = 1, **more: Any) -> list[str]:
        return self._call("POST", "/control/messages", {"account": account, "text": text, "count": count} | more)["ids"]

    def items(self, what: str, items: Iterable[Mapping[str, Any]], **common: Any) -> list[str]:
        """Many different items at once; ``what``: posts, mentions, comments, messages or pushes."""
        return self._call("POST", f"/control/{what}", {"items": list(items)} | common)["ids"]

    def pushes(self, account: str, text: str, count: int = 1, **more: Any) -> list[str]:
        """Private messages that are pushed and stand in no list."""
        return self._call("POST", "/control/pushes", {"account": account, "text": text, "count": count} | more)["ids"]

    def push_counts(self) -> dict[str, Any]:
        """``{"waiting", "done", "failed", "failures": [...]}``"""
        return self._call("GET", "/control/pushes")

    def fault(self, kind: str, **params: Any) -> int:
        """Set a fault (account, operation, count, and the parameters of its kind); its id."""
        return self._call("POST", "/control/faults", {"kind": kind} | params)["id"]

    def faults(self) -> list[dict[str, Any]]:
        return self._call("GET", "/control/faults")["faults"]

    def lift(self, fault: int | None = None) -> int:
        """Lift one fault, or all."""
        return self._call("DELETE", "/control/faults" if fault is None else f"/control/faults/{fault}")["lifted"]

    def take_down(self, item: str) -> bool:
        return self._call("POST", f"/control/items/{item}/takedown", {})["removed"]

    def figures(self, item: str, likes: int, reposts: int) -> None:
        self._call("POST", "/control/figures", {"item": item, "likes": likes, "reposts": reposts})

    def forget_videos(self) -> int:
        """The platform forgets every video no post shows."""
        return self._call("POST", "/control/videos/forget", {})["forgotten"]

    def item(self, item: str) -> dict[str, Any]:
        return self._call("GET", f"/control/items/{item}")

    def accepted(self, account: str = "") -> list[dict[str, Any]]:
        """Everything the platform accepted through its API, oldest first, however much."""
        found: list[dict[str, Any]] = []
        while page := self._call("GET", "/control/accepted", account=account, after=found[-1]["id"] if found else 0)[
            "accepted"
        ]:
            found += page
        return found

    def attempts(self) -> list[dict[str, Any]]:
        """Every write that reached the platform, accepted or not, oldest first."""
        found: list[dict[str, Any]] = []
        while page := self._call("GET", "/control/attempts", after=found[-1]["seq"] if found else 0)["attempts"]:
            found += page
        return found

    def doubles(self) -> list[tuple[str, ...]]:
        """What stands there more than once: (account, kind, target, receiver, text)."""
        names = ("account", "kind", "target_id", "receiver_id", "text")
        counted = Counter(tuple(row[name] for name in names) for row in self.accepted())
        return [what for what, times in counted.items() if times > 1]

    def push_interval(self, seconds: float) -> None:
        self._call("POST", "/control/settings", {"push_interval": seconds})

    def push_tries(self, count: int) -> None:
        """How often a push is tried before it is given up."""
        self._call("POST", "/control/settings", {"push_tries": count})


def signed_query(app_secret: str, at: float | None = None) -> dict[str, str]:
    """The query of a genuine push, made without the connector's own code."""
    timestamp, nonce = str(int(time.time() if at is None else at)), secrets.token_hex(8)
    digest = hashlib.sha1("".join(sorted((app_secret, timestamp, nonce))).encode()).hexdigest()
    return {"signature": digest, "timestamp": timestamp, "nonce": nonce}


def push_body(account: str, message_id: str, text: str, sender: str = "7000000001") -> bytes:
    """The body of a pushed private message; the same ``message_id`` is the same message."""
    created = time.strftime("%a %b %d %H:%M:%S +0000 %Y", time.gmtime())
    shape = {"type": "text", "receiver_id": account, "sender_id": sender, "message_id": message_id}
    return json.dumps(shape | {"created_at": created, "text": text, "data": {}}, ensure_ascii=False).encode()

"""A real third-party server with the Mastodon API (mastodon_mock) as a process of its own, and citizens on it.

::

    server = MastodonProcess(tmp_path)
    server.start()
    press = server.ref("press")                    # the official account as a connector sees it
    server.post("alice", "@press 路灯坏了")          # a citizen speaks
"""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from connectors.base import AccountRef

_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ACCOUNTS = {"press": "临江发布", "alice": "爱丽丝", "bob": "老鲍", "carol": "卡罗"}


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


class MastodonProcess:
    """mastodon_mock over a database file in ``data_dir``; ``kill`` and ``start`` again continue with the same data."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._ids: dict[str, str] = {}

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, seconds: float = 40.0) -> str:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        config = self.data_dir / "mastodon.toml"
        seeds = "".join(
            f'[[seed.accounts]]\nusername = "{name}"\ndisplay_name = "{shown}"\naccess_token = "{name}_token"\n'
            for name, shown in ACCOUNTS.items()
        )
        config.write_text(f'[database]\npath = "{self.data_dir / "mastodon.db"}"\n{seeds}', encoding="utf-8")
        options = ["--config", str(config), "--port", str(self.port), "--log-level", "error"]
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "mastodon_mock", "serve", *options],
            cwd=self.data_dir,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.DEVNULL,
        )
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self.call("GET", "/api/v1/instance")
                return self.base_url
            except httpx.TransportError:
                time.sleep(0.1)
        raise RuntimeError("mastodon_mock does not answer")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(15)
            self.process = None

    def call(self, method: str, path: str, who: str = "", **options: Any) -> Any:
        """One API call as ``who``; the JSON answer."""
        headers = {"Authorization": f"Bearer {who}_token"} if who else {}
        url = self.base_url + path
        with httpx.Client(verify=_NO_TLS, trust_env=False, timeout=20, headers=headers) as client:
            answer = client.request(method, url, **options)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def id_of(self, who: str) -> str:
        if who not in self._ids:
            self._ids[who] = self.call("GET", "/api/v1/accounts/verify_credentials", who)["id"]
        return self._ids[who]

    def ref(self, who: str = "press", number: int = 1, **options: Any) -> AccountRef:
        return AccountRef(number, "mastodon", who, self.id_of(who), self.base_url, {"token": f"{who}_token"}, options)

    def post(self, who: str, text: str, **form: str) -> dict[str, Any]:
        """A status; ``visibility``, ``in_reply_to_id`` and so on as the API names them."""
        return self.call("POST", "/api/v1/statuses", who, data={"status": text} | form)

    def status(self, status_id: str, who: str = "press") -> dict[str, Any]:
        return self.call("GET", f"/api/v1/statuses/{status_id}", who)

    def below(self, status_id: str, who: str = "press") -> list[dict[str, Any]]:
        """What stands under a status."""
        return self.call("GET", f"/api/v1/statuses/{status_id}/context", who)["descendants"]

    def statuses_of(self, who: str) -> list[dict[str, Any]]:
        return self.call("GET", f"/api/v1/accounts/{self.id_of(who)}/statuses", who, params={"limit": "40"})

    def fault(self, effect: dict[str, Any], *, methods: tuple[str, ...] = (), path: str = "*", count: int = 1) -> None:
        """A fault before the handler acts: ``{"type": "status", "status": 503}``, ratelimit, latency, malformed."""
        match = {"path": path} | ({"methods": list(methods)} if methods else {})
        self.call("POST", "/api/v1/_mock/faults", json={"match": match, "effect": effect, "count": count})

    def lift(self) -> None:
        self.call("DELETE", "/api/v1/_mock/faults")

    def reset(self) -> None:
        """Back to the seeded accounts."""
        self.call("POST", "/api/v1/_mock/reset")
        self._ids.clear()

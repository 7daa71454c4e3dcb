"""Talks to the sandbox's control API, as a person setting a scene would. Loopback only."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

TRIES = 100


class Control:
    """The control API of the sandbox at ``address``."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")

    def await_ready(self) -> None:
        """Until the sandbox answers; OSError after ten seconds."""
        for left in reversed(range(TRIES)):
            try:
                self._call("GET", "/health")
                return
            except OSError:
                if left == 0:
                    raise
                time.sleep(0.1)

    def save_account(self, **fields: object) -> dict[str, Any]:
        """Create or change an account; the answer holds its uid, token and app secret."""
        return self._call("POST", "/control/accounts", fields)

    def reset(self) -> None:
        """The platform forgets everything."""
        self._call("POST", "/control/reset", {})

    def accounts(self) -> list[dict[str, Any]]:
        """All accounts."""
        found: list[dict[str, Any]] = self._call("GET", "/control/accounts")["accounts"]
        return found

    def fault(self, kind: str, **given: object) -> None:
        """Let something go wrong there from now on, e.g. ``delay`` with its ``seconds``."""
        self._call("POST", "/control/faults", {"kind": kind, **given})

    def stop_clock(self, moment: float | None) -> None:
        """The platform's clock stands still at ``moment`` (unix seconds); None: it goes on."""
        self._call("POST", "/control/settings", {"now": moment})

    def say(self, kind: str, items: list[dict[str, Any]]) -> list[str]:
        """Citizens write: ``kind`` mentions | comments | messages; or posts of an account. Ids in order."""
        answer = self._call("POST", f"/control/{kind}", {"items": items})
        return [str(number) for number in answer["ids"]]

    def figures(self, item: str, likes: int, reposts: int) -> None:
        """How citizens like and repost a post."""
        self._call("POST", "/control/figures", {"item": item, "likes": likes, "reposts": reposts})

    def accepted(self, account: str) -> list[dict[str, Any]]:
        """What the platform took from an account through its API, oldest first."""
        query = urllib.parse.urlencode({"account": account, "limit": 1000})
        found: list[dict[str, Any]] = self._call("GET", f"/control/accepted?{query}")["accepted"]
        return found

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.address + path, data, kind, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 -- the sandbox on this machine
                content: dict[str, Any] = json.load(answer)
                return content
        except urllib.error.HTTPError as error:
            with error:
                raise RuntimeError(f"{path}: {error.read(300).decode(errors='replace')}") from None

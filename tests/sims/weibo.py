"""Starts the Weibo simulator as a process of its own and speaks its control API: the sandbox's, and Weibo's own.

::

    process = WeiboProcess(tmp_path)
    process.start()
    weibo = WeiboControl(process.base_url)
    weibo.reset()
    account = weibo.account("临江发布")
    weibo.mentions(account["uid"], "路灯坏了 {n}", count=25)
    press = weibo.ref(account)                # the account as the connector sees it
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

import httpx

from connectors.base import AccountRef
from connectors.sandbox.server import citizens
from tests.sims.sandbox import Control, SandboxProcess

DOMAIN = "www.example.gov.cn"
LINK = f"https://{DOMAIN}/tz/1.html"


class WeiboProcess(SandboxProcess):
    """The simulator as a child process."""

    module = "connectors.weibo.simulator"


class WeiboControl(Control):
    """The whole control API, one method per call."""

    def ref(self, account: Mapping[str, Any], number: int = 1, **options: Any) -> AccountRef:
        """The account as the connector sees it, granted and with its fan-service token."""
        app = self.apps()[0]
        secrets = {"app_secret": app["secret"], "token": self.token(account["uid"]), "fan_token": account["token"]}
        own = {"app_key": app["key"], "domains": DOMAIN, "find_own_lag": 1, "pull_every": 1}
        return AccountRef(
            number, "weibo", account["screen_name"], account["uid"], self.base_url, secrets, own | options
        )

    def apps(self) -> list[dict[str, Any]]:
        return self._call("GET", "/control/apps")["apps"]

    def app(self, **fields: Any) -> dict[str, Any]:
        """Change the app: callback, domains, level (ordinary, commercial), life of grants in seconds."""
        return self._call("POST", "/control/apps", fields)

    def token(self, account: str) -> str:
        """A grant without the page."""
        return self._call("POST", "/control/tokens", {"account": account})["token"]

    def end(self, account: str, why: str) -> int:
        """End the account's grants: expired, revoked, withdrawn, password."""
        return self._call("POST", "/control/tokens/end", {"account": account, "why": why})["ended"]

    def budget(self, account: str) -> dict[str, Any]:
        return self._call("GET", f"/control/budget/{account}")

    def forget_spending(self) -> None:
        self._call("DELETE", "/control/budget")

    def rules(self, **numbers: float) -> dict[str, float]:
        return self._call("POST", "/control/rules", numbers)

    def asked(self) -> list[dict[str, Any]]:
        """Every call that was made, oldest first, however many."""
        found: list[dict[str, Any]] = []
        while page := self._call("GET", "/control/asked", after=found[-1]["seq"] if found else 0)["asked"]:
            found += page
        return found

    def fan(self, account: str, **wanted: str) -> None:
        """How the account is pushed to: format (json, xml), mentions ("", text, bare)."""
        self._call("POST", "/control/fan", {"account": account} | wanted)

    def event(self, account: str, author: str, subtype: str) -> dict[str, Any]:
        return self._call("POST", "/control/events", {"account": account, "author": author, "subtype": subtype})

    def media(self, account: str, author: str, kind: str) -> dict[str, Any]:
        return self._call("POST", "/control/media", {"account": account, "author": author, "type": kind})

    def show_late(self, account: str, item: str) -> None:
        """A mention that came unlisted stands in the list now, below what came after it."""
        self._call("POST", "/control/late", {"account": account, "item": item})

    def articles(self) -> list[dict[str, Any]]:
        return self._call("GET", "/control/articles")["articles"]

    def receipts(self, account: str) -> list[dict[str, Any]]:
        """The messages the account sent by answering pushes, as soon as there are any."""
        for _ in range(100):
            if found := self._call("GET", f"/control/receipts/{account}")["receipts"]:
                return found
            time.sleep(0.05)
        return []

    def uid_of(self, citizen: str) -> str:
        """The uid of a citizen by name, the same on every run."""
        return citizens.citizen(citizen)[0]

    async def picture_of(self, item: str) -> bytes:
        """The first picture of a post, as the page shows it."""
        async with httpx.AsyncClient(trust_env=False) as browser:
            page = (await browser.get(f"{self.base_url}/item/{item}")).text
            [name] = re.findall(r'src="(/picture/\w+)"', page)[:1]
            return (await browser.get(self.base_url + name)).content

    def clock(self, now: float | None) -> None:
        """Stop the platform's clock at ``now`` (unix seconds); None: go on."""
        self._call("POST", "/control/settings", {"now": now})

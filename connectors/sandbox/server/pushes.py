"""Pushes to the hub, as the fan-service platform sends them: signed, cut at 5 s, three tries unless told otherwise."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from datetime import UTC, datetime

from connectors.base import ConnectorError
from connectors.http import Http
from connectors.sandbox.server.store import Row, Store
from connectors.sandbox.server.wire import Wire
from connectors.signature import sign

TRIES = 3
SECONDS = 5.0
AT_ONCE = 8


class Pushes:
    """The queue of pushes. It lives in the store: a restart goes on where the last run stopped."""

    def __init__(self, store: Store, interval: float) -> None:
        """``interval``: seconds between two tries."""
        self._store = store
        self._wire = Wire(store)
        self._http = Http(live=False, read=SECONDS, total=SECONDS)
        self._bell = asyncio.Event()
        self.interval, self.tries = interval, TRIES

    def queue(self, account: Row, item_id: int) -> bool:
        """Put an item's push into the queue; False when the account has no push address."""
        row = self._store.item(item_id)
        if not account["push_url"] or row is None:
            return False
        body = json.dumps(self._wire.push(row), ensure_ascii=False)
        self._store.insert(
            "push",
            account=account["uid"],
            item_id=item_id,
            body=body,
            tries=0,
            next_at=time.time(),
            state="waiting",
            status=0,
            note="",
        )
        self._bell.set()
        return True

    async def run(self) -> None:
        """Send whatever is due, for ever."""
        while True:
            sql = "SELECT * FROM push WHERE state = 'waiting' AND next_at <= ? ORDER BY next_at, id LIMIT ?"
            due = self._store.rows(sql, time.time(), AT_ONCE)
            if due:
                await asyncio.gather(*(self._send(push) for push in due))
                continue
            self._bell.clear()
            try:
                async with asyncio.timeout(min(self.interval, 0.5)):
                    await self._bell.wait()
            except TimeoutError:
                continue

    async def _send(self, push: Row) -> None:
        account = self._store.account(push["account"])
        status, note = 0, "account gone"
        if account is not None:
            status, note = await self._post(account, push["body"])
        tries = push["tries"] + 1
        state = "done" if 200 <= status < 300 else "failed" if tries >= self.tries or account is None else "waiting"
        sql = "UPDATE push SET tries = ?, state = ?, status = ?, note = ?, next_at = ? WHERE id = ?"
        self._store.change(sql, tries, state, status, note, time.time() + self.interval, push["id"])

    async def _post(self, account: Row, body: str) -> tuple[int, str]:
        try:
            answer = await self._http.call(
                "POST",
                account["push_url"],
                params=signed(account["app_secret"]),
                content=body.encode("utf-8", "surrogatepass"),
                headers={"Content-Type": "application/json"},
                write=True,
            )
        except ConnectorError as error:
            return 0, error.human
        return answer.status, ""

    async def challenge(self, account: Row) -> bool:
        """Ask the push address to prove itself: it must echo our random text."""
        echo = secrets.token_hex(8)
        try:
            params = signed(account["app_secret"]) | {"echostr": echo}
            answer = await self._http.call("GET", account["push_url"], params=params)
        except ConnectorError:
            return False
        return answer.ok and answer.body.decode("utf-8", "replace") == echo


def signed(app_secret: str) -> dict[str, str]:
    """The query of a genuine push made now."""
    timestamp, nonce = str(int(datetime.now(UTC).timestamp())), secrets.token_hex(8)
    return {"signature": sign(app_secret, timestamp, nonce), "timestamp": timestamp, "nonce": nonce}

"""Pushes of the fan-service platform: JSON or XML, mentions only where granted, and answers that are messages."""

from __future__ import annotations

import json
import time
from typing import Any, cast

from connectors.base import ConnectorError
from connectors.sandbox.server import clock
from connectors.sandbox.server.pushes import Pushes, signed
from connectors.sandbox.server.store import Row
from connectors.sandbox.server.wire import weibo_time
from connectors.weibo.simulator.state import WeiboStore
from connectors.weibo.simulator.wire import WeiboWire, as_xml, passive

EVENTS = ("follow", "unfollow", "subscribe", "unsubscribe", "click", "view", "scan", "scan_follow")


class FanPushes(Pushes):
    """The sandbox's queue: cut at 5 s, three tries; the shapes are Weibo's."""

    def __init__(self, store: WeiboStore, interval: float) -> None:
        super().__init__(store, interval)
        self._wire = WeiboWire(store)

    @property
    def _mine(self) -> WeiboStore:
        return cast(WeiboStore, self._store)

    def queue(self, account: Row, item_id: int) -> bool:
        """Put an item's push into the queue; mentions only where the account was granted them."""
        row = self._store.item(item_id)
        if row is not None and row["kind"] != "message" and not self._mine.fan(account["uid"])[1]:
            return False
        return super().queue(account, item_id)

    def queue_shape(self, account: Row, shape: dict[str, Any]) -> bool:
        """Put any push into the queue: events, pictures, voices, places."""
        if not account["push_url"]:
            return False
        self._store.insert(
            "push", account=account["uid"], item_id=0, body=json.dumps(shape, ensure_ascii=False), tries=0,
            next_at=time.time(), state="waiting", status=0, note="",
        )  # fmt: skip
        self._bell.set()
        return True

    async def _post(self, account: Row, body: str) -> tuple[int, str]:
        """One try. An answer with a message in it is delivered to the citizen."""
        kind = "application/json"
        if self._mine.fan(account["uid"])[0] == "xml":
            body, kind = as_xml(json.loads(body), clock.now()), "text/xml"
        try:
            answer = await self._http.call(
                "POST", account["push_url"], params=signed(account["app_secret"]),
                content=body.encode("utf-8", "surrogatepass"), headers={"Content-Type": kind}, write=True,
            )  # fmt: skip
        except ConnectorError as error:
            return 0, error.human
        if answer.ok and (said := passive(answer.body)):
            self._deliver(account, *said)
        return answer.status, ""

    def _deliver(self, account: Row, sender: str, receiver: str, words: str) -> None:
        if sender != account["uid"]:
            return
        with self._store.transaction():
            self._store.add_item(
                "message", (account["uid"], account["screen_name"]), words, via="receipt", official=True,
                receiver_id=receiver,
            )  # fmt: skip


def event(account: Row, citizen: str, subtype: str) -> dict[str, Any]:
    """Something a citizen did that is no message."""
    return {
        "type": "event", "receiver_id": int(account["uid"]), "sender_id": int(citizen),
        "created_at": weibo_time(clock.now()), "text": "", "data": {"subtype": subtype, "key": ""},
    }  # fmt: skip


def media(account: Row, citizen: str, kind: str) -> dict[str, Any]:
    """A picture, a voice message or a place, which have no text of their own."""
    data: dict[str, Any] = {"vfid": 821804459, "tovfid": 821804469}
    if kind == "position":
        data = {"longitude": "116.308586", "latitude": "39.982525"}
    words = {"image": "发了一张图片", "voice": "发了一段语音", "position": "发了一个位置"}
    return {
        "type": kind, "receiver_id": int(account["uid"]), "sender_id": int(citizen),
        "created_at": weibo_time(clock.now()), "text": words.get(kind, ""), "data": data,
    }  # fmt: skip

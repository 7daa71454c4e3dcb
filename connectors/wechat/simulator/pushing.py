"""Pushes to the hub as the platform sends them: three modes, cut at 5 seconds, three tries, and what has come due."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from connectors import xml
from connectors.base import ConnectorError
from connectors.http import Http
from connectors.signature import is_signed, sign
from connectors.wechat.crypto import Unreadable, decrypt, encrypt
from connectors.wechat.simulator import articles
from connectors.wechat.simulator.world import WINDOW_SECONDS, WINDOW_TIMES, Citizen, Official, World

SECONDS, TRIES = 5.0, 3
TICK = 0.1


class Pushing:
    """The queue of pushes and the clock of everything that ends by itself."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._http = Http(live=False, read=SECONDS, total=SECONDS)
        self._sending: set[asyncio.Task[None]] = set()

    def queue(self, official: Official, values: dict[str, Any], *, parallel: int = 1) -> None:
        """Put one push into the queue. ``parallel``: so many at the same moment, as overlapping tries are."""
        if not official.push_url:
            return
        push = {"id": self._world.next(), "app": official.app, "values": values, "tries": 0, "state": "waiting",
                "parallel": parallel, "answers": [], "note": ""}  # fmt: skip
        self._world.pushes.append(push)

    def message(self, official: Official, citizen: Citizen, text: str, **more: Any) -> str:
        """A citizen writes: the window opens anew; the id of the message."""
        citizen.wrote_at, citizen.left = self._world.now(), WINDOW_TIMES
        number = str(10**18 + self._world.next())
        parallel, kind = int(more.pop("parallel", 1)), str(more.pop("MsgType", "text"))
        self._world.note(official.app, "citizen", text, openid=citizen.openid, type=kind)
        content = {"Content": text} if kind == "text" else {}
        values = self._head(official, citizen.openid) | {"MsgType": kind, **content, **more, "MsgId": number}
        self.queue(official, values, parallel=parallel)
        return number

    def event(self, official: Official, sender: str, event: str, **more: Any) -> None:
        """Something happened."""
        self.queue(official, self._head(official, sender) | {"MsgType": "event", "Event": event, **more})

    def _head(self, official: Official, sender: str) -> dict[str, Any]:
        return {"ToUserName": official.gh, "FromUserName": sender, "CreateTime": int(self._world.now())}

    async def run(self) -> None:
        """For ever: end what is over, send what waits."""
        while True:
            self._end_jobs()
            self._end_masses()
            for push in [p for p in self._world.pushes if p["state"] == "waiting"]:
                push["state"] = "sending"
                task = asyncio.create_task(self._send(push))
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)
            await asyncio.sleep(TICK)

    def _end_jobs(self) -> None:
        world = self._world
        for number, job in world.jobs.items():
            if job["status"] != 1 or job["ends_at"] > world.now():
                continue
            official, told = world.officials[job["app"]], {"publish_id": number}
            job["status"] = official.review
            if not official.review:
                draft = world.drafts.pop(job["draft"])
                job["article"] = articles.stand(world, official.app, draft["news_item"], job["msg_data_id"])
                told["article_id"] = job["article"]
            told["publish_status"] = str(job["status"])
            self.event(official, official.gh, "PUBLISHJOBFINISH", PublishEventInfo=told)
            world.keep()

    def _end_masses(self) -> None:
        world = self._world
        for number, mass in world.masses.items():
            if mass["status"] != "SENDING" or mass["ends_at"] > world.now():
                continue
            official = world.officials[mass["app"]]
            self.end_mass(number, "err(40002)" if official.protected else "err(10001)" if official.review else "")

    def end_mass(self, number: str, refused: str = "") -> None:
        """A mass message ends: sent, or refused with the platform's word for it."""
        world, mass = self._world, self._world.masses[number]
        official = world.officials[mass["app"]]
        mass["status"], mass["said"] = ("SEND_FAIL", refused) if refused else ("SEND_SUCCESS", "send success")
        draft = None if refused else world.drafts.pop(mass["draft"], None)
        if draft:
            mass["article"] = articles.stand(world, official.app, draft["news_item"], mass["msg_data_id"], mass=number)
        self.event(official, "mphelper", "MASSSENDJOBFINISH", MsgID=number, Status=mass["said"])
        world.keep()

    async def _send(self, push: dict[str, Any]) -> None:
        official = self._world.officials.get(push["app"])
        if official is None:
            push["state"] = "failed"
            return
        while push["tries"] < TRIES:
            push["tries"] += 1
            done = await asyncio.gather(*(self._post(official, push) for _ in range(push["parallel"])))
            if all(done):
                push["state"] = "done"
                break
        else:
            push["state"] = "failed"
        self._world.keep()

    async def _post(self, official: Official, push: dict[str, Any]) -> bool:
        query, body = sealed(official, push["values"], str(int(self._world.now())))
        headers = {"Content-Type": "text/xml"}
        try:
            answer = await self._http.call(
                "POST", official.push_url, params=query, content=body.encode(), headers=headers, write=True
            )
        except ConnectorError as error:
            push["note"] = error.human
            return False
        text = answer.body.decode("utf-8", "replace")
        push["answers"].append([answer.status, text[:2000]])
        return answer.ok and (text in ("", "success") or self._take_receipt(official, push, text))

    def _take_receipt(self, official: Official, push: dict[str, Any], text: str) -> bool:
        """A passive answer reaches the citizen once, however often the push was tried; nonsense counts as none."""
        receipt = opened(official, text)
        sender = push["values"].get("FromUserName")
        if receipt is None or receipt.get("ToUserName") != sender or receipt.get("FromUserName") != official.gh:
            return False
        if not push.get("receipt"):
            push["receipt"] = True
            self._world.note(official.app, "receipt", str(receipt.get("Content", "")), openid=sender)
        return True

    async def challenge(self, official: Official) -> bool:
        """Ask the push address to prove itself, as saving it in the back office does."""
        echo, timestamp, nonce = secrets.token_hex(8), str(int(self._world.now())), secrets.token_hex(5)
        query = {"signature": sign(official.token, timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
        try:
            answer = await self._http.call("GET", official.push_url, params=query | {"echostr": echo})
        except ConnectorError:
            return False
        return answer.ok and answer.body.decode("utf-8", "replace") == echo


def unfollow(world: World, pushing: Pushing, official: Official, citizen: Citizen) -> None:
    """A citizen leaves."""
    citizen.follows, citizen.left = False, 0
    pushing.event(official, citizen.openid, "unsubscribe", EventKey="")
    world.note(official.app, "citizen", "（取消了关注）", openid=citizen.openid, type="event")


def is_open(world: World, citizen: Citizen) -> bool:
    """Whether the citizen may be answered now."""
    return citizen.follows and citizen.left > 0 and world.now() - citizen.wrote_at <= WINDOW_SECONDS


def sealed(official: Official, values: dict[str, Any], timestamp: str) -> tuple[dict[str, str], str]:
    """Query and body of one push, in the account's mode."""
    nonce = secrets.token_hex(5)
    query = {"signature": sign(official.token, timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
    plain = _written(values)
    if official.mode == "plain":
        return query, plain
    inner = encrypt(plain, official.aes_key, official.app)
    query |= {"encrypt_type": "aes", "msg_signature": sign(official.token, timestamp, nonce, inner)}
    kept = values if official.mode == "compatible" else {"ToUserName": values["ToUserName"]}
    return query, _written(kept | {"Encrypt": inner})


def opened(official: Official, text: str) -> dict[str, Any] | None:
    """A passive answer, decrypted where it is sealed; None when the platform would not understand it."""
    found = xml.read(text)
    if found is None or "Encrypt" not in found:
        return found if official.mode == "plain" else None
    signed = (official.token, str(found.get("TimeStamp")), str(found.get("Nonce")), str(found["Encrypt"]))
    if not is_signed(str(found.get("MsgSignature")), *signed):
        return None
    try:
        return xml.read(decrypt(str(found["Encrypt"]), official.aes_key, official.app))
    except Unreadable:
        return None


def _written(values: dict[str, Any]) -> str:
    return "<xml>" + "".join(f"<{tag}>{_inner(value)}</{tag}>" for tag, value in values.items()) + "</xml>"


def _inner(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(f"<{tag}>{_inner(one)}</{tag}>" for tag, one in value.items())
    return str(value) if isinstance(value, int) else f"<![CDATA[{str(value).replace(']]>', ']]]]><![CDATA[>')}]]>"

"""The part of Bilibili's open platform that the hub speaks to, with one account: tokens, articles, figures.

It checks the signature of every call as the platform's pages say, and keeps what it was sent.
"""

from __future__ import annotations

import email
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from connectors.base import AccountRef
from connectors.bilibili.signature import digest
from tests.sims.serving import Answer, Asked, served

KEY, SECRET, OPENID, TOKEN, FRESH = "395c8275", "an-app-secret", "9205eeaa", "first-token", "first-fresh"
ALL = ["USER_INFO", "ATC_BASE", "ATC_DATA"]


@dataclass
class Bilibili:
    """``articles`` newest first, each with ``group``: 1 in progress, 2 passed, 3 refused; ``codes`` once each."""

    base_url: str = ""
    token: str = TOKEN
    refresh_token: str = FRESH
    scopes: list[str] = field(default_factory=lambda: list(ALL))
    articles: list[dict[str, Any]] = field(default_factory=list)
    videos: dict[str, dict[str, int]] = field(default_factory=dict)
    pictures: int = 0
    codes: list[int] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)
    drops: int = 0
    ahead: float = 0.0

    @property
    def now(self) -> float:
        """Unix seconds, ``ahead`` of the wall clock."""
        return time.time() + self.ahead

    def ref(self, **options: Any) -> AccountRef:
        """The account as the connector sees it."""
        secrets = {"app_secret": SECRET, "token": self.token, "refresh_token": self.refresh_token}
        given = {"app_key": KEY, "category": "15", **options}
        return AccountRef(1, "bilibili", "临江发布", OPENID, self.base_url, secrets, given)

    def answer(self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Any:
        """``data`` of the answer, or a number: an error code."""
        if self.codes:
            return self.codes.pop(0)
        if path.startswith("/x/account-oauth2/"):
            return self._oauth(path, query)
        if code := self._unsigned(headers):
            return code
        form = _form(headers.get("content-type", ""), body) if method == "POST" else {}
        routes: dict[tuple[str, str], Callable[[], Any]] = {
            ("GET", "/arcopen/fn/user/account/info"): lambda: {"name": "临江发布", "openid": OPENID},
            ("GET", "/arcopen/fn/user/account/scopes"): lambda: {"openid": OPENID, "scopes": self.scopes},
            ("GET", "/arcopen/fn/article/list"): lambda: self._list(query),
            ("GET", "/arcopen/fn/article/detail"): lambda: self._one(query["id"]) or 127124,
            ("POST", "/arcopen/fn/article/add"): lambda: self._add(form),
            ("POST", "/arcopen/fn/article/delete"): lambda: self._delete(form["id"]),
            ("POST", "/arcopen/fn/article/upload/image"): lambda: self._upload(form),
            ("GET", "/arcopen/fn/data/art/stat"): lambda: self._stat(query["ids"]),
            ("GET", "/arcopen/fn/data/arc/stat"): lambda: self.videos.get(query["resource_id"], 127124),
        }
        found = routes.get((method, path))
        return found() if found else 4010

    def _unsigned(self, headers: Mapping[str, str]) -> int:
        if headers.get("x-bili-accesskeyid") != KEY:
            return 4001
        if headers.get("x-bili-content-md5") != hashlib.md5(b"", usedforsecurity=False).hexdigest():
            return 4012
        if headers.get("authorization") != digest(SECRET, headers):
            return 4002
        if abs(self.now - int(headers["x-bili-timestamp"])) > 600:
            return 4003
        nonce = headers["x-bili-signature-nonce"]
        if nonce in self.nonces:
            return 4004
        self.nonces.add(nonce)
        return 0 if headers.get("access-token") == self.token else 127001

    def _oauth(self, path: str, query: Mapping[str, str]) -> Any:
        if query.get("client_id") != KEY or query.get("client_secret") != SECRET:
            return 122001
        if path.endswith("/refresh_token"):
            if query.get("refresh_token") != self.refresh_token:
                return 122007
            self.token, self.refresh_token = f"{self.token}+", f"{self.refresh_token}+"
        elif query.get("code") != "good":
            return 122002
        ends = int(self.now) + 2_592_000
        return {"access_token": self.token, "refresh_token": self.refresh_token, "expires_in": ends}

    def _one(self, number: str) -> dict[str, Any] | None:
        return next((a for a in self.articles if str(a["id"]) == number), None)

    def _list(self, query: Mapping[str, str]) -> dict[str, Any]:
        there = [a for a in self.articles if query["group"] == "0" or str(a["group"]) == query["group"]]
        start, size = (int(query["pn"]) - 1) * int(query["ps"]), int(query["ps"])
        rows = [{k: v for k, v in a.items() if k not in ("content", "group")} for a in there[start : start + size]]
        return {"articles": rows, "artPage": {"pn": int(query["pn"]), "ps": size, "total": len(there)}}

    def _add(self, form: Mapping[str, str]) -> Any:
        if not form.get("title") or len(form["title"]) > 40:
            return 129005
        pictures = form["content"].count("<img ")
        if len(form["content"]) < 200 and pictures < 3:
            return 129008
        if (form["template_id"] == "4") is not bool(form.get("image_urls")) or not form["category"].isdigit():
            return 127100
        number = 5467 + len(self.articles)
        self.articles.insert(0, {
            **form, "id": number, "ctime": int(self.now), "state": 0, "reason": "", "group": 1,
            "stats": {"view": 10, "favorite": 1, "like": 2, "dislike": 0, "reply": 3, "share": 4, "coin": 0},
        })  # fmt: skip
        return {"id": number}

    def _delete(self, number: str) -> Any:
        if self._one(number) is None:
            return 127124
        self.articles = [a for a in self.articles if str(a["id"]) != number]
        return {}

    def _upload(self, form: Mapping[str, str]) -> Any:
        if "file" not in form:
            return 127102
        self.pictures += 1
        return {"url": f"https://i0.hdslb.com/bfs/article/{self.pictures}.png", "size": 10}

    def _stat(self, ids: str) -> dict[str, Any]:
        found = {number: self._one(number) for number in ids.split(",")}
        return {number: {"id": a["id"], "stats": a["stats"]} for number, a in found.items() if a}


def _form(mime: str, body: bytes) -> dict[str, str]:
    """A multipart form as another reader than the sender's takes it apart."""
    read: Message = email.message_from_bytes(b"Content-Type: " + mime.encode() + b"\r\n\r\n" + body)
    parts = read.get_payload()
    named = [part for part in parts if isinstance(part, Message)] if isinstance(parts, list) else []
    return {
        str(part.get_param("name", header="content-disposition")): bytes(part.get_payload(decode=True) or b"").decode(
            "utf-8", "replace"
        )
        for part in named
    }


@contextmanager
def bilibili() -> Iterator[Bilibili]:
    """On a free port of this machine, in a thread."""
    state = Bilibili()

    def answer(asked: Asked) -> Answer | None:
        found = state.answer(asked.method, asked.path, asked.query, asked.headers, asked.body)
        if state.drops:
            state.drops -= 1
            return None
        if isinstance(found, int):
            return Answer.of({"code": found, "message": "refused", "ttl": 1})
        return Answer.of({"code": 0, "message": "0", "ttl": 1, "data": found})

    with served(answer) as state.base_url:
        yield state

"""The part of Bilibili's open platform that the hub speaks to, with one account: tokens, articles, videos, figures.

It checks the signature of every call as the platform's pages say, and keeps what it was sent.
"""

from __future__ import annotations

import email
import hashlib
import json
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
ALL = ["USER_INFO", "ATC_BASE", "ATC_DATA", "ARC_BASE", "ARC_DATA"]
PIECE = 8 * 1024 * 1024


@dataclass
class Bilibili:
    """``articles`` and ``archives`` newest first; an article's ``group``: 1 in progress, 2 passed, 3 refused. ``parts``
    by upload token: the digest of each piece by its number, what was joined under ``joined``. ``codes`` once each."""

    base_url: str = ""
    token: str = TOKEN
    refresh_token: str = FRESH
    scopes: list[str] = field(default_factory=lambda: list(ALL))
    articles: list[dict[str, Any]] = field(default_factory=list)
    videos: dict[str, dict[str, int]] = field(default_factory=dict)
    archives: list[dict[str, Any]] = field(default_factory=list)
    parts: dict[str, dict[int, tuple[int, str]]] = field(default_factory=dict)
    joined: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    is_open_at_once: bool = False
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
        given = {"app_key": KEY, "category": "15", "video_category": "230", "tags": "政务，民生", **options}
        return AccountRef(1, "bilibili", "临江发布", OPENID, self.base_url, secrets, given)

    def answer(self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Any:
        """``data`` of the answer, or a number: an error code."""
        if self.codes:
            return self.codes.pop(0)
        if path.startswith("/x/account-oauth2/"):
            return self._oauth(path, query)
        if code := self._unsigned(headers, body):
            return code
        mime = headers.get("content-type", "")
        form = _form(mime, body) if mime.startswith("multipart/") else {}
        said = json.loads(body) if mime == "application/json" else {}
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
            ("POST", "/arcopen/fn/archive/video/init"): lambda: self._init(said),
            ("POST", "/video/v2/part/upload"): lambda: self._part(query, body),
            ("POST", "/arcopen/fn/archive/video/complete"): lambda: self._join(query["upload_token"]),
            ("POST", "/arcopen/fn/archive/cover/upload"): lambda: self._upload(form),
            ("POST", "/arcopen/fn/archive/add-by-utoken"): lambda: self._submit(query["upload_token"], said),
            ("GET", "/arcopen/fn/archive/view"): lambda: self._archive(query["resource_id"]) or 127124,
            ("GET", "/arcopen/fn/archive/viewlist"): lambda: self._archives(query),
            ("POST", "/arcopen/fn/archive/delete"): lambda: self._forget(said["resource_id"]),
        }
        found = routes.get((method, path))
        return found() if found else 4010

    def _unsigned(self, headers: Mapping[str, str], body: bytes) -> int:
        if headers.get("x-bili-accesskeyid") != KEY:
            return 4001
        signed = body if headers.get("content-type") == "application/json" else b""
        if headers.get("x-bili-content-md5") != hashlib.md5(signed, usedforsecurity=False).hexdigest():
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

    # videos -----------------------------------------------------------------------------------------------------------

    def _init(self, said: Mapping[str, Any]) -> Any:
        if said.get("utype") != "0" or not str(said.get("name", "")).endswith(".mp4"):
            return 127100
        token = f"upload-{len(self.parts) + len(self.joined)}"
        self.parts[token] = {}
        return {"upload_token": token}

    def _part(self, query: Mapping[str, str], body: bytes) -> Any:
        parts = self.parts.get(query["upload_token"])
        if parts is None:
            return 127022
        if not body or len(body) > PIECE:
            return 127100
        parts[int(query["part_number"])] = (len(body), hashlib.sha256(body).hexdigest())
        return {}

    def _join(self, token: str) -> Any:
        parts = self.parts.get(token)
        if parts is None:
            return 127022
        sizes = [parts[number][0] for number in sorted(parts)]
        if token in self.joined or sorted(parts) != list(range(1, len(parts) + 1)) or set(sizes[:-1]) - {PIECE}:
            return 127100
        self.joined[token] = sum(sizes)
        return {}

    def _submit(self, token: str, said: Mapping[str, Any]) -> Any:
        if token not in self.parts or token not in self.joined:
            return 127022
        if not said["title"] or len(said["title"]) >= 80 or len(said["desc"]) >= 250 or len(said["tag"]) >= 200:
            return 127100
        if said["copyright"] != 1 or not isinstance(said["tid"], int) or not said["tag"]:
            return 127100
        number = f"BV1xx{len(self.archives):07}"
        self.archives.insert(0, {
            **said, "resource_id": number, "ctime": int(self.now), "token": token,
            "video_info": {"share_url": f"https://www.bilibili.com/video/{number}"},
            "addit_info": {"state": 0 if self.is_open_at_once else -1, "state_desc": "", "reject_reason": ""},
        })  # fmt: skip
        self.videos[number] = {"view": 7, "like": 1, "reply": 0, "share": 2}
        return {"resource_id": number}

    def _archive(self, number: str) -> dict[str, Any] | None:
        return next((one for one in self.archives if one["resource_id"] == number), None)

    def _archives(self, query: Mapping[str, str]) -> dict[str, Any]:
        states = {"pubed": lambda state: state == 0, "not_pubed": lambda state: state in (-2, -4)}
        wanted = states.get(query["status"], lambda state: True)
        there = [one for one in self.archives if wanted(one["addit_info"]["state"])]
        start, size = (int(query["pn"]) - 1) * int(query["ps"]), int(query["ps"])
        page = {"pn": int(query["pn"]), "ps": size, "total": len(there)}
        return {"page": page, "list": there[start : start + size]}

    def _forget(self, number: str) -> Any:
        if self._archive(number) is None:
            return 127124
        self.archives = [one for one in self.archives if one["resource_id"] != number]
        return {}


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
        state.asked.append(asked.path)
        found = state.answer(asked.method, asked.path, asked.query, asked.headers, asked.body)
        if state.drops:
            state.drops -= 1
            return None
        if isinstance(found, int):
            return Answer.of({"code": found, "message": "refused", "ttl": 1})
        return Answer.of({"code": 0, "message": "0", "ttl": 1, "data": found})

    with served(answer) as state.base_url:
        yield state

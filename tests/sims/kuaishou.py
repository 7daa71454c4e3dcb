"""The part of Kuaishou's open platform that the hub speaks to, with one account: tokens, videos, and the gateway that
takes files.

It answers as the platform's pages say, refuses what they forbid, and keeps what it was sent: of pieces their digests.
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
from urllib.parse import urlsplit

from connectors.base import AccountRef
from connectors.kuaishou.pushes import signature
from tests.sims.serving import Answer, Asked, served

KEY, SECRET, OPEN_ID, TOKEN, FRESH = "ks700", "an-app-secret", "f198e20b", "first-token", "first-fresh"
LARGEST_PIECE = 10 * 1024 * 1024
# What the gateway says of a token it does not know is written nowhere: any number.
UNKNOWN_TOKEN = 403


@dataclass
class Kuaishou:
    """``works`` newest first. ``parts`` by upload token: length and digest of each piece by its number; ``whole``: the
    length of what is there to be published. ``codes`` are answered once each, in order."""

    base_url: str = ""
    token: str = TOKEN
    refresh_token: str = FRESH
    endpoint: str = ""
    works: list[dict[str, Any]] = field(default_factory=list)
    parts: dict[str, dict[int, tuple[int, str]]] = field(default_factory=dict)
    whole: dict[str, int] = field(default_factory=dict)
    covers: list[tuple[str, bytes]] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    drops: int = 0
    is_open_at_once: bool = False
    ahead: float = 0.0

    @property
    def now(self) -> float:
        """Unix seconds, ``ahead`` of the wall clock."""
        return time.time() + self.ahead

    def ref(self, **options: Any) -> AccountRef:
        """The account as the connector sees it."""
        secrets = {"app_secret": SECRET, "token": self.token, "refresh_token": self.refresh_token}
        given = {"app_key": KEY, "delete": "yes", **options}
        return AccountRef(1, "kuaishou", "临江发布", OPEN_ID, self.base_url, secrets, given)

    def work(self, caption: str, *, age: float = 0.0, pending: bool = False) -> str:
        """A video on the account; its id."""
        number = f"3xwork{len(self.works):09}"
        self.works.insert(0, {
            "photo_id": number, "caption": caption, "create_time": int((self.now - age) * 1000), "pending": pending,
            "cover": "https://p1.a.yximgs.com/1.jpg", "play_url": "" if pending else "https://v1.kwaicdn.com/1.mp4",
            "view_count": 99, "like_count": 4, "comment_count": 1,
        })  # fmt: skip
        return number

    def push(self, event: str, data: Any) -> tuple[dict[str, str], bytes]:
        """Headers and body of a genuine push."""
        said = {"app_id": KEY, "event": event, "timestamp": int(self.now * 1000), "message_id": "m1", "data": data}
        body = json.dumps(said).encode()
        return {"Kwaisign": signature(SECRET, body)}, body

    # the routes -------------------------------------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Any:
        """The answer without its ``result``, or a number: the ``result`` of a refusal."""
        if self.codes:
            return self.codes.pop(0)
        if asked.path.startswith("/oauth2/"):
            return self._oauth(asked.path, asked.query)
        if asked.path.startswith("/api/upload"):
            return self._gateway(asked)
        if asked.query.get("app_id") != KEY:
            return 100200101
        if asked.query.get("access_token") != self.token:
            return 100200108
        query = asked.query
        routes: dict[tuple[str, str], Callable[[], Any]] = {
            ("GET", "/openapi/user_info"): lambda: {"user_info": {"name": "临江发布", "fan": 7}},
            ("POST", "/openapi/photo/start_upload"): self._start,
            ("POST", "/openapi/photo/publish"): lambda: self._publish(asked),
            ("GET", "/openapi/photo/info"): lambda: self._info(query["photo_id"]),
            ("GET", "/openapi/photo/list"): lambda: self._list(query),
            ("POST", "/openapi/photo/delete"): lambda: self._delete(query["photo_id"]),
        }
        found = routes.get((asked.method, asked.path))
        return found() if found else 100200100

    def _oauth(self, path: str, query: Mapping[str, str]) -> Any:
        if query.get("app_id") != KEY or query.get("app_secret") != SECRET:
            return 100200101
        if path.endswith("/refresh_token"):
            if query.get("refresh_token") != self.refresh_token:
                return 100200113
            self.token, self.refresh_token = f"{self.token}+", f"{self.refresh_token}+"
        elif query.get("code") != "good":
            return 100200105
        return {
            "access_token": self.token, "expires_in": 172_800, "refresh_token": self.refresh_token,
            "refresh_token_expires_in": 15_552_000, "open_id": OPEN_ID, "scopes": ["user_info"],
        }  # fmt: skip

    def _start(self) -> Any:
        token = f"upload-{len(self.asked)}"
        self.parts[token] = {}
        return {"upload_token": token, "endpoint": self.endpoint or urlsplit(self.base_url).netloc}

    def _gateway(self, asked: Asked) -> Any:
        token, body = asked.query.get("upload_token", ""), asked.body
        parts = self.parts.get(token)
        if parts is None:
            return UNKNOWN_TOKEN
        if asked.path == "/api/upload/resume":
            return {"existed": token in self.whole, "fragment_index": len(parts) - 1, "fragment_list": []}
        if asked.path == "/api/upload/complete":
            is_all = sorted(parts) == list(range(int(asked.query["fragment_count"])))
            if not is_all or token in self.whole:
                return 100400
            self.whole[token] = sum(length for length, _ in parts.values())
            return {}
        if not body or len(body) > LARGEST_PIECE or asked.headers.get("content-type", "").startswith("multipart"):
            return 100400
        digest = hashlib.sha256(body).hexdigest()
        if asked.path == "/api/upload/fragment":
            parts[int(asked.query["fragment_id"])] = (len(body), digest)
            return {"checksum": hashlib.md5(body, usedforsecurity=False).hexdigest(), "size": len(body)}
        parts[0] = (len(body), digest)
        self.whole[token] = len(body)
        return {}

    def _publish(self, asked: Asked) -> Any:
        token = asked.query.get("upload_token", "")
        if token not in self.parts or token not in self.whole:
            return 120002
        form = _form(asked.headers.get("content-type", ""), asked.body)
        caption, cover = form.get("caption"), form.get("cover")
        if caption is None or cover is None or not cover[0] or not cover[1].startswith(b"\xff\xd8"):
            return 100400
        self.covers.append(cover)
        self.work(caption[1].decode(), pending=not self.is_open_at_once)
        return {"video_info": self.works[0]}

    def _info(self, number: str) -> Any:
        found = next((work for work in self.works if work["photo_id"] == number), None)
        return {"video_info": found} if found else 100120001

    def _list(self, query: Mapping[str, str]) -> dict[str, Any]:
        rows = sorted(self.works, key=lambda work: -work["create_time"])
        start = 0
        if cursor := query.get("cursor"):
            start = next(place for place, work in enumerate(rows) if work["photo_id"] == cursor) + 1
        return {"video_list": rows[start : start + int(query.get("count", "20"))]}

    def _delete(self, number: str) -> Any:
        before = len(self.works)
        self.works = [work for work in self.works if work["photo_id"] != number]
        return {} if len(self.works) < before else 120001


def _form(mime: str, body: bytes) -> dict[str, tuple[str, bytes]]:
    """A multipart form as another reader than the sender's takes it apart: file name and content by field."""
    read: Message = email.message_from_bytes(b"Content-Type: " + mime.encode() + b"\r\n\r\n" + body)
    parts = read.get_payload()
    named = [part for part in parts if isinstance(part, Message)] if isinstance(parts, list) else []
    return {
        str(part.get_param("name", header="content-disposition")): (
            part.get_filename() or "",
            bytes(part.get_payload(decode=True) or b""),
        )
        for part in named
    }


@contextmanager
def kuaishou() -> Iterator[Kuaishou]:
    """On a free port of this machine, in a thread."""
    state = Kuaishou()

    def answer(asked: Asked) -> Answer | None:
        state.asked.append(asked.path)
        found = state.answer(asked)
        if state.drops:
            state.drops -= 1
            return None
        if isinstance(found, int):
            return Answer.of({"result": found, "error": "refused", "error_msg": "refused"})
        return Answer.of({"result": 1, **found})

    with served(answer) as state.base_url:
        yield state

"""The part of Douyin's open platform that the hub speaks to, with one account: tokens, works, comments, messages.

It answers as the platform's pages say, refuses what they forbid, and keeps what it was sent.
"""

from __future__ import annotations

import email
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qs

from connectors.base import AccountRef
from connectors.douyin.pushes import signature
from tests.sims.serving import Answer, Asked, served

KEY, SECRET, OPEN_ID, TOKEN, FRESH = "tt10abc", "a-client-secret", "open-500", "act.first", "rft.first"
LEAST_PIECE, MOST_PIECE = 5 * 1024 * 1024, 20 * 1024 * 1024
ALL = {"publish": "yes", "works": "yes", "comments": "yes", "messages": "yes"}


@dataclass
class Douyin:
    """``works`` newest first; ``comments`` by item id, newest first; ``codes`` are answered once each,
    in order; ``dead`` all the time. ``parts`` by upload id: length and digest of each piece by its number; ``films`` by
    video id: the length of what is there to be published."""

    base_url: str = ""
    token: str = TOKEN
    refresh_token: str = FRESH
    renewals: int = 5
    works: list[dict[str, Any]] = field(default_factory=list)
    comments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    replies: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)
    parts: dict[str, dict[int, tuple[int, str]]] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)
    films: dict[str, int] = field(default_factory=dict)
    is_open_at_once: bool = False
    created: list[dict[str, Any]] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    dead: int = 0
    ahead: float = 0.0
    drops: int = 0
    page: int = 20

    @property
    def now(self) -> float:
        """Unix seconds, ``ahead`` of the wall clock."""
        return time.time() + self.ahead

    def ref(self, **options: Any) -> AccountRef:
        """The account as the connector sees it, with all rights unless ``options`` say otherwise."""
        secrets = {"app_secret": SECRET, "token": self.token, "refresh_token": self.refresh_token}
        given = {"app_key": KEY, **ALL, "pull_every": 0.01, **options}
        return AccountRef(1, "douyin", "临江发布", OPEN_ID, self.base_url, secrets, given)

    def work(self, title: str, *, pictures: bool = False, status: int = 5, age: float = 0.0) -> str:
        """A work on the account; its item id."""
        number = str(7_300_000_000_000_000_000 + len(self.works))
        item = f"@9Vw{number}=="
        self.works.insert(0, {
            "item_id": item, "video_id": number, "title": title, "create_time": int(self.now - age),
            "share_url": f"https://www.iesdouyin.com/share/video/{number}", "video_status": status, "is_top": False,
            "media_type": 2 if pictures else 4,
            "statistics": {"play_count": 100, "digg_count": 8, "comment_count": 2, "share_count": 3},
        })  # fmt: skip
        return item

    def say(self, item: str, text: str, *, count: int = 1, author: str = "citizen-1") -> None:
        """So many comments under a work."""
        there = self.comments.setdefault(item, [])
        for _ in range(count):
            number = len(there)
            there.insert(0, {
                "comment_id": f"@c{item[-8:]}{number}", "comment_user_id": author, "content": text.format(n=number),
                "create_time": int(self.now), "digg_count": 1, "reply_comment_total": 0, "top": False,
            })  # fmt: skip

    def push(
        self, event: str, content: Any, sender: str = "citizen-1", to: str = OPEN_ID
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of a genuine push."""
        body = json.dumps(
            {"event": event, "from_user_id": sender, "to_user_id": to, "client_key": KEY, "content": content},
            ensure_ascii=False,
        ).encode()
        return {"X-Douyin-Signature": signature(SECRET, body), "Msg-Id": "m1"}, body

    # the routes -------------------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Any:
        """``data`` of the answer, or a number: an error code."""
        if self.codes or self.dead:
            return self.codes.pop(0) if self.codes else self.dead
        if path.startswith("/oauth/"):
            return self._oauth(path, {name: v[0] for name, v in parse_qs(body.decode()).items()})
        if headers.get("access-token") != self.token:
            return 28001008
        if query.get("open_id") != OPEN_ID:
            return 28001015
        mime = headers.get("content-type", "")
        routes: dict[tuple[str, str], Callable[[], Any]] = {
            ("GET", "/api/douyin/v1/video/video_list/"): lambda: self._paged(self.works, query),
            ("POST", "/api/douyin/v1/video/video_data/"): lambda: self._named(json.loads(body)),
            ("POST", "/api/douyin/v1/video/upload_image/"): lambda: self._upload(body),
            ("POST", "/api/douyin/v1/video/create_image_text/"): lambda: self._create(json.loads(body)),
            ("POST", "/api/douyin/v1/video/upload_video/"): lambda: self._film(mime, body),
            ("POST", "/api/douyin/v1/video/init_video_part_upload/"): self._begin,
            ("POST", "/api/douyin/v1/video/upload_video_part/"): lambda: self._part(query, mime, body),
            ("POST", "/api/douyin/v1/video/complete_video_part_upload/"): lambda: self._join(query["upload_id"]),
            ("POST", "/api/douyin/v1/video/create_video/"): lambda: self._create_video(json.loads(body)),
            ("GET", "/item/comment/list/"): lambda: self._comments(query),
            ("GET", "/item/comment/reply/list/"): lambda: self._replies(query),
            ("POST", "/item/comment/reply/"): lambda: self._reply(json.loads(body)),
            ("POST", "/im/send/msg/"): lambda: self._send(json.loads(body)),
        }
        found = routes.get((method, path))
        return found() if found else 28001017

    def _oauth(self, path: str, form: Mapping[str, str]) -> Any:
        if path == "/oauth/userinfo/":
            ok = form.get("access_token") == self.token and form.get("open_id") == OPEN_ID
            return {"nickname": "临江发布", "open_id": OPEN_ID} if ok else 10008
        if form.get("client_key") != KEY:
            return 10003
        if path == "/oauth/access_token/":
            if form.get("client_secret") != SECRET:
                return 10013
            return self._tokens() if form.get("code") == "good" else 10007
        if form.get("refresh_token") != self.refresh_token:
            return 10010
        if path == "/oauth/renew_refresh_token/":
            if not self.renewals:
                return 10020
            self.renewals -= 1
            self.refresh_token = f"rft.{self.renewals}"
            return {"refresh_token": self.refresh_token, "expires_in": 2_592_000}
        self.token = f"act.{len(self.asked)}"
        return self._tokens()

    def _tokens(self) -> dict[str, Any]:
        return {
            "access_token": self.token, "expires_in": 1_296_000, "refresh_token": self.refresh_token,
            "refresh_expires_in": "2592000", "open_id": OPEN_ID, "scope": "user_info",
        }  # fmt: skip

    def _paged(self, rows: list[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
        start, size = int(query["cursor"]), min(int(query["count"]), self.page)
        return {"list": rows[start : start + size], "cursor": start + size, "has_more": start + size < len(rows)}

    def _named(self, body: Mapping[str, Any]) -> dict[str, Any]:
        items, videos = body.get("item_ids", ()), body.get("video_ids", ())
        return {"list": [w for w in self.works if w["item_id"] in items or w["video_id"] in videos]}

    def _upload(self, body: bytes) -> Any:
        if b'name="image"' not in body:
            return 2100005
        self.pictures.append(body)
        return {"image": {"image_id": f"img{len(self.pictures)}", "width": 1, "height": 1}}

    def _create(self, body: Mapping[str, Any]) -> Any:
        if not body["image_list"]:
            return 28001007
        if len(body["text"]) > 1000:
            return 2114001
        item = self.work(body["text"], pictures=True, status=4)
        return {"item_id": item, "video_id": self.works[0]["video_id"]}

    # videos -----------------------------------------------------------------------------------------------------------

    def _film(self, mime: str, body: bytes) -> Any:
        name, film = _file(mime, body)
        if name != "video.mp4" or not film or len(film) > 128 * 1024 * 1024:
            return 2190005
        return self._is_there(len(film))

    def _is_there(self, length: int) -> dict[str, Any]:
        own = f"v0200f{len(self.films)}"
        self.films[own] = length
        return {"video": {"video_id": own, "width": 720, "height": 1280}}

    def _begin(self) -> Any:
        own = f"upload-{len(self.parts) + len(self.films)}"
        self.parts[own] = {}
        return {"upload_id": own}

    def _part(self, query: Mapping[str, str], mime: str, body: bytes) -> Any:
        parts = self.parts.get(query["upload_id"])
        if parts is None:
            return 2100005
        name, film = _file(mime, body)
        if name != "video.mp4" or not LEAST_PIECE <= len(film) <= MOST_PIECE:
            return 2100005
        parts[int(query["part_number"])] = (len(film), hashlib.sha256(film).hexdigest())
        return {}

    def _join(self, own: str) -> Any:
        parts = self.parts.get(own)
        if not parts or sorted(parts) != list(range(1, len(parts) + 1)) or own in self.joined:
            return 2100005
        self.joined.add(own)
        return self._is_there(sum(length for length, _ in parts.values()))

    def _create_video(self, body: Mapping[str, Any]) -> Any:
        if body["video_id"] not in self.films:
            return 2190007
        if len(body["text"]) > 1000:
            return 2114001
        self.created.append(dict(body))
        item = self.work(body["text"], status=5 if self.is_open_at_once else 4)
        return {"item_id": item, "video_id": self.works[0]["video_id"]}

    def _comments(self, query: Mapping[str, str]) -> Any:
        wanted = {"device_brand", "device_platform", "device_type", "os_version", "ip", "shark_channel"}
        if not wanted <= set(query) or query["sort_type"] != "time":
            return 28001007
        work = next((w for w in self.works if w["item_id"] == query["item_id"]), None)
        if work is None or work["media_type"] == 2:
            return 2100005
        return self._paged(self.comments.get(query["item_id"], []), query)

    def _replies(self, query: Mapping[str, str]) -> Any:
        rows = [r for r in self.replies if r["under"] == query["comment_id"]]
        return self._paged(list(reversed(rows)), query)

    def _reply(self, body: Mapping[str, Any]) -> Any:
        under = self.comments.get(body["item_id"], [])
        if not any(c["comment_id"] == body["comment_id"] for c in under):
            return 2100005
        own = {
            "comment_id": f"@r{len(self.replies)}", "comment_user_id": OPEN_ID, "content": body["content"],
            "create_time": int(self.now), "under": body["comment_id"],
        }  # fmt: skip
        self.replies.append(own)
        return {"comment_id": own["comment_id"]}

    def _send(self, body: Mapping[str, Any]) -> Any:
        self.messages.append(dict(body))
        return {"msg_id": f"sent{len(self.messages)}"}


def _file(mime: str, body: bytes) -> tuple[str, bytes]:
    """Name and content of the field ``video`` as another reader than the sender's takes the form apart."""
    read: Message = email.message_from_bytes(b"Content-Type: " + mime.encode() + b"\r\n\r\n" + body)
    parts = read.get_payload()
    for part in parts if isinstance(parts, list) else []:
        if isinstance(part, Message) and part.get_param("name", header="content-disposition") == "video":
            return part.get_filename() or "", bytes(part.get_payload(decode=True) or b"")
    return "", b""


@contextmanager
def douyin() -> Iterator[Douyin]:
    """On a free port of this machine, in a thread."""
    state = Douyin()

    def answer(asked: Asked) -> Answer | None:
        state.asked.append((asked.path, dict(asked.query)))
        found = state.answer(asked.method, asked.path, asked.query, asked.headers, asked.body)
        if state.drops:
            state.drops -= 1
            return None
        code = found if isinstance(found, int) else 0
        shown = {"error_code": code, "description": "" if not code else re.sub(r"\d", "", f"refused {code}")}
        extra = {"error_code": code, "logid": "1", "now": 1}
        return Answer.of({"data": shown | (found if not code else {}), "extra": extra})

    with served(answer) as state.base_url:
        yield state

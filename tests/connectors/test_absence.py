"""Only a well-formed and whole answer proves that something of ours is not there.

Taken for a proof, any other would have it sent again, or called gone. The answers are made by hand, one thing wrong
in each.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.base import AccountRef, Connector, ConnectorError, Effect, Kind, Outgoing
from connectors.http import Answer, Http
from tests.sims.recording import made

SINCE = datetime(2026, 11, 27, 8, 0, 0, 700_000, tzinfo=UTC)
AFTER, BEFORE = int(SINCE.timestamp()) + 60, int(SINCE.timestamp()) - 3600
HTML = b"<html><body>404 Not Found</body></html>"
SECRETS = {"token": "t", "access_token": "t", "app_secret": "s"}
OPTIONS = {
    "app_key": "k", "category": "15", "works": "yes", "comments": "yes", "publish": "yes", "open_comment": "1",
    "video_category": "230", "tags": "政务", "delete": "yes",
}  # fmt: skip
WHERE = "http://127.0.0.1:9"


class Said(Http):
    """Whatever is asked, these are the answers in order, the last one for ever; bytes: a page of a gateway."""

    def __init__(self, *bodies: Any, status: int = 200) -> None:
        super().__init__(live=False)
        self.left, self.status, self.calls = list(bodies), status, 0

    async def call(self, method: str, url: str, *, write: bool = False, **asked: Any) -> Answer:
        self.calls += 1
        body = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        status, body = (404, body) if isinstance(body, bytes) else (self.status, json.dumps(body).encode())
        return Answer(status, {}, body, write)


def there(platform: str, http: Http) -> tuple[Connector, AccountRef]:
    return made(platform, http), AccountRef(1, platform, "临江发布", "500", WHERE, SECRETS, OPTIONS)


async def is_absent(platform: str, out: Outgoing, *bodies: Any) -> bool:
    """Whether the answers are taken for a proof that ``out`` is not there; all they hold says something else."""
    connector, ref = there(platform, Said(*bodies))
    try:
        own = await connector.find_own(ref, SINCE, out)
    except ConnectorError:
        return False
    return own.complete


async def is_gone(platform: str, own: str, *bodies: Any, status: int = 200) -> bool:
    connector, ref = there(platform, Said(*bodies, status=status))
    try:
        return not await connector.exists(ref, own)
    except ConnectorError:
        return False


POST = Outgoing("停水通知", "k")
FILM = Outgoing("停水通知", "k", form="video")
UNDER = Outgoing("今晚八点", "k", "5000000000000000001", Kind.comment, "5000000000000000000")
PRIVATE = Outgoing("已受理", "k", "7", Kind.private, "private:9", "9")
TARGET = Outgoing("下午三点", "k", "55:0:9", Kind.comment, "article")


def weibo_time(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%a %b %d %H:%M:%S +0000 %Y")


def status(number: int, at: int, **more: Any) -> dict[str, Any]:
    return {"idstr": str(number), "text": "别的", "created_at": weibo_time(at), **more}


def comment(number: int, at: int, **more: Any) -> dict[str, Any]:
    return status(number, at, status={"idstr": "5000000000000000000"}, **more)


def toot(number: int, at: int, **more: Any) -> dict[str, Any]:
    said = {"content": "<p>别的</p>", "created_at": datetime.fromtimestamp(at, UTC).isoformat()}
    return {"id": str(number), **said, "account": {"id": "500"}, **more}


def douyin(**data: Any) -> dict[str, Any]:
    return {"data": {"error_code": 0, **data}}


def work(at: int, **more: Any) -> dict[str, Any]:
    return {"item_id": "@a", "video_id": "7", "title": "别的", "create_time": at, **more}


def said_under(at: Any, author: str = "500", **more: Any) -> dict[str, Any]:
    return {"comment_id": "@r", "comment_user_id": author, "content": "别的", "create_time": at, **more}


def bilibili(data: Any) -> dict[str, Any]:
    return {"code": 0, "data": data}


def row(number: int, at: Any, **more: Any) -> dict[str, Any]:
    return {"id": number, "ctime": at, **more}


def heard(total: Any, *comments: Any) -> dict[str, Any]:
    return {"errcode": 0, "total": total, "comment": list(comments)}


def entry(number: int, **more: Any) -> dict[str, Any]:
    return {"user_comment_id": number, "content": "问", "create_time": AFTER, **more}


def archive(number: int, at: Any, **more: Any) -> dict[str, Any]:
    return {"resource_id": f"BV1xx{number:07}", "desc": "别的", "ctime": at, **more}


def archives(*rows: Any, **page: Any) -> dict[str, Any]:
    return bilibili({"list": list(rows), "page": page})


def viewed(**more: Any) -> dict[str, Any]:
    told = {"state": 0, "state_desc": "开放浏览", "reject_reason": ""}
    return bilibili({"resource_id": "BV1xx0000001", "addit_info": told | more})


def photos(*rows: Any) -> dict[str, Any]:
    return {"result": 1, "video_list": list(rows)}


def photo(number: int, at: Any, **more: Any) -> dict[str, Any]:
    return {"photo_id": f"3xwork{number}", "caption": "别的", "create_time": at, "pending": False, **more}


DETAIL = bilibili({"content": "<p>别的</p>"})
FULL = [entry(number) for number in range(100, 149)]

PROVEN: list[tuple[str, Outgoing, list[Any]]] = [
    ("douyin", POST, [douyin(list=[], has_more=False)]),
    ("douyin", POST, [douyin(list=[work(AFTER), work(BEFORE)], has_more=True, cursor=20)]),
    ("douyin", UNDER, [douyin(list=[said_under(AFTER, "9"), said_under(BEFORE)], has_more=False)]),
    ("bilibili", POST, [bilibili({"articles": []})]),
    ("bilibili", POST, [bilibili({"articles": [row(9, BEFORE), *({} for _ in range(9))]})]),
    ("bilibili", FILM, [archives(total=0)]),
    ("bilibili", FILM, [archives(archive(1, AFTER), total=1)]),
    ("bilibili", FILM, [archives(archive(2, AFTER), archive(1, BEFORE), total=400)]),
    ("kuaishou", FILM, [photos()]),
    ("kuaishou", FILM, [photos(photo(2, AFTER * 1000), photo(1, BEFORE * 1000))]),
    ("kuaishou", FILM, [photos(photo(1, AFTER)), photos()]),
    ("weibo", POST, [{"statuses": [], "total_number": 0}]),
    ("weibo", POST, [{"statuses": [status(2, BEFORE)], "total_number": 40}]),
    ("weibo", UNDER, [{"comments": [], "next_cursor": 0, "total_number": 0}]),
    ("weibo", UNDER, [{"comments": [comment(2, BEFORE)], "next_cursor": 1}]),
    ("sandbox", POST, [{"statuses": [], "next_cursor": 0, "total_number": 0}]),
    ("mastodon", POST, [[toot(3, BEFORE)]]),
    ("mastodon", POST, [[]]),
    ("mastodon", PRIVATE, [{"descendants": []}, []]),
    ("wechat", TARGET, [heard(1, entry(9))]),
]

UNPROVEN: list[tuple[str, Outgoing, list[Any]]] = [
    ("douyin", UNDER, [douyin()]),
    ("douyin", UNDER, [douyin(list=[said_under(AFTER, "9")], has_more=True, cursor=1)]),
    ("douyin", UNDER, [douyin(list=[])]),
    ("douyin", UNDER, [douyin(list=[said_under("gestern")], has_more=False)]),
    ("douyin", UNDER, [douyin(list=["?"], has_more=False)]),
    ("douyin", UNDER, [douyin(list=[said_under(AFTER, content=None)], has_more=False)]),
    ("douyin", POST, [douyin()]),
    ("douyin", POST, [douyin(list=[work(0)], has_more=False)]),
    ("douyin", POST, [douyin(list=[], has_more="?")]),
    ("douyin", POST, [douyin(list=[work(0), work(BEFORE)], has_more=False)]),
    ("bilibili", POST, [bilibili({})]),
    ("bilibili", POST, [bilibili(None)]),
    ("bilibili", POST, [bilibili({"articles": [row(9, None), row(8, BEFORE)]})]),
    ("bilibili", POST, [bilibili({"articles": [row(9, AFTER)] * 5 + [row(4, AFTER)]}), DETAIL]),
    ("bilibili", POST, [bilibili({"articles": [row(9, None)] + [row(4, AFTER)] * 5}), DETAIL]),
    ("bilibili", POST, [bilibili({"articles": [row(9, AFTER)]}), bilibili({})]),
    ("bilibili", POST, [bilibili({"articles": [row(9, AFTER)], "artPage": {"total": 30}}), DETAIL]),
    ("bilibili", FILM, [bilibili({})]),
    ("bilibili", FILM, [bilibili({"list": []})]),
    ("bilibili", FILM, [archives(total="0")]),
    ("bilibili", FILM, [archives(archive(1, AFTER), total=2)]),
    ("bilibili", FILM, [archives(archive(1, None), total=1)]),
    ("bilibili", FILM, [archives(archive(1, AFTER, desc=None), archive(2, BEFORE), total=2)]),
    ("bilibili", FILM, [archives(archive(1, BEFORE), archive(2, AFTER), total=400)]),
    ("bilibili", FILM, [archives(archive(2, AFTER), archive(3, AFTER + 9), archive(1, BEFORE), total=400)]),
    ("bilibili", FILM, [HTML]),
    ("kuaishou", FILM, [{"result": 1}]),
    ("kuaishou", FILM, [{"video_list": []}]),
    ("kuaishou", FILM, [photos(photo(1, AFTER))]),
    ("kuaishou", FILM, [photos(photo(1, None)), photos()]),
    ("kuaishou", FILM, [photos(photo(1, AFTER, caption=None), photo(2, BEFORE))]),
    ("kuaishou", FILM, [photos(photo(1, "gestern")), photos()]),
    ("kuaishou", FILM, [HTML]),
    ("weibo", POST, [{"statuses": [status(2, AFTER, created_at=None)], "total_number": 1}]),
    ("weibo", POST, [{"statuses": [None, status(2, BEFORE)], "total_number": 9}]),
    ("weibo", POST, [{"statuses": [status(9, BEFORE), status(3, AFTER)], "total_number": 9}]),
    ("weibo", POST, [{"statuses": []}]),
    ("weibo", UNDER, [{"comments": []}]),
    ("weibo", UNDER, [{"comments": [], "next_cursor": "?"}]),
    ("weibo", UNDER, [{"comments": [comment(2, AFTER, text=None)], "next_cursor": 0}]),
    ("weibo", UNDER, [{"comments": [status(2, AFTER)], "next_cursor": 0}]),
    ("weibo", UNDER, [{"comments": [comment(n, AFTER) for n in range(60, 10, -1)], "next_cursor": 0}]),
    ("weibo", PRIVATE, [{"result": True}]),
    ("sandbox", POST, [{"statuses": [None], "next_cursor": 0, "total_number": 1}]),
    ("sandbox", POST, [{"statuses": [], "next_cursor": 0}]),
    ("mastodon", POST, [[toot(3, AFTER, content=None)]]),
    ("mastodon", POST, [[toot(4, AFTER, content=None), toot(3, BEFORE)]]),
    ("mastodon", PRIVATE, [{}, []]),
    ("mastodon", PRIVATE, [{"descendants": None}, []]),
    ("mastodon", PRIVATE, [{"descendants": [toot(4, AFTER, content=None)]}, []]),
    ("mastodon", PRIVATE, [{"descendants": [toot(4, AFTER, account=None)]}, []]),
    ("mastodon", PRIVATE, [HTML, []]),
    ("wechat", TARGET, [heard(0)]),
    ("wechat", TARGET, [heard(1, entry(9, reply={"content": None}))]),
    ("wechat", TARGET, [heard(1, entry(9, reply="?"))]),
]


@pytest.mark.parametrize(("platform", "out", "bodies"), PROVEN)
async def test_a_whole_list_proves_that_it_is_not_there(platform: str, out: Outgoing, bodies: list[Any]) -> None:
    assert await is_absent(platform, out, *bodies)


@pytest.mark.parametrize(("platform", "out", "bodies"), UNPROVEN)
async def test_a_list_in_pieces_proves_nothing(platform: str, out: Outgoing, bodies: list[Any]) -> None:
    assert not await is_absent(platform, out, *bodies)


GONE: list[tuple[str, str, list[Any], int]] = [
    ("douyin", "@a", [douyin(list=[])], 200),
    ("douyin", "@a", [douyin(list=[work(AFTER, video_status=2)])], 200),
    ("bilibili", "cv9", [bilibili({})], 200),
    ("bilibili", "cv9", [bilibili({"8": {"stats": {}}})], 200),
    ("bilibili", "BV1xx", [{"code": 127124}], 200),
    ("bilibili", "BV1xx0000001", [viewed(state=-4, reject_reason="违规")], 200),
    ("kuaishou", "3xwork1", [{"result": 100120001}], 200),
    ("kuaishou", "3xwork1", [{"result": 120001}], 200),
    ("wechat", "article", [{"errcode": 53600}], 200),
    ("wechat", "answer:55:0:9", [heard(1, entry(8))], 200),
    ("wechat", "answer:55:0:9", [heard(1, entry(9))], 200),
    ("mastodon", "7", [HTML, {"id": "500"}], 200),
    ("weibo", "7", [{"error_code": 20101}, []], 200),
    ("sandbox", "7", [{"error_code": 20101}, [], {"error_code": 20305}], 200),
]

STANDING: list[tuple[str, str, list[Any], int]] = [
    ("douyin", "@a", [douyin()], 200),
    ("douyin", "@a", [douyin(list=None)], 200),
    ("douyin", "@a", [douyin(list=[work(0)])], 200),
    ("douyin", "@a", [HTML], 404),
    ("bilibili", "cv9", [bilibili(None)], 200),
    ("bilibili", "cv9", [bilibili([])], 200),
    ("bilibili", "cv9", [bilibili({"9": None})], 200),
    ("bilibili", "cv9", [bilibili({"9": {"stats": None}})], 200),
    ("bilibili", "BV1xx", [HTML], 404),
    ("bilibili", "BV1xx", [{"message": "no route"}], 404),
    ("bilibili", "BV1xx0000001", [viewed()], 200),
    ("bilibili", "BV1xx0000002", [viewed()], 200),
    ("bilibili", "BV1xx0000001", [bilibili({})], 200),
    ("bilibili", "BV1xx0000001", [viewed(state=None, reject_reason=None)], 200),
    ("kuaishou", "3xwork1", [{"result": 1}], 200),
    ("kuaishou", "3xwork1", [{"result": 1, "video_info": photo(2, AFTER)}], 200),
    ("kuaishou", "3xwork1", [{"result": 1, "video_info": None}], 200),
    ("kuaishou", "3xwork1", [HTML], 404),
    ("kuaishou", "3xwork1", [{"message": "no route"}], 404),
    ("wechat", "article", [HTML], 404),
    ("wechat", "article", [{"message": "no route"}], 404),
    ("wechat", "answer:55:0:9", [heard(10**9, *FULL)], 200),
    ("wechat", "answer:55:0:9", [heard(100, entry(8))], 200),
    ("wechat", "answer:55:0:9", [heard(2, entry(8), "?")], 200),
    ("wechat", "answer:55:0:9", [heard(True)], 200),
    ("wechat", "answer:55:0:9", [heard(1, entry(9, reply="?"))], 200),
    ("wechat", "answer:55:0:9", [HTML], 404),
    ("mastodon", "7", [HTML], 404),
    ("mastodon", "7", [HTML, {}], 200),
    ("mastodon", "no id", [HTML, {"id": "500"}], 200),
    ("weibo", "7", [HTML], 404),
    ("weibo", "7", [{"error_code": 20101}, {}], 200),
    ("weibo", "7", [{"error_code": 20101}, [None]], 200),
    ("weibo", "7", [{"message": "no route"}, []], 404),
    ("sandbox", "7", [{"error_code": 20101}, {}, {"error_code": 20305}], 200),
    ("sandbox", "7", [HTML], 404),
]


@pytest.mark.parametrize(("platform", "own", "bodies", "status"), GONE)
async def test_what_the_platform_says_is_gone_is_gone(platform: str, own: str, bodies: list[Any], status: int) -> None:
    assert await is_gone(platform, own, *bodies, status=status)


@pytest.mark.parametrize(("platform", "own", "bodies", "status"), STANDING)
async def test_what_nobody_says_is_gone_is_not_called_gone(
    platform: str, own: str, bodies: list[Any], status: int
) -> None:
    assert not await is_gone(platform, own, *bodies, status=status)


async def test_an_answer_below_comments_without_end_is_looked_for_on_some_pages_only() -> None:
    http = Said(heard(10**9, *FULL))
    connector, ref = there("wechat", http)
    with pytest.raises(ConnectorError):
        await connector.exists(ref, "answer:55:0:9")
    assert http.calls <= 30


@pytest.mark.parametrize(
    ("platform", "own"),
    [
        ("wechat", "a"), ("bilibili", "cv9"), ("bilibili", "BV1xx0000001"), ("kuaishou", "3xwork1"), ("mastodon", "7"),
        ("weibo", "7"),
    ],
)  # fmt: skip
async def test_a_gateway_that_knows_nothing_has_deleted_nothing(platform: str, own: str) -> None:
    connector, ref = there(platform, Said(HTML))
    with pytest.raises(ConnectorError):
        await connector.delete(ref, own)


@pytest.mark.parametrize(
    ("platform", "job", "body"),
    [
        ("bilibili", "9", bilibili({})), ("bilibili", "9", {"code": 4009}), ("bilibili", "9", HTML),
        ("bilibili", "BV1xx0000001", bilibili({})), ("bilibili", "BV1xx0000001", {"code": 4009}),
        ("bilibili", "BV1xx0000001", {"code": 127124}), ("bilibili", "BV1xx0000001", HTML),
        ("kuaishou", "3xwork1", {"result": 1}), ("kuaishou", "3xwork1", {"result": 100200500}),
        ("kuaishou", "3xwork1", HTML),
        ("douyin", "@a", douyin()), ("douyin", "@a", {"data": {"error_code": 28001052}}),
        ("wechat", "publish:9", {"errcode": 45009}), ("wechat", "mass:9", {"errcode": 48001}),
        ("wechat", "publish:9", HTML),
    ],
)  # fmt: skip
async def test_a_job_nobody_could_ask_about_has_not_failed(platform: str, job: str, body: Any) -> None:
    connector, ref = there(platform, Said(body))
    with pytest.raises(ConnectorError) as caught:
        await connector.poll_job(ref, job)
    assert caught.value.effect is Effect.unknown

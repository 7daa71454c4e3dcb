"""Pictures that messages point to: fetched through the guard, never more or longer than allowed, told in words."""

from __future__ import annotations

import asyncio
import gzip
import time

import pytest

from connectors import media
from connectors.base import AccountRef, ConnectorError, ErrorKind
from connectors.registry import connector
from tests.connectors.test_http import Serve, answering, drip, raw_server, silent
from tests.sims.serving import Answer, Asked, served
from tests.sims.weibo import WeiboControl

MOST = 8 * 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100


async def fetch(url: str, **given: object) -> bytes:
    return await media.fetch(url, live=False, most=MOST, **given)  # type: ignore[arg-type]


async def refused(url: str, **given: object) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await fetch(url, **given)
    return caught.value


async def test_nothing_about_us_goes_along_and_the_token_stays_with_its_platform() -> None:
    asked: list[Asked] = []

    def answer(one: Asked) -> Answer:
        asked.append(one)
        moved = {"Location": f"/{len(asked)}", "Set-Cookie": "a=b"}
        return Answer(b"", 302, moved) if len(asked) <= media.MOST_REDIRECTS else Answer(PNG)

    with served(answer) as url:
        assert await fetch(f"{url}/p?fid=1", query={"access_token": "secret"}) == PNG
    assert [dict(one.query) for one in asked] == [{"fid": "1", "access_token": "secret"}, {}, {}, {}]
    for one in asked:
        assert not {"cookie", "referer", "authorization", "origin"} & set(one.headers)


async def test_redirects_end() -> None:
    with served(lambda _: Answer(b"", 302, {"Location": "/again"})) as url:
        error = await refused(url)
    assert (error.kind, error.human) == (ErrorKind.protocol, media.TOO_MANY)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, ErrorKind.not_found), (410, ErrorKind.not_found), (403, ErrorKind.permission), (503, ErrorKind.transient)],
)
async def test_a_refusal_is_told_by_its_number(status: int, kind: ErrorKind) -> None:
    with served(lambda _: Answer(PNG, status)) as url:
        error = await refused(url)
    assert (error.kind, error.human) == (kind, f"存放图片的网站没有给出图片（HTTP {status}）")


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/a", "file:///etc/passwd", "http://", "http://u:p@127.0.0.1/", "http://[::1"]
)
async def test_what_is_no_address_of_a_picture_is_not_tried(url: str) -> None:
    error = await refused(url)
    assert (error.kind, error.human) == (ErrorKind.bug, media.BAD_ADDRESS)


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


BOMB = gzip.compress(b"\0" * 300 * 1024 * 1024, 9)


@pytest.mark.parametrize(
    "serve",
    [endless, answering(b"x" * (MOST + 1)), answering(BOMB, Content_Encoding="gzip")],
    ids=["endless", "large", "bomb"],
)
async def test_what_is_too_large_is_left(serve: Serve) -> None:
    async with raw_server(serve) as url:
        error = await refused(url)
    assert error.human == "图片超过 8 MB，没有保存"


async def test_the_largest_there_may_be_is_taken() -> None:
    async with raw_server(answering(b"x" * MOST)) as url:
        assert len(await fetch(url)) == MOST


@pytest.mark.parametrize("serve", [silent, drip])
async def test_a_slow_server_holds_nobody_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "SECONDS", 0.5)
    began = time.monotonic()
    async with raw_server(serve) as url:
        error = await refused(url)
    assert (error.kind, error.human) == (ErrorKind.transient, media.TOO_SLOW)
    assert time.monotonic() - began < 5


async def test_redirects_share_one_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "SECONDS", 0.5)

    def answer(_: Asked) -> Answer:
        time.sleep(0.3)
        return Answer(b"", 302, {"Location": "/next"})

    with served(answer) as url:
        assert (await refused(url)).human == media.TOO_SLOW


async def test_nobody_there() -> None:
    error = await refused("http://127.0.0.1:9/a.jpg")
    assert (error.kind, error.human) == (ErrorKind.transient, media.AWAY)


async def test_in_rehearsal_no_other_machine_is_asked() -> None:
    error = await refused("https://mmbiz.qpic.cn/1.jpg")
    assert error.kind is ErrorKind.permission
    assert "演练" in error.human


async def test_weibo_gives_what_came_in_private_to_the_accounts_token_only(
    weibo: WeiboControl, press: AccountRef
) -> None:
    microblog, url = connector("weibo", live=False), f"{press.base_url}/2/mss/msget?fid=1"
    query = await microblog.media_query(press, url)
    assert (await fetch(url, query=query))[:3] == b"GIF"
    assert (await refused(url)).human == "存放图片的网站没有给出图片（HTTP 400）"
    for other in (f"{press.base_url}/picture/1", "http://elsewhere.example/2/mss/msget?fid=1", "x" + url):
        assert await microblog.media_query(press, other) == {}
    bare = AccountRef(1, "weibo", "x", "1", press.base_url, {}, {})
    with pytest.raises(ConnectorError) as caught:
        await microblog.media_query(bare, url)
    assert caught.value.kind is ErrorKind.auth_human

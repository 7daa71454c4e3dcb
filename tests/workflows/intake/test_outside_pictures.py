"""Pictures that messages only point to: which are fetched, kept once, given up in words, shared between processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from connectors import media
from connectors.base import AccountRef, Attached, Inbound, Kind, Media, RawItem, attached
from connectors.files.client import FileConnector
from hub import clock
from hub.db import Context, make_engine, unit_of_work
from hub.models import Account, ArrivalBytes, ArrivalFile, Message, OutsidePicture, PictureState
from hub.settings import load
from tests.sims.serving import Answer, Asked, served
from tests.workflows.intake import town
from workflows.house import House
from workflows.intake import arrivals, fetching, reading
from workflows.intake.jobs import fetch_pictures

ROOT = Path(__file__).resolve().parents[3]
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
EXECUTABLE, PAGE = b"MZ\x90\x00" + b"x" * 100, b"<!doctype html><script>alert(1)</script>"


class Pointing(FileConnector):
    """Items whose payload names their kind, their media and whether they are ours or only watched."""

    platform = "pointing"

    def parse(self, account: AccountRef, item: RawItem) -> Inbound:
        shape = json.loads(item.payload)
        found = tuple(Media(*one) for one in shape["media"])
        flags = {name: shape[name] for name in ("is_own", "needs_answer") if name in shape}
        return replace(super().parse(account, item), kind=item.kind, media=found, **flags)

    async def media_query(self, account: AccountRef, url: str) -> Mapping[str, str]:
        return {"token": account.secrets["token"]} if url.endswith("/locked") else {}


@pytest.fixture(autouse=True)
def _pointing(request: pytest.FixtureRequest) -> None:
    name = "any_house" if "any_house" in request.fixturenames else "house"
    house: House = request.getfixturevalue(name)
    house.platforms = {**house.platforms, "pointing": Pointing()}


def settings(house: House, **given: Any) -> None:
    was = house.ctx.settings
    house.ctx.settings = load(was.data, db_url=was.db_url, **given)


async def bring(house: House, *urls: str, kind: Kind = Kind.private, name: str = "1", **more: Any) -> Message:
    """One item with these pictures, stored and read."""
    found = await town.all_rows(house, Account)
    account = found[0] if found else await town.account(house, platform="pointing")
    shape = {"text": "看图", "created_at": town.WRITTEN, "media": [["image", url] for url in urls]} | more
    async with unit_of_work(house.ctx) as unit:
        await arrivals.store(unit, account, [RawItem(kind, name, json.dumps(shape))], "push")
    await reading.read_waiting(house, 100)
    return await town.message(house, name)


async def pictures(house: House) -> list[OutsidePicture]:
    return await town.all_rows(house, OutsidePicture)


async def one_picture(house: House) -> OutsidePicture:
    (found,) = await pictures(house)
    return found


@contextmanager
def site(*bodies: bytes, status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """A server that answers with these bodies in turn, the last one for ever; and the paths it was asked for."""
    asked: list[str] = []

    def answer(one: Asked) -> Answer:
        asked.append(one.path)
        body = bodies[min(len(asked), len(bodies)) - 1]
        return Answer(body, status, {"Content-Type": "image/jpeg"})

    with served(answer) as url:
        yield url, asked


async def test_a_picture_is_kept_with_its_message_and_its_source_stays_known(any_house: House) -> None:
    with site(PNG) as (url, asked):
        message = await bring(any_house, f"{url}/a.jpg")
        assert message.media == [{"kind": "image", "url": f"{url}/a.jpg", "description": ""}]
        assert await fetch_pictures(any_house) == 1
        assert await fetch_pictures(any_house) == 0
    (file,), (data,) = await town.all_rows(any_house, ArrivalFile), await town.all_rows(any_house, ArrivalBytes)
    assert (file.arrival_id, file.name, file.mime, file.bytes) == (message.arrival_id, "图片1.png", "image/png", 108)
    assert data.data == PNG
    assert (await town.message(any_house, "1")).media == [
        {"kind": "image", "url": f"/letters/files/{file.id}", "description": "", "source": f"{url}/a.jpg"}
    ]
    picture = await one_picture(any_house)
    assert (picture.state, picture.due_at, picture.error) == (PictureState.kept, None, "")
    assert len(asked) == 1


async def test_what_the_platform_gives_to_the_account_alone_is_fetched_with_its_token(house: House) -> None:
    sealed = house.ctx.vault.seal({"token": "geheim"})
    await town.account(house, platform="pointing", sealed=sealed)
    with served(lambda asked: Answer(PNG if asked.query.get("token") == "geheim" else b"", 200)) as url:
        message = await bring(house, f"{url}/locked", f"{url}/open")
        await fetch_pictures(house)
    locked, other = await pictures(house)
    assert (locked.state, other.state) == (PictureState.kept, PictureState.given_up)
    assert "geheim" not in json.dumps((await town.message(house, message.external_id)).media)


async def test_a_fault_of_the_connector_keeps_no_other_picture_waiting(house: House) -> None:
    """This account has no token, and its connector does not look before it reaches for one."""
    with site(PNG) as (url, _):
        await bring(house, f"{url}/locked", f"{url}/open")
        assert await fetch_pictures(house) == 2
    broken, other = await pictures(house)
    assert (broken.state, other.state) == (PictureState.given_up, PictureState.kept)
    assert broken.error == "程序出错（KeyError），请把日志交给管理员"


async def test_nine_pictures_beside_a_file_of_the_item_itself(any_house: House) -> None:
    account = await town.account(any_house, platform="pointing")
    with site(PNG) as (url, _):
        came = [["file", attached(0)], *(["image", f"{url}/{n}.jpg"] for n in range(12)), ["video", f"{url}/v.mp4"]]
        shape = {"text": "看图", "created_at": town.WRITTEN, "media": came}
        item = RawItem(Kind.letter, "1", json.dumps(shape), (Attached("a.png", PNG),))
        async with unit_of_work(any_house.ctx) as unit:
            await arrivals.store(unit, account, [item], "push")
        await reading.read_waiting(any_house, 100)
        assert await fetch_pictures(any_house) == 9
    kept = (await town.message(any_house, "1")).media
    assert [one["url"].startswith("/letters/files/") for one in kept] == [True] * 10 + [False] * 4
    assert len({one["url"] for one in kept}) == 14


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        ("private", {Kind.private, Kind.letter}),
        ("all", {Kind.private, Kind.letter, Kind.comment, Kind.mention}),
        ("none", set()),
    ],
)
async def test_the_setting_says_which_kinds(house: House, setting: str, wanted: set[Kind]) -> None:
    settings(house, keep_pictures=setting)
    for number, kind in enumerate(Kind):
        await bring(house, "http://127.0.0.1:9/a.jpg", kind=kind, name=str(number))
    asked = {picture.arrival_id for picture in await pictures(house)}
    assert {Kind(one.kind.value) for one in await town.all_rows(house, Message) if one.arrival_id in asked} == wanted


async def test_what_is_not_ours_to_answer_or_not_elsewhere_is_left(house: House) -> None:
    settings(house, keep_pictures="all", base_url="http://hub.example:8000")
    await bring(house, "http://127.0.0.1:9/a.jpg", name="own", is_own=True)
    await bring(house, "http://127.0.0.1:9/a.jpg", name="watched", needs_answer=False)
    for number, url in enumerate(("http://HUB.example:8000/letters/files/1", "ftp://a/b", "http://[", "x" * 3000, "")):
        await bring(house, url, name=str(number))
    assert await pictures(house) == []


async def test_read_twice_a_picture_waits_once(house: House) -> None:
    await bring(house, "http://127.0.0.1:9/a.jpg")
    await bring(house, "http://127.0.0.1:9/b.jpg")
    assert (await one_picture(house)).url.endswith("a.jpg")


@pytest.mark.parametrize("body", [EXECUTABLE, PAGE, b"%PDF-1.7", b"<svg onload=alert(1)>", b""])
async def test_what_is_no_picture_is_not_kept_whatever_it_calls_itself(house: House, body: bytes) -> None:
    with site(body) as (url, _):
        message = await bring(house, f"{url}/a.jpg")
        await fetch_pictures(house)
    picture = await one_picture(house)
    assert (picture.state, picture.due_at) == (PictureState.given_up, None)
    assert picture.error == "那里给出的不是图片（或者是不收的格式）"
    assert await town.count(house, ArrivalFile) == 0
    assert (await town.message(house, "1")).media == message.media


async def test_what_passes_is_tried_five_times_at_growing_distances(any_house: House) -> None:
    start = clock.now()
    with clock.frozen(start) as move, site(b"", status=503) as (url, asked):
        await bring(any_house, f"{url}/a.jpg")
        for wait in fetching.WAITS:
            assert await fetch_pictures(any_house) == 1
            picture = await one_picture(any_house)
            assert picture.state is PictureState.waiting
            assert picture.due_at == clock.now() + wait
            assert picture.error == "存放图片的网站没有给出图片（HTTP 503）"
            move(clock.now() + wait - timedelta(seconds=1))
            assert await fetch_pictures(any_house) == 0
            move(clock.now() + timedelta(seconds=1))
        assert await fetch_pictures(any_house) == 1
        picture = await one_picture(any_house)
        assert (picture.state, picture.attempts) == (PictureState.given_up, 5)
        move(clock.now() + timedelta(days=9))
        assert await fetch_pictures(any_house) == 0
    assert len(asked) == 5
    assert picture.error == "存放图片的网站没有给出图片（HTTP 503）"


async def test_what_will_not_pass_is_given_up_at_once(house: House) -> None:
    with site(b"", status=404) as (url, asked):
        await bring(house, f"{url}/a.jpg")
        await fetch_pictures(house)
        assert (await one_picture(house)).state is PictureState.given_up
    await bring(house, "https://mmbiz.qpic.cn/1.jpg", name="2")
    await fetch_pictures(house)
    *_, other = await pictures(house)
    assert (other.state, other.error) == (PictureState.given_up, "演练模式不会连接真实平台")
    assert len(asked) == 1


async def test_more_than_eight_megabytes_are_left_where_they_are(house: House) -> None:
    with site(PNG + b"x" * 8 * 1024 * 1024) as (url, _):
        await bring(house, f"{url}/a.jpg")
        await fetch_pictures(house)
    assert (await one_picture(house)).error == "图片超过 8 MB，没有保存"
    assert await town.count(house, ArrivalFile) == 0


async def test_two_pictures_of_one_message_at_the_same_moment(any_house: House) -> None:
    gate = threading.Barrier(2, timeout=10)

    def answer(one: Asked) -> Answer:
        gate.wait()
        return Answer(PNG + one.path.encode())

    with served(answer) as url:
        await bring(any_house, f"{url}/a", f"{url}/b")
        await asyncio.gather(fetch_pictures(any_house), fetch_pictures(any_house))
    kept = (await town.message(any_house, "1")).media
    assert all(one["url"].startswith("/letters/files/") for one in kept), kept
    assert [one["source"] for one in kept] == [f"{url}/a", f"{url}/b"]


async def test_several_workers_fetch_once(any_house: House) -> None:
    was = any_house.ctx.settings
    contexts = [Context(was, make_engine(was.database)) for _ in range(3)]
    with site(PNG) as (url, asked):
        for number in range(4):
            await bring(any_house, f"{url}/{number}", name=str(number))
        houses = [any_house, *(House(ctx, any_house.platforms) for ctx in contexts)]
        tried = await asyncio.gather(*(fetch_pictures(one) for one in houses for _ in range(2)))
    for ctx in contexts:
        await ctx.close()
    assert sum(tried) == 4
    assert sorted(asked) == ["/0", "/1", "/2", "/3"]
    assert await town.count(any_house, ArrivalFile) == 4


WORKER = """
import asyncio, sys
from pathlib import Path
from hub.settings import load
from workflows.house import open_house
from workflows.intake.jobs import fetch_pictures
asyncio.run(fetch_pictures(open_house(load(Path(sys.argv[1]), db_url=sys.argv[2]))))
"""


async def test_a_killed_worker_is_replaced_when_its_lease_ends(any_house: House) -> None:
    was = any_house.ctx.settings
    begun, goes_on = threading.Event(), threading.Event()

    def answer(_: Asked) -> Answer:
        if not begun.is_set():
            begun.set()
            goes_on.wait(20)
        return Answer(PNG)

    with served(answer) as url:
        await bring(any_house, f"{url}/a.jpg")
        async with unit_of_work(any_house.ctx) as unit:  # the other process knows real platforms only
            await unit.run(update(Account).values(platform="file"))
        command = [sys.executable, "-c", WORKER, str(was.data), was.database]
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
        until = time.monotonic() + 30
        while not begun.is_set() and time.monotonic() < until:
            await asyncio.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        goes_on.set()
        assert begun.is_set()
        assert (await one_picture(any_house)).attempts == 1
        assert await fetch_pictures(any_house) == 0, "its lease still holds"
        with clock.frozen(clock.now() + fetching.LEASE + timedelta(seconds=1)):
            assert await fetch_pictures(any_house) == 1
    assert (await one_picture(any_house)).state is PictureState.kept


async def test_a_picture_that_kills_every_worker_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """The process is gone."""

    async def die(*_: Any) -> bytes:
        raise Killed

    monkeypatch.setattr(fetching, "_bytes", die)
    await bring(house, "http://127.0.0.1:9/a.jpg")
    with clock.frozen(clock.now()) as move:
        for _ in range(fetching.MOST_ATTEMPTS):
            with pytest.raises(Killed):
                await fetch_pictures(house)
            move(clock.now() + fetching.LEASE)
        assert await fetch_pictures(house) == 1
    picture = await one_picture(house)
    assert (picture.state, picture.error) == (PictureState.given_up, "取回时程序多次中断")


async def test_who_comes_back_after_the_lease_changes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first worker was only slow: the second one's picture stays, and is there once."""
    real, began = fetching._bytes, clock.now()
    inner: list[int] = []

    async def slowly(same: House, picture: OutsidePicture) -> bytes:
        data = await real(same, picture)
        if not inner:
            inner.append(1)
            move(began + fetching.LEASE + timedelta(seconds=1))
            await fetch_pictures(same)
        return data

    monkeypatch.setattr(fetching, "_bytes", slowly)
    with site(PNG) as (url, asked), clock.frozen(began) as move:
        await bring(house, f"{url}/a.jpg")
        await fetch_pictures(house)
    assert len(asked) == 2
    assert await town.count(house, ArrivalFile) == 1
    assert (await one_picture(house)).state is PictureState.kept


async def test_a_lease_outlasts_an_attempt() -> None:
    assert timedelta(seconds=media.SECONDS) < fetching.LEASE

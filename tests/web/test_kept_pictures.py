"""Pictures of citizens on pages: kept ones in place, others as links with how they stand and a button to keep them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from sqlmodel import col, select

from hub.db import reading, unit_of_work
from hub.models import AuditEntry, Case, Message, OutsidePicture, PictureState
from tests.sims.serving import Answer, served
from tests.web.casework import hidden_of, open_case, words
from tests.web.conftest import Visit
from tests.web.world import World
from workflows.house import House
from workflows.intake.jobs import fetch_pictures

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
LINK = "http://127.0.0.1:9/a.jpg"


async def pictured(house: House, world: World, url: str = LINK, *, side: str = "own") -> tuple[Case, int]:
    """A case whose message points to a picture; the message's id."""
    case = await open_case(house.ctx, world, side=side)
    async with unit_of_work(house.ctx) as unit:
        message = await unit.get(Message, case.first_message_id)
        assert message is not None
        message.media = [{"kind": "image", "url": url, "description": ""}]
        unit.add(message)
        return case, message.id or 0


async def rows(house: House) -> list[OutsidePicture]:
    async with reading(house.ctx) as unit:
        return list(await unit.all(select(OutsidePicture)))


async def kept_deeds(house: House) -> list[AuditEntry]:
    async with reading(house.ctx) as unit:
        return list(await unit.all(select(AuditEntry).where(AuditEntry.what == "message.keep_picture")))


@pytest.mark.parametrize("page", ["/messages/{message}", "/cases/{case}"])
@pytest.mark.parametrize("htmx", [False, True])
async def test_a_public_picture_is_kept_by_hand_and_shown(
    visit: Visit, house: House, world: World, page: str, htmx: bool
) -> None:
    with served(lambda _: Answer(PNG)) as url:
        case, number = await pictured(house, world, f"{url}/a.jpg")
        page, action = page.format(message=number, case=case.number), f"/messages/{number}/pictures/0"
        async with visit("handler") as client:
            before = (await client.get(page)).text
            assert f'href="{url}/a.jpg"' in before
            headers = {"HX-Request": "true"} if htmx else {}
            answer = await client.post(action, data=hidden_of(before, action), headers=headers)
            if htmx:
                assert answer.status_code == 200
                assert words(answer.text) == "图片 正在取回"
                assert "toast" in answer.headers["HX-Trigger"]
            else:
                assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{case.number}#m-{number}")
            waiting = (await client.get(page)).text
            assert "正在取回" in waiting
            assert action not in waiting, "asked for already"
            await client.post(action)
            assert len(await kept_deeds(house)) == 1, "asked twice, begun once"
            assert await fetch_pictures(house) == 1
            shown = (await client.get(page)).text
            found = re.search(r'<a href="(/letters/files/\d+)"><img src="\1" alt="图片"', shown)
            assert found, "shown in place"
            assert 'class="medium' not in shown
            file = await client.get(found[1])
            assert (file.content, file.headers["content-type"]) == (PNG, "image/png")
            assert (await client.post(action)).status_code == 303, "kept meanwhile: nothing more to do"
    (deed,) = await kept_deeds(house)
    assert (deed.object, deed.data, deed.by_id) == (
        f"message/{number}", {"place": 0}, world.sessions["handler", "own"].user_id,
    )  # fmt: skip
    async with visit("handler", side="other") as client:
        assert (await client.get(found[1])).status_code == 404


async def test_what_was_given_up_says_why_and_can_be_asked_for_again(visit: Visit, house: House, world: World) -> None:
    case, number = await pictured(house, world)
    async with reading(house.ctx) as unit:
        message = await unit.one(select(Message).where(col(Message.id) == number))
    async with unit_of_work(house.ctx) as unit:
        unit.add(OutsidePicture(
            arrival_id=message.arrival_id, number=0, url=LINK, state=PictureState.given_up, attempts=5, due_at=None,
            error="存放图片的网站没有给出图片（HTTP 404）",
        ))  # fmt: skip
    async with visit("head") as client:
        page = (await client.get(f"/cases/{case.number}")).text
        assert "未能取回：存放图片的网站没有给出图片（HTTP 404）" in page
        await client.post(f"/messages/{number}/pictures/0")
    (row,) = await rows(house)
    assert (row.state, row.attempts, row.error) == (PictureState.waiting, 0, "")
    assert row.due_at is not None
    await fetch_pictures(house)
    async with visit("head") as client:
        page = (await client.get(f"/cases/{case.number}")).text
    assert "正在取回（上次没有成功：连不上存放图片的网站，或者连接中断）" in page


async def test_what_was_cleared_says_so_and_can_be_asked_for_again(visit: Visit, house: House, world: World) -> None:
    case, number = await pictured(house, world)
    async with unit_of_work(house.ctx) as unit:
        message = await unit.one(select(Message).where(col(Message.id) == number))
        unit.add(OutsidePicture(
            arrival_id=message.arrival_id, number=0, url=LINK, state=PictureState.cleared, attempts=1, due_at=None,
            since=datetime(2027, 3, 4, 19, tzinfo=UTC),
        ))  # fmt: skip
    async with visit("handler") as client:
        page = (await client.get(f"/cases/{case.number}")).text
        assert "图片已按保存期限清除（2027年3月5日）" in page
        assert f'href="{LINK}"' in page
        await client.post(f"/messages/{number}/pictures/0")
    (row,) = await rows(house)
    assert (row.state, row.since) == (PictureState.waiting, None)


async def test_only_who_handles_the_message_is_offered_and_may_do_it(visit: Visit, house: House, world: World) -> None:
    case, number = await pictured(house, world)
    action = f"/messages/{number}/pictures/0"
    for role, side, offered, status in (
        ("dispatcher", "own", True, 303), ("handler", "own", True, 303), ("handler", "other", None, 404),
        ("head", "other", None, 404), ("leader", "own", False, 403), ("auditor", "own", False, 403),
    ):  # fmt: skip
        async with visit(role, side=side) as client:
            page = await client.get(f"/cases/{case.number}")
            assert (page.status_code == 404) is (offered is None)
            assert offered is None or (action in page.text) is offered, role
            assert (await client.post(action)).status_code == status, role
        async with unit_of_work(house.ctx) as unit:
            for row in await unit.all(select(OutsidePicture)):
                await unit.session.delete(row)


@pytest.mark.parametrize("medium", [None, {"kind": "video", "url": LINK}, {"kind": "image", "url": "javascript:x"}])
async def test_what_is_no_picture_elsewhere_is_not_fetched(
    visit: Visit, house: House, world: World, medium: dict[str, str] | None
) -> None:
    case, number = await pictured(house, world)
    async with unit_of_work(house.ctx) as unit:
        message = await unit.one(select(Message).where(col(Message.id) == number))
        message.media = [medium] if medium else []
        unit.add(message)
    async with visit("handler") as client:
        assert "存到本系统" not in (await client.get(f"/cases/{case.number}")).text
        answer = await client.post(f"/messages/{number}/pictures/0", headers={"HX-Request": "true"})
    assert answer.status_code == 404
    assert await rows(house) == []


async def test_our_own_items_are_not_offered(visit: Visit, house: House, world: World) -> None:
    case, number = await pictured(house, world)
    async with unit_of_work(house.ctx) as unit:
        message = await unit.one(select(Message).where(col(Message.id) == number))
        message.is_own = True
        unit.add(message)
    async with visit("handler") as client:
        page = (await client.get(f"/cases/{case.number}")).text
    assert LINK in page
    assert "存到本系统" not in page

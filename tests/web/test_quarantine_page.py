"""What could not be read: shown safely, read again, put aside with a reason."""

from __future__ import annotations

from sqlmodel import col, select

from hub.db import Context, reading, unit_of_work
from hub.models import Arrival, ArrivalState, MessageKind
from tests.web.casework import send, words
from tests.web.conftest import Visit
from tests.web.world import World
from workflows.intake.quarantine import legible


async def held(ctx: Context, world: World, payload: str, name: str = "evil") -> int:
    async with unit_of_work(ctx) as unit:
        arrival = Arrival(
            account_id=world.account_id, kind=MessageKind.mention, external_id=name, via="push", payload=payload,
            state=ArrivalState.quarantined, error="内容不是 <JSON>",
        )  # fmt: skip
        unit.add(arrival)
        await unit.flush()
        return arrival.id or 0


async def state_of(ctx: Context, number: int) -> ArrivalState:
    async with reading(ctx) as unit:
        found = await unit.get(Arrival, number)
        assert found is not None
        return found.state


async def test_raw_text_is_shown_as_text(visit: Visit, ctx: Context, world: World) -> None:
    await held(ctx, world, '{"text": "<script>alert(1)</script>\\u202e倒过来"}')
    async with visit("press_officer") as client:
        page = (await client.get("/quarantine")).text
        part = (await client.get("/quarantine?part=items")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "\u202e" not in page
    assert "\\u202e倒过来" in page
    assert "内容不是 &lt;JSON&gt;" in part
    assert "<html" not in part


def test_nothing_invisible_is_left_in_raw_text() -> None:
    assert legible('{"a": "\\u0000b"}') == '{\n  "a": "\\u0000b"\n}'
    assert legible("x\u200b\u202ey\x07") == "x\\u200b\\u202ey\\u0007"
    assert legible("\U000e0041") == "\\U000e0041"
    assert legible("表情😀") == "表情😀"
    assert len(legible("长" * 10_000)) == 4001


async def test_one_is_read_again(visit: Visit, ctx: Context, world: World) -> None:
    number = await held(ctx, world, "{}")
    async with visit("press_officer") as client:
        done = await send(client, "/quarantine", f"/quarantine/{number}/replay", {})
        twice = await client.post(f"/quarantine/{number}/replay")
    assert done.status_code == 303
    assert await state_of(ctx, number) is ArrivalState.stored
    assert twice.status_code == 409
    assert "刚被他人处理" in words(twice.text)


async def test_all_are_read_again(visit: Visit, ctx: Context, world: World) -> None:
    number = await held(ctx, world, "{}")
    async with visit("press_officer") as client:
        await send(client, "/quarantine", "/quarantine/replay", {})
        empty = words((await client.get("/quarantine")).text)
        await client.post("/quarantine/replay")
        said = words((await client.get("/quarantine")).text)
    assert await state_of(ctx, number) is ArrivalState.stored
    assert "已安排重新读取 3 条" in empty
    assert "隔离区是空的" in said


async def test_ignoring_needs_a_reason_and_keeps_the_raw_text(visit: Visit, ctx: Context, world: World) -> None:
    number = await held(ctx, world, "{}")
    async with visit("press_officer") as client:
        bare = await send(client, "/quarantine", f"/quarantine/{number}/ignore", {"reason": " "})
        done = await send(client, "/quarantine", f"/quarantine/{number}/ignore", {"reason": "平台的测试数据"})
    assert bare.status_code == 422
    assert "请写明忽略这条内容的理由" in words(bare.text)
    assert done.status_code == 303
    assert await state_of(ctx, number) is ArrivalState.ignored


async def test_older_ones_are_on_the_next_page(visit: Visit, ctx: Context, world: World) -> None:
    for n in range(21):
        await held(ctx, world, "{}", f"many{n:02d}")
    async with visit("press_officer") as client:
        page = (await client.get("/quarantine")).text
        onward = page.split('href="/quarantine?before=')[1].split('"')[0]
        second = (await client.get(f"/quarantine?before={onward}")).text
        odd = await client.get("/quarantine?before=nonsense")
    assert "many20" in page
    assert "many00" not in page
    assert "many00" in second
    assert odd.status_code == 200
    async with reading(ctx) as unit:
        left = await unit.all(select(Arrival).where(col(Arrival.state) == ArrivalState.quarantined))
    assert len(left) == 23

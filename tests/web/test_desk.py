"""The desk: what is due first on top, dispatched with reasons, many at once after a look, never twice."""

from __future__ import annotations

from datetime import timedelta

from hub import clock
from hub.db import Context
from hub.models import CaseClass, CaseState
from tests.web.casework import again, form_on, hidden_of, open_case, send, words
from tests.web.conftest import Visit
from tests.web.world import World


async def test_the_queue_is_by_the_clock_and_hides_personal_numbers(visit: Visit, ctx: Context, world: World) -> None:
    young = await open_case(ctx, world, "新来的事")
    old = await open_case(ctx, world, "先来的事", accept_due_at=clock.now() - timedelta(hours=3))
    await open_case(ctx, world, "老来信", accept_due_at=None, opened_at=clock.now() - timedelta(days=900))
    await open_case(ctx, world, "着火了", urgency=CaseClass.urgent)
    await open_case(ctx, world, "别处的事", state=CaseState.handling, side="own")
    async with visit("dispatcher") as client:
        page = (await client.get("/desk")).text
        chosen = (await client.get(f"/desk/{young.number}")).text
    assert page.index("先来的事") < page.index("新来的事") < page.index("老来信")
    assert "1 件紧急，先看" in words(page)
    assert "别处的事" not in page
    assert old.number in page
    assert "受理并派给住房和城乡建设局" in chosen
    assert "分类归口：路灯、138****5678（62%）" in chosen
    assert "13812345678" not in chosen


async def test_the_suggestion_is_one_click_and_goes_on_to_the_next(visit: Visit, ctx: Context, world: World) -> None:
    first = await open_case(ctx, world, "甲", accept_due_at=clock.now() - timedelta(hours=2))
    second = await open_case(ctx, world, "乙")
    page = f"/desk/{first.number}"
    async with visit("dispatcher") as client:
        done = await send(client, page, f"{page}/dispatch", {})
    assert done.status_code == 303
    assert done.headers["location"] == f"/desk/{second.number}"
    moved = await again(ctx, first)
    assert (moved.state, moved.department_id) == (CaseState.dispatched, world.departments["own"])
    assert moved.due_at is not None


async def test_a_case_somebody_else_took_is_not_dispatched_twice(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world)
    page = f"/desk/{case.number}"
    async with visit("dispatcher") as client:
        form = await form_on(client, page, f"{page}/dispatch")
        await client.post(f"{page}/dispatch", data=form)
        other = form | {"department_id": str(world.departments["other"])}
        late = await client.post(f"{page}/dispatch", data=other)
    assert late.status_code == 409
    assert "刚被他人处理" in words(late.text)
    assert (await again(ctx, case)).department_id == world.departments["own"]


async def test_without_a_department_nothing_happens_and_the_page_says_why(
    visit: Visit, ctx: Context, world: World
) -> None:
    case = await open_case(ctx, world, routing={})
    page = f"/desk/{case.number}"
    async with visit("dispatcher") as client:
        shown = await client.get(page)
        answer = await client.post(
            f"{page}/dispatch", data={"version": "1", "note": "请优先", "csrf": "", "department_id": ""}
        )
    assert "没有把握" in words(shown.text)
    assert answer.status_code == 409
    assert "请选择承办单位" in words(answer.text)
    assert 'value="请优先"' in answer.text
    assert (await again(ctx, case)).state is CaseState.new


async def test_many_are_dispatched_after_a_look_each_by_itself(visit: Visit, ctx: Context, world: World) -> None:
    one, two = await open_case(ctx, world, "甲"), await open_case(ctx, world, "乙")
    gone = await open_case(ctx, world, "丙")
    async with visit("dispatcher") as client:
        address = f"/desk/dispatch?case={one.id}&case={two.id}&case={gone.id}&case=999999"
        preview = await client.get(address)
        await send(client, f"/desk/{gone.number}", f"/desk/{gone.number}/dispatch", {})
        chosen = [f"{case.id}:{case.version}" for case in (one, two, gone)]
        picks = {
            f"department-{one.id}": str(world.departments["own"]),
            f"department-{two.id}": str(world.departments["other"]),
            f"department-{gone.id}": str(world.departments["other"]),
        }
        done = await client.post(
            "/desk/dispatch", data={**hidden_of(preview.text, "/desk/dispatch"), "case": chosen, **picks}
        )
        after = await client.get("/desk")
    assert "选了 3 件" in words(preview.text)
    assert "1 件已不在值班台" in words(preview.text)
    assert done.status_code == 303
    assert "已派出 2 件。 1 件没有派：该工单刚被他人处理" in words(after.text)
    assert (await again(ctx, two)).department_id == world.departments["other"]
    assert (await again(ctx, gone)).department_id == world.departments["own"]


async def test_refusing_takes_a_reason_of_the_list_and_says_it(visit: Visit, ctx: Context, world: World) -> None:
    case = await open_case(ctx, world)
    action = f"/cases/{case.number}/moves/refuse"
    async with visit("dispatcher") as client:
        bare = await send(client, action, action, {})
        done = await send(client, action, action, {"refusal": "不属于本级政府职责范围", "note": "可拨打省厅热线"})
    assert bare.status_code == 409
    assert "不予受理须说明理由" in words(bare.text)
    assert done.status_code == 303
    refused = await again(ctx, case)
    assert refused.state is CaseState.void
    assert refused.void_reason == "不属于本级政府职责范围：可拨打省厅热线"


async def test_the_empty_desk_teaches(visit: Visit) -> None:
    async with visit("dispatcher") as client:
        page = words((await client.get("/desk")).text)
        rulings = words((await client.get("/desk?view=rulings")).text)
        filtered = words((await client.get("/desk?urgency=urgent")).text)
    assert "都派完了" in page
    assert "没有待裁定的工单" in rulings
    assert "没有符合条件的工单" in filtered

"""A model's draft from the asking to the citizen: hidden data, a mark that stays, failures in words, nobody waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import col, select

from hub import clock
from hub.db import reading, unit_of_work
from hub.errors import NotAllowed, NotFound, Refused
from hub.models import (
    Account,
    AuditEntry,
    Case,
    Matter,
    MatterMessage,
    Message,
    ModelDraft,
    ModelState,
    Reply,
    ReplyState,
    Role,
)
from hub.rights import ROLE_MAY, Actor
from tests.sims.model import ModelServer
from tests.workflows.cases.town import Town
from tests.workflows.drafting.conftest import use
from workflows import replies
from workflows.cases import service
from workflows.cases.detail import detail
from workflows.cases.moves import Move
from workflows.drafting import asking, running
from workflows.drafting.jobs import run_models
from workflows.house import House
from workflows.replies import checks, lists
from workflows.replies.generated import LABEL

SAID = "我家楼道漏水，电话13812345678，身份证11010519491231002X，请处理"


async def _case(town: Town, text: str = SAID) -> Case:
    case = await town.case(text)
    async with unit_of_work(town.ctx) as unit:
        return await service.make_move(unit, case.id or 0, Move.sign, town["clerk"], version=case.version)


async def _ask(town: Town, case: Case) -> ModelDraft:
    async with unit_of_work(town.ctx) as unit:
        return await asking.ask_reply(unit, town["clerk"], case.id or 0)


async def _again(town: Town, draft: ModelDraft) -> ModelDraft:
    async with reading(town.ctx) as unit:
        found = await unit.get(ModelDraft, draft.id)
        assert found is not None
        return found


async def _take(town: Town, case: Case, draft: ModelDraft, version: int = 0) -> Reply:
    async with unit_of_work(town.ctx) as unit:
        return await asking.take(unit, town["clerk"], case.id or 0, draft.id or 0, version=version)


async def _reply(town: Town, case: Case) -> Reply:
    async with reading(town.ctx) as unit:
        return await unit.one(select(Reply).where(Reply.case_id == case.id))


async def test_from_asking_to_review_with_a_mark_that_stays(
    any_town: Town, any_house: House, model: ModelServer
) -> None:
    case = await _case(any_town)
    asked = await _ask(any_town, case)
    assert (asked.state, model.asked) == (ModelState.waiting, []), "asking calls nobody"
    assert await run_models(any_house) == 1
    draft = await _again(any_town, asked)
    assert (draft.state, draft.text, draft.model, draft.masked) == (ModelState.done, model.says, "standin-7b", 1)
    sent = " ".join(one["content"] for one in model.asked[0]["messages"])
    assert "楼道漏水" in sent
    assert "13812345678" not in sent
    assert "11010519491231002X" not in sent
    reply = await _take(any_town, case, draft)
    assert (reply.text, reply.generated_by) == (f"{model.says}\n{LABEL}", "standin-7b")
    async with unit_of_work(any_town.ctx) as unit:
        edited = await replies.save_draft(
            unit, case.id or 0, any_town["clerk"], text=f"您好，漏水已修好。\n{LABEL}", version=reply.version
        )
    assert edited.generated_by == "standin-7b", "editing takes no mark away"
    async with unit_of_work(any_town.ctx) as unit:
        await replies.submit(any_house, unit, edited.id or 0, any_town["clerk"], version=edited.version)
    async with reading(any_town.ctx) as unit:
        one = await detail(unit, case.id or 0, any_town["head"])
    assert [entry.generated_by for entry in one.replies] == ["standin-7b"]
    assert "generated" in [event.what for event in one.events]
    async with reading(any_town.ctx) as unit:
        said = await unit.all(select(AuditEntry.what).order_by(col(AuditEntry.id)))
    assert [what for what in said if what.startswith("model.")] == ["model.reply", "model.taken"]


async def test_the_line_for_the_citizen_cannot_be_taken_out(town: Town, house: House, model: ModelServer) -> None:
    case = await _case(town)
    await run_models(house)
    asked = await _ask(town, case)
    await run_models(house)
    reply = await _take(town, case, asked)
    async with unit_of_work(town.ctx) as unit:
        bare = await replies.save_draft(unit, case.id or 0, town["clerk"], text=model.says, version=reply.version)
    with pytest.raises(Refused, match="人工智能辅助起草"):
        async with unit_of_work(town.ctx) as unit:
            await replies.submit(house, unit, bare.id or 0, town["clerk"], version=bare.version)
    async with unit_of_work(town.ctx) as unit:
        empty = await replies.save_draft(unit, case.id or 0, town["clerk"], text="", version=bare.version)
    assert empty.generated_by == ""
    async with unit_of_work(town.ctx) as unit:
        own = await replies.save_draft(unit, case.id or 0, town["clerk"], text="今晚修好。", version=empty.version)
    async with unit_of_work(town.ctx) as unit:
        await replies.submit(house, unit, own.id or 0, town["clerk"], version=own.version)
    assert (await _reply(town, case)).state is ReplyState.reviewing


async def test_what_is_copied_by_hand_is_marked_too(town: Town, house: House, model: ModelServer) -> None:
    model.says = "您好，您反映的楼道漏水已转物业公司核实。维修人员将在两个工作日内上门查看，请保持电话畅通。感谢支持！"
    case = await _case(town)
    await _ask(town, case)
    await run_models(house)

    async def save(text: str, version: int) -> Reply:
        async with unit_of_work(town.ctx) as unit:
            return await replies.save_draft(unit, case.id or 0, town["clerk"], text=text, version=version)

    own = await save("王女士您好，我们今天去看过了。感谢支持！", 0)
    assert own.generated_by == "", "what anybody may have written is nobody's"
    copied = await save(
        f"{own.text}您反映的楼道漏水已转物业公司核实。维修人员将在 两个工作日内上门查看，\n请保持电话畅通。",
        own.version,
    )
    assert copied.generated_by == "standin-7b"
    with pytest.raises(Refused, match="人工智能辅助起草"):
        async with unit_of_work(town.ctx) as unit:
            await replies.submit(house, unit, copied.id or 0, town["clerk"], version=copied.version)
    again = await save(model.says, (await save("", copied.version)).version)
    assert again.generated_by == "standin-7b", "emptying in between changes nothing"
    async with reading(town.ctx) as unit:
        one = await detail(unit, case.id or 0, town["head"])
        page = await lists.waiting(unit, town["head"])
    assert [event.what for event in one.events].count("generated") == 2
    assert page.rows == []


async def test_the_model_is_told_how_long_an_answer_may_be_there(town: Town, house: House, model: ModelServer) -> None:
    case = await _case(town)
    await _ask(town, case)
    await run_models(house)
    async with reading(town.ctx) as unit:
        message = await unit.one(select(Message).where(Message.case_id == case.id))
        account = await unit.one(select(Account).where(Account.id == message.account_id))
    measure = checks.measure(house, account, "", is_private=message.kind.is_private)
    assert measure is not None
    task = model.asked[0]["messages"][0]["content"]
    assert f"不超过{min(400, measure.limit - len(LABEL) - 1)}字" in task


async def test_off_by_default_and_refused_in_words(town: Town, house: House, model: ModelServer) -> None:
    case = await _case(town)
    for missing in ({"model_url": ""}, {"model_name": ""}):
        use(town.ctx, model, **missing)
        with pytest.raises(Refused, match="HUB_MODEL_URL"):
            await _ask(town, case)
    use(town.ctx, model)
    await _ask(town, case)
    with pytest.raises(Refused, match="正在写"):
        await _ask(town, case)
    use(town.ctx, model, model_url="")
    await run_models(house)
    async with reading(town.ctx) as unit:
        [draft] = await unit.all(select(ModelDraft))
    assert (draft.state, draft.error, model.asked) == (ModelState.failed, "语言模型已被关闭", [])
    use(town.ctx, model)
    with pytest.raises(NotFound):
        async with unit_of_work(town.ctx) as unit:
            await asking.ask_reply(unit, town["other_clerk"], case.id or 0)


async def test_failures_end_the_draft_and_can_be_asked_again(town: Town, house: House, model: ModelServer) -> None:
    case = await _case(town)
    for given, why in (({"status": 500}, "500"), ({"raw": b"<html>"}, "无法识别"), ({"says": ""}, "没有写出内容")):
        for name, value in ({"status": 200, "raw": None, "says": "好"} | given).items():
            setattr(model, name, value)
        asked = await _ask(town, case)
        await run_models(house)
        failed = await _again(town, asked)
        assert failed.state is ModelState.failed
        assert why in failed.error
        with pytest.raises(Exception, match="还没有写好"):
            await _take(town, case, asked)
    use(town.ctx, model, model_url="http://127.0.0.1:9/v1")
    asked = await _ask(town, case)
    await run_models(house)
    assert "没有回应" in (await _again(town, asked)).error


async def test_no_transaction_is_open_while_the_model_thinks(town: Town, house: House, model: ModelServer) -> None:
    """On SQLite an open writer would make every other one wait."""
    case = await _case(town)
    await _ask(town, case)
    model.waits = 1.0
    job = asyncio.create_task(run_models(house))
    async with asyncio.timeout(10):
        while not model.asked:
            await asyncio.sleep(0.01)
    async with asyncio.timeout(0.5):
        async with unit_of_work(town.ctx) as unit:
            await service.add_note(unit, case.id or 0, town["clerk"], "等模型的时候照常办事")
    assert await run_models(house) == 0, "what is being written is not begun twice"
    assert await job == 1


async def test_a_dead_worker_is_replaced_and_a_late_answer_dropped(
    town: Town, house: House, model: ModelServer, at_work: Callable[[timedelta], None]
) -> None:
    case = await _case(town)
    asked = await _ask(town, case)
    async with unit_of_work(town.ctx) as unit:
        lease = clock.now() + timedelta(seconds=20)
        await unit.claim(ModelDraft, col(ModelDraft.id) == asked.id, state=ModelState.running, lease_until=lease)
    assert await run_models(house) == 0
    at_work(timedelta(seconds=21))
    assert await run_models(house) == 1
    assert (await _again(town, asked)).state is ModelState.done
    await running._end(house, asked, error="太晚了")
    assert (await _again(town, asked)).state is ModelState.done
    forgotten = await _ask(town, case)
    at_work(timedelta(hours=1))
    await run_models(house)
    assert "等了太久" in (await _again(town, forgotten)).error


async def test_what_a_model_makes_up_about_people_is_hidden_too(town: Town, house: House, model: ModelServer) -> None:
    case = await _case(town)
    model.says = "请联系13987654321张工。"
    asked = await _ask(town, case)
    await run_models(house)
    assert "13987654321" not in (await _again(town, asked)).text


async def test_a_text_that_somebody_changed_meanwhile_is_not_overwritten(
    town: Town, house: House, model: ModelServer
) -> None:
    case = await _case(town)
    asked = await _ask(town, case)
    await run_models(house)
    async with unit_of_work(town.ctx) as unit:
        await replies.save_draft(unit, case.id or 0, town["head"], text="今天修好", version=0)
    with pytest.raises(replies.DraftConflict):
        await _take(town, case, asked, version=0)
    assert (await _reply(town, case)).text == "今天修好"
    other = await _case(town, "路灯不亮")
    with pytest.raises(NotFound):
        await _take(town, other, asked)


async def test_a_summary_of_a_matter_is_for_who_reads_all_of_it(
    any_town: Town, any_house: House, model: ModelServer
) -> None:
    case = await _case(any_town)
    async with unit_of_work(any_town.ctx) as unit:
        now = clock.now()
        matter = Matter(name="楼道漏水", messages=1, first_at=now, last_at=now)
        unit.add(matter)
        await unit.flush()
        unit.add(MatterMessage(message_id=case.first_message_id or 0, matter_id=matter.id, at=now, placed_at=now))
    async with unit_of_work(any_town.ctx) as unit:
        asked = await asking.ask_summary(unit, any_town["desk"], matter.id or 0)
    model.says = f"居民反映楼道漏水[{case.first_message_id}]。"
    await run_models(any_house)
    draft = await _again(any_town, asked)
    assert (draft.state, draft.text) == (ModelState.done, model.says)
    sent = model.asked[-1]["messages"][1]["content"]
    assert f"[{case.first_message_id}]" in sent
    assert "13812345678" not in sent
    async with unit_of_work(any_town.ctx) as unit:
        onlooker = Actor(90, "旁观", roles=frozenset({Role.auditor}), may=ROLE_MAY[Role.auditor])
        assert asking.may_read_summaries(onlooker)
        for person in (any_town["clerk"], onlooker):
            with pytest.raises(NotAllowed):
                await asking.ask_summary(unit, person, matter.id or 0)

"""An answer's way: draft, checks, review by another person, delivery, what became of it. The connectors are real."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from connectors.registry import connectors
from hub import clock
from hub.db import reading, unit_of_work
from hub.errors import Invalid, NotFound, Refused, Stale
from hub.models import Case, CaseState, Delivery, DeliveryState, Message, MessageKind, Reply, ReplyState
from hub.queries import alike
from hub.queries.search import index
from hub.rights import Actor
from tests.workflows.cases.town import Town, analysis
from workflows import replies
from workflows.cases import service
from workflows.cases import similar as likeness
from workflows.cases.detail import detail
from workflows.cases.moves import Move
from workflows.house import House
from workflows.owners import OWNERS
from workflows.replies import box
from workflows.replies.checks import check

TEXT = "您好，我局已安排维修，预计三日内完成。"


@pytest.fixture
def house(town: Town) -> House:
    return House(town.ctx, connectors(live=False))


async def signed(town: Town, **given: Any) -> Case:
    case = await town.case(**given)
    return await make(town, case, Move.sign, "clerk")


async def make(town: Town, case: Case, move: Move, by: str, **given: Any) -> Case:
    async with unit_of_work(town.ctx) as unit:
        version = (await town.again(case)).version
        return await service.make_move(unit, case.id or 0, move, town[by], version=version, **given)


async def draft(town: Town, case: Case, text: str = TEXT, by: str = "clerk", version: int = 0) -> Reply:
    async with unit_of_work(town.ctx) as unit:
        return await replies.save_draft(unit, case.id or 0, town[by], text=text, version=version)


async def submit(house: House, town: Town, reply: Reply, by: str = "clerk", **given: Any) -> Case:
    async with unit_of_work(town.ctx) as unit:
        version = (await standing(town, reply)).version
        return await replies.submit(house, unit, reply.id or 0, town[by], **({"version": version} | given))


async def approve(house: House, town: Town, reply: Reply, by: str = "head", **given: Any) -> Case:
    seen = await standing(town, reply)
    values = {"version": seen.version, "content_hash": seen.content_hash} | given
    async with unit_of_work(town.ctx) as unit:
        return await replies.approve(house, unit, reply.id or 0, town[by], **values)


async def standing(town: Town, reply: Reply) -> Reply:
    async with reading(town.ctx) as unit:
        found = await unit.get(Reply, reply.id)
        assert found is not None
        return found


async def engine_says(town: Town, reply: Reply, state: DeliveryState, **values: Any) -> Delivery:
    """What the engine does at the end of an attempt: settle the row and tell its owner, in one transaction."""
    async with unit_of_work(town.ctx) as unit:
        delivery = await unit.one(select(Delivery).where(Delivery.reply_id == reply.id))
        assert await unit.compare_and_set(delivery, state=state, settled_at=clock.now(), **values)
        await OWNERS[delivery.kind](unit, delivery)
        return delivery


async def test_the_whole_way_until_the_platform_confirms(house: House, town: Town) -> None:
    case = await signed(town)
    reply = await draft(town, case)
    assert (await submit(house, town, reply)).state is CaseState.review
    assert (await approve(house, town, reply)).state is CaseState.review  # only the platform's word moves it on
    async with unit_of_work(town.ctx) as unit:
        delivery = await unit.one(select(Delivery).where(Delivery.reply_id == reply.id))
        message = await unit.one(select(Message).where(col(Message.id) == case.first_message_id))
        await index(unit, [(message.id or 0, "漏水")])
    assert (delivery.text, delivery.target_id, delivery.target_author_id) == (
        TEXT,
        message.external_id,
        message.author_id,
    )
    assert delivery.content_hash == delivery.approved_hash == (await standing(town, reply)).approved_hash
    sent_at = clock.now()
    await engine_says(town, reply, DeliveryState.sent, sent_at=sent_at, remote_id="r1")
    done = await town.again(case)
    assert (done.state, done.is_open, done.replied_at) == (CaseState.replied, False, sent_at)
    assert (await standing(town, reply)).state is ReplyState.sent
    last = (await town.events(case))[-1]
    assert (last.what, last.by_name, last.audience.value) == ("answer_sent", "发送服务", "citizen")
    await engine_says(town, reply, DeliveryState.sent)  # told twice: nothing more
    assert len([event for event in await town.events(case) if event.what == "answer_sent"]) == 1
    async with unit_of_work(town.ctx) as unit:
        assert await alike.postings(unit, ["漏水"], only_answered=True) == [("漏水", case.first_message_id)]


async def test_writers_cannot_review_also_when_they_wrote_only_a_part(house: House, town: Town) -> None:
    case = await signed(town)
    reply = await draft(town, case, by="head")
    reply = await draft(town, case, TEXT + "谢谢。", by="clerk", version=reply.version)
    await submit(house, town, reply)
    with pytest.raises(Refused, match="不能审核自己起草的答复"):
        await approve(house, town, reply, by="head")
    with pytest.raises(NotFound):  # another department's head does not even see it
        await approve(house, town, reply, by="other_head")
    assert (await approve(house, town, reply, by="reviewer")).state is CaseState.review


async def test_two_people_save_and_no_text_is_lost(town: Town) -> None:
    case = await signed(town)
    mine = await draft(town, case)
    with pytest.raises(replies.DraftConflict) as conflict:
        await draft(town, case, "另一份", by="head")
    assert (conflict.value.mine, conflict.value.theirs.text if conflict.value.theirs else "") == ("另一份", TEXT)
    await draft(town, case, "改过", by="head", version=mine.version)
    with pytest.raises(Stale):
        await draft(town, case, "又改", version=mine.version)
    assert (await standing(town, mine)).text == "改过"
    async with unit_of_work(town.ctx) as unit:
        assert len(await unit.all(select(Reply))) == 1


async def test_only_the_department_writes_and_only_while_it_may(house: House, town: Town) -> None:
    case = await town.case()
    with pytest.raises(Refused, match="待签收"):
        await draft(town, case)
    case = await make(town, case, Move.sign, "clerk")
    with pytest.raises(NotFound):
        await draft(town, case, by="other_clerk")
    with pytest.raises(Refused, match="权限"):
        await draft(town, case, by="press")
    with pytest.raises(Invalid):
        await draft(town, case, "长" * 20_001)
    reply = await draft(town, case)
    await submit(house, town, reply)
    with pytest.raises(Refused, match="已经送审"):
        await draft(town, case, "改", version=(await standing(town, reply)).version)


@pytest.mark.parametrize("text", ["", "  \n "])
async def test_an_empty_answer_is_refused(house: House, town: Town, text: str) -> None:
    reply = await draft(town, await signed(town), text)
    with pytest.raises(Refused, match="不能为空"):
        await submit(house, town, reply)


async def test_a_text_the_platform_would_not_take_is_refused(house: House, town: Town) -> None:
    case = await signed(town)
    reply = await draft(town, case, "长" * 5000)
    with pytest.raises(Refused) as refused:
        await submit(house, town, reply)
    assert refused.value.reasons
    assert (await town.again(case)).state is CaseState.handling


async def test_personal_data_needs_a_name_behind_it(house: House, town: Town) -> None:
    reply = await draft(town, await signed(town), "请致电13812345678")
    with pytest.raises(replies.Unconfirmed) as asked:
        await submit(house, town, reply)
    assert len(asked.value.findings) == 1
    case = await submit(house, town, reply, confirm=asked.value.confirm)
    event = next(event for event in await town.events(case) if event.what == "submit")
    assert "个人信息" in event.data["confirmed"][0]


async def test_the_same_answer_again_is_asked_about(house: House, town: Town) -> None:
    case = await answered(house, town)
    await make(town, case, Move.redo, "desk", note="群众反映未修好")
    reply = await draft(town, case, f" {TEXT}\n")
    with pytest.raises(replies.Unconfirmed, match="完全相同"):
        await submit(house, town, reply)


async def answered(house: House, town: Town) -> Case:
    case = await signed(town)
    reply = await draft(town, case)
    await submit(house, town, reply)
    await approve(house, town, reply)
    await engine_says(town, reply, DeliveryState.sent)
    return await town.again(case)


async def test_what_is_approved_is_the_text_that_was_shown(house: House, town: Town) -> None:
    reply = await draft(town, await signed(town))
    await submit(house, town, reply)
    with pytest.raises(Stale, match="不一致"):
        await approve(house, town, reply, content_hash="0" * 64)
    async with unit_of_work(town.ctx) as unit:  # somebody changes the row behind everybody's back
        row = await unit.get(Reply, reply.id)
        assert row is not None
        row.text = "别的话"
    with pytest.raises(Stale, match="不一致"):
        await approve(house, town, reply)
    with pytest.raises(Stale):
        await approve(house, town, reply, version=1)


async def test_sent_back_with_a_comment_then_submitted_again(house: House, town: Town) -> None:
    case = await signed(town)
    reply = await draft(town, case)
    await submit(house, town, reply)
    seen = await standing(town, reply)
    async with unit_of_work(town.ctx) as unit:
        with pytest.raises(Refused, match="说明理由"):
            await replies.send_back(unit, reply.id or 0, town["head"], version=seen.version, note=" ")
    async with unit_of_work(town.ctx) as unit:
        await replies.send_back(unit, reply.id or 0, town["head"], version=seen.version, note="语气生硬")
    back = await standing(town, reply)
    assert (back.state, back.review_note) == (ReplyState.returned, "语气生硬")
    again = await draft(town, case, TEXT + "给您带来不便，敬请谅解。", version=back.version)
    assert again.id == reply.id
    assert (await submit(house, town, again)).state is CaseState.review


async def test_a_failure_gives_the_case_back_with_reason_and_next_step(house: House, town: Town) -> None:
    case = await signed(town)
    reply = await draft(town, case)
    await submit(house, town, reply)
    await approve(house, town, reply)
    await engine_says(town, reply, DeliveryState.unknown, held_reason="平台没有回音")
    assert (await town.again(case)).state is CaseState.review
    await engine_says(town, reply, DeliveryState.failed, error="内容被平台拒绝", error_kind="content_rejected")
    assert (await town.again(case)).state is CaseState.handling
    assert (await standing(town, reply)).state is ReplyState.failed
    events = await town.events(case)
    assert [event.what for event in events[-2:]] == ["send_trouble", "answer_failed"]
    assert events[-1].note == "内容被平台拒绝"
    assert "重新送审" in events[-1].data["next_step"]
    async with unit_of_work(town.ctx) as unit:
        page = await detail(unit, case.id or 0, town["clerk"])
    assert (page.replies[0].delivery_label, page.replies[0].error) == ("失败", "内容被平台拒绝")
    assert page.may_draft == []


async def test_sending_again_by_hand_only_while_nobody_writes_another(house: House, town: Town) -> None:
    case = await signed(town)
    reply = await draft(town, case)
    await submit(house, town, reply)
    await approve(house, town, reply)
    await engine_says(town, reply, DeliveryState.failed, error="x", error_kind="transient")
    await engine_says(town, reply, DeliveryState.waiting)
    assert (await town.again(case)).state is CaseState.review
    await engine_says(town, reply, DeliveryState.failed, error="x", error_kind="transient")
    await draft(town, case, "另写一份")
    with pytest.raises(Refused, match="不能再发送原答复"):
        await engine_says(town, reply, DeliveryState.waiting)
    await engine_says(town, reply, DeliveryState.sent)  # it had left after all: said, not hidden
    assert (await standing(town, reply)).state is ReplyState.sent
    assert (await town.again(case)).state is CaseState.handling
    assert (await town.events(case))[-1].what == "answer_sent"


async def test_a_cancelled_delivery_and_a_taken_down_answer(house: House, town: Town) -> None:
    case = await answered(house, town)
    reply = (await _replies(town, case))[0]
    await engine_says(town, reply, DeliveryState.removed)
    assert (await town.again(case)).state is CaseState.replied
    assert (await town.events(case))[-1].what == "answer_removed"
    other = await signed(town)
    mine = await draft(town, other)
    await submit(house, town, mine)
    await approve(house, town, mine)
    await engine_says(town, mine, DeliveryState.cancelled)
    assert (await town.again(other)).state is CaseState.handling


async def test_an_answer_that_did_not_arrive_gives_the_case_back(
    house: House, town: Town, at_work: Callable[[timedelta], None]
) -> None:
    case = await answered(house, town)
    (reply,) = await _replies(town, case)
    due_at = (await town.again(case)).due_at
    back = {"error": "没有送达：550 no such user", "error_kind": "target_refuses"}
    at_work(timedelta(days=1))
    await engine_says(town, reply, DeliveryState.failed, **back)
    after = await town.again(case)
    assert (after.state, after.is_open, after.replied_at) == (CaseState.handling, True, None)
    assert due_at is not None
    assert after.due_at is not None
    assert after.due_at > due_at, "a new round"
    assert (await standing(town, reply)).state is ReplyState.failed
    last = (await town.events(case))[-1]
    assert (last.what, last.note) == ("answer_returned", "没有送达：550 no such user")
    await engine_says(town, reply, DeliveryState.failed, **back)
    assert (await town.events(case))[-1].id == last.id, "told twice: nothing more"
    another = await draft(town, await town.again(case), "改为电话答复，已告知。")
    assert another.id != reply.id


async def test_an_answer_that_came_back_when_another_was_given_is_only_noted(house: House, town: Town) -> None:
    case = await answered(house, town)
    (first,) = await _replies(town, case)
    again = await make(town, case, Move.redo, "desk", note="不满意")
    second = await draft(town, again, "重新答复：已修好。")
    await submit(house, town, second)
    await approve(house, town, second)
    await engine_says(town, second, DeliveryState.sent, sent_at=clock.now(), remote_id="r2")
    await engine_says(town, first, DeliveryState.failed, error="没有送达", error_kind="target_refuses")
    assert (await town.again(case)).state is CaseState.replied
    assert (await town.events(case))[-1].what == "answer_returned"
    assert (await standing(town, first)).state is ReplyState.failed
    assert (await standing(town, second)).state is ReplyState.sent


async def _replies(town: Town, case: Case) -> list[Reply]:
    async with unit_of_work(town.ctx) as unit:
        return list(await unit.all(select(Reply).where(Reply.case_id == case.id)))


async def test_the_desk_answers_a_question_itself_and_another_person_reviews(house: House, town: Town) -> None:
    question = analysis(p=0.3, request="咨询")
    case = await make(town, await town.case("请问几点上班", by=question), Move.accept, "desk")
    reply = await draft(town, case, by="desk")
    assert (await submit(house, town, reply, by="desk")).state is CaseState.review
    assert (await town.again(case)).department_id == town["desk"].department_id
    with pytest.raises(Refused):
        await approve(house, town, reply, by="desk")
    assert (await approve(house, town, reply, by="reviewer")).state is CaseState.review


async def test_where_the_platform_takes_no_answers_they_are_recorded_by_hand(
    house: House, town: Town, at_work: Callable[[timedelta], None]
) -> None:
    letter = {"kind": MessageKind.letter, "account_id": town.accounts["letters"]}
    case = await signed(town, **letter)
    reply = await draft(town, case)
    with pytest.raises(Refused, match="线下答复后登记"):
        await submit(house, town, reply)
    given: dict[str, Any] = {"version": case.version, "text": TEXT, "channel": "电话", "note": "来信留了电话"}
    async with unit_of_work(town.ctx) as unit:
        with pytest.raises(Invalid):
            await replies.answer_elsewhere(house, unit, case.id or 0, town["clerk"], **(given | {"text": ""}))
    async with unit_of_work(town.ctx) as unit:
        with pytest.raises(Refused, match="理由"):
            await replies.answer_elsewhere(house, unit, case.id or 0, town["clerk"], **(given | {"note": ""}))
    async with unit_of_work(town.ctx) as unit:
        done = await replies.answer_elsewhere(house, unit, case.id or 0, town["clerk"], **given)
    assert done.state is CaseState.replied
    async with unit_of_work(town.ctx) as unit:
        entry = (await detail(unit, case.id or 0, town["clerk"])).replies[0]
    assert (entry.id, entry.state, entry.channel, entry.delivery_id) == (reply.id, ReplyState.sent, "电话", None)
    live = await signed(town)
    async with unit_of_work(town.ctx) as unit:
        with pytest.raises(Refused, match="可以在平台上答复"):
            await replies.answer_elsewhere(
                house, unit, live.id or 0, town["clerk"], **(given | {"version": live.version})
            )


async def test_similar_answered_cases_only_of_those_one_may_see(house: House, town: Town) -> None:
    case = await answered(house, town)
    traffic = await town.case("红绿灯坏了", by=analysis("交通运输"), topic="交通运输")
    async with unit_of_work(town.ctx) as unit:
        await _tag(unit, case, traffic)
    async with unit_of_work(town.ctx) as unit:
        found = await likeness.answered(unit, traffic.id or 0, town["desk"])
        assert [(one.case_id, one.answer) for one in found] == [(case.id, TEXT)]
        assert await likeness.answered(unit, traffic.id or 0, town["other_clerk"]) == []
        with pytest.raises(NotFound):
            await likeness.answered(unit, traffic.id or 0, _nobody())


async def _tag(unit: Any, answered_case: Case, open_case: Case) -> None:
    from hub.queries.search import mark_answered

    await index(unit, [(answered_case.first_message_id or 0, "漏水 楼道"), (open_case.first_message_id or 0, "漏水")])
    await mark_answered(unit, [answered_case.first_message_id or 0])


def _nobody() -> Actor:
    return Actor(99, "外人")


@pytest.mark.parametrize("kind", [MessageKind.private, MessageKind.mention])
async def test_the_counter_knows_the_length_the_check_holds_an_answer_to(
    house: House, town: Town, kind: MessageKind
) -> None:
    case = await signed(town, kind=kind)
    async with unit_of_work(town.ctx) as unit:
        message = await unit.get(Message, case.first_message_id)
        assert message is not None
        shown = (await box.box(house, unit, case, None)).limit
        fits = await check(house, unit, message, "答" * shown)
        beyond = await check(house, unit, message, "答" * (shown + 1))
    assert [found.text for found in fits if "上限" in found.text] == []
    assert [found.blocks for found in beyond if "上限" in found.text] == [True]

"""What casework pages need around them: cases as the hub opens them, forms as a browser sends them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count, pairwise
from typing import Any

import httpx
from sqlmodel import col, select

from hub import clock
from hub.db import Context, reading, unit_of_work
from hub.models import Account, Arrival, ArrivalState, Case, CaseState, Message, MessageKind, Reply, ReplyState, Tagging
from hub.queries import search
from tests.web.world import World

_numbers = count(100)
_PHONE = re.compile(r"1\d{10}")
_INPUT = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


async def open_case(
    ctx: Context, world: World, text: str = "路灯不亮三天了，电话13812345678", *, state: CaseState = CaseState.new,
    side: str | None = None, platform: str = "", tagged: bool = True, request: str = "投诉", **given: Any,
) -> Case:  # fmt: skip
    """A case with one message. ``side``: which department has it; ``platform``: an account of its own."""
    number = next(_numbers)
    async with unit_of_work(ctx) as unit:
        account_id = world.account_id
        if platform:
            account = Account(platform=platform, name=f"账号{number}")
            unit.add(account)
            await unit.flush()
            account_id = account.id or 0
        arrival = Arrival(
            account_id=account_id, kind=MessageKind.mention, external_id=f"x{number}", via="pull", payload="{}",
            state=ArrivalState.parsed,
        )  # fmt: skip
        unit.add(arrival)
        await unit.flush()
        message = Message(
            account_id=account_id, arrival_id=arrival.id or 0, kind=MessageKind.mention, external_id=f"x{number}",
            author_id=f"c{number}", author_name="网民乙", text=text, created_at=clock.now(), topic="城乡建设",
            sentiment="negative", request=request, tagged_at=clock.now() if tagged else None,
            personal=[["phone", *found.span()] for found in _PHONE.finditer(text)],
        )  # fmt: skip
        unit.add(message)
        await unit.flush()
        where = world.departments[side] if side else None
        suggestion = {
            "department_id": world.departments["own"], "department": "住房和城乡建设局", "rule": "分类归口",
            "words": ["路灯", "13812345678"], "p": 0.62,
        }  # fmt: skip
        values: dict[str, Any] = {
            "title": text.split("，")[0], "topic": "城乡建设", "sentiment": "negative", "accept_due_at": clock.now(),
            "dispatched_at": clock.now() if where else None, "routing": {"suggestions": [suggestion]},
        } | given  # fmt: skip
        case = Case(
            number=f"20260106-{number:06d}", state=state, account_id=account_id, kind=MessageKind.mention,
            thread_key=f"t{number}", first_message_id=message.id, author_id=f"c{number}", author_name="网民乙",
            department_id=where, message_count=1, **values,
        )  # fmt: skip
        unit.add(case)
        await unit.flush()
        message.case_id = case.id
        unit.add(message)
        if tagged:
            unit.add(Tagging(
                message_id=message.id or 0, version="t", topic="城乡建设", topic_p=0.62, topic_words=["路灯"],
                sentiment="negative", sentiment_p=0.7, sentiment_words=["不亮"], request=request, keywords=["路灯"],
            ))  # fmt: skip
        tokens = " ".join(a + b for a, b in pairwise(text))
        await search.index(unit, [(message.id or 0, tokens)])
    return case


async def again(ctx: Context, case: Case) -> Case:
    """The case as it stands."""
    async with reading(ctx) as unit:
        found = await unit.get(Case, case.id)
        assert found is not None
        return found


async def reply_of(ctx: Context, case: Case) -> Reply:
    """Its newest answer."""
    async with reading(ctx) as unit:
        found = await unit.first(select(Reply).where(Reply.case_id == case.id).order_by(col(Reply.id).desc()))
        assert found is not None
        return found


async def under_review(
    ctx: Context, world: World, text: str = "已派人维修，今晚修好。", *, by: str = "handler"
) -> Case:
    """A case of the own department with an answer handed in by a person of that role."""
    from workflows.delivery import text_hash

    case = await open_case(ctx, world, state=CaseState.review, side="own")
    async with unit_of_work(ctx) as unit:
        message = await unit.get(Message, case.first_message_id)
        assert message is not None
        unit.add(Reply(
            case_id=case.id or 0, message_id=message.id or 0, text=text, state=ReplyState.reviewing,
            content_hash=text_hash(text, account_id=message.account_id, target_id=message.external_id),
            author_id=world.sessions[by, "own"].user_id, author_name="经办", submitted_at=clock.now(),
        ))  # fmt: skip
    return case


async def form_on(client: httpx.AsyncClient, page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form with this action on a page."""
    return hidden_of((await client.get(page)).text, action)


def hidden_of(html: str, action: str) -> dict[str, str]:
    """The hidden fields of the form with this action."""
    found = re.search(rf'<form[^>]*action="{re.escape(action)}(?:\?[^"]*)?".*?</form>', html, re.DOTALL)
    assert found, f"no form for {action}"
    return dict(_INPUT.findall(found[0]))


async def send(client: httpx.AsyncClient, page: str, action: str, data: Mapping[str, Any]) -> httpx.Response:
    """Fill in and send a form as it stands on a page."""
    return await client.post(action, data={**await form_on(client, page, action), **data})


def words(html: str) -> str:
    """What a reader sees: no markup, blanks as one."""
    return " ".join(re.sub(r"<script.*?</script>|<[^>]+>", " ", html, flags=re.DOTALL).split())

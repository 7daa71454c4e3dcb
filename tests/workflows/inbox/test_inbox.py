"""The inbox: what whom may see, filters and words, stable pages, one statement; one message with its thread."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hub.db import reading, unit_of_work
from hub.errors import Invalid, NotFound
from hub.models import CaseState, MessageKind
from hub.queries import search
from tests.workflows.cases.town import Town, analysis
from workflows.inbox import lists, words
from workflows.inbox.detail import detail
from workflows.inbox.lists import Filters

Later = Callable[[timedelta], None]


async def page(town: Town, by: str = "press", filters: Filters | None = None, **given: Any) -> lists.Page:
    async with reading(town.ctx) as unit:
        return await lists.newest(unit, town[by], filters or Filters(), **given)


async def test_pages_neither_repeat_nor_skip_equal_moments(any_town: Town, at_work: Later) -> None:
    for n in range(7):
        await any_town.case(f"第{n}封。说明")
        if n % 3 == 0:
            at_work(timedelta(minutes=1))
    seen, after = [], ""
    while True:
        some = await page(any_town, limit=2, after=after)
        seen += [row.title for row in some.rows]
        after = some.after
        if not after:
            break
    assert seen == [f"第{n}封。说明" for n in reversed(range(7))]
    with pytest.raises(Invalid):
        await page(any_town, after="2026-03-09T09:00:00~5")


async def test_filters_narrow_and_masks_hold(any_town: Town) -> None:
    await any_town.case("路灯不亮，电话13812345678", kind=MessageKind.private)
    await any_town.case("公交不来", by=analysis("交通运输"))
    async with unit_of_work(any_town.ctx) as unit:
        own = await any_town.say(unit, "我们自己的答复", is_own=True, needs_case=False)
        assert own.message.is_own
    everything = await page(any_town)
    assert {row.title for row in everything.rows} == {"路灯不亮，电话138****5678", "公交不来"}

    async def titles(**given: Any) -> list[str]:
        return [row.title for row in (await page(any_town, filters=Filters(**given))).rows]

    assert await titles(kind=MessageKind.private) == ["路灯不亮，电话138****5678"]
    assert await titles(topic="交通运输") == ["公交不来"]
    assert await titles(sensitive=True) == []
    assert await titles(state=CaseState.closed) == []
    assert await titles(state=CaseState.dispatched, account_id=any_town.accounts["weibo"], topic="交通运输") == [
        "公交不来"
    ]


async def test_words_of_two_signs_are_found(any_town: Town) -> None:
    case = await any_town.case("小区地下车库漏水三天没人管")
    await any_town.case("公交不来")
    async with unit_of_work(any_town.ctx) as unit:
        text = "小区地下车库漏水三天没人管"
        pairs = " ".join(text[n : n + 2] for n in range(len(text) - 1))
        await search.index(unit, [(case.first_message_id or 0, pairs)])
    assert [row.title for row in (await page(any_town, filters=Filters(text="漏水"))).rows] == [text]
    assert (await page(any_town, filters=Filters(text="公交"))).rows == []
    assert (await page(any_town, filters=Filters(text="！"))).rows == []


async def test_departments_see_the_messages_of_their_cases_only(any_town: Town) -> None:
    case = await any_town.case()
    assert len((await page(any_town, "clerk")).rows) == 1
    assert (await page(any_town, "other_clerk")).rows == []
    async with reading(any_town.ctx) as unit:
        mine = await detail(unit, any_town["clerk"], case.first_message_id or 0)
        assert mine.case is not None
        assert mine.may_correct == []
        with pytest.raises(NotFound):
            await detail(unit, any_town["other_clerk"], case.first_message_id or 0)


async def test_a_message_without_a_case_shows_what_the_same_person_wrote(any_town: Town) -> None:
    async with unit_of_work(any_town.ctx) as unit:
        given: dict[str, Any] = {"thread_id": "post7", "needs_case": False}
        first = await any_town.say(unit, "第一句", author_id="wang", **given)
        await any_town.say(unit, "别人的", author_id="li", **given)
        await any_town.say(unit, "官方的", author_id="us", is_own=True, **given)
    async with reading(any_town.ctx) as unit:
        shown = await detail(unit, any_town["press"], first.message.id or 0)
    assert [entry.text for entry in shown.thread] == ["第一句", "官方的"]
    assert shown.case is None


def test_words_for_every_value() -> None:
    assert [word for _value, word in words.kinds()] == ["提及", "评论", "私信", "来信"]
    assert words.topic_label("") == "未分类"
    assert words.request_label("") == "未判断"
    assert len(words.topics()) == 7
    assert [value for value, _word in words.sentiments()] == ["negative", "neutral", "positive"]

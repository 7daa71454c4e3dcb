"""Answers to matters of the same kind stand beside a new one, however differently long the letters are."""

from __future__ import annotations

from hub.db import reading
from hub.models import Role
from hub.queries import alike
from tests.workflows.intake import town
from tests.workflows.tagging.test_batches import arrive
from workflows.cases import similar
from workflows.house import House
from workflows.tagging import batches

LETTER = (
    "尊敬的领导您好，我是锦绣家园三期的业主，房子交付已经两年，开发商一直以各种理由推托。去年冬天开始，二手房买卖时"
    "咨询购房补贴怎样领取，窗口说需要人才新政的文件，我们来回跑了四趟，打了十几个电话，都没有一个准信。恳请有关部门"
    "明确：购买二手房能不能享受人才新政的购房补贴，需要哪些材料，到哪里办理，多久可以到账。此致敬礼，盼复。"
)
OTHERS = ("公交站台太挤，希望增加班次", "工地夜里施工噪音很大，投诉多次没有结果", "路灯坏了半个月没有人修")


async def test_one_word_of_many_is_another_matter(any_house: House) -> None:
    answered = {"answered_at": "2026-11-22T08:00:00+08:00"}
    await arrive(any_house, town.letter(1, "春熙里停水，问物业没人管", answer="已恢复供水。", **answered))
    await batches.tag_waiting(any_house)
    await alike.count_words(any_house.ctx)
    await arrive(any_house, town.letter(2, "小区不让装充电桩，物业说电容不够，供电说够"))
    await arrive(any_house, town.letter(3, "春熙里又停水了"))
    await batches.tag_waiting(any_house)
    desk = await town.person(any_house, Role.dispatcher)
    async with reading(any_house.ctx) as unit:
        other = await similar.answered(unit, (await town.message(any_house, "2")).case_id or 0, desk)
        same = await similar.answered(unit, (await town.message(any_house, "3")).case_id or 0, desk)
    assert other == []
    assert [one.answer for one in same] == ["已恢复供水。"]


async def test_a_short_mention_finds_the_answer_to_a_long_letter(any_house: House) -> None:
    answered = {"answered_at": "2026-11-22T08:00:00+08:00"}
    letters = [town.letter(n, words, answer="已派人处理", **answered) for n, words in enumerate(OTHERS)]
    await arrive(any_house, *letters, town.letter(9, LETTER, answer="二手房可以申领，请到市民中心。", **answered))
    await batches.tag_waiting(any_house)
    await alike.count_words(any_house.ctx)
    await arrive(any_house, town.letter(10, "买二手房能不能领人才新政的购房补贴？"))
    await batches.tag_waiting(any_house)
    desk = await town.person(any_house, Role.dispatcher)
    asked = await town.message(any_house, "10")
    async with reading(any_house.ctx) as unit:
        found = await similar.answered(unit, asked.case_id or 0, desk)
    assert [one.answer for one in found] == ["二手房可以申领，请到市民中心。"]

"""An office whose citizens speak a slang the shipped models do not know, and people who set the tags right."""

from __future__ import annotations

from hub.db import unit_of_work
from hub.models import Because, Message, Role
from hub.rights import Actor
from tests.workflows.intake import town
from tests.workflows.tagging.test_batches import arrive
from workflows.house import House
from workflows.learning import lessons
from workflows.tagging import batches
from workflows.tagging.corrections import confirm, correct

GOOD, BAD = "绝绝子", "无语子"
THINGS = ("门口的花坛", "三号楼的电梯", "桥边的石凳", "市场的公厕", "站台的雨棚", "河边的步道", "小区的车棚", "红绿灯")
DAYS = ("今早", "昨晚", "上周", "前天", "今年", "刚才")


def slang(count: int) -> list[tuple[str, str]]:
    """(text, tone): only the slang word tells the tone."""
    rows = []
    for number in range(count):
        thing, day = THINGS[number % len(THINGS)], DAYS[number // len(THINGS) % len(DAYS)]
        word, tone = ((GOOD, "positive"), (BAD, "negative"))[(number + number // len(THINGS)) % 2]
        rows.append((f"{day}看到{thing}，{word}，第{number}次了", tone))
    return rows


async def learnt(house: House, actor: Actor) -> int:
    """A lesson asked for and gone through; how many versions it made."""
    async with unit_of_work(house.ctx) as unit:
        await lessons.ask(unit, actor)
    return await lessons.learn_waiting(house)


async def corrected(house: House, count: int = 64, *, wrongly: bool = False) -> Actor:
    """``count`` slang messages, tagged, and each set right or confirmed by a press officer. ``wrongly``: at random."""
    rows = slang(count)
    await arrive(house, *[town.letter(number, text) for number, (text, _tone) in enumerate(rows)])
    while await batches.tag_waiting(house):
        pass
    actor = await town.person(house, Role.press_officer)
    messages = {one.external_id: one for one in await town.all_rows(house, Message)}
    for number, (_text, tone) in enumerate(rows):
        message = messages[str(number)]
        said = ("positive", "negative", "neutral")[number * 7 % 3] if wrongly else tone
        async with unit_of_work(house.ctx) as unit:
            if message.sentiment == said:
                await confirm(unit, actor, message.id or 0)
            else:
                await correct(unit, actor, message.id or 0, sentiment=said, because=Because.tone)
    return actor

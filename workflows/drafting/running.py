"""Drafts that wait are written one after the other. No transaction is open while the model is asked."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, update
from sqlmodel import col, select

from connectors.base import ConnectorError
from connectors.drafting.client import Drafted, Endpoint, complete
from hub import clock, feed, log
from hub.db import Unit, reading, unit_of_work
from hub.i18n import written
from hub.models import Account, Case, Department, Matter, Message, ModelDraft, ModelState, ModelTask
from hub.rights import system
from nlp import mask
from workflows.cases import similar
from workflows.drafting import asking, prompts
from workflows.drafting.prompts import Prompt
from workflows.house import House
from workflows.matters import detail
from workflows.matters.detail import Which
from workflows.replies import checks
from workflows.replies.generated import LABEL

SLACK = timedelta(seconds=30)
MESSAGES, ANSWERS, LENGTH, SHORTEST = 5, 3, 400, 40
# A draft whose worker died is tried again until it is this old; then it has failed.
PATIENCE = timedelta(minutes=15)
_log = log.get(__name__)


async def run_waiting(house: House, limit: int = 4) -> int:
    """Write at most ``limit`` drafts that were asked for; how many were tried. Safe to run twice and beside others."""
    tried = 0
    while tried < limit and (draft := await _take(house)) is not None:
        await _write(house, draft)
        tried += 1
    return tried


async def _take(house: House) -> ModelDraft | None:
    """The oldest that waits, or whose worker died, leased to this one."""
    now = clock.now()
    free = or_(
        col(ModelDraft.state) == ModelState.waiting,
        and_(col(ModelDraft.state) == ModelState.running, col(ModelDraft.lease_until) < now),
    )
    open_ones = (col(ModelDraft.finished_at).is_(None), free)
    async with reading(house.ctx) as unit:
        first = await unit.first(select(ModelDraft).where(*open_ones).order_by(col(ModelDraft.id)).limit(1))
    if first is None:
        return None
    lease = now + timedelta(seconds=house.ctx.settings.model_seconds) + SLACK
    async with unit_of_work(house.ctx) as unit:
        claimed = await unit.claim(
            ModelDraft, col(ModelDraft.id) == first.id, *open_ones, state=ModelState.running, lease_until=lease
        )
        if claimed:
            await _tell(unit, first)
    return first if claimed else None


async def _write(house: House, draft: ModelDraft) -> None:
    settings = house.ctx.settings
    if not asking.is_on(settings):
        return await _end(house, draft, error=written("语言模型已被关闭"))
    if draft.asked_at < clock.now() - PATIENCE:
        return await _end(house, draft, error=written("等了太久，请重新请模型起草"))
    async with reading(house.ctx) as unit:
        prompt = await (_reply_prompt if draft.task is ModelTask.reply else _summary_prompt)(house, unit, draft)
    if prompt is None:
        return await _end(house, draft, error=written("没有可用的材料"))
    endpoint = Endpoint(
        settings.model_url, settings.model_name, settings.model_key, settings.model_outside,
        float(settings.model_seconds),
    )  # fmt: skip
    try:
        async with asyncio.timeout(settings.model_seconds + 5):
            said = await complete(endpoint, prompt.task, prompt.material, live=settings.live)
    except ConnectorError as error:
        _log.warning("model failed", draft=draft.id, code=error.code)
        return await _end(house, draft, error=error.human, masked=prompt.masked)
    except TimeoutError:
        return await _end(house, draft, error=written("模型没有在限定时间内写完，请自行起草"), masked=prompt.masked)
    return await _end(house, draft, said=said, masked=prompt.masked)


async def _reply_prompt(house: House, unit: Unit, draft: ModelDraft) -> Prompt | None:
    case = await unit.get(Case, draft.case_id)
    if case is None:
        return None
    citizens = select(Message).where(Message.case_id == case.id, ~col(Message.is_own))
    found = await unit.all(citizens.order_by(col(Message.created_at).desc()).limit(MESSAGES))
    department = await unit.get(Department, case.department_id) if case.department_id else None
    like = await similar.answered(unit, case.id or 0, system(), limit=ANSWERS)
    said = [f"{message.title}\n{message.text}" for message in reversed(found)]
    room = await _room(house, unit, found[0]) if found else LENGTH
    return prompts.reply(said, department.name if department else "", [one.answer for one in like], room)


async def _room(house: House, unit: Unit, message: Message) -> int:
    """How many characters the answer may have where it is to go, its line for the citizen left out."""
    account = await unit.get(Account, message.account_id)
    measure = checks.measure(house, account, f"\n{LABEL}", is_private=message.kind.is_private) if account else None
    return min(LENGTH, max(SHORTEST, measure.left)) if measure and measure.limit else LENGTH


async def _summary_prompt(_house: House, unit: Unit, draft: ModelDraft) -> Prompt | None:
    matter = await unit.get(Matter, draft.matter_id)
    if matter is None:
        return None
    found = await detail.members(unit, matter.id or 0, system(), which=Which.liked, limit=prompts.MOST_SAID)
    return prompts.summary(matter.name, [(one.id, f"{one.title} {one.text}") for one in found.rows])


async def _end(
    house: House, draft: ModelDraft, *, said: Drafted | None = None, error: str = "", masked: int = 0
) -> None:
    """What came of it. Written once: a second worker's later result is dropped."""
    now: datetime = clock.now()
    values: dict[str, Any] = {"finished_at": now, "masked": masked, "lease_until": None}
    if said is not None:
        # A model may repeat or make up numbers of people; what it says is shown and kept without them.
        values |= {"state": ModelState.done, "text": mask(said.text), "model": said.model}
    else:
        values |= {"state": ModelState.failed, "error": error[:500], "model": house.ctx.settings.model_name[:100]}
    async with unit_of_work(house.ctx) as unit:
        still = (col(ModelDraft.id) == draft.id, col(ModelDraft.finished_at).is_(None))
        if (await unit.run(update(ModelDraft).where(*still).values(values))).rowcount == 1:
            await _tell(unit, draft)


async def _tell(unit: Unit, draft: ModelDraft) -> None:
    if draft.matter_id is not None:
        feed.tell(unit, "opinion", draft.matter_id)
        return
    case = await unit.get(Case, draft.case_id)
    if case is not None:
        feed.tell(unit, "cases", case.id, case.department_id)

"""What the invented city watches for and whose matters it sends where, set by its desk as an office would."""

from __future__ import annotations

from sqlmodel import col, select

from hub.db import unit_of_work
from hub.models import Department, PlanMode
from hub.rights import Actor
from workflows.house import House
from workflows.routing import rules
from workflows.watching import service
from workflows.watching.drafts import Draft

PLANS = (
    Draft(
        "化工园异味",
        classes={"place": ["化工园", "东汀"], "event": ["异味", "臭味", "气味", "刺鼻"]},
        alert_count=3, alert_minutes=24 * 60,
    ),
    Draft(
        "枫林路塌陷", PlanMode.expert, expression="塌陷|(枫林路+(坑|塌|绕行|封路))", stop="井盖", alert_count=4,
        alert_minutes=180,
    ),
)  # fmt: skip


async def set_up(house: House, desk: Actor) -> None:
    """Plans and a rule, before the first message comes in."""
    async with unit_of_work(house.ctx) as unit:
        for plan in PLANS:
            await service.create(unit, desk, plan)
        office = await unit.first(select(col(Department.id)).where(Department.short_name == "市城管局"))
        lamps = rules.Draft("路灯井盖归城管", office or 0, keywords="(路灯|井盖)+!塌陷", may_dispatch=True)
        await rules.create(unit, desk, lamps)

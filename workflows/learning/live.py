"""Which version of each task is in force: the row that says so, putting one in force, and loading it into a process."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select as columns
from sqlmodel import col, select

import nlp
from hub import audit, clock, feed, log
from hub.db import Unit, reading
from hub.errors import Invalid, NotAllowed, NotFound, Stale
from hub.i18n import _, written
from hub.models import LearntModel, LiveModel, ModelChange
from hub.rights import Actor, May
from nlp.lesson import TASKS
from nlp.version import shipped, version
from workflows.house import House

if TYPE_CHECKING:
    from nlp.linear import LinearModel

REASON_LENGTH = 500
_LETTERS = {"topic": "t", "sentiment": "s", "request": "r"}
_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class InForce:
    """What is in force of one task; ``number`` 0: the shipped model. ``fits``: made for the shipped model of this
    product version; after an update it no longer is, and the shipped model speaks until the next lesson."""

    task: str
    number: int = 0
    learnt_id: int | None = None
    digest: str = ""
    is_held: bool = False
    fits: bool = True


async def in_force(unit: Unit) -> list[InForce]:
    """One entry per task, in the order of TASKS."""
    wanted = (
        columns(LiveModel.task, LiveModel.is_held, LearntModel.id, LearntModel.number, LearntModel.digest,
                LearntModel.base)  # type: ignore[call-overload]
        .outerjoin(LearntModel, col(LearntModel.id) == col(LiveModel.learnt_id))
    )  # fmt: skip
    found = {
        row.task: InForce(
            row.task,
            row.number or 0,
            row.id,
            row.digest or "",
            row.is_held,
            not row.id or row.base == shipped(row.task),
        )
        for row in await unit.rows(wanted)
    }
    return [found.get(task, InForce(task)) for task in TASKS]


def usable(made: LearntModel) -> bool:
    """Whether it was learnt on the shipped model of this product version; on another one it says nothing."""
    return made.base == shipped(made.task)


def mark(each: Sequence[InForce]) -> str:
    """As it stands in the analyser's version: "t3s5"; empty when all are the shipped ones."""
    return "".join(f"{_LETTERS[one.task]}{one.number}" for one in each if one.number and one.fits)


async def version_in_force(unit: Unit) -> str:
    """The version that workers write with every tagging, as the rows say; a web process loads no models."""
    said = mark(await in_force(unit))
    return f"{version()}+{said}" if said else version()


async def load(house: House) -> bool:
    """Bring this process to the versions in force; whether anything changed. Cheap when nothing did.

    A version whose bytes are not the ones stored, or that was made for another shipped model, is left out: then the
    shipped model speaks, and the page says so."""
    async with reading(house.ctx) as unit:
        each = await in_force(unit)
        if _known.get("each") == each:
            return False
        ids = [one.learnt_id for one in each if one.learnt_id and one.fits]
        rows = await unit.all(select(LearntModel).where(col(LearntModel.id).in_(ids))) if ids else []
    usable = [row for row in rows if is_whole(row)]
    models = await asyncio.to_thread(_joined, usable)
    said = mark([one for one in each if one.task in models])
    nlp.teach(models, said)
    _known["each"] = each
    _log.info("analyser_taught", version=nlp.VERSION)
    return True


_known: dict[str, list[InForce]] = {}


def forget() -> None:
    """Back to the shipped models in this process; the next :func:`load` looks again."""
    _known.clear()
    nlp.teach({}, "")


def is_whole(row: LearntModel) -> bool:
    """Whether its bytes are those that were stored; otherwise it is told to the log."""
    if hashlib.sha256(row.data).hexdigest() == row.digest:
        return True
    _log.error("learnt model is damaged", task=row.task, number=row.number)
    return False


def _joined(rows: Sequence[LearntModel]) -> dict[str, LinearModel]:
    """The shipped models with what was learnt on top."""
    from nlp import layers, pipeline

    models = {}
    for row in rows:
        try:
            models[row.task] = layers.taught(row.data, pipeline.model(row.task))
        except ValueError as error:
            _log.warning("learnt model does not fit", task=row.task, number=row.number, why=str(error))
    return models


async def put_in_force(
    unit: Unit, actor: Actor, task: str, learnt: LearntModel | None, *, reason: str, held: bool
) -> None:
    """Change what is in force, with its history row, in the caller's transaction; None: the shipped model.

    Stale when somebody else changed it meanwhile."""
    row = await unit.get(LiveModel, task)
    if row is None:
        row = LiveModel(task=task)
        unit.add(row)
        await unit.flush()
    before = await unit.get(LearntModel, row.learnt_id) if row.learnt_id else None
    seen = (col(LiveModel.task) == task, col(LiveModel.version) == row.version)
    values = {
        "learnt_id": learnt.id if learnt else None,
        "is_held": held,
        "at": clock.now(),
        "version": row.version + 1,
    }
    if not await unit.claim(LiveModel, *seen, **values):
        raise Stale([_("刚刚有人换了版本，请刷新再看")])
    unit.add(ModelChange(
        task=task, at=clock.now(), from_number=before.number if before else 0, is_held=held,
        to_number=learnt.number if learnt else 0, by_id=actor.user_id, by_name=actor.name, reason=reason,
    ))  # fmt: skip
    unit.later("load_learnt")
    feed.tell(unit, "learning")


async def choose(unit: Unit, actor: Actor, task: str, number: int, reason: str) -> None:
    """A person puts a version in force, 0 being the shipped one; nightly lessons then wait for a person.

    NotAllowed, NotFound, Invalid without a reason, when it is in force already, or when it was learnt on another
    shipped model than today's: then nothing but the shipped one would speak. Written to the audit log."""
    _refuse_strangers(actor)
    learnt = await _accepted(unit, task, number) if number else None
    if task not in TASKS or (number and learnt is None):
        raise NotFound(_("没有这个版本"))
    reason = reason.strip()[:REASON_LENGTH]
    if not reason:
        raise Invalid({"reason": _("请写明换版本的理由")})
    now = {one.task: one for one in await in_force(unit)}[task]
    if now.number == number:
        raise Invalid({"version": _("这个版本正在使用")})
    if learnt is not None and not usable(learnt):
        raise Invalid({"version": _("这一版是在旧出厂版上学的，换了新的出厂版就不能用了；下次学习会重新学一版")})
    await put_in_force(unit, actor, task, learnt, reason=reason, held=True)
    await audit.record(unit, actor, "model.choose", f"model:{task}", before=now.number, after=number, reason=reason)


async def let_go(unit: Unit, actor: Actor, task: str) -> None:
    """Let nightly lessons put versions in force again. Safe to say twice."""
    _refuse_strangers(actor)
    if task not in TASKS:
        raise NotFound(_("没有这个版本"))
    if await unit.claim(LiveModel, col(LiveModel.task) == task, col(LiveModel.is_held), is_held=False):
        number = {one.task: one for one in await in_force(unit)}[task].number
        unit.add(ModelChange(
            task=task, from_number=number, to_number=number, by_id=actor.user_id, by_name=actor.name,
            reason=written("恢复自动更新"),
        ))  # fmt: skip
        await audit.record(unit, actor, "model.let_go", f"model:{task}")
        feed.tell(unit, "learning")


def _refuse_strangers(actor: Actor) -> None:
    if not actor.can(May.teach_analyser):
        raise NotAllowed(_("没有管理学习的权限"))


async def _accepted(unit: Unit, task: str, number: int) -> LearntModel | None:
    wanted = select(LearntModel).where(
        col(LearntModel.task) == task, col(LearntModel.number) == number, col(LearntModel.is_accepted)
    )
    return await unit.first(wanted)

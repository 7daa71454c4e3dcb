"""A person asks for a draft; the job writes it; the person takes it over or not."""

from __future__ import annotations

from sqlmodel import col, select

from hub import audit, feed
from hub.db import Unit
from hub.errors import Invalid, NotAllowed, NotFound, Refused
from hub.i18n import _
from hub.models import Case, ModelDraft, ModelState, ModelTask, Reply
from hub.rights import Actor, May
from hub.settings import Settings
from workflows.cases.facts import find, know
from workflows.cases.states import reasons_against_drafting
from workflows.matters import shaping
from workflows.replies.drafts import save_draft
from workflows.replies.generated import labelled


def is_on(settings: Settings) -> bool:
    """Whether the office has set up a model. Off by default."""
    return bool(settings.model_url and settings.model_name)


def may_read_summaries(actor: Actor) -> bool:
    """A model's summary mixes all messages of a matter: it is for those who may read all of them."""
    return actor.can(May.read_messages) or actor.can(May.read_all_cases)


def may_ask_summaries(actor: Actor) -> bool:
    """Those who only look on read what others asked for."""
    return may_read_summaries(actor) and (actor.can(May.correct_tags) or actor.can(May.review_reply))


async def ask_reply(unit: Unit, actor: Actor, case_id: int) -> ModelDraft:
    """Ask for an answer to a case. Refused when the person may not write it now or one is being written already."""
    _needs_model(unit)
    case = await find(unit, case_id, actor)
    if reasons := reasons_against_drafting((await know(unit, case)).facts, actor):
        raise Refused(reasons)
    return await _ask(unit, actor, ModelTask.reply, case=case)


async def ask_summary(unit: Unit, actor: Actor, matter_id: int) -> ModelDraft:
    """Ask for a summary of a matter. NotAllowed for those who may not read all its messages, or only look on."""
    if not may_ask_summaries(actor):
        raise NotAllowed(_("没有请模型概括的权限"))
    matter = await shaping.find(unit, matter_id, actor)
    _needs_model(unit)
    return await _ask(unit, actor, ModelTask.summary, matter_id=matter.id)


def _needs_model(unit: Unit) -> None:
    if not is_on(unit.ctx.settings):
        raise Refused([_("没有接入语言模型；需要时请管理员设置 HUB_MODEL_URL 和 HUB_MODEL_NAME")])


async def _ask(
    unit: Unit, actor: Actor, task: ModelTask, *, case: Case | None = None, matter_id: int | None = None
) -> ModelDraft:
    case_id = case.id if case else None
    last = await newest(unit, case_id=case_id, matter_id=matter_id)
    if last is not None and last.finished_at is None:
        raise Refused([_("模型正在写，请稍等")])
    draft = ModelDraft(task=task, case_id=case_id, matter_id=matter_id, by_id=actor.user_id, by_name=actor.name)
    unit.add(draft)
    await unit.flush()
    await audit.record(unit, actor, f"model.{task.value}", f"draft:{draft.id}", case=case_id, matter=matter_id)
    _tell(unit, draft, case)
    unit.later("run_models")
    return draft


async def newest(unit: Unit, *, case_id: int | None = None, matter_id: int | None = None) -> ModelDraft | None:
    """The last thing a model was asked for here; the caller has checked that the person may see it."""
    where = col(ModelDraft.case_id) == case_id if case_id is not None else col(ModelDraft.matter_id) == matter_id
    return await unit.first(select(ModelDraft).where(where).order_by(col(ModelDraft.id).desc()).limit(1))


async def take(unit: Unit, actor: Actor, case_id: int, draft_id: int, *, version: int) -> Reply:
    """Make the model's text the draft of the answer, with its mark and its line. The text that stood there is
    replaced, so ``version`` must be the one the person saw (0: none). Raises what :func:`save_draft` raises."""
    draft = await unit.get(ModelDraft, draft_id)
    if draft is None or draft.case_id != case_id or draft.task is not ModelTask.reply:
        raise NotFound(_("没有这份草稿"))
    if draft.state is not ModelState.done:
        raise Invalid({"draft": _("模型还没有写好")})
    text = labelled(draft.text)
    reply = await save_draft(unit, case_id, actor, text=text, version=version, by_model=draft.model)
    await audit.record(unit, actor, "model.taken", f"reply:{reply.id}", draft=draft.id, model=draft.model)
    return reply


def _tell(unit: Unit, draft: ModelDraft, case: Case | None) -> None:
    if case is not None:
        feed.tell(unit, "cases", case.id, case.department_id)
    else:
        feed.tell(unit, "opinion", draft.matter_id)


__all__ = ["ask_reply", "ask_summary", "is_on", "may_ask_summaries", "may_read_summaries", "newest", "take"]

"""Writing an answer: one open draft per case, saved by version so that nobody's text is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from hub import clock, feed
from hub.db import Unit
from hub.errors import Invalid, NotFound, Refused, Stale
from hub.i18n import _
from hub.models import Case, CaseEvent, Message, Reply, ReplyState
from hub.rights import Actor
from workflows.cases.facts import DRAFT, Known, find, know
from workflows.cases.states import reasons_against_drafting
from workflows.delivery import text_hash
from workflows.replies.generated import GENERATED, copied_from

LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Saved:
    """A draft as it stands, to be shown beside what could not be saved."""

    reply_id: int
    version: int
    text: str
    author_name: str


class DraftConflict(Stale):
    """Somebody saved another text meanwhile. ``mine`` is what was not saved, ``theirs`` what stands (None: it left)."""

    def __init__(self, mine: str, theirs: Reply | None) -> None:
        super().__init__([_("这份答复刚被他人修改，您的文字未保存，请对照后再存")])
        self.mine = mine
        self.theirs = Saved(theirs.id or 0, theirs.version, theirs.text, theirs.author_name) if theirs else None


async def save_draft(
    unit: Unit, case_id: int, actor: Actor, *, text: str, version: int, message_id: int | None = None,
    by_model: str = "",
) -> Reply:  # fmt: skip
    """Save the answer. ``version`` 0: there was no draft when the person began to write.

    ``by_model``: the model that drafted the text; sentences copied from a model's draft of the case are found without.
    ``message_id``: the message answered; without it the citizen's newest of the case. DraftConflict keeps both texts;
    Refused when the person may not write now; Invalid for a text longer than 20,000 characters.
    """
    if len(text) > LONGEST:
        raise Invalid({"text": _("答复过长，最多 %(n)s 字", n=LONGEST)})
    case = await find(unit, case_id, actor)
    await _hold(unit, case)
    known = await know(unit, case)
    if reasons := reasons_against_drafting(known.facts, actor):
        raise Refused(reasons)
    reply = known.reply
    if (reply.version if reply else 0) != version:
        raise DraftConflict(text, reply)
    message = await _answered(unit, case, message_id or (reply.message_id if reply else None))
    known_model = reply.generated_by if reply else ""
    model = (by_model or known_model or await copied_from(unit, case_id, text)) if text.strip() else ""
    saved = await _write(unit, reply, case, message, actor, text, model)
    if model and model != known_model:
        _remember_model(unit, case, saved, actor)
    await _remember_author(unit, known, saved, actor)
    feed.tell(unit, "cases", case.id, case.department_id)
    return saved


async def _hold(unit: Unit, case: Case) -> None:
    """Two people begin a draft at the same moment: the second waits here and then sees the first one's."""
    await unit.first(select(col(Case.id)).where(col(Case.id) == case.id).with_for_update())


async def _answered(unit: Unit, case: Case, message_id: int | None) -> Message:
    citizens = select(Message).where(Message.case_id == case.id, ~col(Message.is_own))
    if message_id is not None:
        message = await unit.first(citizens.where(col(Message.id) == message_id))
    else:
        message = await unit.first(citizens.order_by(col(Message.created_at).desc(), col(Message.id).desc()).limit(1))
    if message is None:
        raise NotFound(_("要答复的消息不在这张工单里"))
    return message


async def _write(
    unit: Unit, reply: Reply | None, case: Case, message: Message, actor: Actor, text: str, model: str
) -> Reply:
    content_hash = text_hash(text, account_id=message.account_id, target_id=message.external_id)
    if reply is None:
        reply = Reply(
            case_id=case.id or 0, message_id=message.id or 0, text=text, content_hash=content_hash,
            author_id=actor.user_id, author_name=actor.name, created_at=clock.now(), generated_by=model,
        )  # fmt: skip
        unit.add(reply)
        await unit.flush()
        return reply
    changed: dict[str, Any] = {"text": text, "content_hash": content_hash, "message_id": message.id}
    changed |= {"state": ReplyState.draft, "generated_by": model}  # none: begun anew by hand
    author = {"author_id": actor.user_id, "author_name": actor.name}
    if not await unit.compare_and_set(reply, **changed, **author):
        await unit.session.refresh(reply)
        raise DraftConflict(text, reply)
    return reply


def _remember_model(unit: Unit, case: Case, reply: Reply, actor: Actor) -> None:
    unit.add(
        CaseEvent(
            case_id=case.id or 0, at=clock.now(), what=GENERATED, from_state=case.state, to_state=case.state,
            by_id=actor.user_id, by_name=actor.name, note=reply.generated_by,
            data={"model": reply.generated_by, "reply_id": reply.id},
        )
    )  # fmt: skip


async def _remember_author(unit: Unit, known: Known, reply: Reply, actor: Actor) -> None:
    """Once per person and answer."""
    is_new = known.reply is None
    if not is_new and known.facts.draft is not None and actor.user_id in known.facts.draft.author_ids:
        return
    event = CaseEvent(
        case_id=reply.case_id, at=clock.now(), what=DRAFT, from_state=known.case.state, to_state=known.case.state,
        by_id=actor.user_id, by_name=actor.name, data={"reply_id": reply.id},
    )  # fmt: skip
    unit.add(event)

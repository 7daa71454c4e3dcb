"""Letting red lines in an answer pass: a verb of its own, with a reason, by somebody who did not write in it."""

from __future__ import annotations

from hub import audit, clock, feed
from hub.db import Unit
from hub.errors import Refused, Stale
from hub.i18n import _
from hub.models import CaseEvent, Message, Reply, ReplyState
from hub.rights import Actor, May
from workflows.cases.facts import Known, find, know
from workflows.checking.gate import Told, judge
from workflows.delivery import text_hash
from workflows.replies.checks import FORCE, red_lines_of

OPEN = (ReplyState.draft, ReplyState.returned, ReplyState.reviewing)


async def force(unit: Unit, actor: Actor, case_id: int, *, content_hash: str, reason: str) -> Reply:
    """Let exactly these red lines of exactly this answer pass; a changed character makes it void.

    Stale when the text changed since the person read it; refused without the right or a reason, to whoever wrote in it,
    and when nothing blocks. The answer still has to be handed in and reviewed.
    """
    known = await know(unit, await find(unit, case_id, actor))
    reply = known.reply
    message = await unit.get(Message, reply.message_id) if reply else None
    if reply is None or message is None or reply.content_hash != content_hash:
        raise Stale([_("答复在您打开之后已被修改，请看过新内容再放行")])
    own_hash = text_hash(reply.text, account_id=message.account_id, target_id=message.external_id)
    (found,) = await judge(unit, [reply.text], known.case.department_id)
    lines = await red_lines_of(unit, message, reply.text, found)
    if reasons := _against(known, reply, actor, lines, reason):
        raise Refused(reasons)
    data = {"reply_id": reply.id, "content_hash": own_hash, "passed": [line.key for line in lines]}
    unit.add(CaseEvent(
        case_id=case_id, at=clock.now(), what=FORCE, from_state=known.case.state, to_state=known.case.state,
        by_id=actor.user_id, by_name=actor.name, note=reason.strip(), data=data,
    ))  # fmt: skip
    rules = sorted({line.rule for line in lines})
    await audit.record(
        unit, actor, "case.force_check", known.case.number, hash=own_hash, reason=reason.strip(), rules=rules
    )
    feed.tell(unit, "cases", known.case.id, known.case.department_id)
    return reply


def _against(known: Known, reply: Reply, actor: Actor, lines: list[Told], reason: str) -> list[str]:
    reasons = []
    if not actor.can(May.force_check) or actor.user_id is None:
        reasons.append(_("您没有「%(move)s」权限", move=_("放行红线")))
    writers = known.facts.draft.author_ids if known.facts.draft else ()
    if actor.user_id in writers or actor.user_id == reply.author_id:
        reasons.append(_("起草或修改过这份答复的人不能放行它的红线，请由他人放行"))
    if not reason.strip():
        reasons.append(_("%(move)s须填写理由", move=_("放行红线")))
    if reply.state not in OPEN:
        reasons.append(_("这份答复已经审过，不用再放行"))
    if not lines:
        reasons.append(_("这份答复没有未放行的红线"))
    return reasons

"""Letting red lines of the check pass: a verb of its own, with a reason, by somebody who wrote none of the text."""

from __future__ import annotations

from hub import audit
from hub.db import Unit
from hub.errors import Refused, Stale
from hub.i18n import _
from hub.models import Post
from hub.rights import Actor
from workflows.checking.gate import Told
from workflows.house import House
from workflows.publishing.checks import FORCE, findings_of, red_lines_of
from workflows.publishing.content import draft_of
from workflows.publishing.history import facts_of, find, note, targets_of
from workflows.publishing.service import settle_forms
from workflows.publishing.states import Move, reasons_against


async def force(house: House, unit: Unit, actor: Actor, post_id: int, *, content_hash: str, reason: str) -> Post:
    """Let exactly these red lines of exactly this content pass; a changed character makes it void.

    Stale when the text changed since the person read it; refused without the right or a reason, to whoever wrote any of
    it, and when nothing blocks. The post stays where it is: it still has to be handed in and reviewed.
    """
    post = await find(unit, actor, post_id)
    if post.content_hash != content_hash:
        raise Stale([_("内容在您打开之后已被修改，请看过新内容再放行")])
    await settle_forms(house, unit, post)
    draft = draft_of(post, await targets_of(unit, post))
    lines = await red_lines_of(unit, post, await findings_of(unit, draft, post.department_id))
    reasons = reasons_against(Move.force, await facts_of(unit, post), actor, note=reason)
    if not lines:
        reasons.append(_("这篇稿件没有未放行的红线"))
    if reasons:
        raise Refused(reasons)
    passed = {"passed": [line.key for line in lines]}
    await note(unit, post, FORCE, actor, reason=reason.strip(), with_content=True, data=passed)
    await audit.record(
        unit, actor, "post.force", f"post:{post.id}", hash=post.content_hash, reason=reason.strip(), rules=_rules(lines)
    )
    return post


def _rules(lines: list[Told]) -> list[str]:
    return sorted({line.rule for line in lines})

"""The mark of a text that a model drafted: it stays with the answer, and citizens read it too."""

from __future__ import annotations

import re

from sqlmodel import col, select

from hub.db import Unit
from hub.i18n import N_
from hub.models import Message, ModelDraft, ModelState, ModelTask, Reply, ReplyState

# The step in a case's history.
GENERATED = "generated"

# The office's language, whoever reads: this line goes to the citizen (标识办法, in force since 2025-09-01).
LABEL = "（本答复由人工智能辅助起草，经人工审核）"
MISSING = N_("这份答复用了模型起草的文字，须带上「%(label)s」一行；不用模型的文字，请清空后自己写")
# Whole clauses of a model: so long each, so many characters and such a share of the answer together. A courtesy or two
# anybody may have written.
LEAST_CLAUSE, LEAST_COPIED, LEAST_SHARE, DRAFTS = 8, 30, 0.2, 5
_CLAUSE = re.compile("[^，。！？；：、,!?;:]+")
_OPEN = (ReplyState.draft, ReplyState.reviewing, ReplyState.returned)


def labelled(text: str) -> str:
    """The text with the line at its end, once."""
    return text if LABEL in text else f"{text.rstrip()}\n{LABEL}"


async def lacks_label(unit: Unit, message: Message, text: str) -> bool:
    """Whether a model drafted the open answer of the message's case, or parts of ``text``, and it does not say so."""
    if message.case_id is None or LABEL in text:
        return False
    if await copied_from(unit, message.case_id, text):
        return True
    marked = select(col(Reply.id)).where(
        Reply.case_id == message.case_id, col(Reply.state).in_(_OPEN), col(Reply.generated_by) != ""
    )
    return await unit.first(marked.limit(1)) is not None


async def copied_from(unit: Unit, case_id: int, text: str) -> str:
    """The model whose draft for this case ``text`` repeats, also where it was copied by hand; "": none's."""
    written = select(ModelDraft).where(
        ModelDraft.case_id == case_id, col(ModelDraft.task) == ModelTask.reply, col(ModelDraft.state) == ModelState.done
    )
    here = "".join(text.split())
    for draft in await unit.all(written.order_by(col(ModelDraft.id).desc()).limit(DRAFTS)):
        clauses = {"".join(found.split()) for found in _CLAUSE.findall(draft.text)}
        copied = sum(len(one) for one in clauses if len(one) >= LEAST_CLAUSE and one in here)
        if copied >= max(LEAST_COPIED, LEAST_SHARE * len(here)):
            return draft.model
    return ""

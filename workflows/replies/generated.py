"""The mark of a text that a model drafted: it stays with the answer, and citizens read it too."""

from __future__ import annotations

from sqlmodel import col, select

from hub.db import Unit
from hub.i18n import N_
from hub.models import Message, Reply, ReplyState

# The office's language, whoever reads: this line goes to the citizen (标识办法, in force since 2025-09-01).
LABEL = "（本答复由人工智能辅助起草，经人工审核）"
MISSING = N_("这份答复由模型起草，须保留「%(label)s」一行；不用模型的文字，请清空后自己写")
_OPEN = (ReplyState.draft, ReplyState.reviewing, ReplyState.returned)


def labelled(text: str) -> str:
    """The text with the line at its end, once."""
    return text if LABEL in text else f"{text.rstrip()}\n{LABEL}"


async def lacks_label(unit: Unit, message: Message, text: str) -> bool:
    """Whether the open answer of the message's case was drafted by a model and ``text`` does not say so."""
    if message.case_id is None or LABEL in text:
        return False
    marked = select(col(Reply.id)).where(
        Reply.case_id == message.case_id, col(Reply.state).in_(_OPEN), col(Reply.generated_by) != ""
    )
    return await unit.first(marked.limit(1)) is not None

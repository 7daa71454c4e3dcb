"""Messages with all their tags for a file, masked like the page."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func
from sqlalchemy import select as columns
from sqlmodel import col

from hub import audit
from hub.db import Unit
from hub.errors import NotAllowed
from hub.i18n import _
from hub.models import Account, CaseState, Department, Message, MessageKind, Reply, ReplyState, Tagging
from hub.queries import visible
from hub.rights import Actor, May
from nlp import mask
from workflows.cases.timeline import shown
from workflows.inbox.lists import Case_, Filters, narrowed
from workflows.inbox.said import Analysed, analysed
from workflows.tagging.markup import straight

MOST = 20_000


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One message; ``said``: None while it waits for the analyser; ``by_person``: a person settled the tags.

    ``external_id``: the number its source gave it; ``answer``: what was last sent to its writer, masked.
    """

    id: int
    created_at: datetime
    account: str
    kind: MessageKind
    author_name: str
    title: str
    text: str
    place: str
    said: Analysed | None
    likes: int
    number: str
    state: CaseState | None
    department: str
    url: str
    external_id: str
    answer: str
    answered_at: datetime | None


async def exported(unit: Unit, actor: Actor, filters: Filters) -> list[ExportRow]:
    """Messages by the filters of the list, the newest first; one more than MOST, which a file holds, where there are
    more. Reads only: see :func:`note_export`.

    NotAllowed for those who read single messages only."""
    if not actor.can(May.read_messages):
        raise NotAllowed(_("没有查看收件的权限"))
    # Gathered once: looked for message by message it would be all answers for each.
    sent: Any = columns(col(Reply.message_id), func.max(col(Reply.id)).label("id"))
    newest = sent.where(col(Reply.state) == ReplyState.sent).group_by(col(Reply.message_id)).subquery()
    asked: tuple[Any, ...] = (Message, Tagging, Account.name, Case_.number, Case_.state, Department.short_name, Reply)
    wanted: Any = (
        columns(*asked)
        .select_from(Message)
        .join(Account, col(Account.id) == col(Message.account_id))
        .outerjoin(Tagging, and_(col(Tagging.message_id) == col(Message.id), col(Tagging.is_current)))
        .outerjoin(Case_, col(Case_.id) == col(Message.case_id))
        .outerjoin(Department, col(Department.id) == col(Case_.department_id))
        .outerjoin(newest, newest.c.message_id == col(Message.id))
        .outerjoin(Reply, col(Reply.id) == newest.c.id)
        .where(visible.messages(actor), ~col(Message.is_own), *narrowed(unit, filters))
        .order_by(col(Message.created_at).desc(), col(Message.id).desc())
        .limit(MOST + 1)
    )
    return [_row(*found) for found in (await unit.session.exec(wanted)).all()]


async def note_export(unit: Unit, actor: Actor, filters: Filters, rows: int) -> None:
    """The audit log keeps who took how many by which filters: written before they leave."""
    narrowing = {name: str(value) for name, value in asdict(filters).items() if value}
    await audit.record(unit, actor, "messages.export", "messages", rows=rows, **narrowing)


def _row(
    message: Message,
    tags: Tagging | None,
    account: str,
    number: str | None,
    state: CaseState | None,
    house: str | None,
    reply: Reply | None,
) -> ExportRow:
    title, text = shown(message)
    return ExportRow(
        id=message.id or 0, created_at=message.created_at, account=account, kind=message.kind,
        author_name=message.author_name, title=straight(title), text=straight(text), place=message.place,
        said=analysed(message, tags) if tags else None, likes=message.likes, number=number or "", state=state,
        department=house or "", url=message.url, external_id=message.external_id,
        answer=mask(reply.text) if reply else "", answered_at=reply.sent_at if reply else None,
    )  # fmt: skip

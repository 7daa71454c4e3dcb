"""Everything the draft box of a case shows: which message is answered, from which account, how long it may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from hub.db import Unit
from hub.errors import NotFound
from hub.i18n import _
from hub.models import Account, Case, Message, MessageKind, Reply
from hub.rights import Actor
from workflows.cases.facts import find
from workflows.checking.confirming import Finding
from workflows.counting import rule_of
from workflows.house import House
from workflows.replies.checks import Measure, check, check_words, measure, why_not_here
from workflows.replies.windows import Window, window_of

MOST_CHOICES = 20


@dataclass(frozen=True, slots=True)
class Box:
    """``why_not``: why the platform takes no answer here (then it is given elsewhere and recorded); empty: it does.
    ``window``: until when and how often it does, None: without limit.

    ``kind``: of the message it answers. ``rule``: the page's counter; ``limit``: 0 when the platform sets none.
    ``message_ids``: the citizen's messages that may be answered, newest first.
    """

    message_id: int
    message_ids: list[int]
    account: str
    kind: MessageKind
    rule: str
    limit: int
    why_not: str
    findings: list[Finding]
    window: Window | None = None

    @property
    def can_send(self) -> bool:
        """Whether the answer goes out on the platform."""
        return not self.why_not


async def box(house: House, unit: Unit, case: Case, draft: Reply | None) -> Box:
    """For the open draft, or a new one answering the citizen's newest message. Reads rows, calls no platform."""
    messages = await _answerable(unit, case)
    chosen = await unit.get(Message, draft.message_id) if draft else (messages[0] if messages else None)
    account = await unit.get(Account, (chosen or case).account_id)
    if chosen is None or account is None:
        raise NotFound(_("这张工单里没有可以答复的消息"))
    text = draft.text if draft else ""
    length = measure(house, account, text, is_private=chosen.kind.is_private) or Measure(0, 0)
    return Box(
        message_id=chosen.id or 0,
        message_ids=[message.id or 0 for message in messages],
        account=account.name,
        kind=chosen.kind,
        rule=rule_of(house.platforms.get(account.platform)),
        limit=length.limit,
        why_not=await why_not_here(house, unit, account, chosen),
        findings=await _said_of(house, unit, account, chosen, text),
        window=await window_of(unit, chosen),
    )


async def _said_of(house: House, unit: Unit, account: Account, message: Message, text: str) -> list[Finding]:
    if not text.strip():
        return []
    elsewhere = bool(await why_not_here(house, unit, account, message))
    return await (check_words(unit, message, text) if elsewhere else check(house, unit, message, text))


async def _answerable(unit: Unit, case: Case) -> Sequence[Message]:
    newest = (col(Message.created_at).desc(), col(Message.id).desc())
    citizens = select(Message).where(Message.case_id == case.id, ~col(Message.is_own))
    return await unit.all(citizens.order_by(*newest).limit(MOST_CHOICES))


async def findings(
    house: House, unit: Unit, case_id: int, actor: Actor, *, text: str, message_id: int | None, elsewhere: bool = False
) -> list[Finding]:
    """What speaks against a text that is being typed; nothing is saved. NotFound: a case not for this person.
    ``elsewhere``: it goes by another way, so that the platform has no say."""
    case = await find(unit, case_id, actor)
    among = (col(Message.case_id) == case.id, ~col(Message.is_own))
    wanted = select(Message).where(*among, *([col(Message.id) == message_id] if message_id else []))
    message = await unit.first(wanted.order_by(col(Message.created_at).desc()).limit(1))
    if message is None:
        raise NotFound(_("要答复的消息不在这张工单里"))
    if not text.strip():
        return []
    return await (check_words(unit, message, text) if elsewhere else check(house, unit, message, text))

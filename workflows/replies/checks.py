"""What speaks against an answer's text, before review and again before it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from connectors.base import Capability, Grant, Granted, Kind, Outgoing
from hub.db import Unit
from hub.i18n import N_, _
from hub.models import Account, Case, CaseEvent, Message, Reply, ReplyState
from workflows.checking.confirming import Finding
from workflows.checking.gate import Told, judge, red_lines
from workflows.delivery import text_hash
from workflows.house import House
from workflows.replies.generated import LABEL, MISSING, lacks_label
from workflows.replies.windows import window_of

FORCE = "force_check"
_AWAY = N_("账号已断开")
_CANNOT = N_("该账号不能在平台上答复：%(why)s。请线下答复后登记。")


@dataclass(frozen=True, slots=True)
class Measure:
    """Length of an answer in the platform's own units."""

    units: int
    limit: int

    @property
    def left(self) -> int:
        """Units left; negative: too long by so many."""
        return self.limit - self.units


def measure(house: House, account: Account, text: str, *, is_private: bool) -> Measure | None:
    """For the counter under the draft box; None where the platform takes no answers."""
    connector = house.platforms.get(account.platform)
    if connector is None:
        return None
    limits = connector.limits(house.ref(account))
    longest = limits.private_length if is_private and limits.private_length else limits.reply_length
    return Measure(connector.measure(text), longest)


def reply_grant(house: House, account: Account, message: Message) -> Grant:
    """Whether this message can be answered on its platform; ``reason`` says why not."""
    connector = house.platforms.get(account.platform)
    if connector is None:
        return Grant(Granted.no, _("没有这个平台的接口"))
    needed = Capability.reply_private if message.kind.is_private else Capability.reply_public
    return connector.capabilities(house.ref(account)).get(needed, Grant(Granted.no, _("平台不支持")))


async def why_not_here(house: House, unit: Unit, account: Account, message: Message) -> str:
    """Why this message cannot be answered on its platform (then that is done elsewhere and recorded); empty: it can."""
    if not house.can_answer(account):
        return _(_AWAY)
    grant = reply_grant(house, account, message)
    if grant.granted is not Granted.yes:
        return _(grant.reason) if grant.reason else _("平台不支持")
    window = await window_of(unit, message)
    return window.why_not if window else ""


async def check(house: House, unit: Unit, message: Message, text: str) -> list[Finding]:
    """Everything found, the blocking first. Reads rows and asks the connector's rules; calls no platform."""
    if not text.strip():
        return [Finding(_("答复不能为空"), blocks=True)]
    account = await unit.get(Account, message.account_id)
    found = [] if account is None else await _of_platform(house, unit, account, message, text)
    found += await check_words(unit, message, text)
    if await _said_before(unit, message, text):
        found.append(Finding(_("与此前发给来信人的答复完全相同"), blocks=False))
    return found


async def check_words(unit: Unit, message: Message, text: str) -> list[Finding]:
    """What is found in the text itself, by whatever way it goes to the citizen: a missing label, then what the check of
    texts says, red lines that nobody let pass first."""
    label = [Finding(_(MISSING, label=LABEL), blocks=True)] if await lacks_label(unit, message, text) else []
    return label + await _of_text(unit, message, text)


async def _of_text(unit: Unit, message: Message, text: str) -> list[Finding]:
    (found,) = await judge(unit, [text], await department_of(unit, message))
    red = {line.key for line in await red_lines_of(unit, message, text, found)}
    return [
        Finding(told.sentence, blocks=told.key in red, told=told)
        for told in sorted(found, key=lambda told: told.key not in red)
        if told.key in red or not told.is_red
    ]


async def department_of(unit: Unit, message: Message) -> int | None:
    """The department whose word lists an answer to it goes by: the one that has its case."""
    if message.case_id is None:
        return None
    return await unit.first(select(col(Case.department_id)).where(Case.id == message.case_id))


async def red_lines_of(unit: Unit, message: Message, text: str, found: Sequence[Told]) -> list[Told]:
    """What blocks this answer: red lines nobody let pass for exactly this text."""
    reds = red_lines(found)
    if not reds or message.case_id is None:
        return reds
    content_hash = text_hash(text, account_id=message.account_id, target_id=message.external_id)
    events = await unit.all(select(CaseEvent).where(CaseEvent.case_id == message.case_id, CaseEvent.what == FORCE))
    passed = [event.data for event in events if event.data.get("content_hash") == content_hash]
    return red_lines(reds, {key for data in passed for key in data.get("passed", ())})


async def _of_platform(house: House, unit: Unit, account: Account, message: Message, text: str) -> list[Finding]:
    if why := await why_not_here(house, unit, account, message):
        return [Finding(_(_CANNOT, why=why), blocks=True)]
    found = [
        problem.text for problem in house.connector(account).validate(house.ref(account), _outgoing(message, text))
    ]
    if message.removed_at is not None:
        found.append(_("来信人已删除原文，无法在其下答复"))
    return [Finding(line, blocks=True) for line in found]


def _outgoing(message: Message, text: str) -> Outgoing:
    return Outgoing(
        text=text, key="check", target_id=message.external_id, target_kind=Kind(message.kind.value),
        thread_id=message.thread_id, target_author_id=message.author_id,
    )  # fmt: skip


async def _said_before(unit: Unit, message: Message, text: str) -> bool:
    if message.case_id is None:
        return False
    sent = select(Reply.text).where(Reply.case_id == message.case_id, col(Reply.state) == ReplyState.sent)
    return any(_plain(before) == _plain(text) for before in await unit.all(sent))


def _plain(text: str) -> str:
    return "".join(text.split())

"""What a citizen sees of their letter with its query code: how far it is, what was answered, what is asked of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from hub import clock, feed
from hub.db import Unit
from hub.errors import NotFound, Refused
from hub.i18n import _
from hub.models import (
    Arrival,
    ArrivalFile,
    ArrivalState,
    Audience,
    Case,
    CaseEvent,
    CaseState,
    Department,
    Letter,
    Message,
    MessageKind,
    Reply,
    ReplyState,
)
from workflows.cases.moves import Move
from workflows.cases.rating import Rating
from workflows.cases.timeline import questions
from workflows.house import House
from workflows.letters.tickets import CODE_DIGITS, digest

S = CaseState
RATED = "citizen_rated"
_DIGITS = re.compile(r"[\s\-–—]")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the way: when, and what happened in the citizen's words."""

    at: datetime
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer the office gave, or one question it put back."""

    at: datetime
    text: str
    department: str
    asks: bool


@dataclass(frozen=True, slots=True)
class Written:
    """What the citizen sent at once: its text, empty until it is read in, the names of the files with it, and how it
    stands where there is no text."""

    at: datetime
    text: str
    files: Sequence[str]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A letter as its writer sees it. ``tone`` as badges have it; ``may_rate``: it was answered and not yet rated.
    ``written``: the letter, then its supplements."""

    letter: Letter
    title: str
    state: str
    tone: str
    steps: list[Step]
    answers: list[Answer]
    written: list[Written]
    may_add: bool
    may_rate: bool
    is_rated: bool


def plain_code(typed: str) -> str:
    """The code without what people put between its digits; full-width digits count."""
    code = _DIGITS.sub("", typed.translate({0xFF10 + n: str(n) for n in range(10)}))
    return code if len(code) == CODE_DIGITS and code.isascii() and code.isdigit() else ""


async def find(house: House, unit: Unit, typed: str) -> Letter:
    """The letter of a query code; :class:`NotFound` in the same words whether it is badly typed or nobody's."""
    code = plain_code(typed)
    kept = [digest(key, "code", code) for key in house.ctx.settings.keys]
    letter: Letter | None = await unit.first(select(Letter).where(col(Letter.code).in_(kept)))
    if letter is None or not code:
        raise NotFound(_("没有找到这个查询码。请核对 10 位数字，不要和别的编号混淆。"))
    return letter


async def standing(unit: Unit, letter: Letter) -> Standing:
    """Everything the citizen may know of their letter. Reads only."""
    more = await unit.all(select(Letter).where(Letter.first_id == letter.id).order_by(col(Letter.id)))
    named = [one.external_id for one in (letter, *more)]
    found = await unit.all(
        select(Message)
        .where(Message.account_id == letter.account_id, col(Message.external_id).in_(named))
        .order_by(col(Message.created_at), col(Message.id))
    )
    first = next((message for message in found if message.external_id == letter.external_id), None)
    case = await _case(unit, first)
    events = await _events(unit, case)
    answers = await _answers(unit, case, found)
    came = await _came(unit, letter, named)
    state, tone = _state(case, answers, came.get(letter.external_id))
    rated = any(event.what == RATED for event in events)
    answered = case is not None and case.state in (S.replied, S.closed) and any(not one.asks for one in answers)
    return Standing(
        letter=letter, title=first.title if first else "", state=state, tone=tone,
        steps=[_step(letter), *_steps(events)], answers=answers,
        written=await _written(unit, [letter, *more], found, came),
        may_add=case is None or case.state not in (S.void,), may_rate=answered and not rated, is_rated=rated,
    )  # fmt: skip


async def _came(unit: Unit, letter: Letter, named: Sequence[str]) -> Mapping[str, ArrivalState]:
    """How reading each of them in stands."""
    theirs = (col(Arrival.account_id) == letter.account_id, col(Arrival.external_id).in_(named))
    rows = await unit.rows(
        select(Arrival.external_id, Arrival.state).where(*theirs, Arrival.kind == MessageKind.letter)
    )
    return dict(rows)


def _unread(state: ArrivalState | None) -> str:
    """What stands in place of a text that is not there."""
    if state is ArrivalState.quarantined:
        return _("已收到，系统没能自动登记，需要人工核对。核对后会显示在这里，您不用再提交一次。")
    if state is ArrivalState.ignored:
        return _("工作人员核对后没有登记这部分内容。需要的话请换个写法再补充，或直接联系承办单位。")
    return _("正在登记，过几秒再刷新就能看到。")


async def _written(
    unit: Unit, letters: Sequence[Letter], messages: Sequence[Message], came: Mapping[str, ArrivalState]
) -> list[Written]:
    texts = {message.external_id: message.text for message in messages}
    named = [letter.external_id for letter in letters]
    rows = await unit.rows(
        select(Arrival.external_id, ArrivalFile.name)
        .join(ArrivalFile, col(ArrivalFile.arrival_id) == col(Arrival.id))
        .where(col(Arrival.account_id) == letters[0].account_id, col(Arrival.external_id).in_(named))
        .order_by(col(ArrivalFile.id))
    )
    names = {one: [name for letter, name in rows if letter == one] for one in named}
    return [
        Written(
            one.created_at, texts.get(one.external_id, ""), names[one.external_id],
            "" if texts.get(one.external_id) else _unread(came.get(one.external_id)),
        )
        for one in letters
    ]  # fmt: skip


async def _case(unit: Unit, message: Message | None) -> Case | None:
    if message is None or message.case_id is None:
        return None
    case = await unit.get(Case, message.case_id)
    for _hop in range(5):
        if case is None or case.merged_into_id is None:
            break
        case = await unit.get(Case, case.merged_into_id)
    return case


async def _events(unit: Unit, case: Case | None) -> Sequence[CaseEvent]:
    if case is None:
        return []
    told = select(CaseEvent).where(CaseEvent.case_id == case.id, CaseEvent.audience == Audience.citizen)
    return await unit.all(told.order_by(col(CaseEvent.id)))


async def _answers(unit: Unit, case: Case | None, letters: Sequence[Message]) -> list[Answer]:
    """What was sent to this writer; in a merged case the others' answers are none of their business."""
    if case is None:
        return []
    mine = [message.id for message in letters]
    rows = await unit.all(
        select(Reply).where(col(Reply.message_id).in_(mine), Reply.state == ReplyState.sent).order_by(col(Reply.id))
    )
    asking, department = await questions(unit, case), await _department(unit, case)
    return [Answer(reply.sent_at or reply.created_at, reply.text, department, reply.id in asking) for reply in rows]


async def _department(unit: Unit, case: Case) -> str:
    found = await unit.get(Department, case.department_id) if case.department_id else None
    return found.name if found else ""


def _state(case: Case | None, answers: Sequence[Answer], came: ArrivalState | None) -> tuple[str, str]:
    if case is None and came is ArrivalState.quarantined:
        return _("已收到，需要人工核对"), "note"
    if case is None and came is ArrivalState.ignored:
        return _("没有登记"), "outline"
    if case is None or case.state is S.new:
        return _("已收到，等待受理"), "note"
    if case.state is S.void:
        return _("不予受理"), "outline"
    if case.state is S.closed:
        return _("已办结"), "done"
    if case.state is S.replied:
        return _("已答复"), "done"
    if case.state is S.waiting and answers and answers[-1].asks:
        return _("请您补充"), "soon"
    return (_("已受理"), "note") if case.state is S.triaged else (_("办理中"), "note")


def _step(letter: Letter) -> Step:
    return Step(letter.created_at, _("已收到您的来信"))


def _steps(events: Sequence[CaseEvent]) -> list[Step]:
    words = {
        Move.accept.value: _("已受理"), Move.refuse.value: _("不予受理"), Move.sign.value: _("承办单位已签收"),
        Move.grant_extension.value: _("办理时间延长"), Move.answer_sent.value: _("已答复"),
        Move.question_sent.value: _("请您补充情况"), Move.close.value: _("已办结"), RATED: _("您已评价"),
    }  # fmt: skip
    return [
        Step(event.at, _dispatched(event) or words[event.what], event.note if event.what in SAYS_WHY else "")
        for event in events
        if event.what in words or event.what in _SENDS_ON
    ]


# Moves whose note is written for the citizen; the notes of others are the office's own.
SAYS_WHY = frozenset({Move.refuse.value})
# Moves after which another department has it.
_SENDS_ON = frozenset({Move.dispatch.value, Move.rule.value, Move.forward.value})


def _dispatched(event: CaseEvent) -> str:
    if event.what not in _SENDS_ON:
        return ""
    name = event.data.get("department", "")
    return _("已转%(name)s办理", name=name) if name else _("已转承办单位办理")


async def rate(unit: Unit, letter: Letter, rating: Rating, note: str) -> None:
    """Keep what the citizen says of the answer, once; :class:`Refused` before an answer or the second time."""
    await unit.first(select(col(Letter.id)).where(col(Letter.id) == letter.id).with_for_update())
    now = await standing(unit, letter)
    if not now.may_rate:
        raise Refused([_("现在不能评价：还没有答复，或者已经评价过了。")])
    message = await unit.first(
        select(Message).where(Message.account_id == letter.account_id, Message.external_id == letter.external_id)
    )
    case = await _case(unit, message)
    assert case is not None
    unit.add(
        CaseEvent(
            case_id=case.id or 0, at=clock.now(), what=RATED, from_state=case.state, to_state=case.state,
            by_name=_("来信人"), note=note.strip()[:1000], data=rating.as_data(), audience=Audience.citizen,
        )
    )  # fmt: skip
    feed.tell(unit, "cases", case.id, case.department_id)

"""Cases: lists, one with its timeline, moves and internal notes."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from hub.i18n import N_
from hub.models import CaseClass, CaseState
from hub.rights import May
from web.api.caseviews import CaseItem, CaseNow, CaseOne, CasePage, now
from web.api.messages import CASES
from web.api.operation import Call, mark_of, next_of, operation
from web.api.schema import Answer, Body, Id, Moment, Note, PageQuery, Version, When
from workflows.cases import choices, lists, service
from workflows.cases.detail import detail
from workflows.cases.facts import numbered
from workflows.cases.moves import BY_THE_HUB, MOVES, REPLY_MOVES, Move

HERE = [move for move in Move if move not in REPLY_MOVES | BY_THE_HUB]
ACTS = tuple(sorted({right for move in HERE for right in MOVES[move].rights}))


def _made_here(move: Move) -> Move:
    if move not in HERE:
        raise ValueError(N_("这一步不能在这里操作：答复请走 replies，其余由系统完成。"))
    return move


OfCase = Annotated[
    Move,
    AfterValidator(_made_here),
    WithJsonSchema({"type": "string", "enum": [move.value for move in HERE]}),
]


class CasesQuery(PageQuery):
    """Which list, and filters on it; what is left out does not narrow."""

    which: lists.Which = Field(default=lists.Which.all, description=N_("哪一张列表。"))
    state: CaseState | None = None
    department_id: Id | None = None
    topic: str = Field(default="", max_length=64)
    sentiment: str = Field(default="", max_length=16)
    account_id: Id | None = None
    urgency: CaseClass | None = None
    late: bool = Field(default=False, description=N_("只要已超时限的。"))
    sensitive: bool = Field(default=False, description=N_("只要敏感的。"))
    q: str = Field(default="", max_length=200, description=N_("词语，须全部出现；也可以是工单号。"))


class MoveBody(Body):
    """A move and what it asks for; see ``needs`` of the moves on offer."""

    move: OfCase
    version: Version
    note: Note = ""
    department_id: Id | None = Field(default=None, description=N_("派单、裁定、转办的承办单位。"))
    person_id: Id | None = Field(default=None, description=N_("指定的承办人。"))
    until: When | None = Field(default=None, description=N_("挂起到什么时候。"))
    urgency: CaseClass | None = Field(default=None, description=N_("新的紧急程度。"))
    into: str = Field(default="", max_length=32, description=N_("并入的工单号。"))


class NoteBody(Body):
    """An internal note."""

    note: Note


class NoteMade(Answer):
    """The note as it stands in the timeline."""

    id: int
    at: Moment
    by_name: str
    note: str


@operation("GET", "/cases", N_("工单列表"), scope="cases:read", needs=CASES)
async def list_cases(call: Call[CasesQuery, None]) -> CasePage:
    """Cases by list and filters, in the list's own order."""
    query = call.query
    filters = lists.Filters(
        state=query.state, department_id=query.department_id, topic=query.topic, sentiment=query.sentiment,
        account_id=query.account_id, urgency=query.urgency, late=query.late, sensitive=query.sensitive, text=query.q,
    )  # fmt: skip
    page = await lists.page(call.unit, call.actor, query.which, filters, after=mark_of(call), limit=query.limit)
    return CasePage(items=[CaseItem.model_validate(row) for row in page.rows], next=next_of(call, page.after))


@operation("GET", "/cases/{number}", N_("一张工单，连同会话、经过和可做的操作"), scope="cases:read", needs=CASES)
async def get_case(call: Call[None, None]) -> CaseOne:
    """One case."""
    case = await numbered(call.unit, call.places["number"], call.actor)
    return CaseOne.model_validate(await detail(call.unit, case.id or 0, call.actor))


@operation("POST", "/cases/{number}/moves", N_("办理：受理、派单、签收、退回等"), scope="cases:write", needs=ACTS)
async def make_move(call: Call[None, MoveBody]) -> CaseNow:
    """One move; refused with every reason."""
    body = call.body
    case = await numbered(call.unit, call.places["number"], call.actor)
    into_id = await choices.case_id_of(call.unit, body.into) if body.into.strip() else None
    moved = await service.make_move(
        call.unit, case.id or 0, body.move, call.actor, version=body.version, note=body.note,
        department_id=body.department_id, person_id=body.person_id, until=body.until, urgency=body.urgency,
        into_id=into_id,
    )  # fmt: skip
    return now(moved)


@operation(
    "POST", "/cases/{number}/notes", N_("写内部备注"), scope="cases:write", needs=May.add_note, status=201,
)  # fmt: skip
async def add_note(call: Call[None, NoteBody]) -> NoteMade:
    """An internal note; the version of the case stays."""
    case = await numbered(call.unit, call.places["number"], call.actor)
    event = await service.add_note(call.unit, case.id or 0, call.actor, call.body.note)
    await call.unit.flush()
    return NoteMade.model_validate(event)


OPERATIONS = (list_cases, get_case, make_move, add_note)

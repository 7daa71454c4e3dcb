"""Why not? Every reason against a move, in words for the person who asked. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hub.i18n import _, moment
from hub.models import CaseClass, CaseState, ReplyState
from hub.rights import Actor, May
from workflows.cases.moves import BY_THE_HUB, CLOSED_STATES, MOVES, REPLY_MOVES, Move, Need
from workflows.cases.rating import Rating, reasons_against_rating
from workflows.cases.words import move_label, state_label


class Ruling(StrEnum):
    """Where a dispute over competence stands: nobody asked, the desk has to rule, it has ruled and that is final."""

    none = "none"
    asked = "asked"
    final = "final"


class Extension(StrEnum):
    """Whether more time was asked for; once only."""

    none = "none"
    asked = "asked"
    granted = "granted"
    refused = "refused"


@dataclass(frozen=True, slots=True)
class DraftFacts:
    """The answer being written: everybody who wrote in it, and how far it is. ``asks``: handed in as a question."""

    author_ids: frozenset[int]
    state: ReplyState
    has_text: bool = True
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A department something is sent to."""

    id: int
    path: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Person:
    """Who shall handle it; ``may_handle``: an active person with the right to sign."""

    id: int
    department_path: str
    may_handle: bool = True


@dataclass(frozen=True, slots=True)
class Given:
    """What came with the move besides the note."""

    department: Target | None = None
    person: Person | None = None
    until: datetime | None = None
    urgency: CaseClass | None = None
    into_id: int | None = None
    into_state: CaseState | None = None
    rating: Rating | None = None


NOTHING = Given()
QUESTION = "咨询"  # the analyser's word for a request that only asks
_UNDER_REVIEW = frozenset({ReplyState.reviewing, ReplyState.approved})


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """Everything about a case that can speak against a move, at one moment."""

    id: int
    state: CaseState
    now: datetime
    urgency: CaseClass = CaseClass.general
    request: str = ""
    department_id: int | None = None
    department_path: str = ""
    returns: int = 0
    returns_limit: int = 2
    redos: int = 0
    redos_limit: int = 3
    hand_back_until: datetime | None = None
    due_at: datetime | None = None
    ruling: Ruling = Ruling.none
    extension: Extension = Extension.none
    extensible: bool = True
    draft: DraftFacts | None = None
    suspend_limit: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Offer:
    """One button: what it says, what it asks for, and why it is grey (no reasons: go ahead)."""

    move: Move
    label: str
    needs: tuple[Need, ...]
    reasons: list[str]


def reasons_against(move: Move, facts: CaseFacts, actor: Actor, *, note: str = "", given: Given = NOTHING) -> list[str]:
    """Every reason why not, in words for the person who asked; empty means go ahead."""
    return [*standing_reasons(move, facts, actor), *_typed_reasons(move, facts, actor, note, given)]


def standing_reasons(move: Move, facts: CaseFacts, actor: Actor) -> list[str]:
    """Reasons that hold whatever the person types: state, right, membership, limits. For greying buttons."""
    special = _SPECIAL.get(move)
    return [*_basic_reasons(move, facts, actor), *(special(facts, actor) if special else [])]


def reasons_against_drafting(facts: CaseFacts, actor: Actor) -> list[str]:
    """Why the person cannot write or change the answer now. The desk may write one to a question it has accepted."""
    if facts.draft is not None and facts.draft.state in _UNDER_REVIEW:
        return [_("答复已经送审")]
    move = Move.answer_direct if facts.state is CaseState.triaged else Move.submit
    reasons = _basic_reasons(move, facts, actor)
    return reasons + (_only_questions(facts) if move is Move.answer_direct else [])


def _basic_reasons(move: Move, facts: CaseFacts, actor: Actor) -> list[str]:
    step, reasons = MOVES[move], []
    if facts.state not in step.to:
        names = {"state": state_label(facts.state), "move": move_label(move)}
        reasons.append(_("状态为「%(state)s」的工单不能%(move)s", **names))
    if not has_right(move, actor):
        reasons.append(_("%(who)s没有「%(move)s」权限", who=actor.name, move=move_label(move)))
    if step.members_only and not is_member(facts, actor):
        reasons.append(_("只有承办单位的人员才能%(move)s", move=move_label(move)))
    return reasons


def moves_for(facts: CaseFacts, actor: Actor) -> list[Offer]:
    """The buttons for a page: moves that fit the state and the person's rights, each with what still stands against.

    Moves of the hub itself are left out, and those of an answer, which the draft box offers.
    """
    return [
        Offer(move, move_label(move), step.needs, standing_reasons(move, facts, actor))
        for move, step in MOVES.items()
        if facts.state in step.to and has_right(move, actor) and move not in BY_THE_HUB | REPLY_MOVES
    ]


def target(move: Move, facts: CaseFacts, given: Given = NOTHING) -> CaseState:
    """The state after the move. A case nobody was made responsible for goes to the desk instead of a department."""
    after = MOVES[move].to[facts.state]
    if move is Move.rule and given.department is not None and given.department.id == facts.department_id:
        return facts.state
    if after is CaseState.handling and facts.department_id is None:
        return CaseState.triaged
    return after


def is_open(state: CaseState) -> bool:
    """Whether work is left to do."""
    return state not in CLOSED_STATES


def has_right(move: Move, actor: Actor) -> bool:
    """Whether the person holds one of the rights; moves without rights are the hub's own."""
    return actor.user_id is None if move in BY_THE_HUB else bool(MOVES[move].rights & actor.may)


def is_member(facts: CaseFacts, actor: Actor) -> bool:
    """Whether the person belongs to the lead department, or stands above it in the tree; the hub acts for it."""
    if actor.user_id is None:
        return True
    if facts.department_id is None:
        return False
    above = bool(actor.path) and facts.department_path.startswith(actor.path) and actor.can(May.read_tree_cases)
    return actor.department_id == facts.department_id or above


def _hand_back(facts: CaseFacts, _actor: Actor) -> list[str]:
    reasons = []
    if facts.ruling is Ruling.final:
        reasons.append(_("值班室已裁定由本单位承办，不能再退回"))
    elif facts.returns >= facts.returns_limit:
        reasons.append(_("已退回 %(n)s 次，不能再退回；如仍有异议请申请裁定", n=facts.returns))
    if facts.hand_back_until is not None and facts.now > facts.hand_back_until:
        reasons.append(_("退回期限已于 %(at)s 截止", at=moment(facts.hand_back_until)))
    return reasons


def _ask_ruling(facts: CaseFacts, _actor: Actor) -> list[str]:
    if facts.ruling is not Ruling.none:
        return [_("已申请过裁定，裁定为最终决定")]
    if facts.returns < facts.returns_limit:
        return [_("退回满 %(n)s 次后才能申请裁定，请先退回", n=facts.returns_limit)]
    return []


def _rule(facts: CaseFacts, _actor: Actor) -> list[str]:
    return [] if facts.ruling is Ruling.asked else [_("没有待裁定的申请")]


def _forward(facts: CaseFacts, actor: Actor) -> list[str]:
    if actor.can(May.dispatch) or is_member(facts, actor):
        return []
    return [_("只有承办单位的人员才能%(move)s", move=move_label(Move.forward))]


def _answer_direct(facts: CaseFacts, actor: Actor) -> list[str]:
    return _only_questions(facts) + _submit(facts, actor)


def _only_questions(facts: CaseFacts) -> list[str]:
    return [] if facts.request == QUESTION else [_("只有咨询类工单可以由值班室直接答复，其他请派单")]


def _submit(facts: CaseFacts, _actor: Actor) -> list[str]:
    if facts.draft is None or not facts.draft.has_text:
        return [_("还没有写答复")]
    return [_("答复已经送审")] if facts.draft.state in _UNDER_REVIEW else []


def _review(facts: CaseFacts, actor: Actor) -> list[str]:
    reasons = []
    if facts.draft is None or facts.draft.state is not ReplyState.reviewing:
        reasons.append(_("没有待审核的答复"))
    elif actor.user_id in facts.draft.author_ids:
        reasons.append(_("不能审核自己起草的答复"))
    if not actor.can(May.read_all_cases) and not is_member(facts, actor):
        reasons.append(_("只能审核本单位及下属单位的答复"))
    return reasons


def _approve(facts: CaseFacts, actor: Actor) -> list[str]:
    by_nobody = [_("答复必须由人审核")] if actor.user_id is None else []
    return by_nobody + _review(facts, actor)


def _settled(facts: CaseFacts, _actor: Actor) -> list[str]:
    is_approved = facts.draft is not None and facts.draft.state is ReplyState.approved
    return [] if is_approved else [_("没有审核通过的答复")]


def _answer_elsewhere(facts: CaseFacts, _actor: Actor) -> list[str]:
    return [_("答复已经送审")] if facts.draft is not None and facts.draft.state in _UNDER_REVIEW else []


def _ask_extension(facts: CaseFacts, _actor: Actor) -> list[str]:
    reasons = []
    if not facts.extensible:
        reasons.append(_("该类工单不能延期"))
    if facts.extension is not Extension.none:
        reasons.append(_("只能申请延期一次"))
    if facts.due_at is None or facts.now > facts.due_at:
        reasons.append(_("延期须在到期前申请"))
    return reasons


def _settle_extension(facts: CaseFacts, _actor: Actor) -> list[str]:
    return [] if facts.extension is Extension.asked else [_("没有待批准的延期申请")]


def _redo(facts: CaseFacts, _actor: Actor) -> list[str]:
    if facts.redos < facts.redos_limit:
        return []
    return [_("已重办 %(n)s 次，列为问题工单，须提级督办", n=facts.redos)]


_SPECIAL: dict[Move, Callable[[CaseFacts, Actor], list[str]]] = {
    Move.hand_back: _hand_back,
    Move.ask_ruling: _ask_ruling,
    Move.rule: _rule,
    Move.forward: _forward,
    Move.answer_direct: _answer_direct,
    Move.submit: _submit,
    Move.ask_citizen: _submit,
    Move.send_back: _review,
    Move.approve: _approve,
    Move.answer_sent: _settled,
    Move.question_sent: _settled,
    Move.answer_failed: _settled,
    Move.answer_elsewhere: _answer_elsewhere,
    Move.ask_extension: _ask_extension,
    Move.grant_extension: _settle_extension,
    Move.refuse_extension: _settle_extension,
    Move.redo: _redo,
}


def _typed_reasons(move: Move, facts: CaseFacts, actor: Actor, note: str, given: Given) -> list[str]:
    reasons = reasons_against_rating(given.rating, note) if move is Move.close and given.rating else []
    for need in MOVES[move].needs:
        if need is Need.note:
            reasons += [] if note.strip() else [_("%(move)s须说明理由", move=move_label(move))]
        else:
            reasons += _CHECKS[need](move, facts, actor, given)
    return reasons


def _department(move: Move, facts: CaseFacts, actor: Actor, given: Given) -> list[str]:
    if given.department is None:
        return [_("请选择承办单位")]
    reasons = []
    if not given.department.is_active:
        reasons.append(_("所选单位已停用"))
    if move is Move.forward:
        if given.department.id == facts.department_id:
            reasons.append(_("不能转给本单位"))
        if not actor.can(May.dispatch) and not given.department.path.startswith(actor.path or "-"):
            reasons.append(_("只能转给本单位的下属单位；转给其他单位请退回值班室"))
    return reasons


def _person(_move: Move, facts: CaseFacts, _actor: Actor, given: Given) -> list[str]:
    if given.person is None:
        return [_("请选择承办人")]
    fits = given.person.may_handle and given.person.department_path == facts.department_path
    return [] if fits else [_("承办人须为承办单位的在岗人员")]


def _until(_move: Move, facts: CaseFacts, _actor: Actor, given: Given) -> list[str]:
    if given.until is None or given.until <= facts.now:
        return [_("请填写晚于现在的截止时间")]
    if given.until > facts.now + facts.suspend_limit:
        return [_("挂起最长 %(n)s 天", n=facts.suspend_limit.days)]
    return []


def _urgency(_move: Move, facts: CaseFacts, _actor: Actor, given: Given) -> list[str]:
    if given.urgency is None:
        return [_("请选择紧急程度")]
    return [_("紧急程度没有变化")] if given.urgency is facts.urgency else []


def _into(_move: Move, facts: CaseFacts, _actor: Actor, given: Given) -> list[str]:
    if given.into_id is None or given.into_state is None:
        return [_("请选择要并入的工单")]
    if given.into_id == facts.id:
        return [_("不能并入自己")]
    if given.into_state in {CaseState.merged, CaseState.void}:
        return [_("不能并入状态为「%(state)s」的工单", state=state_label(given.into_state))]
    return []


_CHECKS: dict[Need, Callable[[Move, CaseFacts, Actor, Given], list[str]]] = {
    Need.department: _department,
    Need.person: _person,
    Need.until: _until,
    Need.urgency: _urgency,
    Need.into: _into,
}

__all__ = [
    "MOVES",
    "NOTHING",
    "CaseFacts",
    "DraftFacts",
    "Extension",
    "Given",
    "Move",
    "Need",
    "Offer",
    "Person",
    "Ruling",
    "Target",
    "is_member",
    "is_open",
    "moves_for",
    "reasons_against",
    "reasons_against_drafting",
    "standing_reasons",
    "target",
]

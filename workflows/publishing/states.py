"""The moves of a post, as a table, and every reason why not. Pure: no database, no clock.

The review is a chain of stages; a post is approved when every stage was signed for exactly this content, each by
another person, none of whom wrote a word of it. The chain has one stage here; a longer one is more rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hub.i18n import N_, NP_, _, pgettext
from hub.models import PostState
from hub.rights import Actor, May

S = PostState


class Move(StrEnum):
    """What can be done to a post."""

    save = "save"
    submit = "submit"
    approve = "approve"
    send_back = "send_back"
    withdraw = "withdraw"
    reschedule = "reschedule"
    force = "force"


@dataclass(frozen=True, slots=True)
class Stage:
    """One signature of the review chain and the right it takes."""

    name: str
    right: May


CHAIN: tuple[Stage, ...] = (Stage("review", May.review_post),)

# Move → the states it starts from, and the rights of which one is enough.
MOVES: dict[Move, tuple[frozenset[PostState], frozenset[May]]] = {
    Move.save: (frozenset({S.draft, S.review, S.returned, S.approved, S.withdrawn}), frozenset({May.write_post})),
    Move.submit: (frozenset({S.draft, S.returned}), frozenset({May.write_post})),
    Move.approve: (frozenset({S.review}), frozenset(stage.right for stage in CHAIN)),
    Move.send_back: (frozenset({S.review, S.approved}), frozenset({May.review_post})),
    Move.withdraw: (
        frozenset({S.draft, S.review, S.returned, S.approved}),
        frozenset({May.write_post, May.review_post}),
    ),
    Move.reschedule: (
        frozenset({S.draft, S.review, S.returned, S.approved}),
        frozenset({May.write_post, May.review_post}),
    ),
    # Lets the red lines of the check pass for exactly this content; changes no state.
    Move.force: (frozenset({S.draft, S.review, S.returned}), frozenset({May.force_check})),
}
NEEDS_REASON = frozenset({Move.send_back, Move.withdraw, Move.force})
# These undo an approval or move its time: refused once anything of the post may have left the house.
BEFORE_ANYTHING_LEFT = frozenset({Move.save, Move.send_back, Move.withdraw, Move.reschedule})

_STATES = {
    S.draft: N_("草稿"),
    S.review: N_("待审核"),
    S.returned: NP_("state", "退回修改"),
    S.approved: N_("待发布"),
    S.done: N_("已完成"),
    S.withdrawn: N_("已撤回"),
}
_MOVES = {
    Move.save: N_("修改"),
    Move.submit: N_("送审"),
    Move.approve: N_("审核通过"),
    Move.send_back: NP_("post", "退回"),
    Move.withdraw: N_("撤回"),
    Move.reschedule: N_("改期"),
    Move.force: N_("放行红线"),
}


@dataclass(frozen=True, slots=True)
class PostFacts:
    """What the rules look at. ``writers``: everybody who wrote any of it; ``signers``: who signed this content.

    ``left``: how many deliveries are on their way, out, or of unknown outcome.
    """

    state: PostState
    content_hash: str
    writers: frozenset[int]
    signers: tuple[int, ...] = ()
    left: int = 0


def label(what: PostState | Move) -> str:
    """The word people see."""
    return pgettext("state", _STATES[what]) if isinstance(what, PostState) else pgettext("post", _MOVES[what])


def next_stage(facts: PostFacts) -> Stage | None:
    """The stage that is to be signed next; None when all are."""
    return CHAIN[len(facts.signers)] if len(facts.signers) < len(CHAIN) else None


def reasons_against(move: Move, facts: PostFacts, actor: Actor, *, note: str = "") -> list[str]:
    """Every reason why not, in words for the person who asked; empty means go ahead."""
    sources, rights = MOVES[move]
    reasons = []
    if facts.state not in sources:
        reasons.append(_("状态为「%(state)s」的稿件不能%(move)s", state=label(facts.state), move=label(move)))
    if not any(actor.can(right) for right in rights):
        reasons.append(_("您没有「%(move)s」权限", move=label(move)))
    if move in NEEDS_REASON and not note.strip():
        reasons.append(_("%(move)s须填写理由", move=label(move)))
    if move in BEFORE_ANYTHING_LEFT and facts.left:
        reasons.append(_("已有账号正在发送、已发出或结果待核实，不能再%(move)s整稿", move=label(move)))
    if move is Move.approve:
        reasons += _against_signing(facts, actor)
    if move is Move.force and actor.user_id in facts.writers:
        reasons.append(_("撰写或修改过本稿的人不能放行本稿的红线，请由他人放行"))
    return reasons


def _against_signing(facts: PostFacts, actor: Actor) -> list[str]:
    if actor.user_id is None:
        return [_("审核须由具名人员完成，系统不能代签")]
    reasons = []
    if actor.user_id in facts.writers:
        reasons.append(_("撰写或修改过本稿的人不能审核本稿，请由他人审核"))
    if actor.user_id in facts.signers:
        reasons.append(_("同一人不能签两道审核"))
    stage = next_stage(facts)
    if stage is not None and not actor.can(stage.right) and May.review_post in actor.may:
        reasons.append(_("本道审核不在您的权限内"))
    return reasons

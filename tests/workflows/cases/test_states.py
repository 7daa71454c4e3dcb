"""The table of moves and the reasons against them, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.models import CaseClass, CaseState, ReplyState, Role
from hub.rights import Actor, rights_of, system
from tests.workflows.cases.town import MONDAY
from workflows.cases.moves import BY_THE_HUB, MOVES, Move, Need
from workflows.cases.states import (
    CaseFacts,
    DraftFacts,
    Extension,
    Given,
    Person,
    Ruling,
    Target,
    moves_for,
    reasons_against,
    reasons_against_drafting,
    target,
)
from workflows.cases.words import MOVE_WORDS, STATE_WORDS

S = CaseState


def person(role: Role, department: int = 2, path: str = "/2/", number: int = 5) -> Actor:
    return Actor(number, "王", department, path, frozenset({role}), rights_of([role]))


DESK, CLERK, HEAD = person(Role.dispatcher, 1, "/1/"), person(Role.handler), person(Role.head)
FACTS = CaseFacts(
    id=1, state=S.handling, now=MONDAY, department_id=2, department_path="/2/", due_at=MONDAY + timedelta(days=3),
    hand_back_until=MONDAY + timedelta(hours=8),
)  # fmt: skip
DEPARTMENT = Given(department=Target(3, "/2/3/"))


def test_every_state_and_move_has_a_word() -> None:
    assert set(STATE_WORDS) == set(S)
    assert set(MOVE_WORDS) == set(Move) == set(MOVES)


def test_every_state_can_be_reached_and_every_case_can_end() -> None:
    edges = {(was, to) for step in MOVES.values() for was, to in step.to.items() if was is not to}
    reached, ending = {S.new}, {S.closed, S.void}
    for _round in S:
        reached |= {to for was, to in edges if was in reached}
        ending |= {was for was, to in edges if to in ending}
    assert reached == set(S) == ending


def test_only_the_hub_makes_its_own_moves_and_never_approves() -> None:
    for move in BY_THE_HUB:
        state = next(iter(MOVES[move].to))
        facts = replace(FACTS, state=state, draft=DraftFacts(frozenset({9}), ReplyState.approved))
        assert reasons_against(move, facts, DESK), move
        assert not reasons_against(move, facts, system()), move
    waiting = replace(FACTS, state=S.review, draft=DraftFacts(frozenset({9}), ReplyState.reviewing))
    assert "答复必须由人审核" in reasons_against(Move.approve, waiting, system())


@pytest.mark.parametrize("move", sorted(set(MOVES) - BY_THE_HUB))
def test_without_the_right_or_in_another_state_each_move_says_so(move: Move) -> None:
    nobody = Actor(7, "李", 2, "/2/")
    for state in S:
        reasons = reasons_against(move, replace(FACTS, state=state), nobody)
        assert any("权限" in reason for reason in reasons)
        assert any("状态为" in reason for reason in reasons) == (state not in MOVES[move].to)


def test_what_has_to_be_given_is_asked_for() -> None:
    for move, step in MOVES.items():
        state = next(iter(step.to))
        reasons = reasons_against(move, replace(FACTS, state=state), DESK)
        assert any("须说明理由" in reason for reason in reasons) == (Need.note in step.needs), move


def test_signing_is_for_members_of_the_department() -> None:
    facts = replace(FACTS, state=S.dispatched, department_id=3, department_path="/2/3/")
    below = person(Role.handler, 3, "/2/3/")
    assert reasons_against(Move.sign, facts, below) == []
    assert reasons_against(Move.sign, facts, HEAD) == []  # stands above in the tree
    assert reasons_against(Move.sign, facts, CLERK) == ["只有承办单位的人员才能签收"]
    assert reasons_against(Move.sign, facts, person(Role.head, 4, "/4/"))


def test_returns_end_in_a_ruling() -> None:
    assert reasons_against(Move.hand_back, FACTS, HEAD, note="非本单位职责") == []
    twice = replace(FACTS, returns=2)
    assert "申请裁定" in reasons_against(Move.hand_back, twice, HEAD, note="x")[0]
    assert reasons_against(Move.ask_ruling, twice, HEAD, note="x") == []
    assert reasons_against(Move.ask_ruling, FACTS, HEAD, note="x")
    asked = replace(twice, ruling=Ruling.asked)
    assert reasons_against(Move.rule, asked, DESK, note="x", given=DEPARTMENT) == []
    assert reasons_against(Move.rule, twice, DESK, note="x", given=DEPARTMENT) == ["没有待裁定的申请"]
    final = replace(FACTS, returns=0, ruling=Ruling.final)
    assert "值班室已裁定" in reasons_against(Move.hand_back, final, HEAD, note="x")[0]
    late = replace(FACTS, now=MONDAY + timedelta(hours=9))
    assert "退回期限" in reasons_against(Move.hand_back, late, HEAD, note="x")[0]


def test_a_ruling_for_the_same_department_leaves_the_case_where_it_is() -> None:
    asked = replace(FACTS, ruling=Ruling.asked)
    assert target(Move.rule, asked, Given(department=Target(2, "/2/"))) is S.handling
    assert target(Move.rule, asked, DEPARTMENT) is S.dispatched


def test_forwarding_inside_the_tree_is_free_outside_it_is_not() -> None:
    assert reasons_against(Move.forward, FACTS, HEAD, note="x", given=DEPARTMENT) == []
    assert reasons_against(Move.forward, FACTS, HEAD, note="x", given=Given(department=Target(9, "/9/")))
    assert reasons_against(Move.forward, FACTS, DESK, note="x", given=Given(department=Target(9, "/9/"))) == []
    assert reasons_against(Move.forward, FACTS, HEAD, note="x", given=Given(department=Target(2, "/2/")))
    stopped = Given(department=Target(3, "/2/3/", is_active=False))
    assert reasons_against(Move.forward, FACTS, HEAD, note="x", given=stopped) == ["所选单位已停用"]


def test_nobody_reviews_what_they_wrote() -> None:
    facts = replace(FACTS, state=S.review, draft=DraftFacts(frozenset({5, 6}), ReplyState.reviewing))
    for number in (5, 6):
        writer = person(Role.head, number=number)
        assert reasons_against(Move.approve, facts, writer) == ["不能审核自己起草的答复"]
        assert reasons_against(Move.send_back, facts, writer, note="x") == ["不能审核自己起草的答复"]
    assert reasons_against(Move.approve, facts, person(Role.head, number=7)) == []
    assert reasons_against(Move.approve, facts, person(Role.head, 4, "/4/", 7)) == ["只能审核本单位及下属单位的答复"]
    assert reasons_against(Move.approve, facts, person(Role.reviewer2, 9, "/9/", 7)) == []
    sending = replace(facts, draft=DraftFacts(frozenset({5}), ReplyState.approved))
    assert reasons_against(Move.send_back, sending, person(Role.head, number=7), note="x") == ["没有待审核的答复"]


def test_the_desk_answers_questions_only() -> None:
    draft = DraftFacts(frozenset({5}), ReplyState.draft)
    facts = replace(FACTS, state=S.triaged, department_id=None, request="咨询", draft=draft)
    assert reasons_against(Move.answer_direct, facts, DESK) == []
    assert reasons_against(Move.answer_direct, replace(facts, request="投诉"), DESK)
    assert reasons_against(Move.answer_direct, replace(facts, draft=None), DESK) == ["还没有写答复"]
    assert reasons_against_drafting(replace(facts, draft=None), DESK) == []
    assert reasons_against_drafting(replace(facts, request="投诉"), DESK)
    assert reasons_against_drafting(FACTS, CLERK) == []
    assert reasons_against_drafting(replace(FACTS, state=S.dispatched), CLERK)


def test_suspension_extension_class_and_person() -> None:
    month = MONDAY + timedelta(days=31)
    for until in (None, MONDAY, month):
        assert reasons_against(Move.suspend, FACTS, DESK, note="等待鉴定", given=Given(until=until))
    ok = Given(until=MONDAY + timedelta(days=30))
    assert reasons_against(Move.suspend, FACTS, DESK, note="等待鉴定", given=ok) == []
    assert reasons_against(Move.ask_extension, FACTS, CLERK, note="x") == []
    late = replace(FACTS, now=MONDAY + timedelta(days=3, minutes=1))
    assert reasons_against(Move.ask_extension, late, CLERK, note="x") == ["延期须在到期前申请"]
    again = replace(FACTS, extension=Extension.refused)
    assert reasons_against(Move.ask_extension, again, CLERK, note="x") == ["只能申请延期一次"]
    assert reasons_against(Move.grant_extension, FACTS, DESK) == ["没有待批准的延期申请"]
    same = Given(urgency=CaseClass.general)
    assert reasons_against(Move.reclass, FACTS, DESK, note="x", given=same) == ["紧急程度没有变化"]
    assert reasons_against(Move.assign, FACTS, CLERK, given=Given(person=Person(5, "/2/"))) == []
    assert reasons_against(Move.assign, FACTS, CLERK, given=Given(person=Person(5, "/9/")))
    assert reasons_against(Move.assign, FACTS, CLERK, given=Given(person=Person(5, "/2/", may_handle=False)))


def test_merging_and_redoing_have_limits() -> None:
    into = Given(into_id=2, into_state=S.handling)
    assert reasons_against(Move.merge, FACTS, DESK, note="同一事项", given=into) == []
    for bad in (Given(), Given(into_id=1, into_state=S.handling), Given(into_id=2, into_state=S.merged)):
        assert reasons_against(Move.merge, FACTS, DESK, note="同一事项", given=bad)
    answered = replace(FACTS, state=S.replied, redos=2)
    assert reasons_against(Move.redo, answered, DESK, note="未解决") == []
    assert "问题工单" in reasons_against(Move.redo, replace(answered, redos=3), DESK, note="未解决")[0]


def test_what_nobody_was_made_responsible_for_goes_to_the_desk() -> None:
    closed = replace(FACTS, state=S.closed, department_id=None)
    assert target(Move.reopen, closed) is S.triaged
    assert target(Move.reopen, replace(closed, department_id=2)) is S.handling


def test_buttons_are_those_of_state_and_rights_with_their_reasons() -> None:
    offers = {offer.move: offer for offer in moves_for(replace(FACTS, returns=2), HEAD)}
    assert set(offers) == {Move.assign, Move.hand_back, Move.ask_ruling, Move.forward, Move.ask_extension}
    assert offers[Move.hand_back].reasons
    assert offers[Move.hand_back].label == "退回"
    assert offers[Move.ask_ruling].reasons == []
    assert [offer.move for offer in moves_for(replace(FACTS, state=S.new), DESK)] == [
        Move.accept, Move.refuse, Move.reclass, Move.merge,
    ]  # fmt: skip
    assert moves_for(FACTS, person(Role.leader, 1, "/")) == []

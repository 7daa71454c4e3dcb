"""A corrected topic or place changes where a case should go: the desk gets new suggestions, nothing is moved."""

from __future__ import annotations

from sqlmodel import col, select

from hub import clock
from hub.db import Unit
from hub.models import Case, CaseEvent, CaseState, Message, Tagging
from hub.queries import search
from nlp.base import Label
from workflows.cases.facts import policy_of
from workflows.cases.newcases import ROUTER
from workflows.cases.opening import departments
from workflows.cases.routing import beside_of, route, stored_places
from workflows.cases.suggested import still_returned
from workflows.routing.guide import guide_in_force
from workflows.tagging.markup import spoken

_ON_THE_DESK = frozenset({CaseState.new, CaseState.triaged})


async def suggest(unit: Unit, case: Case) -> bool:
    """Route a case on the desk anew by the tags that hold now; whether the suggestions changed.

    Cases a department already has stay as they are. Safe to run twice.
    """
    if case.state not in _ON_THE_DESK:
        return False
    message = await unit.get(Message, case.first_message_id)
    current = select(Tagging).where(Tagging.message_id == case.first_message_id, col(Tagging.is_current))
    tagging = await unit.first(current.order_by(col(Tagging.id).desc()))
    if message is None or tagging is None:
        return False
    topic = Label(
        tagging.topic, tagging.topic_p, tagging.topic_second, tagging.topic_second_p, tuple(tagging.topic_words)
    )
    text, policy = spoken(message.title, message.text), policy_of(unit)
    tokens = (await search.tokens_of(unit, [message.id or 0])).get(message.id or 0, "")
    said = (tagging.keywords, tagging.request, tagging.sentiment)
    beside = beside_of(message.account_id, message.place, tokens, *said)
    guide = await guide_in_force(unit)
    fresh = route(await departments(unit), topic, stored_places(tagging.places), text, policy, guide, beside).as_data()
    routed = still_returned(fresh, case.routing)
    if routed == case.routing:
        return False
    case.routing = routed
    event = CaseEvent(
        case_id=case.id or 0, at=clock.now(), what="suggested", from_state=case.state, to_state=case.state,
        by_name=ROUTER, data={"suggestions": routed["suggestions"]},
    )  # fmt: skip
    unit.add(event)
    return True

"""What is kept of a routing: after a department handed the case back, after other tags, and in words for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.i18n import N_, _, aside, listed
from nlp import mask
from workflows.cases.routing import BY_LEARNT, BY_RULE, Suggestion

BY_RETURN, WAS_RETURNED = N_("退回单位建议"), N_("曾退回")


def after_return(routing: dict[str, Any], returned_by: int, proposed: tuple[int, str] | None) -> dict[str, Any]:
    """The stored routing of a case a department handed back: whom it proposes first, itself last and marked.

    ``proposed``: (id, name). Nothing is sure any more: a person decides.
    """
    returned = sorted({*routing.get("returned", ()), returned_by} - ({proposed[0]} if proposed else set()))
    named: list[dict[str, Any]] = []
    if proposed is not None:
        one = Suggestion(proposed[0], proposed[1], BY_RETURN, (), 0.0)
        named = [one.as_data()]
    others = [one for one in routing.get("suggestions", ()) if not proposed or one["department_id"] != proposed[0]]
    return {"is_sure": False, "returned": returned, "suggestions": [*named, *_returned_last(others, returned)]}


def still_returned(fresh: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """A routing made anew from other tags, with what departments said about the one ``before``."""
    returned = before.get("returned")
    if not returned:
        return fresh
    named = [one for one in before.get("suggestions", ()) if one["rule"] == BY_RETURN]
    known = {one["department_id"] for one in named}
    others = [one for one in fresh["suggestions"] if one["department_id"] not in known]
    return {"is_sure": False, "returned": returned, "suggestions": [*named, *_returned_last(others, returned)]}


def _returned_last(suggestions: Sequence[dict[str, Any]], returned: Sequence[int]) -> list[dict[str, Any]]:
    marked = [one | {"returned": True} if one["department_id"] in returned else one for one in suggestions]
    return sorted(marked, key=lambda one: one.get("returned", False))


def explain(suggestion: dict[str, Any]) -> str:
    """One stored suggestion in words for people: 分类归口：漏水、物业（82%）. Personal numbers are hidden."""
    if suggestion["rule"] == BY_RETURN:
        return _(BY_RETURN)
    words = listed(map(mask, suggestion["words"])) or "—"
    if name := suggestion.get("rule_name"):
        return _("派单规则「%(name)s」：%(words)s", name=name, words=words)
    share = f"{round(100 * suggestion['p'])}%"
    said = _("%(rule)s：%(words)s（%(share)s）", rule=_(suggestion["rule"]), words=words, share=share)
    if suggestion.get("backed"):
        said += aside(_("归口、职责和属地也肯定是这个单位"))
    return said + aside(_(WAS_RETURNED)) if suggestion.get("returned") else said


def basis(suggestion: dict[str, Any]) -> str:
    """rule, learnt or signs: what a stored suggestion rests on."""
    return {BY_RULE: "rule", BY_LEARNT: "learnt"}.get(suggestion["rule"], "signs")

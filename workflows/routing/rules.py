"""The office's rules as rows: made, changed, ordered, switched on and off; who may, and what the audit log keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import func
from sqlmodel import col, select

import nlp
from hub import audit, clock, feed
from hub.db import Unit
from hub.errors import Invalid, NotAllowed, NotFound, Refused, Stale
from hub.i18n import _, listed
from hub.models import Account, Department, RoutingRule
from hub.rights import Actor, May
from nlp import plans
from nlp.plans import BadRule
from workflows.naming import named
from workflows.watching import words
from workflows.watching.words import Pointed, pointed

MOST_RULES, LONGEST_NAME, LONGEST_PLACE = 200, 100, 64


@dataclass(frozen=True, slots=True)
class Draft:
    """What a form says of a rule."""

    name: str = ""
    department_id: int = 0
    topic: str = ""
    place: str = ""
    keywords: str = ""
    account_id: int | None = None
    may_dispatch: bool = False

    @classmethod
    def of(cls, rule: RoutingRule) -> Draft:
        """As it stands in the database."""
        return cls(**{name: getattr(rule, name) for name in cls.__dataclass_fields__})

    def as_rule(self, rule_id: int = 0) -> RoutingRule:
        """A row that is not kept, for trying it out."""
        return RoutingRule(id=rule_id, **asdict(self))


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule with the names people know; ``says``: when it fits, in words."""

    rule: RoutingRule
    department: str
    is_open: bool
    says: str


async def rules(unit: Unit, actor: Actor) -> list[RuleRow]:
    """All rules in the order they are asked. NotAllowed without the right."""
    _refuse_stranger(actor)
    wanted = (
        select(RoutingRule, Department, Account.name)
        .join(Department, col(Department.id) == col(RoutingRule.department_id))
        .outerjoin(Account, col(Account.id) == col(RoutingRule.account_id))
        .order_by(col(RoutingRule.position), col(RoutingRule.id))
    )
    found = (await unit.session.exec(wanted)).all()
    return [
        RuleRow(rule, department.short_name, department.is_active, conditions(Draft.of(rule), account or ""))
        for rule, department, account in found
    ]


async def find(unit: Unit, actor: Actor, rule_id: int) -> RoutingRule:
    """One rule; NotFound."""
    rule = await unit.get(RoutingRule, rule_id) if actor.can(May.set_rules) else None
    if rule is None:
        raise NotFound(_("没有这条派单规则"))
    return rule


def conditions(draft: Draft, account: str = "") -> str:
    """When a rule fits, in words: 主题是交通运输，并且出现「公交」."""
    parts = [_("主题是%(name)s", name=_(draft.topic))] if draft.topic else []
    if draft.place:
        parts.append(_("说到的地点含「%(name)s」", name=draft.place))
    if account:
        parts.append(_("来自账号「%(name)s」", name=account))
    try:
        parts += [words.phrase(plans.parse(draft.keywords))] if draft.keywords.strip() else []
    except BadRule as bad:
        parts.append(words.trouble(bad, draft.keywords))
    return _("，并且").join(parts)


def problems_of(draft: Draft) -> tuple[dict[str, str], dict[str, Pointed]]:
    """Why a draft cannot be taken, by field, as far as can be said without the database; where to look."""
    problems: dict[str, str] = {}
    pointers: dict[str, Pointed] = {}
    if draft.topic not in ("", *nlp.TOPICS):
        problems["topic"] = _("没有「%(name)s」这个主题，请从列表中选择", name=draft.topic)
    if len(draft.place) > LONGEST_PLACE:
        problems["place"] = _("地点最多 %(n)s 个字", n=LONGEST_PLACE)
    if draft.keywords.strip():
        try:
            plans.parse(draft.keywords)
        except BadRule as bad:
            problems["keywords"] = words.trouble(bad, draft.keywords)
            pointers["keywords"] = pointed(bad, draft.keywords)
    if not (draft.topic or draft.place or draft.keywords.strip() or draft.account_id):
        problems["keywords"] = _("至少写一个条件：主题、地点、关键词或账号")
    return problems, pointers


def hints_of(draft: Draft) -> list[str]:
    """What can be read in a rule and is hardly meant; nothing for one that cannot be read."""
    try:
        rule = plans.parse(draft.keywords) if draft.keywords.strip() else None
    except BadRule:
        rule = None
    return [*words.silenced_hints(rule), *words.sign_hints(draft.keywords)] if rule is not None else []


async def create(unit: Unit, actor: Actor, draft: Draft) -> RoutingRule:
    """A new rule, asked last. Invalid by field."""
    _refuse_stranger(actor)
    draft = await _checked(unit, draft, 0)
    if await _is_full(unit):
        raise Invalid({"name": _("最多 %(n)s 条规则，请先合并或停用一些", n=MOST_RULES)})
    last = await unit.one(select(func.max(col(RoutingRule.position))))
    rule = RoutingRule(**asdict(draft), position=(last or 0) + 1, changed_by=actor.name)
    unit.add(rule)
    await unit.flush()
    await _note(unit, actor, "rule.create", rule)
    return rule


async def change(unit: Unit, actor: Actor, rule_id: int, draft: Draft, *, version: int) -> RoutingRule:
    """Other conditions or another department. Cases that went by it before stay. Invalid, Stale."""
    _refuse_stranger(actor)
    rule = await find(unit, actor, rule_id)
    draft = await _checked(unit, draft, rule_id)
    if rule.version != version:
        raise _stale()
    await _set(unit, actor, rule, **asdict(draft))
    await _note(unit, actor, "rule.change", rule)
    return rule


async def set_active(unit: Unit, actor: Actor, rule_id: int, active: bool) -> RoutingRule:
    """On or off. Safe to run twice. Refused when too many are on already."""
    _refuse_stranger(actor)
    rule = await find(unit, actor, rule_id)
    if rule.is_active != active:
        if active and await _is_full(unit):
            raise Refused([_("最多 %(n)s 条规则，请先合并或停用一些", n=MOST_RULES)])
        await _set(unit, actor, rule, is_active=active)
        await _note(unit, actor, "rule.activate" if active else "rule.deactivate", rule)
    return rule


async def _is_full(unit: Unit) -> bool:
    """Only rules in force count: none is ever deleted."""
    in_force = select(func.count(col(RoutingRule.id))).where(col(RoutingRule.is_active))
    return await unit.one(in_force) >= MOST_RULES


async def move(unit: Unit, actor: Actor, rule_id: int, *, up: bool, far: bool = False) -> RoutingRule:
    """One place earlier or later in the order, or to its beginning (``far``) or end; at the end of the list nothing
    happens."""
    _refuse_stranger(actor)
    rule = await find(unit, actor, rule_id)
    ordered = list(await unit.all(select(RoutingRule).order_by(col(RoutingRule.position), col(RoutingRule.id))))
    at = next(n for n, one in enumerate(ordered) if one.id == rule.id)
    to = (0 if far else at - 1) if up else (len(ordered) - 1 if far else at + 1)
    if to == at or not 0 <= to < len(ordered):
        return rule
    ordered.insert(to, ordered.pop(at))
    for position, one in enumerate(ordered, 1):
        if one.position != position:
            await _set(unit, actor, one, position=position)
    await _note(unit, actor, "rule.move", rule, position=to + 1)
    return rule


async def _set(unit: Unit, actor: Actor, rule: RoutingRule, **values: object) -> None:
    changed = {"changed_by": actor.name, "changed_at": clock.now()}
    if not await unit.compare_and_set(rule, **values, **changed):
        raise _stale()


def _stale() -> Stale:
    return Stale([_("这条规则刚被他人修改，请刷新后再改")])


def _refuse_stranger(actor: Actor) -> None:
    if not actor.can(May.set_rules):
        raise NotAllowed(_("没有设置派单规则的权限"))


async def _checked(unit: Unit, draft: Draft, rule_id: int) -> Draft:
    problems, _pointers = problems_of(draft)
    name = named(draft.name)
    if not name or len(name) > LONGEST_NAME:
        problems["name"] = _("请给规则起个名字，最多 %(n)s 个字", n=LONGEST_NAME)
    same = select(col(RoutingRule.id)).where(RoutingRule.name == name, col(RoutingRule.id) != rule_id)
    if name and await unit.first(same) is not None:
        problems["name"] = _("已有同名的规则")
    department = await unit.get(Department, draft.department_id) if draft.department_id else None
    if department is None or not department.is_active:
        problems["department_id"] = _("请选择一个在用的部门")
    if draft.account_id is not None and await unit.get(Account, draft.account_id) is None:
        problems["account_id"] = _("没有这个账号")
    if problems:
        raise Invalid(problems)
    values = asdict(draft) | {"name": name, "place": draft.place.strip(), "keywords": draft.keywords.strip()}
    return Draft(**values)


async def _note(unit: Unit, actor: Actor, what: str, rule: RoutingRule, **more: object) -> None:
    """All that decides where a message goes, and whether without anybody's look."""
    said = [part for part in (rule.topic, rule.place, rule.keywords) if part]
    await audit.record(
        unit, actor, what, f"rule/{rule.id}", name=rule.name, conditions=listed(said), account_id=rule.account_id,
        department_id=rule.department_id, may_dispatch=rule.may_dispatch, **more,
    )  # fmt: skip
    feed.tell(unit, "rules", rule.id)


async def choices(unit: Unit) -> tuple[Sequence[tuple[int, str]], Sequence[tuple[int, str]]]:
    """(id, name) of the departments a case may go to, and of the accounts."""
    active = select(Department).where(col(Department.is_active)).order_by(col(Department.path))
    departments = [(one.id or 0, one.short_name) for one in await unit.all(active)]
    accounts = await unit.all(select(Account).order_by(col(Account.name)))
    return departments, [(one.id or 0, one.name) for one in accounts]

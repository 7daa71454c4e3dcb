"""What the office calls its roles, and what each of them is there for."""

from __future__ import annotations

from collections.abc import Iterable

from hub.i18n import N_, _
from hub.models import Role

ROLE_WORDS: dict[Role, tuple[str, str]] = {
    Role.press_officer: (N_("宣传专员"), N_("编写和安排发布，收件分拣，导入来信")),
    Role.reviewer1: (N_("一审"), N_("审核发布内容")),
    Role.reviewer2: (N_("二审"), N_("审核发布内容和答复")),
    Role.reviewer3: (N_("三审"), N_("终审发布内容和答复，可暂停发布")),
    Role.dispatcher: (N_("值班派单员"), N_("受理、派单、挂起、办结")),
    Role.handler: (N_("部门经办"), N_("签收本部门工单，起草答复")),
    Role.head: (N_("部门负责人"), N_("本部门及下级的工单：签收、退回、审核答复")),
    Role.leader: (N_("领导"), N_("看舆情、工单和发布")),
    Role.auditor: (N_("审计员"), N_("查看全部记录和审计日志，不能改动")),
    Role.administrator: (N_("系统管理员"), N_("人员、部门、账号和运行状态")),
}


def role_name(role: Role) -> str:
    """The role in the language in force."""
    return _(ROLE_WORDS[role][0])


def role_names(roles: Iterable[Role]) -> list[str]:
    """Several roles, in the order of the office."""
    held = set(roles)
    return [role_name(role) for role in Role if role in held]


def role_options() -> list[tuple[str, str, str]]:
    """Every role for a form: value, name, what it is there for."""
    return [(role.value, _(name), _(what)) for role, (name, what) in ROLE_WORDS.items()]

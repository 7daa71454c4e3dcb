"""What the pages of administration share: their tabs."""

from __future__ import annotations

from hub.i18n import _
from hub.rights import Actor, May


def tabs(actor: Actor, current: str) -> list[dict[str, object]]:
    """The tabs this person may use, for the macro of that name; ``current`` is a tab's address."""
    known = [
        (May.read_status, "/admin/status", _("运行状态")),
        (May.manage_people, "/admin/people", _("人员")),
        (May.manage_people, "/admin/departments", _("部门")),
        (May.read_audit, "/admin/audit", _("审计日志")),
    ]
    return [{"text": text, "href": href, "current": href == current} for right, href, text in known if actor.can(right)]

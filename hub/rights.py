"""Who may do what: permissions by role, and the person as every service sees them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from hub.i18n import N_
from hub.models.people import Role


class May(StrEnum):
    """One permission. Reading rights say *whose* rows; acting rights say *what* may be done to a visible row."""

    read_messages = "read_messages"
    read_all_cases = "read_all_cases"
    read_tree_cases = "read_tree_cases"
    read_department_cases = "read_department_cases"
    read_posts = "read_posts"
    read_opinion = "read_opinion"
    read_audit = "read_audit"
    read_status = "read_status"
    reveal_personal = "reveal_personal"
    correct_tags = "correct_tags"
    teach_analyser = "teach_analyser"
    accept = "accept"
    refuse = "refuse"
    dispatch = "dispatch"
    sign = "sign"
    hand_back = "hand_back"
    draft_reply = "draft_reply"
    review_reply = "review_reply"
    suspend = "suspend"
    close = "close"
    reopen = "reopen"
    add_note = "add_note"
    write_post = "write_post"
    review_post = "review_post"
    force_check = "force_check"
    manage_words = "manage_words"
    manage_tree_words = "manage_tree_words"
    settle_delivery = "settle_delivery"
    pause_sending = "pause_sending"
    import_files = "import_files"
    settle_quarantine = "settle_quarantine"
    manage_accounts = "manage_accounts"
    manage_people = "manage_people"
    watch_plans = "watch_plans"
    set_rules = "set_rules"
    use_api = "use_api"


# fmt: off
_DESK = {
    May.read_messages, May.read_all_cases, May.reveal_personal, May.correct_tags, May.add_note, May.accept,
    May.refuse, May.dispatch, May.close, May.reopen, May.suspend, May.read_opinion, May.use_api,
}
_REVIEW = {May.read_posts, May.review_post, May.use_api}
ROLE_MAY: dict[Role, frozenset[May]] = {
    Role.press_officer: frozenset({
        May.read_messages, May.read_all_cases, May.correct_tags, May.add_note, May.read_posts, May.write_post,
        May.settle_delivery, May.pause_sending, May.import_files, May.read_opinion, May.settle_quarantine,
        May.watch_plans, May.teach_analyser, May.manage_words, May.use_api,
    }),
    Role.reviewer1: frozenset(_REVIEW),
    Role.reviewer2: frozenset(_REVIEW | {May.read_all_cases, May.review_reply, May.force_check}),
    Role.reviewer3: frozenset(_REVIEW | {
        May.read_all_cases, May.review_reply, May.pause_sending, May.read_opinion, May.force_check, May.manage_words,
    }),
    Role.dispatcher: frozenset(_DESK | {
        May.import_files, May.settle_quarantine, May.watch_plans, May.set_rules, May.teach_analyser,
    }),
    Role.handler: frozenset({
        May.read_department_cases, May.sign, May.draft_reply, May.add_note, May.correct_tags, May.reveal_personal,
        May.use_api,
    }),
    Role.head: frozenset({
        May.read_tree_cases, May.sign, May.hand_back, May.draft_reply, May.review_reply, May.force_check, May.add_note,
        May.correct_tags, May.reveal_personal, May.manage_tree_words, May.use_api,
    }),
    Role.leader: frozenset({May.read_tree_cases, May.read_opinion, May.read_posts, May.use_api}),
    Role.auditor: frozenset({
        May.read_messages, May.read_all_cases, May.read_posts, May.read_audit, May.read_opinion, May.use_api,
    }),
    Role.administrator: frozenset({
        May.manage_accounts, May.manage_people, May.manage_words, May.read_status, May.set_rules, May.teach_analyser,
        May.use_api,
    }),
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Actor:
    """The person behind a request. ``path``: their department's path; a prefix of everything below it.

    ``system()`` is the hub itself: a named actor in histories, never a way round a rule.
    """

    user_id: int | None
    name: str
    department_id: int | None = None
    path: str = ""
    roles: frozenset[Role] = frozenset()
    may: frozenset[May] = frozenset()
    language: str = ""
    address: str = ""

    def can(self, right: May) -> bool:
        """Whether the right is there."""
        return right in self.may


def rights_of(roles: Iterable[Role]) -> frozenset[May]:
    """All permissions of a set of roles."""
    return frozenset().union(*(ROLE_MAY[role] for role in roles))


def system(name: str = N_("系统")) -> Actor:
    """The hub itself, as a named actor."""
    return Actor(user_id=None, name=name, may=frozenset(May))

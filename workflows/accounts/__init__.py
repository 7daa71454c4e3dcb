"""Official accounts: connecting (typed or by page), checking, health, budgets, switching off, disconnecting.

Secrets are sealed, at the end destroyed; they are never shown.
"""

from workflows.accounts.detail import Ability, Grants, abilities, overview, shown_fields
from workflows.accounts.filling import AccountForm, Field, form_of, forms
from workflows.accounts.health import Attention, Health, attention, needs_person
from workflows.accounts.joining import check, connect, renew
from workflows.accounts.lists import Filters, Listing, Overview, overviews, page
from workflows.accounts.pushing import is_push_path, push_path
from workflows.accounts.steps import (
    disconnect,
    has_unsettled,
    losing,
    read_now,
    reasons_to_stay,
    set_active,
    set_budgets,
)

__all__ = [
    "Ability",
    "AccountForm",
    "Attention",
    "Field",
    "Filters",
    "Grants",
    "Health",
    "Listing",
    "Overview",
    "abilities",
    "attention",
    "check",
    "connect",
    "disconnect",
    "form_of",
    "forms",
    "has_unsettled",
    "is_push_path",
    "losing",
    "needs_person",
    "overview",
    "overviews",
    "page",
    "push_path",
    "read_now",
    "reasons_to_stay",
    "renew",
    "set_active",
    "set_budgets",
    "shown_fields",
]

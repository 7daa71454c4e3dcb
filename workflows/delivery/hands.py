"""Whether a person does it: where no program can at all, or in the form that was chosen."""

from __future__ import annotations

from hub.models import Account
from workflows.house import House
from workflows.pictures.fitting import form_of


def is_by_hand(house: House, account: Account, form: str) -> bool:
    """Whether a person publishes a post of this form there. The account's platform must be known."""
    connector, ref = house.connector(account), house.ref(account)
    return connector.limits(ref).by_hand or form_of(connector.post_forms(ref), form).by_hand

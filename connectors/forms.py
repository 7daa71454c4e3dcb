"""What an administrator fills in to connect an account, as data: the page and the command line build forms of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Where a value goes in :class:`connectors.base.AccountRef`."""

    base_url = "base_url"
    external_id = "external_id"
    secret = "secret"  # noqa: S105
    option = "option"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``name`` is the key among the secrets or options; ``secret`` values are never shown again.

    ``choices``: the only values it takes, each with its word; empty: it is typed.
    ``whole``: the least and the greatest whole number it takes; None: it is no number.
    ``by_page``: authorising by page brings the value; it is typed only by those who do not go that way.
    """

    name: str
    label: str
    place: Place
    hint: str = ""
    required: bool = True
    by_page: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    whole: tuple[int, int] | None = None

    @property
    def secret(self) -> bool:
        """Whether the value is kept encrypted and never shown again."""
        return self.place is Place.secret


@dataclass(frozen=True, slots=True)
class AccountForm:
    """The form of one platform; ``note`` says in one sentence what connecting means.

    ``authorised_by_page``: a person may go to the platform's page (:meth:`connectors.base.Connector.authorise_url`) and
    come back with the secrets; every required field that is not ``by_page`` is filled in before going.
    """

    platform: str
    label: str
    note: str
    fields: tuple[Field, ...]
    authorised_by_page: bool = False

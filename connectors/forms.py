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
    """One field. ``name`` is the key among the secrets or options; ``secret`` values are never shown again."""

    name: str
    label: str
    place: Place
    hint: str = ""
    required: bool = True

    @property
    def secret(self) -> bool:
        """Whether the value is kept encrypted and never shown again."""
        return self.place is Place.secret


@dataclass(frozen=True, slots=True)
class AccountForm:
    """The form of one platform; ``note`` says in one sentence what connecting means."""

    platform: str
    label: str
    note: str
    fields: tuple[Field, ...]

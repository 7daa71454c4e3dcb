"""The accounts of an office or of a whole province: searched, narrowed, counted by health, page by page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_
from sqlmodel import col, func, select

from hub import clock
from hub.db import Unit
from hub.models import Account, Department, Stream
from workflows.accounts.health import Health, health_of
from workflows.house import House
from workflows.tokens import Life, life_of

PAGE = 50


@dataclass(frozen=True, slots=True)
class Overview:
    """One account with what the office wants to know about it."""

    account: Account
    label: str
    streams: Sequence[Stream]
    health: Health = Health.fine
    department: str = ""

    @property
    def is_connected(self) -> bool:
        """False after disconnecting: the name stays in histories, the secrets are gone."""
        return self.account.disconnected_at is None

    @property
    def failing(self) -> list[Stream]:
        """Streams whose last read went wrong."""
        return [stream for stream in self.streams if stream.error and stream.failures]

    @property
    def waiting(self) -> list[Stream]:
        """Streams that wait for their budget; nothing is wrong with them."""
        return [stream for stream in self.streams if stream.error and not stream.failures]

    @property
    def pulled_at(self) -> datetime | None:
        """When anything was last read from it."""
        return max((stream.pulled_at for stream in self.streams if stream.pulled_at), default=None)

    @property
    def life(self) -> Life:
        """How long its access lives."""
        return life_of(self.account, clock.now())


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed by; empty: not at all. ``department_id``: that department alone; ``needs_person``:
    those that do not mend themselves.
    """

    text: str = ""
    platform: str = ""
    health: Health | None = None
    department_id: int | None = None
    needs_person: bool = False

    @property
    def is_narrow(self) -> bool:
        """Whether anything is left out."""
        return bool(self.text or self.platform or self.health or self.department_id or self.needs_person)


@dataclass(frozen=True, slots=True)
class Listing:
    """One page by name. ``after``: the name to go on with, empty at the end; ``counts``: of all that match but for the
    health; ``platforms``: the platforms there are accounts on.
    """

    rows: Sequence[Overview]
    after: str
    counts: Mapping[Health, int]
    platforms: Sequence[str]

    @property
    def total(self) -> int:
        """Accounts of any health."""
        return sum(self.counts.values())

    @property
    def needing(self) -> int:
        """Accounts that do not mend themselves."""
        return self.counts.get(Health.broken, 0) + self.counts.get(Health.expiring, 0)


async def page(house: House, unit: Unit, filters: Filters, after: str = "") -> Listing:
    """One page of accounts by name and the counts beside it."""
    health = health_of(clock.now())
    narrow = _conditions(filters)
    each = select(health.label("health")).select_from(Account).where(*narrow).subquery()
    counted = await unit.rows(select(each.c.health, func.count()).group_by(each.c.health))
    counts = {Health(row[0]): int(row[1]) for row in counted}
    wanted = select(Account, Department.short_name, health.label("health")).join(
        Department, col(Department.id) == col(Account.department_id), isouter=True
    )
    if filters.health is not None:
        narrow = [*narrow, health == filters.health.value]
    if filters.needs_person:
        narrow = [*narrow, health.in_([Health.broken.value, Health.expiring.value])]
    if after:
        narrow = [*narrow, col(Account.name) > after]
    found = (await unit.session.exec(wanted.where(*narrow).order_by(col(Account.name)).limit(PAGE + 1))).all()
    streams = await _streams(unit, [account.id for account, *_ in found[:PAGE]])
    rows = [
        Overview(account, label_of(house, account), streams[account.id], Health(state), department or "")
        for account, department, state in found[:PAGE]
    ]
    platforms = await unit.all(select(Account.platform).distinct().order_by(Account.platform))
    return Listing(rows, rows[-1].account.name if len(found) > PAGE else "", counts, platforms)


def _conditions(filters: Filters) -> list[Any]:
    narrow: list[Any] = []
    if filters.text:
        like = "%" + filters.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        narrow.append(or_(col(Account.name).like(like, escape="\\"), col(Account.external_id).like(like, escape="\\")))
    if filters.platform:
        narrow.append(col(Account.platform) == filters.platform)
    if filters.department_id:
        narrow.append(col(Account.department_id) == filters.department_id)
    return narrow


async def _streams(unit: Unit, accounts: Sequence[int | None]) -> Mapping[int | None, list[Stream]]:
    found: dict[int | None, list[Stream]] = defaultdict(list)
    if accounts:
        mine = select(Stream).where(col(Stream.account_id).in_(accounts)).order_by(col(Stream.id))
        for stream in await unit.all(mine):
            found[stream.account_id].append(stream)
    return found


def label_of(house: House, account: Account) -> str:
    """The platform's name; a platform that is not known here by its bare name."""
    connector = house.platforms.get(account.platform)
    return connector.label if connector else account.platform


async def overviews(house: House, unit: Unit) -> list[Overview]:
    """Every account by name, disconnected ones last."""
    accounts = await unit.all(select(Account).order_by(col(Account.name)))
    streams: dict[int, list[Stream]] = defaultdict(list)
    for stream in await unit.all(select(Stream).order_by(col(Stream.id))):
        streams[stream.account_id].append(stream)
    found = [Overview(account, label_of(house, account), streams[account.id or 0]) for account in accounts]
    return sorted(found, key=lambda one: not one.is_connected)

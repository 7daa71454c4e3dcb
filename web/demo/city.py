"""The invented city: who works there, on which accounts, and what its citizens write. Read from ``city/``."""

from __future__ import annotations

import json
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import select

from hub import clock, crypto
from hub.db import Unit
from hub.models import Account, Department, Role, User, UserRole
from hub.people import departments
from hub.rights import Actor
from hub.settings import Settings
from web.demo.sandbox import Control
from workflows.checking import sheets

FOLDER = Path(__file__).parent / "city"
LOGINS = "demo-logins.json"
FIXED_LOGINS = 10


@dataclass(frozen=True, slots=True)
class Saying:
    """One thing a citizen wrote, the code of the department whose matter it is (empty: the account's own), and how it
    was answered (empty: not yet)."""

    at: datetime
    account: str
    kind: str
    author: str
    likes: int
    text: str
    whose: str
    answer: str


@dataclass(frozen=True, slots=True)
class Planned:
    """One post of the calendar."""

    at: datetime
    accounts: list[str]
    title: str
    body: str


def office() -> Mapping[str, Any]:
    """Departments, people and accounts."""
    return tomllib.loads((FOLDER / "office.toml").read_text(encoding="utf-8"))


def sayings(now: datetime) -> list[Saying]:
    """What citizens wrote, oldest first; nothing lies in the future: what today has no hour for yet, was yesterday."""
    found = []
    for days, hour, account, kind, author, likes, text, whose, answer in _lines("messages.txt", 9):
        at = _moment(now, -int(days), hour)
        at = at if at < now else at - timedelta(days=1)
        found.append(Saying(at, account, kind, author, int(likes), text, whose, answer))
    return sorted(found, key=lambda one: one.at)


def posts(now: datetime) -> list[Planned]:
    """The calendar, oldest first."""
    found = [
        Planned(_moment(now, int(days), hour), accounts.split(","), title, body)
        for days, hour, accounts, title, body in _lines("posts.txt", 5)
    ]
    return sorted(found, key=lambda one: one.at)


def _lines(name: str, fields: int) -> list[list[str]]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.split("|", fields - 1) for line in lines if line and not line.startswith("#")]


def _moment(now: datetime, days: int, hour: str) -> datetime:
    day = clock.local(now).date() + timedelta(days=days)
    return clock.at_local(day, int(hour[:2]), int(hour[3:5]))


def note_places(settings: Settings) -> None:
    """The city's places for the analyser, as an office would list its own."""
    plan = office()
    lines = [f"{plan['city']}\tcity", *(f"{name}\tdistrict" for name in plan["districts"]), *plan["spots"]]
    (settings.data / "places.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


async def settle(unit: Unit, actor: Actor, settings: Settings) -> None:
    """Departments and people, and the note of logins that the console and the sign-in page show."""
    plan = office()
    made: dict[str, Department] = {}
    for given in plan["departments"]:
        parent = made.get(given.get("parent", ""))
        made[given["code"]] = await departments.create(
            unit, actor,
            departments.Description(
                code=given["code"], name=given["name"], short_name=given["short_name"], duties=given.get("duties", ""),
                topics=given.get("topics", []), parent_id=parent.id if parent else None,
            ),
        )  # fmt: skip
    password = _password()
    # One hash for all: thirty Argon2 hashes of the same password are seconds of waiting for nothing.
    hashed = crypto.hash_password(password)
    for person in plan["people"]:
        await _add_person(unit, person, made[person["department"]], hashed)
    _note_logins(settings, plan, password)


async def keep_words(unit: Unit, actor: Actor) -> None:
    """The office's own lists for the check of texts."""
    await sheets.bring(unit, actor, (FOLDER / "words.csv").read_bytes())


async def _add_person(unit: Unit, given: Mapping[str, Any], department: Department, hashed: str) -> None:
    user = User(
        username=given["username"], name=given["name"], post=given["post"], department_id=department.id or 0,
        password_hash=hashed,
    )  # fmt: skip
    unit.add(user)
    await unit.flush()
    unit.add(*[UserRole(user_id=user.id or 0, role=Role(role)) for role in given["roles"]])


def _password() -> str:
    """One password for all demo logins, new for every data folder."""
    return "qilan-" + secrets.token_hex(3)


def _note_logins(settings: Settings, plan: Mapping[str, Any], password: str) -> None:
    logins = [
        {"username": one["username"], "name": one["name"], "role": one["post"]} for one in plan["people"][:FIXED_LOGINS]
    ]
    text = json.dumps({"password": password, "logins": logins}, ensure_ascii=False)
    (settings.data / LOGINS).write_text(text, encoding="utf-8")


async def open_accounts(unit: Unit, control: Control) -> dict[str, Account]:
    """The office's accounts on the sandbox, by name."""
    codes = {one.code: one.id for one in await unit.all(select(Department))}
    opened = {}
    for given in office()["accounts"]:
        remote = control.save_account(screen_name=given["name"], verified_type=1)
        account = Account(
            platform="sandbox", name=given["name"], external_id=str(remote["uid"]), base_url=control.address,
            department_id=codes[given["department"]],
            sealed=unit.ctx.vault.seal({"token": remote["token"], "app_secret": remote["app_secret"]}),
        )  # fmt: skip
        unit.add(account)
        opened[account.name] = account
    unit.add(_letter_page(codes), *_kept_by_hand(codes))
    await unit.flush()
    return opened


def _kept_by_hand(codes: Mapping[str, int | None]) -> list[Account]:
    """Accounts on platforms that offer no interface: a person publishes there."""
    return [
        Account(
            platform="manual", name=given["name"], external_id=given["handle"],
            department_id=codes[given["department"]], options={"site": given["site"], "assignee": given["assignee"]},
        )
        for given in office()["kept_by_hand"]
    ]  # fmt: skip


def _letter_page(codes: Mapping[str, int | None]) -> Account:
    """The page on which citizens write to the city itself."""
    given = office()["letter_page"]
    return Account(
        platform="webform", name=given["name"], external_id=given["slug"], department_id=codes[given["department"]],
        options={"slug": given["slug"], "title": given["name"], "intro": given["intro"]},
    )  # fmt: skip

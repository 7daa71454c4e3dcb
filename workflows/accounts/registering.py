"""The hub entered as an app on a platform by itself, on the way to its page: once for whoever sets out twice.

The key waits sealed in the journey it was got for and comes to the account with the access, so that the key that was
used is never lost; a journey that came to nothing leaves its key to the next one.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

from sqlmodel import col, select

from connectors.base import AccountRef, ConnectorError, ErrorKind
from hub.db import reading
from hub.i18n import _, written
from hub.models import Authorisation
from workflows import connecting
from workflows.house import House

# Journeys that are looked through for a key: those of one person or one account, at most a few hours old.
MOST = 20
App = dict[str, Any]


def turn(house: House, sign_in_id: int, platform: str, account_id: int | None) -> asyncio.Lock:
    """Whoever sets out for the same account waits here for the one before, and finds its key."""
    turns: WeakValueDictionary[object, asyncio.Lock] = house.desks.setdefault("setting_out", WeakValueDictionary())
    return turns.setdefault((platform, account_id or f"new {sign_in_id}"), asyncio.Lock())


def with_app(ref: AccountRef, app: App | None) -> AccountRef:
    """The account as it is with the key of that app."""
    if not app:
        return ref
    return replace(ref, options={**ref.options, **app["options"]}, secrets={**ref.secrets, **app["secrets"]})


async def app_for(
    house: House, sign_in_id: int, platform: str, account_id: int | None, ref: AccountRef, back: str
) -> App | None:
    """The app to go with, or None: the account's own will do. Hold the :func:`turn` until it is kept with a journey.

    Raises :class:`ConnectorError` with the platform's words.
    """
    earlier = await _earlier(house, sign_in_id, platform, account_id, ref)
    name = house.ctx.settings.office_name or written("政声")
    found = await house.platforms[platform].register(with_app(ref, earlier), back, name)
    if found is None:
        return earlier
    return {
        "options": dict(found.options), "secrets": dict(found.secrets), "was": ref.app, "at": ref.base_url,
    }  # fmt: skip


async def _earlier(house: House, sign_in_id: int, platform: str, account_id: int | None, ref: AccountRef) -> App | None:
    """The key got for a journey of this account (or of this person to the same server) that is not over.

    Not where another key has been typed since.
    """
    mine = (
        (col(Authorisation.account_id) == account_id,)
        if account_id is not None
        else (col(Authorisation.account_id).is_(None), col(Authorisation.sign_in_id) == sign_in_id)
    )
    sealed = select(col(Authorisation.sealed)).where(
        Authorisation.platform == platform, col(Authorisation.sealed) != "", *mine
    )
    async with reading(house.ctx) as unit:
        rows = await unit.all(sealed.order_by(col(Authorisation.id).desc()).limit(MOST))
    for row in rows:
        try:
            app: App | None = json.loads(house.ctx.vault.open(row)["draft"]).get("app")
        except ValueError:
            continue
        if app and (app["was"], app["at"]) == (ref.app, ref.base_url):
            return app
    return None


def reasons_of(error: ConnectorError, address: str, *, live: bool) -> list[str]:
    """Why the platform took no app, and the two ways past it."""
    reasons = connecting.reasons_of(error, address, live=live)
    if error.code == "address":
        return reasons
    told = [error.human] if error.kind is ErrorKind.permission else reasons
    return [
        *told,
        _("也可以自己在平台后台新建应用，回调地址照本页所示，再填应用编号和应用密钥；或者直接粘贴访问令牌。"),
    ]

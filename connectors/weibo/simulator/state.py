"""What the simulator keeps beyond the sandbox's store: apps, grants, spent calls, followers, figures, settings."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from connectors.sandbox.server import clock
from connectors.sandbox.server.store import Row, Store
from connectors.sandbox.server.wire import names_in

MORE = """
CREATE TABLE IF NOT EXISTS app(
  key TEXT PRIMARY KEY, secret TEXT NOT NULL, name TEXT NOT NULL, callback TEXT NOT NULL, domains TEXT NOT NULL,
  level TEXT NOT NULL, life REAL NOT NULL);
CREATE TABLE IF NOT EXISTS code(
  code TEXT PRIMARY KEY, app TEXT NOT NULL, uid TEXT NOT NULL, callback TEXT NOT NULL, made_at REAL NOT NULL,
  used_at REAL);
CREATE TABLE IF NOT EXISTS token(
  token TEXT PRIMARY KEY, app TEXT NOT NULL, uid TEXT NOT NULL, made_at REAL NOT NULL, expires_at REAL NOT NULL,
  ended TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS spent(
  owner TEXT, calls TEXT, began REAL NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(owner, calls)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS asked(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, uid TEXT NOT NULL, path TEXT NOT NULL,
  code INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS fan(uid TEXT PRIMARY KEY, format TEXT NOT NULL, mentions TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS gone(uid TEXT, citizen TEXT, PRIMARY KEY(uid, citizen)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS article(
  id TEXT PRIMARY KEY, item_id INTEGER NOT NULL, title TEXT NOT NULL, content TEXT NOT NULL, cover TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS setting(name TEXT PRIMARY KEY, value REAL NOT NULL);
"""
OWN_TABLES = ("app", "code", "token", "spent", "asked", "fan", "gone", "article", "setting")
# Numbers the platform calls examples; set by the control API.
SETTINGS: dict[str, float] = {
    "calls_per_day": 100,
    "writes_per_hour": 30,
    "comments_per_hour": 60,
    "calls_per_hour_from_one_address": 15_000,
    "timeline": 5,
    "duplicate_seconds": 600,
    "message_hours": 48,
    "mention_messages": 1,
    "deleted_stubs": 0,
    "remind_off": 0,
    "sticky_counters": 0,
}
FIVE_YEARS = 5 * 365 * 86_400.0
# How a grant ended → what a call with it is told.
ENDED = {"revoked": 21321, "withdrawn": 21319, "password": 21332}
FORMATS = ("json", "xml")


def began_at(now: float, per: float) -> float:
    """When the window of ``per`` seconds began that ``now`` lies in: full hours and days of Beijing."""
    return (now + 8 * 3600) // per * per - 8 * 3600


class WeiboStore(Store):
    """The sandbox's store with Weibo's own tables beside it."""

    def __init__(self, path: Path | None) -> None:
        super().__init__(path)
        self._db.executescript(MORE)

    def reset(self) -> None:
        """Forget everything; ids go on rising."""
        super().reset()
        with self.transaction():
            for table in OWN_TABLES:
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608

    def setting(self, name: str) -> float:
        """One of ``SETTINGS``."""
        kept = self.value("SELECT value FROM setting WHERE name = ?", name)
        return SETTINGS[name] if kept is None else float(kept)

    def set(self, name: str, value: float) -> None:
        """Change one of ``SETTINGS``."""
        self.change("INSERT OR REPLACE INTO setting(name, value) VALUES(?, ?)", name, value)

    # apps and grants --------------------------------------------------------------------------------------------

    def apps(self) -> list[Row]:
        """All apps; there is always one."""
        found = self.rows("SELECT * FROM app ORDER BY key")
        return found or [self.save_app({})]

    def app(self, key: str) -> Row | None:
        """An app by its key."""
        return self.row("SELECT * FROM app WHERE key = ?", key)

    def save_app(self, wanted: dict[str, Any]) -> Row:
        """Create an app or change the given fields of one; without a key the only one there is."""
        key = str(
            wanted.get("key") or self.value("SELECT MIN(key) FROM app") or secrets.randbelow(10**10 - 10**9) + 10**9
        )
        known = self.app(key)
        fields: dict[str, Any] = {
            "secret": secrets.token_hex(16), "name": "政务新媒体中枢", "callback": "", "domains": "www.example.gov.cn",
            "level": "ordinary", "life": FIVE_YEARS,
        }  # fmt: skip
        fields |= {name: known[name] for name in fields} if known else {}
        fields |= {name: wanted[name] for name in fields if name in wanted}
        self.change("DELETE FROM app WHERE key = ?", key)
        self.insert("app", key=key, **fields)
        saved = self.app(key)
        assert saved is not None
        return saved

    def save_account(self, wanted: dict[str, Any]) -> Row:
        """An account; pushes to it are signed with the app's secret."""
        return super().save_account({"app_secret": self.apps()[0]["secret"]} | wanted)

    def grant(self, token: str) -> Row | None:
        """A token given out on the page of the platform."""
        return self.row("SELECT * FROM token WHERE token = ?", token)

    def new_token(self, app: Row, uid: str) -> Row:
        """A fresh grant; an older one of the same app and account goes on, as on the platform."""
        token, now = "2.00" + secrets.token_urlsafe(21), clock.now()
        self.insert("token", token=token, app=app["key"], uid=uid, made_at=now, expires_at=now + app["life"], ended="")
        found = self.grant(token)
        assert found is not None
        return found

    # budgets ----------------------------------------------------------------------------------------------------

    def spend(self, owner: str, calls: str, most: float, per: float) -> bool:
        """Count one call; False when ``most`` calls of this window were made."""
        began = began_at(clock.now(), per)
        used = self.used(owner, calls, began)
        if used >= most:
            return False
        sql = "INSERT OR REPLACE INTO spent(owner, calls, began, n) VALUES(?, ?, ?, ?)"
        self.change(sql, owner, calls, began, used + 1)
        return True

    def used(self, owner: str, calls: str, began: float) -> int:
        """How many calls were made in the window that began then."""
        sql = "SELECT n FROM spent WHERE owner = ? AND calls = ? AND began = ?"
        return int(self.value(sql, owner, calls, began) or 0)

    # items ------------------------------------------------------------------------------------------------------

    def add_item(
        self,
        kind: str,
        author: tuple[str, str],
        text: str,
        *,
        inboxes: Iterable[tuple[str, str]] = (),
        **more: Any,
    ) -> int:
        """An item; a comment that names official accounts reaches them as a mention too."""
        reached = list(inboxes)
        if kind == "comment":
            named = names_in(text)
            reached += [(a["uid"], "comment_mentions") for a in self.accounts() if a["screen_name"] in named]
        return super().add_item(kind, author, text, inboxes=reached, **more)

    def fan(self, uid: str) -> tuple[str, bool]:
        """How an account is pushed to: the format, and whether mentions are pushed (``text``, ``bare`` or not)."""
        found = self.row("SELECT * FROM fan WHERE uid = ?", uid)
        return (found["format"], bool(found["mentions"])) if found else ("json", False)

    def mention_words(self, uid: str) -> bool:
        """Whether pushed mentions carry their text."""
        return bool(self.value("SELECT mentions FROM fan WHERE uid = ?", uid) == "text")

    def set_fan(self, uid: str, **wanted: str) -> None:
        """Change how an account is pushed to (``format``, ``mentions``)."""
        kept = self.row("SELECT * FROM fan WHERE uid = ?", uid)
        fields = {"format": "json", "mentions": ""} | (dict(kept) if kept else {}) | wanted | {"uid": uid}
        self.change("DELETE FROM fan WHERE uid = ?", uid)
        self.insert("fan", **fields)

"""What the pretend platform keeps: one SQLite file, every acceptance committed before it is answered."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.sandbox.server import clock

SCHEMA = """
CREATE TABLE IF NOT EXISTS account(
  uid TEXT PRIMARY KEY, screen_name TEXT NOT NULL UNIQUE, token TEXT NOT NULL UNIQUE, app_secret TEXT NOT NULL,
  push_url TEXT NOT NULL, verified_type INTEGER NOT NULL, expires_at REAL, created_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS item(
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, via TEXT NOT NULL, author_id TEXT NOT NULL, author_name TEXT NOT NULL,
  official INTEGER NOT NULL, root_id INTEGER, parent_id INTEGER, receiver_id TEXT NOT NULL, text TEXT NOT NULL,
  idem_key TEXT NOT NULL, broken TEXT NOT NULL, created_at REAL NOT NULL, accepted_at REAL NOT NULL,
  removed_at REAL, removed_by TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS item_root ON item(root_id, id);
CREATE INDEX IF NOT EXISTS item_author ON item(author_id, kind, id);
CREATE INDEX IF NOT EXISTS item_receiver ON item(receiver_id, kind, id);
CREATE INDEX IF NOT EXISTS item_key ON item(author_id, idem_key) WHERE idem_key != '';
CREATE INDEX IF NOT EXISTS item_kind ON item(kind, id);
CREATE TABLE IF NOT EXISTS inbox(
  account TEXT NOT NULL, stream TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY(account, stream, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen(account TEXT, stream TEXT, id INTEGER, PRIMARY KEY(account, stream)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fault(
  id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, operation TEXT NOT NULL, kind TEXT NOT NULL,
  params TEXT NOT NULL, remaining INTEGER);
CREATE TABLE IF NOT EXISTS attempt(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, account TEXT NOT NULL, operation TEXT NOT NULL,
  idem_key TEXT NOT NULL, outcome TEXT NOT NULL, item_id INTEGER);
CREATE TABLE IF NOT EXISTS push(
  id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, item_id INTEGER NOT NULL, body TEXT NOT NULL,
  tries INTEGER NOT NULL, next_at REAL NOT NULL, state TEXT NOT NULL, status INTEGER NOT NULL, note TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS picture(
  id TEXT PRIMARY KEY, account TEXT NOT NULL, mime TEXT NOT NULL, data BLOB NOT NULL, description TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS shown(
  item_id INTEGER NOT NULL, place INTEGER NOT NULL, picture_id TEXT NOT NULL,
  PRIMARY KEY(item_id, place)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS film(
  id TEXT PRIMARY KEY, account TEXT NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
  description TEXT NOT NULL, ready INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS reel(
  film_id TEXT NOT NULL, number INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY(film_id, number));
CREATE TABLE IF NOT EXISTS screened(item_id INTEGER PRIMARY KEY, film_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS headline(item_id INTEGER PRIMARY KEY, title TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS figure(item_id INTEGER PRIMARY KEY, likes INTEGER NOT NULL, reposts INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS push_due ON push(state, next_at);
"""
TABLES = (
    "account",
    "item",
    "inbox",
    "seen",
    "fault",
    "attempt",
    "push",
    "picture",
    "shown",
    "headline",
    "film",
    "reel",
    "screened",
    "figure",
)
Row = sqlite3.Row


class Store:
    """The platform's memory. Used from one event loop only, so that every method is one uninterrupted step."""

    def __init__(self, path: Path | None) -> None:
        """``path`` None keeps everything in memory."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        # WAL with NORMAL survives kill -9 of the process; a power cut may cost the last moments of a sandbox.
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-2000", "busy_timeout=5000"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(SCHEMA)
        self._last_id = int(self.value("SELECT COALESCE(MAX(id), 0) FROM item"))

    def close(self) -> None:
        """Close the file; the store is of no use afterwards."""
        self._db.close()

    def reset(self) -> None:
        """Forget everything. Ids go on rising, so that a hub that remembers old ones is not confused."""
        with self.transaction():
            for table in TABLES:
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is committed together, or not at all."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def rows(self, sql: str, *values: Any) -> list[Row]:
        """All rows of a query."""
        return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> Row | None:
        """The first row of a query, or None."""
        found: Row | None = self._db.execute(sql, values).fetchone()
        return found

    def value(self, sql: str, *values: Any) -> Any:
        """The first column of the first row."""
        found = self._db.execute(sql, values).fetchone()
        return found[0] if found else None

    def change(self, sql: str, *values: Any) -> int:
        """Run one statement; the number of rows it changed."""
        return self._db.execute(sql, values).rowcount

    def insert(self, table: str, **values: Any) -> int:
        """Add one row; its row id. Table and column names come from this package's code only."""
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        return self._db.execute(f"INSERT INTO {table}({names}) VALUES({marks})", tuple(values.values())).lastrowid or 0

    def next_id(self) -> int:
        """A rising id beyond 2^53, as Weibo's: milliseconds shifted, never repeated, never smaller than the last."""
        self._last_id = max(self._last_id + 1, int(time.time() * 1000) << 20)
        return self._last_id

    # accounts ---------------------------------------------------------------------------------------------------

    def account_by_token(self, token: str) -> Row | None:
        """The account a token belongs to."""
        return self.row("SELECT * FROM account WHERE token = ?", token)

    def account(self, uid: str) -> Row | None:
        """An account by uid or by screen name."""
        return self.row("SELECT * FROM account WHERE uid = ? OR screen_name = ?", uid, uid)

    def accounts(self) -> list[Row]:
        """All official accounts, oldest first."""
        return self.rows("SELECT * FROM account ORDER BY created_at, uid")

    def save_account(self, wanted: dict[str, Any]) -> Row:
        """Create an account or change the given fields of an existing one; safe to run twice."""
        known = self.account(str(wanted.get("uid") or wanted["screen_name"]))
        uid = known["uid"] if known else str(wanted.get("uid") or self.next_id())
        fields = {
            "screen_name": wanted.get("screen_name", uid),
            "token": secrets.token_urlsafe(24),
            "app_secret": secrets.token_urlsafe(24),
            "push_url": "",
            "verified_type": 1,
            "expires_at": None,
            "created_at": clock.now(),
        }
        fields |= dict(known) if known else {}
        fields |= {name: wanted[name] for name in fields if name in wanted}
        with self.transaction():
            self.change("DELETE FROM account WHERE uid = ?", uid)
            self.insert("account", **(fields | {"uid": uid}))
        saved = self.account(uid)
        assert saved is not None
        return saved

    # items ------------------------------------------------------------------------------------------------------

    def add_item(
        self,
        kind: str,
        author: tuple[str, str],
        text: str,
        *,
        via: str,
        official: bool = False,
        root_id: int | None = None,
        parent_id: int | None = None,
        receiver_id: str = "",
        key: str = "",
        broken: str = "",
        created_at: float | None = None,
        inboxes: Iterable[tuple[str, str]] = (),
    ) -> int:
        """Store one item and put it into the inboxes (account, stream) of official accounts; call in a transaction."""
        new_id = self.next_id()
        self.insert(
            "item",
            id=new_id,
            kind=kind,
            via=via,
            author_id=author[0],
            author_name=author[1],
            official=int(official),
            root_id=root_id,
            parent_id=parent_id,
            receiver_id=receiver_id,
            text=text,
            idem_key=key,
            broken=broken,
            created_at=clock.now() if created_at is None else created_at,
            accepted_at=clock.now(),
        )
        for account, stream in inboxes:
            self.change("INSERT OR IGNORE INTO inbox(account, stream, id) VALUES(?, ?, ?)", account, stream, new_id)
        return new_id

    def item(self, item_id: int | str | None) -> Row | None:
        """An item by id, removed or not; text that is no id is simply not there."""
        try:
            wanted = int(item_id or 0)
        except ValueError:
            return None
        return self.row("SELECT * FROM item WHERE id = ?", wanted) if 0 < wanted < 2**63 else None

    def by_key(self, author_id: str, key: str) -> Row | None:
        """The item an account sent with an idempotency key."""
        return self.row("SELECT * FROM item WHERE author_id = ? AND idem_key = ? ORDER BY id", author_id, key)

    def remove(self, item_id: int, by: str) -> bool:
        """Take an item down; False when it is not there any more."""
        sql = "UPDATE item SET removed_at = ?, removed_by = ? WHERE id = ? AND removed_at IS NULL"
        return self.change(sql, clock.now(), by, item_id) == 1

    # pictures and titles of posts --------------------------------------------------------------------------------

    def add_picture(self, account: str, mime: str, data: bytes, description: str) -> str:
        """Keep a picture nobody shows yet; its id."""
        new_id = secrets.token_hex(16)
        self.insert("picture", id=new_id, account=account, mime=mime, data=data, description=description)
        return new_id

    def picture(self, picture_id: str, account: str = "") -> Row | None:
        """A picture by id; of ``account`` only, where one is named."""
        return self.row("SELECT * FROM picture WHERE id = ? AND ? IN ('', account)", picture_id, account)

    def film(self, film_id: str, account: str) -> Row | None:
        """A video of ``account`` by id, whole or on its way."""
        return self.row("SELECT * FROM film WHERE id = ? AND account = ?", film_id, account)

    def film_of(self, item_id: int) -> Row | None:
        """The video of a post."""
        return self.row("SELECT f.* FROM screened s JOIN film f ON f.id = s.film_id WHERE s.item_id = ?", item_id)

    def forget_films(self) -> int:
        """Every video no post shows is gone; how many."""
        unseen = "SELECT id FROM film WHERE id NOT IN (SELECT film_id FROM screened)"
        self.change(f"DELETE FROM reel WHERE film_id IN ({unseen})")  # noqa: S608
        return self.change(f"DELETE FROM film WHERE id IN ({unseen})")  # noqa: S608

    def show(self, item_id: int, title: str, picture_ids: Sequence[str], film_id: str = "") -> None:
        """Give a post its title, pictures and video."""
        if film_id:
            self.insert("screened", item_id=item_id, film_id=film_id)
        for place, picture_id in enumerate(picture_ids):
            self.insert("shown", item_id=item_id, place=place, picture_id=picture_id)
        if title:
            self.insert("headline", item_id=item_id, title=title)

    def title(self, item_id: int) -> str:
        """A post's title, mostly none."""
        return str(self.value("SELECT title FROM headline WHERE item_id = ?", item_id) or "")

    def pictures(self, item_id: int) -> list[Row]:
        """The pictures of a post in order: id and description."""
        return self.rows(
            "SELECT p.id, p.description FROM shown s JOIN picture p ON p.id = s.picture_id "
            "WHERE s.item_id = ? ORDER BY s.place",
            item_id,
        )

    def figures(self, item_id: int) -> tuple[int, int]:
        """Likes and reposts of a post."""
        found = self.row("SELECT likes, reposts FROM figure WHERE item_id = ?", item_id)
        return (found["likes"], found["reposts"]) if found else (0, 0)

    def set_figures(self, item_id: int, likes: int, reposts: int) -> None:
        """Change them."""
        self.change("INSERT OR REPLACE INTO figure(item_id, likes, reposts) VALUES(?, ?, ?)", item_id, likes, reposts)

    # faults and attempts ----------------------------------------------------------------------------------------

    def faults(self, account: str, operations: Sequence[str]) -> list[tuple[Row, dict[str, Any]]]:
        """The faults in force for an account (or for all) and any of ``operations``, oldest first."""
        marks = ", ".join("?" * len(operations))
        sql = f"SELECT * FROM fault WHERE account IN ('', ?) AND operation IN ({marks}) ORDER BY id"  # noqa: S608
        return [(row, json.loads(row["params"])) for row in self.rows(sql, account, *operations)]

    def consume(self, fault_id: int) -> None:
        """Count one use of a fault; a fault that is used up goes away."""
        self.change("UPDATE fault SET remaining = remaining - 1 WHERE id = ? AND remaining IS NOT NULL", fault_id)
        self.change("DELETE FROM fault WHERE remaining <= 0")

    def note_attempt(self, account: str, operation: str, key: str, outcome: str, item_id: int | None = None) -> None:
        """Remember a write that reached us, accepted or not."""
        self.insert(
            "attempt",
            at=time.time(),
            account=account,
            operation=operation,
            idem_key=key,
            outcome=outcome,
            item_id=item_id,
        )

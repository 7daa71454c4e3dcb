"""What citizens do on the pretend platform: mention, comment, write in private."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.server.store import Store
from connectors.sandbox.server.wire import names_in


class Impossible(ValueError):
    """What a citizen cannot do; the text says why (Chinese)."""


@dataclass(frozen=True, slots=True)
class Say:
    """How an item comes in. ``listed`` False: it is pushed but stands in no list, as Weibo's private messages."""

    via: str = "page"
    broken: str = ""
    created_at: float | None = None
    listed: bool = True


def citizen(name: str) -> tuple[str, str]:
    """A citizen as an author: the same name has the same uid, on every run."""
    name = name.strip() or "热心市民"
    digest = 0
    for char in name:
        digest = (digest * 1_000_003 + ord(char)) % 10**9
    return str(7_000_000_000 + digest), name


def mention(store: Store, account: sqlite3.Row, author: str, text: str, say: Say) -> int:
    """A public post that mentions ``account`` (and any other official account it names)."""
    _not_empty(text)
    named = [a["uid"] for a in store.accounts() if a["screen_name"] in names_in(text)]
    if account["uid"] not in named:
        if not say.broken:
            text = f"@{account['screen_name']} {text}"
        named.append(account["uid"])
    inboxes = [(uid, "mentions") for uid in named] if say.listed else []
    receiver = account["uid"]
    return store.add_item("status", citizen(author), text, receiver_id=receiver, inboxes=inboxes, **_how(say))


def comment(store: Store, target: sqlite3.Row | None, author: str, text: str, say: Say) -> int:
    """A comment under a post, or an answer to a comment; it reaches the account whose post or comment it is."""
    _not_empty(text)
    if target is None or target["removed_at"] or target["kind"] == "message":
        raise Impossible("要评论的内容不存在或已被删除")
    root = target if target["kind"] == "status" else store.item(target["root_id"])
    assert root is not None
    reached = {row["author_id"] for row in (target, root) if row["official"]}
    return store.add_item(
        "comment",
        citizen(author),
        text,
        root_id=root["id"],
        parent_id=target["id"] if target["kind"] == "comment" else None,
        receiver_id=min(reached, default=""),
        inboxes=[(uid, "comments") for uid in sorted(reached)] if say.listed else [],
        **_how(say),
    )


def message(store: Store, account: sqlite3.Row, author: str, text: str, say: Say) -> int:
    """A private message to ``account``."""
    _not_empty(text)
    inboxes = [(account["uid"], "messages")] if say.listed else []
    return store.add_item("message", citizen(author), text, receiver_id=account["uid"], inboxes=inboxes, **_how(say))


def _how(say: Say) -> dict[str, Any]:
    return {"via": say.via, "broken": say.broken, "created_at": say.created_at}


def _not_empty(text: str) -> None:
    if not text.strip():
        raise Impossible("内容不能为空")

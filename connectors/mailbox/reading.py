"""Letters out of a folder, page by page. Everything here blocks: for a thread."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from imapclient import SEEN, IMAPClient

from connectors.base import AccountRef, ConnectorError, ErrorKind, Page
from connectors.http import NOT_TOLD
from connectors.mailbox.bounces import bounce_of, plain_bounce_of
from connectors.mailbox.letters import item_of
from connectors.mailbox.sending import own_domain
from connectors.mailbox.servers import STRANGE, Reach, imap
from connectors.options import is_on, number, text

PAGE = 20
# Mails of one page together: what comes with them is held in memory until it is stored.
PAGE_BYTES = 24 * 1024 * 1024
LOOK_BACK_DAYS, LONGEST_LOOK_BACK_DAYS = 30, 9999
# Of a larger mail only the beginning is read: its text stands before its attachments.
WHOLE_BYTES = 10 * 1024 * 1024
BEGINNING_BYTES = 512 * 1024
# Servers end an IDLE after half an hour; it is begun anew before that.
IDLE_SECONDS = 25 * 60
IDLE_LOOK = 5
Mail = tuple[bytes, datetime | None, bool]  # as it lies there, when it arrived, whether its end was left out


def folder(account: AccountRef) -> str:
    """The folder that is read."""
    return text(account, "folder") or "INBOX"


def page(account: AccountRef, reach: Reach, cursor: Mapping[str, Any], now: datetime) -> Page:
    """The next letters after ``cursor``: {"validity": UIDVALIDITY, "uid": last stored, "seen": to be marked read}.

    A folder that was numbered anew (UIDVALIDITY) is read again from the look-back; ids make that harmless.
    """
    with imap(account, reach) as client:
        wants_seen = is_on(account, "mark_seen")
        state = client.select_folder(folder(account), readonly=not wants_seen)
        validity = int(state.get(b"UIDVALIDITY", 0))
        same = _is_same(state, cursor)
        if wants_seen and same and cursor.get("seen"):
            client.add_flags([int(uid) for uid in cursor["seen"]], [SEEN], silent=True)
        last = _last(state, cursor)
        waiting = _waiting(client, last, _look_back(account, now))
        wanted, mails = _fetch(client, waiting[:PAGE])
    items, notices = [], []
    for uid in wanted:
        if uid not in mails:
            continue  # removed by somebody between the two calls
        data, arrived, truncated = mails[uid]
        bounce = bounce_of(data) or plain_bounce_of(data, own_domain(account))
        if bounce is not None:
            notices.append(bounce)
        else:
            items.append(item_of(data, arrived or now, truncated=truncated))
    after = {"validity": validity, "uid": wanted[-1] if wanted else last, "seen": wanted if wants_seen else []}
    return Page(tuple(items), after, more=len(waiting) > len(wanted), notices=tuple(notices))


def _is_same(state: Mapping[bytes, Any], cursor: Mapping[str, Any]) -> bool:
    """Whether the folder is still numbered as it was when the cursor was made."""
    return int(state.get(b"UIDVALIDITY", 0)) == int(cursor.get("validity") or 0)


def _last(state: Mapping[bytes, Any], cursor: Mapping[str, Any]) -> int:
    return int(cursor.get("uid") or 0) if _is_same(state, cursor) else 0


def _look_back(account: AccountRef, now: datetime) -> datetime:
    days = number(account, "look_back", LOOK_BACK_DAYS, 0, LONGEST_LOOK_BACK_DAYS)
    return now - timedelta(days=days)


def _waiting(client: IMAPClient, last: int, since: datetime) -> list[int]:
    """UIDs above ``last``, or, where nothing was read yet, of mails that arrived since."""
    criteria: Sequence[Any] = ["UID", f"{last + 1}:*"] if last else ["SINCE", since.date()]
    # "n:*" always names the newest mail, also when it is older than n.
    return sorted(uid for uid in client.search(criteria) if uid > last)


def _fetch(client: IMAPClient, uids: Sequence[int]) -> tuple[Sequence[int], dict[int, Mail]]:
    """As many as fit into a page, whole, or their beginning where they are large; reading marks nothing."""
    if not uids:
        return uids, {}
    heads = client.fetch(uids, ["RFC822.SIZE", "INTERNALDATE"])
    sizes = {uid: int(head.get(b"RFC822.SIZE", 0)) for uid, head in heads.items()}
    large = {uid for uid, size in sizes.items() if size > WHOLE_BYTES}
    uids = _fitting(uids, {uid: min(size, WHOLE_BYTES) for uid, size in sizes.items()})
    heads = {uid: head for uid, head in heads.items() if uid in uids}
    large &= heads.keys()
    found: dict[int, Mail] = {}
    for group, what in ((large, f"BODY.PEEK[]<0.{BEGINNING_BYTES}>"), (set(heads) - large, "BODY.PEEK[]")):
        for uid, parts in (client.fetch(sorted(group), [what]) if group else {}).items():
            data = next((v for k, v in parts.items() if k.startswith(b"BODY[") and isinstance(v, bytes)), None)
            if data is None:
                raise ConnectorError(ErrorKind.protocol, STRANGE, code="no body")
            found[uid] = (data, _aware(heads[uid].get(b"INTERNALDATE")), uid in large)
    return uids, found


def _fitting(uids: Sequence[int], sizes: Mapping[int, int]) -> Sequence[int]:
    """The first of them, at least one."""
    totals = accumulate(sizes.get(uid, 0) for uid in uids)
    return uids[: max(1, sum(total <= PAGE_BYTES for total in totals))]


def _aware(at: datetime | None) -> datetime | None:
    """IMAPClient gives local time without a zone."""
    return at.astimezone(UTC) if at is not None else None


def look(account: AccountRef, reach: Reach) -> None:
    """Sign in and open the folder; :class:`ConnectorError` (permission) when it is not there."""
    with imap(account, reach) as client:
        if not client.folder_exists(folder(account)):
            raise ConnectorError(ErrorKind.permission, f"邮箱里没有「{folder(account)}」这个文件夹", code="folder")
        client.select_folder(folder(account), readonly=True)


def idle(account: AccountRef, reach: Reach, stop: threading.Event, cursor: Mapping[str, Any], now: datetime) -> None:
    """Return when something arrived, after 25 minutes, or when ``stop`` is set; at once where something lies there
    that the reading up to ``cursor`` has not seen: the server tells only of what comes while it is listened to.

    Raises :class:`ConnectorError` (permission) where there is no IDLE: to return would say that something came.
    """
    with imap(account, reach) as client:
        if not client.has_capability("IDLE"):
            raise ConnectorError(ErrorKind.permission, NOT_TOLD, code="idle")
        state = client.select_folder(folder(account), readonly=True)
        if cursor and _waiting(client, _last(state, cursor), _look_back(account, now)):
            return
        client.idle()
        try:
            for _ in range(IDLE_SECONDS // IDLE_LOOK):
                if stop.is_set() or any(_arrived(told) for told in client.idle_check(timeout=IDLE_LOOK)):
                    return
        finally:
            client.idle_done()


def _arrived(told: Any) -> bool:
    return isinstance(told, tuple) and any(word in (b"EXISTS", b"RECENT", b"BYE") for word in told)


def is_kept(account: AccountRef, reach: Reach, message_id: str) -> bool:
    """Whether a copy of this answer lies in the folder of sent mail; False where no folder is set."""
    name = text(account, "sent_folder")
    with imap(account, reach) as client:
        if not name or not client.folder_exists(name):
            return False
        client.select_folder(name, readonly=True)
        return bool(client.search(["HEADER", "Message-ID", message_id]))


def keep_copy(account: AccountRef, reach: Reach, mail: bytes) -> None:
    """Put an answer that was sent into the folder of sent mail, where one is set; made if it is missing."""
    name = text(account, "sent_folder")
    if not name:
        return
    with imap(account, reach) as client:
        if not client.folder_exists(name):
            client.create_folder(name)
        client.append(name, mail, [SEEN])


def original(account: AccountRef, reach: Reach, message_id: str) -> tuple[str, list[str]]:
    """Subject and references of the letter that is answered; empty where it is no longer in the folder."""
    with imap(account, reach) as client:
        client.select_folder(folder(account), readonly=True)
        uids = client.search(["HEADER", "Message-ID", message_id])
        _uids, mails = _fetch(client, uids[-1:])
    if not mails:
        return "", []
    payload = item_of(next(iter(mails.values()))[0], datetime.now(UTC)).payload
    return _heads(payload)


def _heads(payload: str) -> tuple[str, list[str]]:
    read = json.loads(payload)
    return str(read.get("subject", "")), [str(one) for one in read.get("references", [])]

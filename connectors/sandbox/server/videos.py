"""Videos on the pretend platform: begun, taken in pieces, put together, named by a later post; forgotten on demand."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from connectors.sandbox.server.call import Call
from connectors.sandbox.server.faults import Refusal

PIECE_BYTES = 2 * 1024 * 1024
MOST_BYTES = 500 * 1024 * 1024
# Weibo's code for something that is not there.
GONE = 20101


def begin(call: Call) -> Any:
    """A place for a video of ``size`` bytes with this ``sha256``; answers how large a piece may be."""
    size = call.number("size")
    if not 0 < size <= MOST_BYTES:
        raise Refusal(20006)
    new_id = secrets.token_hex(12)
    call.store.insert(
        "film", id=new_id, account=call.uid, name=call.values.get("name", "")[:200], size=size,
        sha256=call.values.get("sha256", "")[:64], description=call.values.get("description", "")[:1500], ready=0,
    )  # fmt: skip
    return {"upload_id": new_id, "piece_size": PIECE_BYTES}


def take(call: Call) -> Any:
    """Keep the ``number``-th piece; the same one again takes its place."""
    film = _film(call)
    if call.file is None or len(call.file) > PIECE_BYTES:
        raise Refusal(20008)
    call.store.change("DELETE FROM reel WHERE film_id = ? AND number = ?", film["id"], call.number("number"))
    call.store.insert("reel", film_id=film["id"], number=call.number("number"), data=call.file)
    call.note("piece")
    return {"upload_id": film["id"], "number": call.number("number")}


def finish(call: Call) -> Any:
    """Put it together; refused when it is not what was announced."""
    film = _film(call)
    total, size = hashlib.sha256(), 0
    for row in call.store.rows("SELECT number FROM reel WHERE film_id = ? ORDER BY number", film["id"]):
        data = call.store.value("SELECT data FROM reel WHERE film_id = ? AND number = ?", film["id"], row["number"])
        total.update(data)
        size += len(data)
    if size != film["size"] or total.hexdigest() != film["sha256"]:
        raise Refusal(20005)
    call.store.change("UPDATE film SET ready = 1 WHERE id = ?", film["id"])
    call.note("video")
    return {"video_id": film["id"]}


def _film(call: Call) -> Any:
    found = call.store.film(call.values.get("upload_id", ""), call.uid)
    if found is None:
        raise Refusal(GONE, 404)
    return found

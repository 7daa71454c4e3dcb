"""Pictures of the pretend platform: uploaded within their limits, counted, listed, given out, deleted."""

from __future__ import annotations

import secrets
from typing import Any

from connectors.wechat.simulator.world import Official, Refusal, World

SMALL, LARGE, THUMB = 1024 * 1024, 10 * 1024 * 1024, 64 * 1024
KINDS = {b"\xff\xd8\xff": "jpg", b"\x89PNG\r\n\x1a\n": "png", b"GIF8": "gif", b"BM": "bmp"}
# Temporary media are given out for three days.
TEMPORARY_SECONDS = 3 * 24 * 3600
# What is uploaded for → the types of pictures and the size below which they must stay.
LIMITS: dict[str, tuple[tuple[str, ...], int]] = {
    "inside": (("jpg", "png"), SMALL),
    "thumb": (("jpg",), THUMB + 1),
    "image": (tuple(KINDS.values()), LARGE + 1),
}


def upload(world: World, official: Official, data: bytes, what: str, *, lasting: bool) -> dict[str, Any]:
    """A picture for ``what`` (inside an article, thumb, image); temporary ones end after three days."""
    world.spend(official, "media")
    if not data:
        raise Refusal(41005, "media data missing")
    if what not in LIMITS:
        raise Refusal(40004, "invalid media type")
    kinds, below = LIMITS[what]
    kind = next((name for magic, name in KINDS.items() if data.startswith(magic)), "")
    if kind not in kinds:
        raise Refusal(40005, "invalid file type")
    if len(data) >= below:
        raise Refusal(40009, "invalid image size")
    name = secrets.token_urlsafe(24)
    world.media[name] = {
        "app": official.app, "kind": kind, "hex": data.hex(), "at": int(world.now()), "lasting": lasting, "what": what,
    }  # fmt: skip
    return {"media_id": name, "url": f"http://mmbiz.qpic.cn/{name}/0?wx_fmt={kind}"}


def _own(world: World, official: Official) -> list[tuple[str, dict[str, Any]]]:
    """The lasting material, newest first; what stands inside articles is none."""
    rows = [(name, row) for name, row in world.media.items() if row["app"] == official.app and row.get("lasting")]
    return sorted(rows, key=lambda row: (-row[1]["at"], row[0]))


def counted(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """How much of each kind there is."""
    return {"voice_count": 0, "video_count": 0, "image_count": len(_own(world, official)), "news_count": 0}


def listed(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """A page of pictures."""
    offset, count = int(values.get("offset") or 0), int(values.get("count") or 0)
    if not 1 <= count <= 20:
        raise Refusal(40035, "invalid parameter")
    rows = _own(world, official) if values.get("type") == "image" else []
    page = [
        {"media_id": name, "name": f"{name}.{row['kind']}", "update_time": row["at"],
         "url": f"http://mmbiz.qpic.cn/{name}/0?wx_fmt={row['kind']}"}
        for name, row in rows[offset : offset + count]
    ]  # fmt: skip
    return {"total_count": len(rows), "item_count": len(page), "item": page}


def given(world: World, official: Official, values: dict[str, Any], *, lasting: bool) -> bytes:
    """The picture itself; :class:`Refusal` 40007 for what is not there, or no longer."""
    row = world.media.get(str(values.get("media_id") or ""))
    if row is None or row["app"] != official.app or bool(row.get("lasting")) is not lasting:
        raise Refusal(40007, "invalid media_id")
    if not lasting and world.now() - row["at"] > TEMPORARY_SECONDS:
        raise Refusal(40007, "invalid media_id")
    return bytes.fromhex(row["hex"])


def deleted(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """Delete lasting material."""
    given(world, official, values, lasting=True)
    del world.media[values["media_id"]]
    return {"errcode": 0, "errmsg": "ok"}

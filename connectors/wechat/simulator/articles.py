"""Drafts, publishing and mass messages of the pretend platform."""

from __future__ import annotations

import re
import secrets
from typing import Any

from connectors.wechat.simulator.world import DAY, Official, Refusal, World

TITLE, CONTENT = 64, 20_000
_SCRIPT = re.compile(
    r"<script\b(?:(?!<script\b).)*?</script\s*>|\son\w+\s*=\s*(\"[^\"]*\"|'[^']*')", re.IGNORECASE | re.DOTALL
)
_IMAGE = re.compile(r"<img\b[^>]*\bsrc=[\"']([^\"']*)[\"'][^>]*>", re.IGNORECASE)


def add_draft(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """Put articles into the box of drafts."""
    _certified(official)
    articles = values.get("articles")
    if not isinstance(articles, list) or not articles:
        raise Refusal(44003, "empty news data")
    if len(articles) > 8:
        raise Refusal(45008, "article size out of limit")
    media_id = secrets.token_urlsafe(40)
    made = [_article(world, official, article) for article in articles]
    world.drafts[media_id] = {"app": official.app, "news_item": made, "update_time": int(world.now()), "job": ""}
    return {"media_id": media_id}


def _article(world: World, official: Official, given: Any) -> dict[str, Any]:
    title, content = str(given.get("title") or ""), str(given.get("content") or "")
    if not title or len(title) > TITLE:
        raise Refusal(45003, "title size out of limit")
    if not content:
        raise Refusal(44004, "empty content")
    if len(content) >= CONTENT * 3 or len(_bare(content)) > CONTENT:
        raise Refusal(45002, "content size out of limit")
    if given.get("thumb_media_id") not in world.media:
        raise Refusal(40007, "invalid media_id")
    if given.get("need_open_comment") and not official.comments:
        raise Refusal(88000, "without comment privilege")
    content = _SCRIPT.sub("", content)
    clean = _IMAGE.sub(lambda found: found[0] if "mmbiz.qpic.cn" in found[1] else "", content)
    return {
        "title": title,
        "author": str(given.get("author") or ""),
        "digest": str(given.get("digest") or "") or _bare(content)[:54],
        "content": clean,
        "content_source_url": str(given.get("content_source_url") or ""),
        "thumb_media_id": given["thumb_media_id"],
        "show_cover_pic": 0,
        "need_open_comment": int(given.get("need_open_comment") or 0),
        "only_fans_can_comment": int(given.get("only_fans_can_comment") or 0),
        "url": f"http://mp.weixin.qq.com/s?__biz={official.gh}&mid={world.next()}&idx=1",
    }


def _bare(content: str) -> str:
    return re.sub(r"<[^>]*>", "", content)


def draft(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """One draft of the account; :class:`Refusal` 40007."""
    found = world.drafts.get(str(values.get("media_id") or ""))
    if found is None or found["app"] != official.app:
        raise Refusal(40007, "invalid media_id")
    return found


def change_draft(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """Put another article into a draft at ``index``."""
    found, index = draft(world, official, values), values.get("index")
    if not isinstance(index, int) or not 0 <= index < len(found["news_item"]):
        raise Refusal(40114, "invalid index value")
    if found["job"] and world.jobs[found["job"]]["status"] == 1:
        raise Refusal(53503, "draft is being published")
    found["news_item"][index] = _article(world, official, values.get("articles") or {})
    found["update_time"] = int(world.now())
    return {"errcode": 0, "errmsg": "ok"}


def counted(official: Official, drafts: int) -> dict[str, Any]:
    """How many drafts there are."""
    _certified(official)
    return {"total_count": drafts}


def listed(rows: list[tuple[str, dict[str, Any]]], name: str, values: dict[str, Any]) -> dict[str, Any]:
    """A page of drafts or published articles, newest first."""
    offset, count = int(values.get("offset") or 0), int(values.get("count") or 0)
    if not 1 <= count <= 20:
        raise Refusal(40035, "invalid parameter")
    rows = sorted(rows, key=lambda row: (-row[1]["update_time"], row[0]))
    page = [
        {name: key, "content": {"news_item": _shown(row, values)}, "update_time": row["update_time"]}
        for key, row in rows[offset : offset + count]
    ]
    return {"total_count": len(rows), "item_count": len(page), "item": page}


def _shown(row: dict[str, Any], values: dict[str, Any]) -> list[dict[str, Any]]:
    gone = {"is_deleted": bool(row.get("gone"))} if "gone" in row else {}
    items = [{**item, **gone} for item in row["news_item"]]
    return [{k: v for k, v in i.items() if k != "content"} for i in items] if values.get("no_content") == 1 else items


def submit(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """Take a draft for publishing: its review begins."""
    _certified(official)
    found = draft(world, official, values)
    if found["job"] and world.jobs[found["job"]]["status"] == 1:
        raise Refusal(53503, "draft is being published")
    number = str(world.next())
    found["job"] = number
    world.jobs[number] = {
        "app": official.app, "draft": values["media_id"], "status": 1, "ends_at": world.now() + official.review_seconds,
        "article": "", "msg_data_id": str(world.next()),
    }  # fmt: skip
    return {"errcode": 0, "errmsg": "ok", "publish_id": number, "msg_data_id": int(world.jobs[number]["msg_data_id"])}


def job(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """How a submission stands."""
    number = str(values.get("publish_id") or "")
    found = world.jobs.get(number)
    if found is None or found["app"] != official.app:
        raise Refusal(53502, "invalid publish_id")
    answer = {"publish_id": number, "publish_status": found["status"], "fail_idx": []}
    if found["article"]:
        url = world.articles[found["article"]]["news_item"][0]["url"]
        answer |= {
            "article_id": found["article"],
            "article_detail": {"count": 1, "item": [{"idx": 1, "article_url": url}]},
        }
    elif found["status"] in (2, 3, 4):
        answer["fail_idx"] = [1]
    return answer


def published(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """One published article of the account; :class:`Refusal` 53600."""
    found = world.articles.get(str(values.get("article_id") or ""))
    if found is None or found["app"] != official.app or found["mass"]:
        raise Refusal(53600, "invalid article_id")
    return found


def stand(world: World, app: str, news: list[dict[str, Any]], data_id: str, *, mass: str = "") -> str:
    """Put an article up; its id."""
    article = secrets.token_urlsafe(32)
    world.articles[article] = {
        "app": app, "news_item": news, "update_time": int(world.now()), "msg_data_id": data_id, "gone": "",
        "mass": mass,
    }  # fmt: skip
    return article


def take_down(world: World, article: str, by: str) -> None:
    """``by``: owner or system. The job that brought it tells from now on."""
    world.articles[article]["gone"] = by
    for found in world.jobs.values():
        if found["article"] == article:
            found["status"] = 5 if by == "owner" else 6


def mass(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """Send an article to everybody: once per key, once a day for subscription accounts."""
    _certified(official)
    key = str(values.get("clientmsgid") or "")
    if len(key.encode()) > 64:
        raise Refusal(45067, "clientmsgid size out of limit")
    for number, found in world.masses.items():
        if key and found["app"] == official.app and found["key"] == key and world.now() - found["at"] < DAY:
            raise Refusal(45065, "clientmsgid exist", msg_id=int(number), msg_data_id=int(found["msg_data_id"]))
    found = draft(world, official, {"media_id": (values.get("mpnews") or {}).get("media_id")})
    today = [m for m in world.masses.values() if m["app"] == official.app and int(m["at"] // DAY) == world.now() // DAY]
    if official.kind == "subscription" and any(m["status"] != "SEND_FAIL" for m in today):
        raise Refusal(45028, "has no masssend quota")
    world.spend(official, "mass")
    number, data_id = str(world.next()), str(world.next())
    world.masses[number] = {
        "app": official.app, "key": key, "at": world.now(), "status": "SENDING", "msg_data_id": data_id, "said": "",
        "draft": values["mpnews"]["media_id"], "article": "", "title": found["news_item"][0]["title"],
        "ends_at": world.now() + (1800 if official.protected else official.review_seconds),
    }  # fmt: skip
    return {
        "errcode": 0, "errmsg": "send job submission success", "msg_id": int(number), "msg_data_id": int(data_id),
    }  # fmt: skip


def preview(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """Show a draft to one follower, by openid or name, before everybody gets it; it is not used up."""
    _certified(official)
    found = draft(world, official, {"media_id": (values.get("mpnews") or {}).get("media_id")})
    wanted = values.get("touser") or values.get("towxname")
    reader = next((c for c in world.citizens.values() if c.app == official.app and wanted in (c.openid, c.name)), None)
    if reader is None or not reader.follows:
        raise Refusal(40132, "invalid username")
    world.note(official.app, "preview", found["news_item"][0]["title"], openid=reader.openid)
    return {"errcode": 0, "errmsg": "preview success", "msg_id": world.next()}


def sent(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """One mass message of the account."""
    found = world.masses.get(str(values.get("msg_id") or ""))
    if found is None or found["app"] != official.app:
        raise Refusal(40035, "invalid parameter")
    return found


def _certified(official: Official) -> None:
    if not official.certified:
        raise Refusal(48001, "api unauthorized")

"""Answers to citizens and comments of the pretend platform."""

from __future__ import annotations

from typing import Any

from connectors.wechat.simulator.world import WINDOW_SECONDS, Official, Refusal, World

MESSAGE_BYTES, COMMENT_CHARACTERS, PAGE = 2048, 600, 50


def send(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """A customer message: within 48 hours of the citizen's last one, five times."""
    if not official.certified:
        raise Refusal(48001, "api unauthorized")
    world.spend(official, "message")
    citizen = world.citizens.get(str(values.get("touser") or ""))
    if citizen is None or citizen.app != official.app:
        raise Refusal(40003, "invalid openid")
    text = str((values.get("text") or {}).get("content") or "") if values.get("msgtype") == "text" else "［非文本消息］"
    if not text:
        raise Refusal(44004, "empty content")
    if len(text.encode()) > MESSAGE_BYTES:
        raise Refusal(45002, "content size out of limit")
    if not citizen.follows:
        raise Refusal(43004, "require subscribe")
    if citizen.blocks:
        raise Refusal(48002, "user block message")
    if world.now() - citizen.wrote_at > WINDOW_SECONDS:
        raise Refusal(45015, "response out of time limit or subscription is canceled")
    if citizen.left <= 0:
        raise Refusal(45047, "out of response count limit")
    citizen.left -= 1
    world.note(official.app, "official", text, openid=citizen.openid)
    return {"errcode": 0, "errmsg": "ok"}


def _article(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    if not official.comments:
        raise Refusal(88000, "without comment privilege")
    wanted = str(values.get("msg_data_id") or "")
    for article in world.articles.values():
        if article["app"] == official.app and article["msg_data_id"] == wanted and not article["gone"]:
            if not article["news_item"][0]["need_open_comment"]:
                break
            return article
    raise Refusal(88001, "msg_data is not exists")


def list_comments(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """A page of an article's comments; which end grows is a setting, since the real order is not documented."""
    article = _article(world, official, values)
    begin, count = int(values.get("begin") or 0), int(values.get("count") or 0)
    if not 0 < count < PAGE:
        raise Refusal(88010, "count range error. cout <= 0 or count > 50")
    found = [c for c in world.comments if c["msg_data_id"] == article["msg_data_id"]]
    found = sorted(found, key=lambda c: (c["create_time"], c["user_comment_id"]), reverse=official.newest_first)
    page = [{k: v for k, v in c.items() if k != "msg_data_id"} for c in found[begin : begin + count]]
    return {"errcode": 0, "errmsg": "ok", "total": len(found), "comment": page}


def _comment(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    article = _article(world, official, values)
    for comment in world.comments:
        same = comment["user_comment_id"] == values.get("user_comment_id")
        if same and comment["msg_data_id"] == article["msg_data_id"]:
            return comment
    raise Refusal(88008, "comment is not exists")


def answer(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """The account's answer under a comment; there is room for one."""
    comment = _comment(world, official, values)
    text = str(values.get("content") or "")
    if not text or len(text) > COMMENT_CHARACTERS:
        raise Refusal(88007, "reply content beyond max len or content len is zero")
    if "reply" in comment:
        raise Refusal(88005, "already reply")
    comment["reply"] = {"content": text, "create_time": int(world.now())}
    return {"errcode": 0, "errmsg": "ok"}


def unanswer(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """Take the answer back."""
    comment = _comment(world, official, values)
    if "reply" not in comment:
        raise Refusal(88009, "reply is not exists")
    del comment["reply"]
    return {"errcode": 0, "errmsg": "ok"}


def elect(world: World, official: Official, values: dict[str, Any], *, elected: bool) -> dict[str, Any]:
    """Mark a comment as one of the chosen, or not."""
    _comment(world, official, values)["comment_type"] = int(elected)
    return {"errcode": 0, "errmsg": "ok"}


def remove(world: World, official: Official, values: dict[str, Any]) -> dict[str, Any]:
    """Delete a comment."""
    world.comments.remove(_comment(world, official, values))
    return {"errcode": 0, "errmsg": "ok"}


def switch(world: World, official: Official, values: dict[str, Any], *, opened: bool) -> dict[str, Any]:
    """Open or close the comments of an article."""
    wanted = str(values.get("msg_data_id") or "")
    for article in world.articles.values():
        if article["app"] == official.app and article["msg_data_id"] == wanted:
            article["news_item"][0]["need_open_comment"] = int(opened)
            return {"errcode": 0, "errmsg": "ok"}
    raise Refusal(88001, "msg_data is not exists")

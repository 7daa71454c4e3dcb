"""The letter page as a platform: nothing is called, letters are understood, answers are given where they are read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.answers import against_answer
from connectors.base import (
    AccountRef,
    Author,
    Capability,
    ConnectorError,
    Done,
    ErrorKind,
    Grant,
    Granted,
    Health,
    Inbound,
    Kind,
    Limits,
    Media,
    Outcome,
    Outgoing,
    OwnItems,
    Page,
    Problem,
    PushAnswer,
    RawItem,
    Reject,
    Unparsable,
    attached,
)
from connectors.defaults import Defaults
from connectors.http import Http
from connectors.text import clean, one_line

LONGEST = 20_000
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
HERE = "信件直接写在本系统里"
NO_SLUG = "页面地址只能用小写字母、数字和连字符（最多 40 个，两头不能是连字符），请修改"
# Addresses that other pages of the letters have.
TAKEN = frozenset({"query", "files"})
TAKEN_SLUG = "页面地址「query」和「files」已有别的用处，请换一个"
NO_POST = "网上信箱不能发布内容"


class WebFormConnector(Defaults):
    """Our own letter page as a :class:`connectors.base.Connector`. Options: see :mod:`connectors.webform.form`.

    A stored letter is JSON: number, kind, title, text, place, name (as it may be shown), sender, first, at, files,
    has_contact (more is known of its writer than may be shown).
    """

    platform = "webform"
    label = "网上信箱"
    streams: Sequence[str] = ()

    def __init__(self, http: Http) -> None:
        self._clock = http.clock

    def limits(self, account: AccountRef) -> Limits:
        """As long as people read; letters are taken on a page."""
        return Limits(post_length=0, reply_length=LONGEST, find_own_lag=0.0, takes_letters=True)

    def measure(self, text: str) -> int:
        """Characters."""
        return len(text)

    def capabilities(self, account: AccountRef) -> Mapping[Capability, Grant]:
        """Letters come in by themselves, answers are given in private; everything else is not there."""
        reasons = {
            Capability.publish: NO_POST, Capability.reply_public: "网上信箱的答复只给来信人看",
            Capability.delete: "答复公布后不能收回，请另写一份说明", Capability.metrics: "网上信箱没有阅读数据",
            Capability.pull_messages: HERE,
        }  # fmt: skip
        yes = (Capability.pull_messages, Capability.reply_private, Capability.find_own)
        return {
            c: Grant(Granted.yes, reasons.get(c, "")) if c in yes else Grant(Granted.no, reasons.get(c, HERE))
            for c in Capability
        }

    async def check(self, account: AccountRef) -> Health:
        """Whether the page has an address it can be found under."""
        slug = str(account.options.get("slug", ""))
        if not SLUG.fullmatch(slug):
            return Health(False, account_id=slug, note=NO_SLUG)
        if slug in TAKEN:
            return Health(False, account_id=slug, note=TAKEN_SLUG)
        return Health(True, account_id=slug, account_name=str(account.options.get("title") or account.name))

    async def pull(self, account: AccountRef, stream: str, cursor: Mapping[str, Any]) -> Page:
        """Refused: nothing is read."""
        raise ConnectorError(ErrorKind.bug, HERE, code="stream")

    async def receive(
        self, account: AccountRef, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> PushAnswer:
        """Refused: nobody pushes."""
        return Reject(404, "网上信箱不接收推送")

    def parse(self, account: AccountRef, item: RawItem) -> Inbound:
        """Understand a stored letter."""
        try:
            letter = json.loads(item.payload)
            return _inbound(letter, item)
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            raise Unparsable("信件记录不完整") from None

    async def reply(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Given: from now on whoever has the query code reads it."""
        if problems := self.validate(account, out):
            raise ConnectorError(ErrorKind.content_rejected, problems[0].text, code="invalid")
        return Done(out.key, at=self._clock())

    async def publish(self, account: AccountRef, out: Outgoing) -> Outcome:
        """Refused."""
        raise ConnectorError(ErrorKind.permission, NO_POST, code="publish")

    async def poll_job(self, account: AccountRef, job: str) -> Outcome:
        """Nothing is ever pending here."""
        raise ConnectorError(ErrorKind.bug, HERE, code="job")

    async def find_own(self, account: AccountRef, since: datetime, out: Outgoing) -> OwnItems:
        """Nothing lies anywhere else: an answer that is not recorded was not given."""
        return OwnItems((), complete=True)

    async def exists(self, account: AccountRef, external_id: str) -> bool:
        """What was given stays."""
        return True

    async def delete(self, account: AccountRef, external_id: str) -> None:
        """Refused: it may have been read."""
        raise ConnectorError(ErrorKind.permission, "答复公布后不能收回，请另写一份说明", code="delete")

    def validate(self, account: AccountRef, out: Outgoing) -> list[Problem]:
        """Empty, endless, with pictures, or a post."""
        problems = against_answer(
            out, LONGEST, no_post=NO_POST, no_pictures="网上信箱的答复暂不支持图片，请去掉后再提交"
        )
        if out.target_kind is not None and not out.target_id:
            problems.append(Problem("target", "没有指明要答复哪一封信"))
        return problems


def _inbound(letter: Mapping[str, Any], item: RawItem) -> Inbound:
    at = datetime.fromisoformat(letter["at"])
    if at.tzinfo is None:
        raise ValueError(letter["at"])
    number, first = one_line(str(letter["number"])), one_line(str(letter.get("first", "")))
    files = [
        Media(one_line(f["kind"]), one_line(f.get("url") or attached(number)), one_line(f["name"]))
        for number, f in enumerate(letter.get("files", []))
    ]
    return Inbound(
        kind=Kind.letter,
        external_id=item.external_id,
        text=clean(letter["text"]),
        title=one_line(letter["title"]),
        author=Author(one_line(str(letter["sender"])), one_line(letter["name"])),
        created_at=at,
        thread_id=first or number,
        parent_id=first,
        media=tuple(files),
        extra={
            "stated_kind": one_line(letter["kind"]),
            "stated_place": one_line(letter["place"]),
            "has_contact": bool(letter.get("has_contact")),
        },
    )

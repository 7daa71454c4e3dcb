"""Three weeks of the city's life, lived through the real services with the clock standing at each moment in turn."""

from __future__ import annotations

import heapq
import itertools
import random
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlmodel import col, select

from hub import clock
from hub.db import Unit, reading, unit_of_work
from hub.errors import Refused
from hub.models import (
    Account,
    Case,
    CaseState,
    Delivery,
    Department,
    Message,
    Post,
    Reply,
    ReplyState,
    Role,
    Stream,
    User,
)
from hub.people import load_actor, staff
from hub.policy.sending import sending
from hub.rights import Actor
from web.demo import city, pictures
from web.demo.city import Planned, Saying
from web.demo.sandbox import Control
from workflows import replies
from workflows.cases.moves import Move
from workflows.cases.service import dispatch_now, make_move
from workflows.checking.confirming import Unconfirmed
from workflows.delivery import byhand, engine, handwork
from workflows.delivery.measuring import read_figures
from workflows.house import House
from workflows.intake.pulling import pull_stream
from workflows.intake.reading import read_waiting
from workflows.opinion.heat import heat
from workflows.pictures import store
from workflows.pictures.placed import Placed
from workflows.publishing import service as publishing
from workflows.publishing.content import Draft
from workflows.tagging.batches import tag_waiting

T = TypeVar("T")
# Left to the person at the demo: what came in during these last hours, and at any time of day the newest so many.
UNTOUCHED, NEWEST = timedelta(hours=2), 16
# Matters that many write about, by the words in their titles.
MATTERS = ("锦澜花园", "化工园 异味", "塌陷 枫林路路口", "写字楼 五十三", "食堂", "春熙里违建 违建说")
Step = Callable[[], Awaitable[None]]
KINDS = {"mention": "mentions", "comment": "comments", "private": "messages"}
STREAMS = {"mention": "mentions", "comment": "comments", "private": "messages"}


@dataclass(frozen=True, slots=True)
class Cast:
    """Who acts: the desk, the press office, and per department somebody who writes and somebody who agrees."""

    desk: Actor
    press: Actor
    reviewer: Actor
    clerks: Mapping[int, Actor]
    heads: Mapping[int, Actor]


class History:
    """Plays the city's three weeks. ``move`` sets the hub's clock; the sandbox's follows."""

    def __init__(self, house: House, control: Control, cast: Cast, move: Callable[[datetime], None]) -> None:
        self.house, self.control, self.cast, self._move = house, control, cast, move
        self._steps: list[tuple[datetime, int, Step]] = []
        self._order = itertools.count()
        self._chance = random.Random(7)  # noqa: S311 -- the same city every time
        self._stream_of: dict[tuple[str, str], int] = {}
        self._latest_post: dict[str, str] = {}
        self._matters: dict[str, int] = {}
        self._untouched_since = self._until = clock.now()

    def at(self, moment: datetime, step: Step) -> None:
        """Plan a step; what lies in the future of the real clock is left to the running hub."""
        heapq.heappush(self._steps, (moment, next(self._order), step))

    async def play(self, now: datetime) -> None:
        """Everything up to ``now``, in order of time."""
        await self._prepare()
        said = city.sayings(now)
        self._untouched_since = min(now - UNTOUCHED, said[-NEWEST].at)
        for batch in _batches(said):
            self.at(batch[-1].at, lambda batch=batch: self._citizens(batch))  # type: ignore[misc]
        for plan in city.posts(now):
            self.at(min(plan.at - timedelta(hours=20), now - timedelta(minutes=30)), lambda p=plan: self._write(p, now))  # type: ignore[misc]
        while self._steps and self._steps[0][0] <= now:
            moment, _order, step = heapq.heappop(self._steps)
            self._move(moment)
            self.control.stop_clock(moment.timestamp())
            await step()
        self.control.stop_clock(None)

    async def _prepare(self) -> None:
        async with reading(self.house.ctx) as unit:
            for row in await unit.rows(select(Stream.id, Stream.name, Account.name.label("account")).join(Account)):  # type: ignore[attr-defined]
                self._stream_of[(row.account, row.name)] = row.id
        for name in {account for account, _stream in self._stream_of}:
            text = f"欢迎关注“{name}”，有事请留言，我们会认真答复。"
            created = (clock.now() - timedelta(days=23)).timestamp()
            said = self.control.say("posts", [{"account": name, "text": text, "created_at": created}])
            self._latest_post[name] = said[0]

    async def _citizens(self, batch: Sequence[Saying]) -> None:
        """They write on the platform; the hub reads, tags, opens cases; what happens to each is planned."""
        numbers = [self._say(one) for one in batch]
        for account, kind in sorted({(one.account, one.kind) for one in batch}):
            await pull_stream(self.house, self._stream_of[(account, STREAMS[kind])])
        await read_waiting(self.house)
        await tag_waiting(self.house)
        async with unit_of_work(self.house.ctx) as unit:
            for number, one in zip(numbers, batch, strict=True):
                message = await unit.first(select(Message).where(Message.external_id == number))
                if message is not None:
                    await _like(unit, message, one.likes)
                    self._plan(message.case_id, one)

    def _say(self, one: Saying) -> str:
        item = {"author": one.author, "text": one.text, "created_at": one.at.timestamp(), "push": False}
        item |= {"post": self._latest_post[one.account]} if one.kind == "comment" else {"account": one.account}
        return self.control.say(KINDS[one.kind], [item])[0]

    def _plan(self, case_id: int | None, one: Saying) -> None:
        """Dispatched within the hour, signed the same day; answered when an answer was written for it."""
        if case_id is None or one.at >= self._untouched_since:
            return
        dispatched = clock.now() + timedelta(minutes=self._chance.randint(8, 70))
        signed = dispatched + timedelta(minutes=self._chance.randint(20, 300))
        self.at(dispatched, lambda: self._dispatch(case_id, one))
        if one.answer or self._chance.random() < 0.7:
            self.at(signed, lambda: self._sign(case_id))
        if one.answer:
            hours = self._chance.randint(3, 30) if one.kind == "private" else self._chance.randint(4, 60)
            written = signed + timedelta(hours=hours)
            self.at(written, lambda: self._answer(case_id, one.answer))

    async def _dispatch(self, case_id: int, one: Saying) -> None:
        """To whose matter it is; what the hub sent elsewhere by itself is sent on before anybody signs."""
        async with unit_of_work(self.house.ctx) as unit:
            case = await unit.get(Case, case_id)
            if case is None:
                return
            whose = await self._whose(unit, one)
            if case.state is CaseState.dispatched and case.department_id != whose:
                await make_move(
                    unit, case_id, Move.forward, self.cast.desk, version=case.version, note="不属于该单位职责",
                    department_id=whose,
                )  # fmt: skip
            elif case.state in {CaseState.new, CaseState.triaged} and not await self._merged(unit, case):
                await dispatch_now(unit, case_id, self.cast.desk, version=case.version, department_id=whose)

    async def _merged(self, unit: Unit, case: Case) -> bool:
        """What everybody complains about is one matter: later cases are merged into the first one still open."""
        matter = next((words for words in MATTERS if any(word in case.title for word in words.split())), None)
        if matter is None:
            return False
        first = await unit.get(Case, self._matters.get(matter, 0))
        if first is None or not first.is_open or first.id == case.id:
            self._matters[matter] = case.id or 0
            return False
        await make_move(
            unit, case.id or 0, Move.merge, self.cast.desk, version=case.version, note="同一件事", into_id=first.id
        )
        return True

    async def _whose(self, unit: Unit, one: Saying) -> int:
        if one.whose:
            return (await unit.one(select(Department).where(Department.code == one.whose))).id or 0
        return (await unit.one(select(Account).where(Account.name == one.account))).department_id or 0

    async def _sign(self, case_id: int) -> None:
        async with unit_of_work(self.house.ctx) as unit:
            case = await unit.get(Case, case_id)
            clerk = self.cast.clerks.get(case.department_id or 0) if case else None
            if case is not None and clerk is not None and case.state is CaseState.dispatched:
                await make_move(unit, case_id, Move.sign, clerk, version=case.version)

    async def _answer(self, case_id: int, text: str) -> None:
        async with unit_of_work(self.house.ctx) as unit:
            case = await unit.get(Case, case_id)
            clerk = self.cast.clerks.get(case.department_id or 0) if case else None
            if case is None or clerk is None or case.state is not CaseState.handling:
                return
            with suppress(Refused):  # a second message of the same person may already have been answered
                reply = await replies.save_draft(unit, case_id, clerk, text=text, version=0)
                await _insisting(partial(
                    replies.submit, self.house, unit, reply.id or 0, clerk, version=reply.version
                ))  # fmt: skip
        self.at(clock.now() + timedelta(minutes=self._chance.randint(15, 150)), lambda: self._approve(case_id))

    async def _approve(self, case_id: int) -> None:
        async with unit_of_work(self.house.ctx) as unit:
            case = await unit.get(Case, case_id)
            waits = (col(Reply.case_id) == case_id, col(Reply.state) == ReplyState.reviewing)
            reply = await unit.first(select(Reply).where(*waits))
            head = self.cast.heads.get(case.department_id or 0) if case else None
            if reply is None or head is None:
                return
            await replies.approve(
                self.house, unit, reply.id or 0, head, version=reply.version, content_hash=reply.content_hash
            )
            await unit.flush()
            delivery = await unit.one(select(Delivery).where(Delivery.reply_id == reply.id))
        await engine.send(self.house, delivery.id or 0)

    async def _write(self, plan: Planned, now: datetime) -> None:
        """A post is written, and (unless it lies far ahead) reviewed and sent at its minute."""
        async with unit_of_work(self.house.ctx) as unit:
            accounts = await unit.all(select(Account).where(col(Account.name).in_(plan.accounts)))
            targets = {account.id or 0: "" for account in accounts}
            shown = await self._pictures(unit, plan)
            draft = Draft(plan.title, plan.body, targets, scheduled_at=plan.at, pictures=shown)
            post = await publishing.create(unit, self.cast.press, draft)
            if plan.at < now + timedelta(days=9):
                post = await _insisting(partial(
                    publishing.submit, self.house, unit, self.cast.press, post.id or 0, version=post.version
                ))  # fmt: skip
        number = post.id or 0
        if plan.at < now + timedelta(days=6):
            self.at(clock.now() + timedelta(minutes=20), lambda: self._review(number))
        if plan.at <= now:
            self.at(plan.at, lambda: self._send(plan))

    async def _pictures(self, unit: Unit, plan: Planned) -> tuple[Placed, ...]:
        """Every third post shows one, and every post that a person publishes by hand."""
        by_hand = {given["name"] for given in city.office()["kept_by_hand"]}
        if not by_hand & set(plan.accounts) and zlib.crc32(plan.title.encode()) % 3:
            return ()
        made = await store.cleaned(pictures.drawn(plan.title))
        picture = await store.put(unit, self.cast.press, f"{plan.title}.jpg", made)
        return (Placed(picture.id or 0, pictures.DESCRIPTION),)

    async def _review(self, post_id: int) -> None:
        async with unit_of_work(self.house.ctx) as unit:
            post = await unit.get(Post, post_id)
            if post is not None:
                await publishing.approve(self.house, unit, self.cast.reviewer, post_id, content_hash=post.content_hash)

    async def _by_hand(self, plan: Planned) -> None:
        """Whoever publishes by hand has done it and brought back the link; yesterday's still waits for them."""
        async with unit_of_work(self.house.ctx) as unit:
            mine = await handwork.tasks(self.house, unit, self.cast.press, mine=False)
            for task in mine:
                if plan.at < self._until - timedelta(days=2):
                    link = f"https://www.douyin.com/video/{7_300_000_000_000_000_000 + (task.delivery.id or 0)}"
                    await byhand.finish(self.house, unit, self.cast.press, task.delivery.id or 0, link=link)

    async def _send(self, plan: Planned) -> None:
        await engine.sweep(self.house)
        await self._by_hand(plan)
        # Comments of the following days stand under the newest post.
        for account in plan.accounts:
            for item in self.control.accepted(account):
                if item["kind"] == "post":
                    self._latest_post[account] = str(item["id"])
            self._watched(self._latest_post.get(account, ""), zlib.crc32(f"{plan.title}{account}".encode()))

    def _watched(self, item: str, seed: int) -> None:
        """Citizens like and repost it, most of them on the first day; the hub reads how many."""
        likes = 40 + seed % 900
        for age in sending().figures if item else ():
            reached = likes * (1 - 0.5 ** (age / timedelta(hours=8)))

            async def like(now: float = reached) -> None:
                self.control.figures(item, int(now), int(now * (seed % 7 + 2) / 20))

            async def read() -> None:
                await read_figures(self.house)

            self.at(clock.now() + age - timedelta(minutes=1), like)
            self.at(clock.now() + age + timedelta(minutes=1), read)


def _batches(sayings: Sequence[Saying]) -> list[list[Saying]]:
    """What was written within the same half day comes in together."""
    groups = itertools.groupby(sayings, key=lambda one: (clock.local(one.at).date(), clock.local(one.at).hour // 6))
    return [list(group) for _key, group in groups]


async def _like(unit: Unit, message: Message, likes: int) -> None:
    """Others agreed with it: the sandbox has no likes, the city does."""
    message.likes = likes
    unit.add(message)
    case = await unit.get(Case, message.case_id or 0)
    if case is not None:
        case.likes += likes
        case.heat = heat(case.message_count, case.likes, case.last_message_at)
        unit.add(case)


async def cast(unit: Unit) -> Cast:
    """The people of the city in their parts."""

    async def play(user: User) -> Actor:
        actor = await load_actor(unit, user.id or 0)
        assert actor is not None
        return actor

    async def by_department(role: Role) -> dict[int, Actor]:
        return {user.department_id: await play(user) for user in await staff.with_role(unit, role)}

    async def first(role: Role) -> Actor:
        return await play((await staff.with_role(unit, role))[0])

    return Cast(
        desk=await first(Role.dispatcher),
        press=await first(Role.press_officer),
        reviewer=await first(Role.reviewer1),
        clerks=await by_department(Role.handler),
        heads=await by_department(Role.head),
    )


async def _insisting(hand_in: Callable[..., Awaitable[T]]) -> T:
    """Hand in, and confirm what is asked, as somebody does who read it."""
    try:
        return await hand_in()
    except Unconfirmed as asked:
        return await hand_in(confirm=asked.confirm)

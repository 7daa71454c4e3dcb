"""A small office for page tests: two departments under one root, a person per role in each, one object of every kind
in each. Page writers add the objects their routes need to :func:`_objects` and name them in :data:`PLACES`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from hub import clock, crypto
from hub.db import Context, Unit, make_engine, unit_of_work
from hub.models import (
    Account,
    Arrival,
    ArrivalBytes,
    ArrivalFile,
    ArrivalState,
    Case,
    CaseState,
    Correction,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Department,
    ImportRun,
    LearnRun,
    LearnState,
    LearntModel,
    Letter,
    Matter,
    MatterMessage,
    Message,
    MessageKind,
    ModelDraft,
    ModelTask,
    OfficeWord,
    Pause,
    PauseScope,
    Picture,
    PictureBytes,
    PictureUse,
    PlanHit,
    Post,
    PostEvent,
    PostTarget,
    Reply,
    Role,
    RoutingRule,
    SignIn,
    Stream,
    User,
    UserRole,
    Video,
    VideoUse,
    WatchPlan,
    WordKind,
)
from hub.settings import Settings
from tests.drawing import drawn
from tests.filming import filmed
from workflows.pictures.cleaning import clean
from workflows.videos import store

PASSWORD = "对的密码-2026-right"
SIDES = ("own", "other")


@dataclass(frozen=True)
class Session:
    """A signed-in browser."""

    token: str
    csrf: str
    user_id: int


@dataclass
class World:
    """``sessions[role, side]``; ``departments[side]``; ``places[side]``: ids by the name used in route paths."""

    sessions: dict[tuple[str, str], Session] = field(default_factory=dict)
    departments: dict[str, int] = field(default_factory=dict)
    places: dict[str, dict[str, object]] = field(default_factory=lambda: {"own": {}, "other": {}})
    root_id: int = 0
    account_id: int = 0


async def build(path: Path) -> World:
    """Fill a migrated database."""
    settings = Settings(data=path.parent, db_url=f"sqlite+aiosqlite:///{path}")
    ctx, world = Context(settings, make_engine(settings.database)), World()
    try:
        async with unit_of_work(ctx) as unit:
            await _departments(unit, world)
            await _people(unit, world)
            await _shared(unit, world)
            for side in SIDES:
                await _objects(unit, world, side)
    finally:
        await ctx.close()
    return world


async def _departments(unit: Unit, world: World) -> None:
    root = Department(code="city", name="澄江市人民政府办公室", short_name="市政府办")
    unit.add(root)
    await unit.flush()
    root.path, world.root_id = f"/{root.id}/", root.id or 0
    for side, name in (("own", "住房和城乡建设局"), ("other", "交通运输局")):
        department = Department(code=side, name=f"澄江市{name}", short_name=name, parent_id=root.id)
        unit.add(department)
        await unit.flush()
        department.path = f"{root.path}{department.id}/"
        world.departments[side] = department.id or 0


async def _people(unit: Unit, world: World) -> None:
    """One hash for all: hashing twenty passwords would take longer than the tests."""
    hashed = crypto.hash_password(PASSWORD)
    for side in SIDES:
        for role in Role:
            user = User(
                username=f"{role.value}.{side}", name=f"{role.value}-{side}", password_hash=hashed,
                department_id=world.departments[side],
            )  # fmt: skip
            unit.add(user)
            await unit.flush()
            unit.add(UserRole(user_id=user.id or 0, role=role))
            world.sessions[role.value, side] = _session(unit, user.id or 0)


def _session(unit: Unit, user_id: int) -> Session:
    session = Session(crypto.new_token(), crypto.new_token(), user_id)
    until = clock.now() + timedelta(days=1)
    unit.add(SignIn(user_id=user_id, token_hash=crypto.digest(session.token), csrf=session.csrf, expires_at=until))
    return session


async def _shared(unit: Unit, world: World) -> None:
    account = Account(platform="sandbox", name="澄江发布", external_id="1001", base_url="http://127.0.0.1:9")
    unit.add(account)
    await unit.flush()
    unit.add(Stream(account_id=account.id or 0, name="mentions"))
    world.account_id = account.id or 0


async def _objects(unit: Unit, world: World, side: str) -> None:
    """One object of each kind, belonging to the department of ``side``."""
    places, department = world.places[side], world.departments[side]
    message, arrival = await _message(unit, world, side)
    case = Case(
        number=f"20260105-{'000001' if side == 'own' else '000002'}", state=CaseState.handling, title="路灯不亮",
        account_id=world.account_id, kind=MessageKind.mention, thread_key=f"t-{side}", department_id=department,
        first_message_id=message.id, author_id="c1", author_name="网民甲", dispatched_at=clock.now(),
    )  # fmt: skip
    unit.add(case)
    await unit.flush()
    message.case_id = case.id
    reply = Reply(case_id=case.id or 0, message_id=message.id or 0, text="已派人维修。", author_name="经办")
    author = world.sessions["press_officer", side].user_id
    post = Post(title="周末停水通知", body="停水", department_id=department, author_id=author, author_name="宣传")
    unit.add(reply, post)
    await unit.flush()
    unit.add(PostTarget(post_id=post.id or 0, account_id=world.account_id))
    delivery = Delivery(
        kind=DeliveryKind.post, account_id=world.account_id, post_id=post.id, text="停水", content_hash="h",
        approved_hash="h", state=DeliveryState.unknown, scheduled_at=clock.now(),
    )  # fmt: skip
    places |= await _handwork(unit, post, author)
    run = ImportRun(account_id=world.account_id, file_name="来信.csv", by_id=author)
    kept = {"title": post.title, "body": post.body, "targets": {str(world.account_id): ""}}
    event = PostEvent(post_id=post.id or 0, what="create", by_id=author, by_name="宣传", content_hash="h", data=kept)
    lifted = Pause(
        scope=PauseScope.everything, reason="演练", by_id=author, lifted_at=clock.now(), lifted_by_id=author
    )  # fmt: skip
    word = OfficeWord(kind=WordKind.prohibited, word=f"旧称{side}", other="新称")
    unit.add(delivery, run, event, lifted, word)
    await unit.flush()
    places["word_id"] = word.id
    places |= await _watching(unit, world, side, message)
    places["matter_id"] = await _matter(unit, message)
    asked = ModelDraft(task=ModelTask.reply, case_id=case.id, by_name="经办")
    unit.add(asked)
    await unit.flush()
    places["draft_id"] = asked.id
    places |= await _learning(unit, message, author) | await _letter(unit, message)
    places.update(
        case_id=case.id, number=case.number, message_id=message.id, reply_id=reply.id, post_id=post.id,
        delivery_id=delivery.id, event_id=event.id, pause_id=lifted.id, arrival_id=arrival.id, run_id=run.id,
        account_id=world.account_id, user_id=world.sessions["handler", side].user_id, department_id=department,
    )  # fmt: skip


async def _handwork(unit: Unit, post: Post, author: int) -> dict[str, object]:
    """A picture and a video of the post, and the post waiting for somebody's hand where there is no interface."""
    made = clean(drawn())
    picture = Picture(
        sha256=made.sha256, mime=made.mime, size=len(made.data), width=made.width, height=made.height,
        thumb=made.thumb, by_id=author,
    )  # fmt: skip
    account = Account(platform="manual", name=f"澄江发布（抖音）{post.id}", options={"site": "douyin"})
    unit.add(picture, account)
    await unit.flush()
    unit.add(
        PictureBytes(picture_id=picture.id or 0, data=made.data),
        PictureUse(picture_id=picture.id or 0, post_id=post.id or 0),
    )
    kept = {"id": picture.id, "sha256": made.sha256, "mime": made.mime, "width": made.width, "height": made.height}
    task = Delivery(
        kind=DeliveryKind.post, account_id=account.id or 0, post_id=post.id, text="停水", content_hash="h",
        approved_hash="h", state=DeliveryState.by_hand, scheduled_at=clock.now(), steps=["照步骤做。"],
        attachments=[kept],
    )  # fmt: skip
    unit.add(task)
    await unit.flush()
    return {"picture_id": picture.id, "task_id": task.id, "video_id": await _video(unit, post, author)}


async def _video(unit: Unit, post: Post, author: int) -> int:
    """Its bytes lie beside the database."""
    folder = unit.ctx.settings.data
    sha256, size = store.take_in(unit.ctx.settings, filmed(folder / "film.mp4", seconds=1, sound=""))
    video = Video(
        sha256=sha256, name="汛情.mp4", mime="video/mp4", size=size, seconds=1, width=320, height=240, poster=drawn(),
        by_id=author,
    )  # fmt: skip
    unit.add(video)
    await unit.flush()
    unit.add(VideoUse(video_id=video.id or 0, post_id=post.id or 0))
    return video.id or 0


async def _watching(unit: Unit, world: World, side: str, message: Message) -> dict[str, object]:
    """A monitoring plan with one hit, and a routing rule."""
    plan = WatchPlan(name=f"路灯-{side}", classes={"subject": ["路灯"], "event": ["不亮"]})
    rule = RoutingRule(name=f"路灯归住建-{side}", keywords="路灯", department_id=world.departments[side])
    unit.add(plan, rule)
    await unit.flush()
    hit = PlanHit(plan_id=plan.id or 0, message_id=message.id or 0, at=message.created_at, words=["路灯", "不亮"])
    unit.add(hit)
    return {"plan_id": plan.id, "rule_id": rule.id}


async def _learning(unit: Unit, message: Message, author: int) -> dict[str, object]:
    """A correction by the press officer of this side, and a version that was not taken."""
    said = Correction(message_id=message.id or 0, by_id=author, field="topic", before="交通运输", after="城乡建设")
    run = LearnRun(state=LearnState.done, by_name="系统", notes={"sentiment": "few:1"})
    unit.add(said, run)
    await unit.flush()
    made = LearntModel(task="topic", number=run.id or 0, run_id=run.id or 0, base="-", report={"why": [["few", 1, 20]]})
    unit.add(made)
    await unit.flush()
    return {"correction_id": said.id, "version_id": made.id}


async def _letter(unit: Unit, message: Message) -> dict[str, object]:
    """A file that came with the message, and the open page letters are written on."""
    slug = f"mayor-{message.external_id}"
    letter = Letter(account_id=message.account_id, external_id=message.external_id, ticket=message.external_id)
    page = Account(platform="webform", name=f"网上信箱-{slug}", external_id=slug, options={"slug": slug})
    unit.add(letter, page)
    await unit.flush()
    file = ArrivalFile(arrival_id=message.arrival_id, number=0, name="路灯.png", mime="image/png", bytes=8)
    unit.add(file)
    await unit.flush()
    unit.add(ArrivalBytes(file_id=file.id or 0, data=b"\x89PNG\r\n\x1a\n"))
    return {"file_id": file.id, "slug": slug}


async def _matter(unit: Unit, message: Message) -> int | None:
    """A matter of this one message and two copies that nobody may see any more."""
    at = message.created_at
    matter = Matter(name="路灯不亮", messages=1, copies=2, people=3, first_at=at, last_at=at, counted_at=clock.now(),
                    summary=[{"message_id": message.id, "text": "路灯不亮三天了", "kind": "main"}])  # fmt: skip
    unit.add(matter)
    await unit.flush()
    unit.add(MatterMessage(message_id=message.id or 0, matter_id=matter.id, at=at, placed_at=at, words=["路灯"]))
    return matter.id


async def _message(unit: Unit, world: World, side: str) -> tuple[Message, Arrival]:
    parsed, bad = (
        Arrival(
            account_id=world.account_id, kind=MessageKind.mention, external_id=f"{name}-{side}", via="pull",
            payload="{}", state=state,
        )
        for name, state in (("m", ArrivalState.parsed), ("bad", ArrivalState.quarantined))
    )  # fmt: skip
    unit.add(parsed, bad)
    await unit.flush()
    message = Message(
        account_id=world.account_id, arrival_id=parsed.id or 0, kind=MessageKind.mention, external_id=f"m-{side}",
        author_id="c1", author_name="网民甲", text="路灯不亮三天了", created_at=clock.now(), thread_id=f"t-{side}",
        media=[{"kind": "image", "url": "http://127.0.0.1:9/a.jpg", "description": ""}],
    )  # fmt: skip
    unit.add(message)
    await unit.flush()
    return message, bad


# Path places → values, for the rights matrix. Names not found in a side's ``places`` are taken from here.
PLACES: dict[str, object] = {
    "key": "no-such-key", "session_id": 999_999, "grant_id": 999_999, "token_id": 999_999, "token": "0" * 32,
    "move": "sign", "name": "sentiments", "kind": "csv", "model": "topic", "place": 0,
}  # fmt: skip

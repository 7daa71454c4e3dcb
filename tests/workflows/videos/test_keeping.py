"""Videos coming in piece by piece, kept under their content, seen by few, forgotten in time; full disks are told."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import col, select

from hub import clock
from hub.errors import Invalid, NotAllowed, NotFound, Refused
from hub.models import IncomingState, IncomingVideo, Post, Video
from tests.filming import MB, filmed, kept_video
from tests.insist import insist
from tests.workflows.delivery.office import Office
from workflows.delivery import engine
from workflows.delivery.uploading import upload_videos
from workflows.publishing import service
from workflows.publishing.content import Draft
from workflows.videos import incoming, store
from workflows.videos.incoming import Incoming
from workflows.videos.jobs import sweep_videos

S = IncomingState


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return filmed(tmp_path_factory.mktemp("film") / "phone.mov").read_bytes()


async def body(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def begin(office: Office, size: int, who: str = "press", name: str = "C:\\我的\\汛情.mov") -> Incoming:
    async with office.work() as unit:
        return await incoming.begin(office.house, unit, office[who], name, size)


async def brought(office: Office, film: bytes, who: str = "press") -> Video:
    """A video put in whole by a person."""
    one = await begin(office, len(film), who)
    await incoming.take(office.house, office[who], one.token, 0, body(film))
    done = await incoming.finish(office.house, office[who], one.token)
    async with office.read() as unit:
        return await incoming.video_of(unit, done)


def coming(office: Office) -> list[str]:
    return sorted(path.name for path in (office.ctx.settings.data / "videos" / "coming").glob("*"))


async def test_pieces_make_a_video_and_a_break_costs_nothing_that_came(office: Office, film: bytes) -> None:
    one = await begin(office, len(film))
    assert (one.offset, one.state, one.name) == (0, S.coming, "汛情.mov")

    async def breaking() -> AsyncIterator[bytes]:
        yield film[:3000]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await incoming.take(office.house, office["press"], one.token, 0, breaking())
    async with office.read() as unit:
        assert (await incoming.find(office.house, unit, office["press"], one.token)).offset == 3000
    with pytest.raises(Refused):
        await incoming.finish(office.house, office["press"], one.token)
    with pytest.raises(Refused, match="顺序"):
        await incoming.take(office.house, office["press"], one.token, 3001, body(film[3001:]))
    await incoming.take(office.house, office["press"], one.token, 2000, body(film[2000:]))
    done = await incoming.finish(office.house, office["press"], one.token)
    assert (done.state, done.offset) == (S.done, len(film))
    assert await incoming.finish(office.house, office["press"], one.token) == done
    async with office.read() as unit:
        video = await incoming.video_of(unit, done)
    path = store.path_of(office.ctx.settings, video.sha256)
    assert (store.digest(path), path.stat().st_size) == (video.sha256, video.size)
    assert (video.name, video.mime, video.width, video.codec) == ("汛情.mov", "video/mp4", 320, "H.264")
    assert coming(office) == []
    assert oct(path.parent.stat().st_mode)[-3:] == "700"


async def test_the_same_video_again_is_the_same_row(office: Office, film: bytes) -> None:
    first, second = await brought(office, film), await brought(office, film)
    assert first.id == second.id
    other = await brought(office, film, "both")
    assert (other.id != first.id, other.sha256) == (True, first.sha256)


async def test_a_refusal_stays_in_words_and_leaves_no_file(office: Office) -> None:
    one = await begin(office, 5)
    await incoming.take(office.house, office["press"], one.token, 0, body(b"<html"))
    for _ in range(2):
        refused = await incoming.finish(office.house, office["press"], one.token)
        assert refused.state is S.refused
        assert "MP4" in refused.why
    assert coming(office) == []


@pytest.mark.parametrize("size", [0, -1, 501 * MB])
async def test_sizes_that_cannot_be_are_refused_before_anything_is_sent(office: Office, size: int) -> None:
    with pytest.raises(Invalid):
        await begin(office, size)


async def test_more_than_was_announced_is_refused(office: Office) -> None:
    one = await begin(office, 10)
    with pytest.raises(Refused):
        await incoming.take(office.house, office["press"], one.token, 0, body(b"x" * 11))


async def test_whoever_writes_no_posts_brings_no_videos(office: Office) -> None:
    for who in ("clerk", "review"):
        with pytest.raises(NotAllowed):
            await begin(office, 5, who)


async def test_an_upload_is_its_persons_own(office: Office) -> None:
    one = await begin(office, 5)
    with pytest.raises(NotFound):
        await incoming.take(office.house, office["both"], one.token, 0, body(b"x"))
    for token in (one.token[:-1], "../../etc/passwd", ""):
        with pytest.raises(NotFound):
            await incoming.finish(office.house, office["press"], token)


async def test_what_one_person_leaves_lying_about_is_bounded(office: Office) -> None:
    tokens = [(await begin(office, 5)).token for _ in range(5)]
    assert coming(office) == sorted(tokens[-3:])


async def test_cancelling_leaves_nothing(office: Office) -> None:
    one = await begin(office, 5)
    for _ in range(2):
        async with office.work() as unit:
            await incoming.cancel(office.house, unit, office["press"], one.token)
    assert coming(office) == []
    with pytest.raises(NotFound):
        await incoming.take(office.house, office["press"], one.token, 0, body(b"x"))


async def test_a_full_disk_is_told_before_and_while_it_happens(
    office: Office, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await begin(office, len(film))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(incoming, "_put", full)
        with pytest.raises(Invalid, match="磁盘空间不够"):
            await incoming.take(office.house, office["press"], one.token, 0, body(film))
    await incoming.take(office.house, office["press"], one.token, 0, body(film))
    with monkeypatch.context() as patch:
        patch.setattr(store, "take_in", full)
        refused = await incoming.finish(office.house, office["press"], one.token)
    assert "磁盘空间不够" in refused.why
    assert coming(office) == []
    with monkeypatch.context() as patch:
        patch.setattr(store, "LEAST_FREE", 10**18)
        with pytest.raises(Invalid, match="磁盘空间不够"):
            await begin(office, 5)


async def test_a_check_whose_process_died_is_taken_up_again(office: Office, film: bytes) -> None:
    one = await begin(office, len(film))
    await incoming.take(office.house, office["press"], one.token, 0, body(film))
    async with office.work() as unit:
        mine = col(IncomingVideo.token) == one.token
        await unit.claim(IncomingVideo, mine, state=S.checking, lease_until=clock.now() + timedelta(seconds=60))
    assert (await incoming.finish(office.house, office["press"], one.token)).state is S.checking
    async with office.work() as unit:
        await unit.claim(IncomingVideo, mine, lease_until=clock.now() - timedelta(seconds=1))
    assert (await incoming.finish(office.house, office["press"], one.token)).state is S.done


# Who sees it ----------------------------------------------------------------------------------------------------------


async def sees(office: Office, who: str, number: int) -> bool:
    async with office.read() as unit:
        try:
            await store.find(unit, office[who], number)
        except NotFound:
            return False
    return True


async def test_it_is_seen_by_who_sees_the_post(office: Office, film: bytes) -> None:
    video = await brought(office, film)
    number = video.id or 0
    seen = ["press", "review", "chief", "both", "clerk"]
    assert [await sees(office, who, number) for who in seen] == [True, False, False, False, False]
    await office.draft(video=store.placed(video))
    assert [await sees(office, who, number) for who in seen] == [True, True, True, True, False]


async def test_a_video_of_somebody_else_cannot_be_put_into_a_post(office: Office, film: bytes) -> None:
    video = await brought(office, film, "both")
    with pytest.raises(Invalid):
        await office.draft(video=store.placed(video))


# Forgetting -----------------------------------------------------------------------------------------------------------


def aged(path: Path, days: float) -> None:
    at = path.stat().st_mtime - days * 86400
    os.utime(path, (at, at))


async def test_what_nobody_uses_is_forgotten_and_a_shared_file_stays(office: Office, film: bytes) -> None:
    mine, theirs = await brought(office, film), await brought(office, film, "both")
    await office.draft(video=store.placed(mine))
    path = store.path_of(office.ctx.settings, mine.sha256)
    aged(path, 3)
    with clock.frozen(clock.now() + timedelta(days=3)):
        assert await sweep_videos(office.house) == 3, "two uploads that ended, one video"
        assert await sweep_videos(office.house) == 0
    assert path.exists()
    async with office.read() as unit:
        assert [row.id for row in await unit.all(select(Video))] == [mine.id]
    assert theirs.id


async def test_bytes_go_when_the_post_has_long_been_out_and_what_is_known_stays(office: Office) -> None:
    video = await kept_video(office.ctx, office["press"])
    (number,) = await office.approved(video=video)
    path = store.path_of(office.ctx.settings, video.sha256)
    await upload_videos(office.house)
    await engine.sweep(office.house)
    assert await office.states([number]) == ["sent"]
    aged(path, 1)
    with clock.frozen(clock.now() + timedelta(days=89)):
        await sweep_videos(office.house)
        assert path.exists()
    with clock.frozen(clock.now() + timedelta(days=91)):
        await sweep_videos(office.house)
        assert not path.exists()
        async with office.read() as unit:
            row = await store.find(unit, office["review"], video.id)
            assert row.dropped_at is not None
            with pytest.raises(NotFound):
                store.file_of(office.ctx.settings, row)
            with pytest.raises(Invalid, match="清理"):
                await store.resolve(unit, office["press"], video)
    again = await kept_video(office.ctx, office["press"])
    assert (again.id, path.exists()) == (video.id, True)


async def test_what_is_still_to_go_out_is_never_dropped(office: Office) -> None:
    video = await kept_video(office.ctx, office["press"])
    post = await office.submitted(video=video)
    path = store.path_of(office.ctx.settings, video.sha256)
    aged(path, 400)
    with clock.frozen(clock.now() + timedelta(days=400)):
        await sweep_videos(office.house)
    assert path.exists()
    async with office.work() as unit:
        handing = partial(service.withdraw, unit, office["press"], post.id or 0, version=post.version, reason="不发")
        await insist(handing)
    with clock.frozen(clock.now() + timedelta(days=400)):
        await sweep_videos(office.house)
    assert not path.exists()


async def test_what_came_no_further_is_swept(office: Office) -> None:
    one = await begin(office, 5)
    stray = office.ctx.settings.data / "videos" / "coming" / "stray"
    stray.write_bytes(b"x")
    await sweep_videos(office.house)
    assert coming(office) == sorted([one.token, "stray"])
    for name in coming(office):
        aged(stray.with_name(name), 2)
    with clock.frozen(clock.now() + timedelta(days=2)):
        assert await sweep_videos(office.house) == 1
    assert coming(office) == []


async def test_a_copied_post_shares_the_video(office: Office, film: bytes) -> None:
    video = store.placed(await brought(office, film), "说明")
    first = await office.draft(video=video)
    async with office.work() as unit:
        draft = Draft("副本", "正文", {office.accounts[0]: ""}, video=video)
        second: Post = await service.create(unit, office["both"], draft)
    assert first.video == second.video

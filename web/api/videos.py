"""Videos: put in piece by piece, looked into, then named by a post."""

from __future__ import annotations

from pydantic import Field

from hub.errors import Invalid
from hub.i18n import N_
from hub.models import IncomingState
from hub.rights import May
from web.api.operation import Call, operation
from web.api.schema import Answer, Body, Query
from workflows.videos import incoming, store
from workflows.videos.incoming import Incoming

READS = (May.read_posts, May.write_post)


class VideoOne(Answer):
    """A video of posts."""

    id: int
    name: str
    sha256: str
    mime: str
    size: int = Field(description=N_("字节数。"))
    seconds: float
    width: int
    height: int


class IncomingOne(Answer):
    """A file on its way in."""

    token: str
    state: IncomingState = Field(description=N_("coming 上传中，checking 检查中，done 完成，refused 不能用。"))
    name: str
    size: int = Field(description=N_("字节数。"))
    offset: int = Field(description=N_("已收到的字节数，下一段从这里开始。"))
    piece: int = Field(description=N_("一段最多的字节数。"))
    video_id: int | None = Field(description=N_("完成以后的视频编号，写进稿件的 video.id。"))


class IncomingBody(Body):
    """A file that is to come."""

    name: str = Field(default="", max_length=200, description=N_("文件名。"))
    size: int = Field(ge=1, le=2**43, description=N_("整个文件的字节数。"))


class PieceQuery(Query):
    """Where a piece belongs."""

    offset: int = Field(ge=0, le=2**43, description=N_("这一段从第几个字节开始，即上次回答的 offset。"))


@operation("GET", "/videos/{video_id:int}", N_("一个视频"), scope="posts:read", needs=READS)
async def get_video(call: Call[None, None]) -> VideoOne:
    """One video of a post the person may see."""
    return VideoOne.model_validate(await store.find(call.unit, call.actor, call.places["video_id"]))


@operation("POST", "/videos/coming", N_("开始上传视频"), scope="posts:write", needs=May.write_post, status=201)
async def begin_video(call: Call[None, IncomingBody]) -> IncomingOne:
    """A place for a video of so many bytes; answers how large a piece may be."""
    one = await incoming.begin(call.house, call.unit, call.actor, call.body.name, call.body.size)
    return IncomingOne.model_validate(one)


@operation("GET", "/videos/coming/{token}", N_("视频传到哪里了"), scope="posts:read", needs=May.write_post)
async def get_coming_video(call: Call[None, None]) -> IncomingOne:
    """How far it is; after a break, where the next piece begins."""
    return IncomingOne.model_validate(await incoming.find(call.house, call.unit, call.actor, call.places["token"]))


@operation(
    "PUT", "/videos/coming/{token}", N_("上传视频的一段"), scope="posts:write", needs=May.write_post, alone=True,
    raw=True,
)  # fmt: skip
async def put_video_piece(call: Call[PieceQuery, None]) -> IncomingOne:
    """One piece as the body; the same again does no harm."""
    assert call.stream is not None
    one = await incoming.take(call.house, call.actor, call.places["token"], call.query.offset, call.stream)
    return IncomingOne.model_validate(one)


@operation(
    "POST", "/videos/coming/{token}/done", N_("视频传完了，检查后收下；检查中的再问一次"), scope="posts:write",
    needs=May.write_post, alone=True,
)  # fmt: skip
async def finish_video(call: Call[None, None]) -> IncomingOne:
    """All of it came: looked into and kept, or refused in words; ask again while it is looked into."""
    one: Incoming = await incoming.finish(call.house, call.actor, call.places["token"])
    if one.state is IncomingState.refused:
        raise Invalid({"video": one.why})
    return IncomingOne.model_validate(one)


OPERATIONS = (get_video, begin_video, get_coming_video, put_video_piece, finish_video)

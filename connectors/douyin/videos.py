"""Videos on Douyin: brought there whole or in pieces; how they are published stands with the picture posts.

After developer.open-douyin.com › 内容能力 › 创建视频 (scope video.create.bind), of which the limits could be read at
open.douyin.com/platform/resource/docs/openapi/video-management/douyin/create/upload and the calls in clients of others:
POST ``/api/douyin/v1/video/upload_video/`` (field ``video``; up to 50 MB better so, above 128 MB not at all) → video
{video_id}; in pieces ``…/init_video_part_upload/`` → upload_id, ``…/upload_video_part/`` (upload_id, part_number from
1, field ``video``; a piece is 5 MB at least, 20 MB is advised), ``…/complete_video_part_upload/`` (upload_id) → video;
then ``…/create_video/`` {video_id, text, custom_cover_image_url: the image_id of a picture uploaded before} → item_id,
video_id. A video of at most 4 GB and 15 minutes; its review is the same as in the app.

How long an upload_id or a video_id lives is not written anywhere that was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.base import (
    AccountRef,
    Attachment,
    ConnectorError,
    Outgoing,
    PostForm,
    Uploaded,
    Uploading,
    Video,
    VideoRules,
)
from connectors.douyin.schemas import text_of
from connectors.douyin.wire import Wire, incomplete
from connectors.pictures import harmless, in_time
from connectors.text import exact
from connectors.uploading import DONE, KEPT, gone, of_later_step, pieces_of
from connectors.videos import PIECE_SECONDS, Multipart, Piece, piece, whole
from connectors.videos import count as pieces_in

WHOLE, INIT = "/api/douyin/v1/video/upload_video/", "/api/douyin/v1/video/init_video_part_upload/"
PART, JOIN = "/api/douyin/v1/video/upload_video_part/", "/api/douyin/v1/video/complete_video_part_upload/"
CREATE, IMAGE = "/api/douyin/v1/video/create_video/", "/api/douyin/v1/video/upload_image/"
ID, UPLOAD = "video_id", "upload_id"
# What the platform answers for a video it does not know (any more), as clients of others have met it.
NO_VIDEO = 2_190_007
MOST = 10 * 1024 * 1024
LENGTH = 1000
FORM = PostForm(
    "video", "视频", LENGTH, "由系统发布；抖音审核通过前只有自己看得到。放一张图片就作封面。", pictures=1,
    picture_types=("image/jpeg", "image/png"), picture_bytes=10 * 1024 * 1024,
    video=VideoRules(types=("video/mp4", "video/webm"), most_bytes=4 * 1024**3, most_seconds=15 * 60, is_needed=True),
)  # fmt: skip


def piece_of(video: Video) -> int:
    """How long its pieces are: all alike and below 10 MB, so that the last one is not below 5 MB either."""
    return -(-video.size // pieces_in(video, MOST))


async def upload(wire: Wire, account: AccountRef, video: Video, state: Mapping[str, str]) -> Uploading | Uploaded:
    """The next step: the file, or an upload's id, a piece, the joining of the pieces."""
    if video.size <= MOST:
        return _there(wire, await wire.film(account, WHOLE, _body(video, whole(video))))
    upload_id, done = state.get(UPLOAD, ""), pieces_of(state)
    if not upload_id:
        told = text_of((await wire.post(account, INIT, {}, write=False)).get("upload_id"))
        if not exact(told):
            raise incomplete("upload_id")
        return Uploading({UPLOAD: told})
    try:
        if done >= pieces_in(video, MOST):
            joined = await wire.post(account, JOIN, {}, write=False, seconds=PIECE_SECONDS, upload_id=upload_id)
            return _there(wire, joined)
        part = piece(video, done, piece_of(video))
        await wire.film(account, PART, _body(video, part), upload_id=upload_id, part_number=str(done + 1))
    except ConnectorError as error:
        raise (of_later_step(error) if done else error) from None
    return Uploading({UPLOAD: upload_id, DONE: str(done + 1)}, part.offset + part.length)


def _body(video: Video, part: Piece) -> Multipart:
    """A piece as the field the platform takes it in, under a name of ours."""
    return Multipart("video", part, "video.webm" if video.mime == "video/webm" else "video.mp4", video.mime)


def _there(wire: Wire, data: Mapping[str, Any]) -> Uploaded:
    told = data.get("video")
    video = text_of(told.get("video_id")) if isinstance(told, Mapping) else ""
    if not exact(video):
        raise incomplete("video_id")
    return Uploaded({ID: video}, wire.now + KEPT)


async def create(wire: Wire, account: AccountRef, out: Outgoing) -> Mapping[str, Any]:
    """Publish the video that was brought there; what the platform says of the new work."""
    video = out.uploaded.get(ID, "")
    if not video:
        raise gone("no video_id")
    covers = await in_time(cover(wire, account, one) for one in out.attachments[:1])
    body = {"video_id": video, "text": out.text} | ({"custom_cover_image_url": covers[0]} if covers else {})
    try:
        return await wire.post(account, CREATE, body)
    except ConnectorError as error:
        if is_no_video(error):
            raise gone(error.code) from None
        raise


def is_no_video(error: ConnectorError) -> bool:
    """Whether the platform does not know (any more) what was brought."""
    return error.code.split(" ")[0] == str(NO_VIDEO)


async def cover(wire: Wire, account: AccountRef, picture: Attachment) -> str:
    """A picture brought there; its id. Nobody sees it before a work shows it."""
    try:
        data = await wire.upload(account, IMAGE, picture)
    except ConnectorError as error:
        raise harmless(error) from None
    image = data.get("image")
    found = text_of(image.get("image_id")) if isinstance(image, dict) else ""
    if not found:
        raise incomplete("image_id")
    return found

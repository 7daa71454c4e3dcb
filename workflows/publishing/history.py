"""The history of a post, and the facts the rules read from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlmodel import col, func, select

from hub.db import Unit
from hub.errors import NotFound
from hub.feed import tell
from hub.i18n import _
from hub.models import Delivery, Post, PostEvent, PostTarget
from hub.queries import visible
from hub.rights import Actor
from workflows.delivery.states import LEFT
from workflows.publishing.content import snapshot
from workflows.publishing.states import PostFacts

WRITING = ("create", "save")
# A signature counts only if none of these came after it.
UNSIGNING = ("submit", "send_back", "back_to_review", "withdraw")


async def find(unit: Unit, actor: Actor, post_id: int) -> Post:
    """The post, if the person may see it."""
    post = await unit.first(select(Post).where(Post.id == post_id, visible.posts(actor)))
    if post is None:
        raise NotFound(_("没有这篇稿件，或您无权查看"))
    return post


async def targets_of(unit: Unit, post: Post) -> Sequence[PostTarget]:
    """Its accounts, in a stable order."""
    return await unit.all(select(PostTarget).where(PostTarget.post_id == post.id).order_by(col(PostTarget.account_id)))


async def facts_of(unit: Unit, post: Post) -> PostFacts:
    """What the rules look at, read from the history and the deliveries."""
    await unit.flush()
    events = await unit.rows(
        select(PostEvent.what, PostEvent.by_id, PostEvent.content_hash)
        .where(PostEvent.post_id == post.id, col(PostEvent.what).in_((*WRITING, *UNSIGNING, "sign")))
        .order_by(col(PostEvent.id))
    )
    writers = {post.author_id}
    signers: list[int] = []
    for what, by_id, content_hash in events:
        if what in WRITING and by_id is not None:
            writers.add(by_id)
        if what in UNSIGNING:
            signers.clear()
        if what == "sign" and content_hash == post.content_hash:
            signers.append(by_id)
    left = await unit.one(select(func.count()).where(Delivery.post_id == post.id, col(Delivery.state).in_(LEFT)))
    return PostFacts(post.state, post.content_hash, frozenset(writers), tuple(signers), left)


async def note(
    unit: Unit,
    post: Post,
    what: str,
    actor: Actor,
    *,
    reason: str = "",
    with_content: bool = False,
    data: Mapping[str, object] | None = None,
) -> None:
    """Write one history row and tell open pages, in the caller's transaction."""
    content = snapshot(post, await targets_of(unit, post)) if with_content else {}
    unit.add(
        PostEvent(
            post_id=post.id or 0,
            what=what,
            by_id=actor.user_id,
            by_name=actor.name,
            note=reason,
            content_hash=post.content_hash,
            data=content | dict(data or {}),
        )
    )
    tell(unit, "posts", post.id, post.department_id)

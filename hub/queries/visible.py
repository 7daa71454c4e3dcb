"""One function per table decides what a person may see; list, search, counts, export and streams all go through it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, exists, false, or_, true
from sqlmodel import col, select

from hub.models import (
    Case,
    Delivery,
    Department,
    Matter,
    MatterMessage,
    Message,
    OfficeWord,
    Picture,
    PictureUse,
    PlanHit,
    Post,
    Video,
    VideoUse,
)
from hub.rights import Actor, May


def cases(actor: Actor) -> ColumnElement[bool]:
    """All cases, those of the actor's subtree, or those of the actor's own department."""
    if actor.can(May.read_all_cases):
        return true()
    if actor.can(May.read_tree_cases) and actor.path:
        below = select(Department.id).where(col(Department.path).startswith(actor.path, autoescape=True))
        return col(Case.department_id).in_(below)
    if actor.can(May.read_department_cases) and actor.department_id is not None:
        return col(Case.department_id) == actor.department_id
    return false()


def messages(actor: Actor) -> ColumnElement[bool]:
    """All messages, or those in cases the actor may see and in cases merged into these, whose page shows them."""
    if actor.can(May.read_messages):
        return true()
    return exists().where(col(Case.id) == col(Message.case_id), _with_merged(actor))


def _with_merged(actor: Actor) -> ColumnElement[bool]:
    """The cases the actor may see, and those merged into them."""
    seen = select(Case.id).where(cases(actor)).correlate(None)
    return or_(cases(actor), col(Case.merged_into_id).in_(seen))


def matters(actor: Actor) -> ColumnElement[bool]:
    """All matters for those who read all messages or cases; else those with a message the actor may see."""
    if actor.can(May.read_messages) or actor.can(May.read_all_cases):
        return true()
    member = select(col(MatterMessage.message_id)).join(Message, col(Message.id) == col(MatterMessage.message_id))
    return member.where(col(MatterMessage.matter_id) == col(Matter.id), messages(actor)).correlate(Matter).exists()


def hits(actor: Actor) -> ColumnElement[bool]:
    """All hits of monitoring plans, or those on messages the actor may see by their cases; none without opinion."""
    if not actor.can(May.read_opinion):
        return false()
    if actor.can(May.read_messages):
        return true()
    mine = select(col(Message.id)).join(Case, col(Case.id) == col(Message.case_id)).where(_with_merged(actor))
    return col(PlanHit.message_id).in_(mine.correlate(None))


def dispatches(actor: Actor) -> ColumnElement[bool]:
    """All records of dispatches, which hold counts and names of departments, for those who set rules; nobody else."""
    return true() if actor.can(May.set_rules) else false()


def posts(actor: Actor) -> ColumnElement[bool]:
    """All posts for those who work on the calendar; what is the person's own in any case."""
    conditions: list[Any] = [col(Post.author_id) == actor.user_id] if actor.user_id is not None else []
    if actor.can(May.read_posts):
        return true()
    return or_(*conditions) if conditions and actor.can(May.write_post) else false()


def pictures(actor: Actor) -> ColumnElement[bool]:
    """What the person put in, and the pictures of every post and work by hand the person may see."""
    shown = select(PictureUse.picture_id).join(Post, col(Post.id) == col(PictureUse.post_id)).where(posts(actor))
    if actor.user_id is None:
        return col(Picture.id).in_(shown)
    handed = (
        select(PictureUse.picture_id)
        .join(Delivery, col(Delivery.post_id) == col(PictureUse.post_id))
        .where(Delivery.assignee_id == actor.user_id)
    )
    return or_(col(Picture.by_id) == actor.user_id, col(Picture.id).in_(shown), col(Picture.id).in_(handed))


def videos(actor: Actor) -> ColumnElement[bool]:
    """As :func:`pictures`."""
    shown = select(VideoUse.video_id).join(Post, col(Post.id) == col(VideoUse.post_id)).where(posts(actor))
    if actor.user_id is None:
        return col(Video.id).in_(shown)
    handed = (
        select(VideoUse.video_id)
        .join(Delivery, col(Delivery.post_id) == col(VideoUse.post_id))
        .where(Delivery.assignee_id == actor.user_id)
    )
    return or_(col(Video.by_id) == actor.user_id, col(Video.id).in_(shown), col(Video.id).in_(handed))


def words(actor: Actor) -> ColumnElement[bool]:
    """All entries of the word lists for those who keep them; for those who keep a subtree's, what holds there: the
    whole office's, those of the departments above, and those of the subtree."""
    if actor.can(May.manage_words):
        return true()
    if not actor.can(May.manage_tree_words) or not actor.path:
        return false()
    below = select(Department.id).where(col(Department.path).startswith(actor.path, autoescape=True))
    above = [int(part) for part in actor.path.split("/") if part]
    scope = col(OfficeWord.department_id)
    return or_(scope.is_(None), scope.in_(above), scope.in_(below))

"""Who may see a delivery: whoever may see the post or the case it belongs to, and who is to do it by hand."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select

from hub.models import Case, Delivery, DeliveryKind, Post
from hub.queries import visible
from hub.rights import Actor


def may_see(actor: Actor) -> ColumnElement[bool]:
    """SQL condition on :class:`Delivery`."""
    posts = col(Delivery.post_id).in_(select(Post.id).where(visible.posts(actor)))
    cases = col(Delivery.case_id).in_(select(Case.id).where(visible.cases(actor)))
    return or_(
        and_(col(Delivery.kind) == DeliveryKind.post, posts),
        and_(col(Delivery.kind) != DeliveryKind.post, cases),
        *([col(Delivery.assignee_id) == actor.user_id] if actor.user_id is not None else []),
    )

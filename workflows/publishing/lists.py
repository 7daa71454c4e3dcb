"""Lists of posts: mine, those that wait for a signature, all; newest first, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, false, true
from sqlalchemy import select as columns
from sqlmodel import col, func, select

from hub.db import Unit
from hub.models import Post, PostState, PostTarget
from hub.queries import visible
from hub.rights import Actor, May
from workflows.publishing.calendar import Item, read

PAGE = 40
# What a person looks at when counting what waits: nobody needs to know more.
MOST_COUNTED = 100


class View(StrEnum):
    """mine: written by the person; review: waits for a signature the person may give; all: everything visible."""

    mine = "mine"
    review = "review"
    all = "all"


@dataclass(frozen=True, slots=True)
class Page:
    """One page. ``older``: the id to ask for the next one with (None: this is the end)."""

    items: list[Item]
    older: int | None


async def page(
    unit: Unit,
    actor: Actor,
    view: View,
    *,
    state: PostState | None = None,
    account_id: int | None = None,
    words: str = "",
    before: int | None = None,
    limit: int = PAGE,
) -> Page:
    """Posts with an id below ``before``, newest first. ``words``: must all stand in title or text."""
    conditions = [condition(view, actor)]
    if state is not None:
        conditions.append(col(Post.state) == state)
    if account_id is not None:
        conditions.append(col(Post.id).in_(select(PostTarget.post_id).where(PostTarget.account_id == account_id)))
    for word in words.split()[:5]:
        conditions.append(
            col(Post.title).contains(word, autoescape=True) | col(Post.body).contains(word, autoescape=True)
        )
    if before is not None:
        conditions.append(col(Post.id) < before)
    found = await read(unit, actor, conditions, limit + 1, newest=True)
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


def condition(view: View, actor: Actor) -> ColumnElement[bool]:
    """SQL condition of a view; nothing waits for the signature of somebody who may not sign."""
    own = col(Post.author_id) == actor.user_id
    if view is View.mine:
        return own
    if view is View.review:
        return (col(Post.state) == PostState.review) & ~own if actor.can(May.review_post) else false()
    return true()


def returned(actor: Actor) -> ColumnElement[bool]:
    """SQL condition: the person's own, sent back to be changed."""
    return (col(Post.author_id) == actor.user_id) & (col(Post.state) == PostState.returned)


def waiting(actor: Actor) -> Any:
    """What waits for this person, as a select of ids: posts to sign, and own ones that were sent back."""
    return select(Post.id).where(visible.posts(actor), returned(actor) | condition(View.review, actor))


async def counts(unit: Unit, actor: Actor) -> dict[View, int]:
    """How many wait for a signature of this person, and how many own ones were sent back; counted to 100."""
    wanted = {View.review: condition(View.review, actor), View.mine: returned(actor)}
    chosen = [
        select(Post.id).where(visible.posts(actor), one).limit(MOST_COUNTED).subquery() for one in wanted.values()
    ]
    numbers = [columns(func.count()).select_from(one).scalar_subquery() for one in chosen]
    (row,) = await unit.rows(columns(*numbers))
    return dict(zip(wanted, map(int, row), strict=True))

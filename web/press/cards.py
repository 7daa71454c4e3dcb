"""A post as its readers will see it on each account, with its length and whatever keeps it from going out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from hub.db import Unit
from workflows.house import House
from workflows.publishing import checks, choices
from workflows.publishing.choices import Choice
from workflows.publishing.content import Draft

# What platforms set off from the text: addresses, #topics# (Weibo) and #topics (elsewhere), @names.
_MARKS = re.compile(r"https?://[!-~]+|#[^#\s]{1,60}#|#\w{1,60}|@[\w.@-]{1,60}")


@dataclass(frozen=True, slots=True)
class Card:
    """One account's view. ``own``: it has a text of its own; ``units`` of ``limit``, as its platform counts."""

    choice: Choice
    text: Markup
    own: bool
    units: int
    limit: int

    @property
    def over(self) -> int:
        """Units too many; 0 when it fits."""
        return max(0, self.units - self.limit)


@dataclass(frozen=True, slots=True)
class Checked:
    """Everything to know before submitting. ``seen`` names exactly these warnings: a tick counts for them alone."""

    cards: Sequence[Card] = ()
    problems: Sequence[str] = ()
    warnings: Sequence[str] = ()
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def seen(self) -> str:
        """Changes with the warnings."""
        return hashlib.sha256("\n".join(self.warnings).encode()).hexdigest()[:16] if self.warnings else ""


async def check(
    house: House, unit: Unit, draft: Draft, post_id: int | None = None, *, ignore_time: bool = False
) -> Checked:
    """Cards, problems and warnings of a draft, saved or not."""
    offered = await choices.accounts(house, unit)
    return Checked(
        cards=[_card(house, choice, draft) for choice in offered if choice.id in draft.targets],
        problems=await checks.draft_problems(house, unit, draft, ignore_time=ignore_time),
        warnings=await checks.draft_warnings(unit, draft, post_id),
    )


def _card(house: House, choice: Choice, draft: Draft) -> Card:
    text = draft.text_on(choice.id)
    units = house.platforms[choice.platform].measure(text)
    return Card(choice, marked(text), bool(draft.targets.get(choice.id)), units, choice.limit)


def marked(text: str) -> Markup:
    """The text with links, topics and names set off; everything escaped, nothing made clickable."""
    parts, at = [], 0
    for found in _MARKS.finditer(text):
        parts += [escape(text[at : found.start()]), Markup('<span class="pcard-mark">{}</span>').format(found[0])]
        at = found.end()
    return Markup("").join([*parts, escape(text[at:])])

"""A post as its readers will see it on each account, with its length and whatever keeps it from going out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from hub.db import Unit
from hub.i18n import _
from hub.models import Post
from web.proof import Proof, proof
from workflows.checking.gate import Told, red_lines
from workflows.house import House
from workflows.publishing import checks, choices
from workflows.publishing.choices import Choice
from workflows.publishing.content import Draft, content_hash

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
    """Everything to know before submitting. ``proofs``: what the check found per text; ``blocking``: its red lines
    that nobody let pass, ``passed``: those somebody did. ``seen`` names exactly these warnings and errors: a tick
    counts for them alone."""

    cards: Sequence[Card] = ()
    problems: Sequence[str] = ()
    warnings: Sequence[str] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    proofs: Sequence[Proof] = ()
    blocking: Sequence[Told] = ()
    passed: Sequence[Told] = ()

    @property
    def errors(self) -> list[Told]:
        """What wants a tick before it is handed in."""
        told = [line.told for proof in self.proofs for line in proof.lines]
        return [one for one in told if not one.is_red and not one.is_hint]

    @property
    def found(self) -> bool:
        """Whether the check found anything at all."""
        return any(proof.lines for proof in self.proofs)

    @property
    def seen(self) -> str:
        """Changes with the warnings and errors; empty: nothing to tick."""
        lines = [*self.warnings, *(told.key for told in self.errors)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] if lines else ""


async def check(
    house: House, unit: Unit, draft: Draft, post_id: int | None = None, *, ignore_time: bool = False
) -> Checked:
    """Cards, problems and warnings of a draft, saved or not."""
    offered = await choices.accounts(house, unit)
    found = await checks.findings_of(unit, draft)
    red = red_lines(told for one in found for told in one.findings)
    post = await unit.get(Post, post_id) if post_id and red else None
    stored = post is not None and post.content_hash == content_hash(draft)
    blocking = await checks.red_lines_of(unit, post, found) if post and stored else red
    return Checked(
        cards=[_card(house, choice, draft) for choice in offered if choice.id in draft.targets],
        problems=await checks.draft_problems(house, unit, draft, ignore_time=ignore_time),
        warnings=await checks.draft_warnings(unit, draft, post_id),
        proofs=_proofs(found, {choice.id: choice.name for choice in offered}),
        blocking=blocking,
        passed=[told for told in red if told not in blocking],
    )


def _proofs(found: Sequence[checks.Checked], names: Mapping[int, str]) -> list[Proof]:
    """One per text; named by its account where there are several."""
    several = len(found) > 1
    return [
        proof(one.field, _text_name(one.account_id, names) if several else "", one.text, one.findings) for one in found
    ]


def _text_name(account_id: int, names: Mapping[int, str]) -> str:
    return _("「%(name)s」的正文", name=names.get(account_id, "")) if account_id else _("通用正文")


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

"""A post as its readers will see it on each account, with its length and whatever keeps it from going out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from markupsafe import Markup, escape

from hub.db import Unit
from hub.i18n import _, ngettext
from hub.models import Post
from web.proof import Proof, proof
from workflows.checking.confirming import fingerprint
from workflows.checking.gate import Told, red_lines
from workflows.house import House
from workflows.pictures.fitting import fit_for, plan
from workflows.pictures.placed import Placed
from workflows.publishing import checks, choices
from workflows.publishing.choices import Choice
from workflows.publishing.content import Draft, cleaned, content_hash
from workflows.publishing.forms import PostForm, form_hints, settled, without_description
from workflows.videos.placed import PlacedVideo

# What platforms set off from the text: addresses, #topics# (Weibo) and #topics (elsewhere), @names.
_MARKS = re.compile(r"https?://[!-~]+|#[^#\s]{1,60}#|#\w{1,60}|@[\w.@-]{1,60}")


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture as it goes out: its address, the words for those who do not see it, and whether it is the cover."""

    src: str
    description: str
    is_cover: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """One account's view. ``own``: it has a text of its own; ``units`` of ``limit``, as its platform counts.

    ``form``: what it is there, where there is a choice; ``title`` and ``shown`` (pictures) as they go out; ``hints``:
    what is done to the pictures; ``video``: what plays there, ``cover``: the address of the picture that is its cover.
    """

    choice: Choice
    text: Markup
    own: bool
    units: int
    limit: int
    form: str = ""
    title: str = ""
    shown: Sequence[Shown] = ()
    hints: Sequence[str] = ()
    video: PlacedVideo | None = None
    cover: str = ""

    @property
    def over(self) -> int:
        """Units too many; 0 when it fits."""
        return max(0, self.units - self.limit)


@dataclass(frozen=True, slots=True)
class Checked:
    """Everything to know before submitting. ``proofs``: what the check found per text; ``blocking``: its red lines
    that nobody let pass, ``passed``: those somebody did; ``notes``: worth knowing, nothing to tick. ``seen`` names
    exactly these warnings and errors: a tick counts for them alone."""

    cards: Sequence[Card] = ()
    problems: Sequence[str] = ()
    warnings: Sequence[str] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    proofs: Sequence[Proof] = ()
    blocking: Sequence[Told] = ()
    passed: Sequence[Told] = ()
    notes: Sequence[str] = ()

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
        return fingerprint([*self.warnings, *(told.key for told in self.errors)])


async def check(
    house: House, unit: Unit, draft: Draft, post_id: int | None = None, *, ignore_time: bool = False,
    department_id: int | None = None,
) -> Checked:  # fmt: skip
    """Cards, problems and warnings of a draft, saved or not. ``department_id``: whose word lists a new one goes by."""
    offered = await choices.accounts(house, unit)
    draft = settled({choice.id: choice.forms for choice in offered}, cleaned(draft))
    post = await unit.get(Post, post_id) if post_id else None
    found = await checks.findings_of(unit, draft, post.department_id if post else department_id)
    red = red_lines(told for one in found for told in one.findings)
    stored = post is not None and post.content_hash == content_hash(draft)
    blocking = await checks.red_lines_of(unit, post, found) if post and red and stored else red
    return Checked(
        cards=[_card(house, choice, draft) for choice in offered if choice.id in draft.targets],
        problems=await checks.draft_problems(house, unit, draft, ignore_time=ignore_time),
        warnings=await checks.draft_warnings(unit, draft, post_id),
        proofs=_proofs(found, {choice.id: choice.name for choice in offered}),
        blocking=blocking,
        passed=[told for told in red if told not in blocking],
        notes=_notes(draft),
    )


def _notes(draft: Draft) -> list[str]:
    notes, bare = [], without_description(draft)
    if bare:
        notes.append(
            ngettext(
                "%(n)s 张图片还没有说明，看不见图的人就不知道图里是什么。",
                "%(n)s 张图片还没有说明，看不见图的人就不知道图里是什么。",
                bare,
            )
        )
    if draft.video is not None and not draft.video.description:
        notes.append(_("视频还没有说明，看不见画面的人就不知道里面是什么。"))
    return notes


def _proofs(found: Sequence[checks.Checked], names: Mapping[int, str]) -> list[Proof]:
    """One per text; named by its account where there are several."""
    several = len(found) > 1
    return [proof(one.field, _text_name(one, names) if several else "", one.text, one.findings) for one in found]


def _text_name(one: checks.Checked, names: Mapping[int, str]) -> str:
    account_id = one.account_id
    if one.name:
        if account_id:
            return _("「%(name)s」的标题", name=names.get(account_id, ""))
        return _("视频说明") if one.name == "video_alt" else _("图片说明")
    return _("「%(name)s」的正文", name=names.get(account_id, "")) if account_id else _("通用正文")


def _card(house: House, choice: Choice, draft: Draft) -> Card:
    text = draft.text_on(choice.id)
    units = house.platforms[choice.platform].measure(text)
    option = draft.option(choice.id)
    form, video = choice.form(option.form), draft.video_on(choice.id)
    shown = [_shown(choice, form, place, one) for place, one in enumerate(draft.pictures_on(choice.id))]
    is_cover = bool(video and shown and form.video and not form.video.beside_pictures)
    return Card(
        choice, marked(text), bool(draft.targets.get(choice.id)), units, form.length,
        form=_(form.label) if len(choice.forms) > 1 else "", title=option.title,
        shown=shown[1:] if is_cover else shown, hints=form_hints(form, draft.pictures_on(choice.id)), video=video,
        cover=shown[0].src if is_cover else "",
    )  # fmt: skip


def _shown(choice: Choice, form: PostForm, place: int, picture: Placed) -> Shown:
    """The picture as the platform will get it, where it gets another than the kept one."""
    changed = bool(plan(picture, fit_for(form, place, picture)))
    query = urlencode({"account": choice.id, "form": form.name, "place": place, "focus": picture.focus})
    src = f"/pictures/{picture.id}/sent?{query}" if changed else f"/pictures/{picture.id}/thumb"
    return Shown(src, picture.description, is_cover=place == 0 and form.cover is not None)


def marked(text: str) -> Markup:
    """The text with links, topics and names set off; everything escaped, nothing made clickable."""
    parts, at = [], 0
    for found in _MARKS.finditer(text):
        parts += [escape(text[at : found.start()]), Markup('<span class="pcard-mark">{}</span>').format(found[0])]
        at = found.end()
    return Markup("").join([*parts, escape(text[at:])])

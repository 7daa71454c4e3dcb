"""The forms a post can take per account, and whether it fits the one that is chosen. Pure but for the accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connectors.base import Outgoing, PostForm
from connectors.videos import against_video
from hub.i18n import _, said
from hub.models import Account
from workflows.house import House
from workflows.pictures.fitting import fit_for, form_of, plan
from workflows.pictures.placed import Placed
from workflows.pictures.ready import planned
from workflows.publishing.content import USUAL, Draft, Option, is_made_title, made_title


def forms_of(house: House, account: Account) -> tuple[PostForm, ...]:
    """What a post can be on this account, the usual one first."""
    return house.connector(account).post_forms(house.ref(account))


def chosen_form(house: House, account: Account, option: Option) -> PostForm:
    """The form a post takes there."""
    return form_of(forms_of(house, account), option.form)


def settled(forms: Mapping[int, Sequence[PostForm]], draft: Draft) -> Draft:
    """The draft with the usual form named where none was chosen, and its title where the form shows one: what goes
    out is named, so that the approval is bound to it. A title made from the text is cut to what every form takes.
    ``forms``: by account id.
    """
    draft = _short_enough(forms, draft)
    options = dict(draft.options)
    for number in draft.targets.keys() & forms.keys():
        option = draft.option(number)
        form = form_of(forms[number], option.form)
        title = (option.title or draft.title) if form.title_length else ""
        made = replace(option, form=option.form or form.name, title=title)
        options.pop(number, None)
        if made != USUAL:
            options[number] = made
    return replace(draft, options=options)


def _short_enough(forms: Mapping[int, Sequence[PostForm]], draft: Draft) -> Draft:
    following = [number for number in draft.targets.keys() & forms.keys() if not draft.option(number).title]
    rooms = [form_of(forms[number], draft.option(number).form).title_length for number in following]
    shortest = min((room for room in rooms if room), default=len(draft.title))
    if len(draft.title) <= shortest or not is_made_title(draft):
        return draft
    return replace(draft, title=made_title(draft.body, shortest))


def is_settled(form: PostForm, option: Option) -> bool:
    """Whether everything that goes out is named."""
    return option.form == form.name and (bool(option.title) or not form.title_length)


def form_problems(house: House, account: Account, draft: Draft) -> list[str]:
    """Why the draft does not fit the form chosen for this account: its title, the number and kind of its pictures."""
    option, pictures = draft.option(account.id or 0), draft.pictures_on(account.id or 0)
    form = chosen_form(house, account, option)
    problems = []
    if option.form and option.form != form.name:
        problems.append(_("平台没有这种发布形式，请重新选择"))
    title = option.title or draft.title
    if form.title_length and (over := len(title) - form.title_length) > 0:
        problems.append(_("标题最多 %(max)s 字，超出 %(over)s 字", max=form.title_length, over=over))
    if form.needs_title and not title.strip():
        problems.append(_("「%(form)s」要有标题", form=_(form.label)))
    if len(pictures) > form.pictures:
        problems.append(_too_many(form, len(pictures)))
    elif found := against_video(_going_out(draft, account.id or 0), form):
        problems += [said(one.text) for one in found]
    if form.needs_cover and not pictures:
        problems.append(_("「%(form)s」要有封面：请至少加一张图片，第一张作封面", form=_(form.label)))
    return problems


def _going_out(draft: Draft, number: int) -> Outgoing:
    """What a form's rules about videos look at."""
    video = draft.video_on(number)
    return Outgoing("", "", attachments=planned(draft.pictures_on(number)), video=video.going_out() if video else None)


def _too_many(form: PostForm, count: int) -> str:
    if not form.pictures:
        return _("「%(form)s」不能带图片，请在这个账号下选「不带图片」", form=_(form.label))
    return _("最多 %(max)s 张图片，现在 %(n)s 张；可在这个账号下选只用前几张", max=form.pictures, n=count)


def form_hints(form: PostForm, pictures: Sequence[Placed]) -> list[str]:
    """What will be done to the pictures so that the platform takes them, and small pictures that get blurred."""
    told = []
    for place, picture in enumerate(pictures[: form.pictures]):
        changes = plan(picture, fit_for(form, place, picture))
        if changes:
            told.append(_("第 %(n)s 张图发出时会%(changes)s", n=place + 1, changes=_("、").join(changes)))
        if place == 0 and form.cover and (picture.width < form.cover[0] or picture.height < form.cover[1]):
            size = {"w": form.cover[0], "h": form.cover[1]}
            told.append(_("封面图比平台要的 %(w)s×%(h)s 小，放大后会模糊，建议换一张大图", **size))
    return told


def without_description(draft: Draft) -> int:
    """How many pictures have no words for those who do not see them."""
    return sum(not one.description for one in draft.pictures)


__all__ = [
    "PostForm", "chosen_form", "form_hints", "form_problems", "forms_of", "is_settled", "settled",
    "without_description",
]  # fmt: skip

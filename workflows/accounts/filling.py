"""What an administrator fills in, turned into an account that is not kept yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.base import AccountRef
from connectors.forms import AccountForm, Field, Place, Table, is_address, is_site, odd_named, odd_pair, odd_word
from connectors.registry import FORMS
from hub.errors import Invalid, NotFound
from hub.i18n import _, listed, said
from hub.models import Account

__all__ = [
    "AccountForm", "Field", "described", "form_of", "forms", "missing", "placed", "ref_of",
]  # fmt: skip

LONGEST = 2000
LONGEST_NAME = 100


def forms() -> Sequence[AccountForm]:
    """The platforms an account can be connected on."""
    return list(FORMS.values())


def form_of(platform: str) -> AccountForm:
    """One platform's form; :class:`NotFound` when there is none."""
    if platform not in FORMS:
        raise NotFound(_("没有这个平台。"))
    return FORMS[platform]


def described(
    form: AccountForm, given: Mapping[str, str], department_id: int | None, *, by_page: bool = False
) -> Account:
    """The account as typed; :class:`Invalid` with every problem. ``by_page``: what the platform's page brings may be
    missing, the name too: the platform tells one.
    """
    problems = {f.name: _("请填写「%(label)s」。", label=said(f.label)) for f in missing(form, given, by_page=by_page)}
    problems |= {
        name: _("太长了，最多 %(n)s 个字。", n=LONGEST) for name, value in given.items() if len(value) > LONGEST
    }
    problems |= _no_numbers(form, given) | _no_addresses(form, given) | _no_tables(form, given)
    name = given.get("name", "").strip()
    if len(name) > LONGEST_NAME or not (name or by_page):
        problems["name"] = _("请给账号起一个名称，最多 100 个字。")
    if problems:
        raise Invalid(problems)
    url = placed(form, given, Place.base_url)
    external = placed(form, given, Place.external_id)
    return Account(
        platform=form.platform, name=name, department_id=department_id, options=placed(form, given, Place.option),
        base_url=next(iter(url.values()), "").rstrip("/"), external_id=next(iter(external.values()), ""),
    )  # fmt: skip


def _no_numbers(form: AccountForm, given: Mapping[str, str]) -> dict[str, str]:
    """Told here: a connector goes by its usual number where it cannot read one, and nobody would notice."""
    problems = {}
    for field in form.fields:
        if field.whole and (typed := given.get(field.name, "").strip()) and not _is_whole(typed, *field.whole):
            least, most = field.whole
            problems[field.name] = _(
                "「%(label)s」要填 %(least)s 到 %(most)s 之间的整数。", label=said(field.label), least=least, most=most
            )
    return problems


def _is_whole(typed: str, least: int, most: int) -> bool:
    return typed.isascii() and typed.isdigit() and len(typed) < 10 and least <= int(typed) <= most


def _no_addresses(form: AccountForm, given: Mapping[str, str]) -> dict[str, str]:
    """Told here, where the person sees which field is meant: a connector only finds nobody there."""
    problems = {}
    for field in form.fields:
        typed, label = given.get(field.name, "").strip(), said(field.label)
        if typed and field.schemes and not is_address(typed, field.schemes):
            ways = _("%(one)s 或 %(other)s", one=f"{field.schemes[0]}://", other=f"{field.schemes[-1]}://")
            problems[field.name] = _(
                "「%(label)s」要填完整的地址：以 %(ways)s 开头，后面是服务器名，中间没有空格。", label=label, ways=ways
            )
        if field.sites and (odd := [site for site in typed.split() if not is_site(site)]):
            problems[field.name] = _(
                "「%(site)s」不是网站的地址。每个网站以 https:// 或 http:// 开头，只写到域名为止，用空格分开。",
                site=odd[0],
            )
        if field.named and (part := odd_named(typed, field.named)):
            problems[field.name] = _(
                "「%(part)s」不能用。逐个写成“名称=地址”，名称是 %(names)s 之一，地址以 https:// 或 http:// 开头，"
                "用空格分开。",
                part=part, names=listed(field.named),
            )  # fmt: skip
    return problems


def _no_tables(form: AccountForm, given: Mapping[str, str]) -> dict[str, str]:
    """Told here: of a slip in a table a connector only knows that a field or a code is not there."""
    problems = {}
    for field in form.fields:
        typed = given.get(field.name, "").strip()
        if field.several and (word := odd_word(typed, field.several)):
            names = listed(field.several)
            problems[field.name] = _("「%(word)s」不能用。可以填的是 %(names)s，用逗号分开。", word=word, names=names)
        if field.table and (pair := odd_pair(typed, field.table)):
            problems[field.name] = _odd(pair, field.table)
    return problems


def _odd(pair: str, table: Table) -> str:
    """What may stand on the side of a table where only some words may."""
    words = _("「%(pair)s」不能用。逐个写成 %(example)s 这样，用逗号分开，等号前的不能重复。",
              pair=pair, example=table.example)  # fmt: skip
    if table.left:
        words += _("等号前是 %(names)s 之一。", names=listed(table.left))
    if table.right:
        words += _("等号后是 %(names)s 之一。", names=listed(table.right))
    return words


def missing(form: AccountForm, given: Mapping[str, str], *, by_page: bool) -> list[Field]:
    """The required fields that are empty."""
    wanted = [field for field in form.fields if field.required and not (by_page and field.by_page)]
    return [field for field in wanted if not given.get(field.name, "").strip()]


def placed(form: AccountForm, given: Mapping[str, str], place: Place) -> dict[str, Any]:
    """What was typed for one place, by the names of the fields."""
    return {f.name: given[f.name].strip() for f in form.fields if f.place is place and given.get(f.name, "").strip()}


def ref_of(account: Account, secrets: Mapping[str, str]) -> AccountRef:
    """An account that is not kept yet (or not as it stands) as its connector sees it."""
    return AccountRef(
        id=0, platform=account.platform, name=account.name, external_id=account.external_id,
        base_url=account.base_url, secrets=secrets, options=account.options,
    )  # fmt: skip

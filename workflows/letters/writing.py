"""A letter on its way in: judged, counted against the limits, stored with its files before the code is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlmodel import col, func, select

from connectors.base import Attached, ConnectorError, Kind, RawItem
from connectors.captcha import Captcha, is_person
from hub import clock, log
from hub.db import Unit, reading, unit_of_work
from hub.errors import Invalid, Refused
from hub.i18n import _
from hub.models import Account, Letter, Message
from hub.privacy import masked
from workflows.house import House
from workflows.intake.arrivals import store
from workflows.intake.files import Judged
from workflows.letters.files import judge
from workflows.letters.pages import LetterPage
from workflows.letters.tickets import LONGEST, QUICKEST, age_of, code_of, digest

LONGEST_TITLE, LONGEST_TEXT, LONGEST_NAME, LONGEST_PLACE = 60, 5000, 30, 100
# All letters of one page together in an hour: beyond it something is wrong, and people are asked to come back.
PAGE_HOURLY = 300
_log = log.get(__name__)
_PHONE = re.compile(r"(?:\+?86[- ]?)?1[3-9]\d{9}|0\d{2,3}[- ]?\d{7,8}(?:[-转]\d{1,6})?|\d{7,8}")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a citizen typed. ``trap``: a field nobody sees; whoever fills it in is a machine. ``proof``: what the
    captcha service put into the form, where one is set."""

    ticket: str
    kind: str = ""
    title: str = ""
    text: str = ""
    name: str = ""
    phone: str = ""
    place: str = ""
    agreed: bool = False
    trap: str = ""
    proof: str = ""
    files: list[Attached] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the citizen is given: the query code, shown this once."""

    code: str
    title: str
    is_again: bool


async def write(house: House, page: LetterPage, draft: Draft, *, address: str) -> Receipt:
    """Store the letter; the receipt is given only after the commit. One ticket is one letter, however often it comes.

    Raises :class:`Invalid` per field, :class:`Refused` when too many letters come or the form is stale.
    """
    key = house.ctx.settings.key
    files = _check(house, page, draft)
    ticket = digest(key, "ticket", draft.ticket)
    async with reading(house.ctx) as unit:
        known = await _written(unit, ticket)
    if known is None:  # what a captcha has said of a form it says only once
        await _prove(house, draft)
    async with unit_of_work(house.ctx) as unit:
        if (known := await _written(unit, ticket)) is not None:
            return Receipt(_code_again(key, draft.ticket, known), draft.title, is_again=True)
        sender = digest(key, "sender", f"{clock.local(clock.now()).date()}|{address}")
        await _limit(unit, page, sender)
        code = await _free_code(unit, key, draft.ticket)
        letter = Letter(
            account_id=page.account_id, external_id=f"L{ticket[:24]}", ticket=ticket,
            code=digest(key, "code", code), sealed=_sealed(house, draft), sender=sender,
        )  # fmt: skip
        await _keep(house, unit, letter, draft, files, author=_author(key, draft, ticket))
    return Receipt(code, draft.title, is_again=False)


async def _written(unit: Unit, ticket: str) -> Letter | None:
    return await unit.first(select(Letter).where(Letter.ticket == ticket))


async def add(house: House, unit: Unit, first: Letter, ticket: str, text: str, sent: list[Attached]) -> None:
    """A supplement to a letter: it joins its case. One ticket is one supplement; raises :class:`Invalid`."""
    key = house.ctx.settings.key
    files, problem = judge(sent)
    problems = {}
    if not text.strip() or len(text) > LONGEST_TEXT:
        problems["text"] = _("请写明要补充的内容，最多 %(n)s 个字。", n=LONGEST_TEXT)
    if problem:
        problems["files"] = problem
    if problems:
        raise Invalid(problems)
    kept = digest(key, "ticket", ticket)
    if await _written(unit, kept) is not None:
        return
    today = select(func.count()).where(Letter.first_id == first.id, col(Letter.created_at) > clock.now() - _DAY)
    if await unit.one(today) >= 10:
        raise Refused([_("今天补充的次数已经很多，请明天再补充，或直接联系承办单位。")])
    letter = Letter(account_id=first.account_id, external_id=f"L{kept[:24]}", ticket=kept, first_id=first.id)
    # Without a title: one title on all supplements would make hot issues of letters that have nothing else in common.
    draft = Draft(ticket, _("补充"), "", text.strip())
    await _keep(house, unit, letter, draft, files, author=await _author_of(unit, first), first=first.external_id)


_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


def _check(house: House, page: LetterPage, draft: Draft) -> list[Judged]:
    age = age_of(house.ctx.settings.key, page.slug, draft.ticket, clock.now())
    if age is None or age > LONGEST:
        raise Refused([_("这一页打开得太久了。内容还在，请再点一次「提交」。")])
    if draft.trap or age < QUICKEST:
        raise Refused([_("提交得太快，没有收下。请检查内容后再点一次「提交」。")])
    files, problem = judge(draft.files)
    problems = _lengths(draft) | _contact(page, draft) | ({"files": problem} if problem else {})
    if draft.kind not in page.kinds:
        problems["kind"] = _("请选择信件类型。")
    if not draft.agreed:
        problems["agreed"] = _("请阅读「我已知晓」并勾选。")
    if problems:
        raise Invalid({name: problems[name] for name in _PAGE_ORDER if name in problems})
    return files


# As the fields stand on the page, so that its errors are met one after the other.
_PAGE_ORDER = ("kind", "title", "text", "place", "files", "name", "phone", "agreed")


async def _prove(house: House, draft: Draft) -> None:
    """Ask the captcha service, where one is set. One that is away stops nobody: the other limits still hold."""
    settings = house.ctx.settings
    if not settings.captcha_verify:
        return
    try:
        captcha = Captcha(settings.captcha_verify, settings.captcha_secret)
        if await is_person(captcha, draft.proof, live=settings.live):
            return
    except ConnectorError as error:
        _log.warning("captcha_away", kind=error.kind.value)
        return
    raise Invalid({"proof": _("请完成下面的验证，再点「提交」。")})


def _lengths(draft: Draft) -> dict[str, str]:
    problems = {}
    limits = {
        "title": (_("标题"), LONGEST_TITLE), "text": (_("内容"), LONGEST_TEXT), "name": (_("您的姓名"), LONGEST_NAME),
        "place": (_("地点"), LONGEST_PLACE),
    }  # fmt: skip
    for name, (label, longest) in limits.items():
        value = getattr(draft, name)
        if name in ("title", "text") and not value.strip():
            problems[name] = _("请填写「%(label)s」。", label=label)
        elif len(value) > longest:
            problems[name] = _("「%(label)s」最多 %(n)s 个字，现在有 %(m)s 个。", label=label, n=longest, m=len(value))
    return problems


def _contact(page: LetterPage, draft: Draft) -> dict[str, str]:
    phone = draft.phone.strip()
    if page.phone and not phone:
        return {"phone": _("请填写联系电话，办理单位可能需要联系您。")}
    if phone and not _PHONE.fullmatch(phone):
        return {"phone": _("请填写手机号，或带区号的固定电话。")}
    return {}


async def _limit(unit: Unit, page: LetterPage, sender: str) -> None:
    lately = col(Letter.created_at) > clock.now() - _HOUR
    of_page = select(func.count()).where(Letter.account_id == page.account_id, lately)
    if await unit.one(of_page.where(Letter.sender == sender)) >= page.hourly:
        raise Refused([_("您所在的网络一小时内写的信已达上限，请稍后再写。内容还在本页，没有丢失。")])
    if await unit.one(of_page) >= PAGE_HOURLY:
        raise Refused([_("现在来信太多，请过一会儿再提交。内容还在本页，没有丢失。")])


async def _free_code(unit: Unit, key: bytes, ticket: str) -> str:
    for number in range(20):
        code = code_of(key, ticket, number)
        if await unit.first(select(col(Letter.id)).where(Letter.code == digest(key, "code", code))) is None:
            return code
    raise Refused([_("暂时不能收下，请再点一次「提交」。")])


def _code_again(key: bytes, ticket: str, letter: Letter) -> str:
    codes = (code_of(key, ticket, number) for number in range(20))
    return next((code for code in codes if digest(key, "code", code) == letter.code), "")


def _sealed(house: House, draft: Draft) -> str:
    contact = {"name": draft.name.strip(), "phone": draft.phone.strip()}
    return house.ctx.vault.seal({name: value for name, value in contact.items() if value})


def _author(key: bytes, draft: Draft, ticket: str) -> tuple[str, str]:
    """Who wrote, as the office sees it: one telephone is one person, without its number being readable."""
    phone = "".join(c for c in draft.phone if c.isdigit())[-11:]
    name = draft.name.strip()
    shown = name[:1] + "＊" * max(1, len(name) - 1) if name else ""
    if phone:
        shown = f"{shown}（{masked(phone, [('phone', 0, len(phone))])}）"
    return f"P{digest(key, 'person', phone or ticket)[:24]}", shown or _("网上来信人")


async def _author_of(unit: Unit, first: Letter) -> tuple[str, str]:
    found = await unit.first(
        select(Message).where(Message.account_id == first.account_id, Message.external_id == first.external_id)
    )
    return (found.author_id, found.author_name) if found else ("", "")


async def _keep(
    house: House, unit: Unit, letter: Letter, draft: Draft, files: Sequence[Judged], *,
    author: tuple[str, str], first: str = "",
) -> None:  # fmt: skip
    unit.add(letter)
    await unit.flush()
    listed = [{"kind": "image" if file.is_picture else "file", "name": file.name} for file in files]
    said = {
        "number": letter.external_id, "first": first, "kind": draft.kind, "title": draft.title.strip(),
        "text": draft.text.strip(), "place": draft.place.strip(), "sender": author[0], "name": author[1],
        "at": letter.created_at.isoformat(), "files": listed, "has_contact": bool(letter.sealed),
    }  # fmt: skip
    account = await unit.get(Account, letter.account_id)
    assert account is not None
    sent = tuple(Attached(file.name, file.data) for file in files)
    item = RawItem(Kind.letter, letter.external_id, json.dumps(said, ensure_ascii=False), sent)
    await store(unit, account, [item], "push")

"""Find and hide personal data: mobile and fixed numbers, ID cards, bank cards, number plates, e-mail addresses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from nlp.base import Personal
from nlp.clean import Cleaned, clean

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_GAP = r"[ -]?"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}", re.A)),  # noqa: E501
    ("id_card", re.compile(r"(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dA-Za-z])", re.A)),  # noqa: E501
    ("bank_card", re.compile(rf"(?<![\d.-])[3-6]\d{{3}}(?:{_GAP}\d{{4}}){{3}}(?:{_GAP}\d{{1,3}})?(?![\d.])", re.A)),
    ("phone", re.compile(rf"(?<![\d.])(?:\+?86{_GAP})?1[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}}(?!\d)", re.A)),
    ("phone", re.compile(r"(?<![\d-])0\d{2,3}-\d{7,8}(?![\d-])", re.A)),
    ("plate", re.compile(rf"[{_PROVINCES}][A-HJ-NP-Z][·• -]?(?:[A-HJ-NP-Z0-9]{{5}}[A-HJ-NP-Z0-9挂学警港澳]|[A-HJ-NP-Z0-9]{{4}}[A-HJ-NP-Z0-9挂学警港澳])(?![A-Za-z0-9])")),  # noqa: E501
)  # fmt: skip
_FIXED = re.compile(r"0\d{2,3}\D\d{7,8}")
# Every number above has seven digits in a row, or four and four with one gap between them.
_HINT = re.compile(
    rf"[0-9@{_PROVINCES}](?:(?<=[0-9])\d{{3}}[ -]?\d{{3}}|(?<=@)[A-Za-z0-9-]|(?<=[{_PROVINCES}])[A-HJ-NP-Z])"
)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_card_valid(number: str) -> bool:
    """Does an 18-character ID number end in the right check character (GB 11643)?"""
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _ID_WEIGHTS, strict=True))
    return number[17].upper() == "10X98765432"[total % 11]


def luhn_valid(number: str) -> bool:
    """Does a card number pass the Luhn check?"""
    digits = [int(digit) for digit in reversed(number)]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


def _bank_valid(found: str) -> bool:
    digits = re.sub(r"\D", "", found)
    return 16 <= len(digits) <= 19 and luhn_valid(digits)


# A number with a slip in it is still somebody's when it is called an ID number.
_CALLED_ID = re.compile(r"(?:身份证|身份證|证件)[^\d\n]{0,8}$")
_CHECKS: dict[str, Callable[[str], bool]] = {
    "id_card": id_card_valid,
    "bank_card": _bank_valid,
    "plate": lambda found: bool(re.search(r"\d", found)),
}


def find(cleaned: Cleaned) -> tuple[Personal, ...]:
    """Personal data with offsets into the original; of overlapping finds the earlier kind in the list above wins."""
    text = cleaned.text
    if not _HINT.search(text):
        return ()
    taken: list[tuple[int, int, str]] = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            check = _CHECKS.get(kind)
            called = kind == "id_card" and _CALLED_ID.search(text, max(0, match.start() - 12), match.start())
            if called or check is None or check(match[0]):
                taken.append((match.start(), match.end(), kind))
    return tuple(Personal(kind, *cleaned.span(start, end)) for start, end, kind in _apart(taken))


# What people write beside their own data, and long numbers of any kind: two letters that have them share no matter.
_BESIDE = re.compile(
    r"身份证(?:号码?)?|(?:联系)?电话(?:号码)?|手机号码?|联系方式|银行卡号?|车牌号码?|(?<![A-Za-z0-9.])\d{4,}(?![A-Za-z])"
)


def without(text: str) -> str:
    """``text`` without personal data, without the words that announce them, and without long numbers; blanks stand in
    their place."""
    for item in reversed(find(clean(text))):
        text = f"{text[: item.start]} {text[item.end :]}"
    return _BESIDE.sub(" ", text)


def _apart(taken: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Drop finds that overlap one of an earlier pattern; in reading order."""
    rank = {id(item): number for number, item in enumerate(taken)}
    kept: list[tuple[int, int, str]] = []
    for item in sorted(taken):
        if not kept or item[0] >= kept[-1][1]:
            kept.append(item)
        elif rank[id(item)] < rank[id(kept[-1])]:
            kept[-1] = item
    return kept


def mask(text: str, personal: Iterable[Personal] | None = None, *, fixed_lines: bool = True) -> str:
    """``text`` with personal data hidden and its length kept: phone 3+4 shown, ID card 3+2, bank card last 4, plate
    first 2, e-mail first letter and domain. Without ``personal`` the data is looked for in ``text`` itself; given
    finds must come from this very text. Masking twice changes nothing more. Without ``fixed_lines`` their numbers stay:
    what an office writes names its own."""
    found = find(clean(text)) if personal is None else personal
    if not fixed_lines:
        found = [item for item in found if not _FIXED.fullmatch(text[item.start : item.end])]
    pieces, at = [], 0
    for item in sorted(found, key=lambda one: one.start):
        pieces += [text[at : item.start], _hidden(item.kind, text[item.start : item.end])]
        at = item.end
    return "".join([*pieces, text[at:]])


def _hidden(kind: str, found: str) -> str:
    if kind == "email":
        name, _, domain = found.replace("＠", "@").partition("@")
        return name[:1] + "*" * (len(name) - 1) + "@" + domain
    head, tail = {"phone": (3, 4), "id_card": (3, 2), "bank_card": (0, 4)}.get(kind, (2, 0))
    return found[:head] + "*" * (len(found) - head - tail) + found[len(found) - tail :]

"""Personal data that would go out unmasked. Numbers and addresses of offices are no personal data."""

from __future__ import annotations

import re

from nlp.checking.base import Findings, made
from nlp.clean import clean
from nlp.personal import find as find_personal
from nlp.personal import mask

_FIXED = re.compile(r"0\d{2,3}[-－—–‐]?\d{7,8}|400|800")
_OFFICIAL_MAIL = re.compile(r"@(?:[\w-]+\.)*(?:gov|org|edu|mil)(?:\.cn)?$", re.IGNORECASE)


def find(text: str) -> Findings:
    """ID and bank cards, mobile numbers, plates, mailboxes of persons; the suggestion is the masked form."""
    for item in find_personal(clean(text)):
        found = text[item.start : item.end]
        if item.kind == "phone" and _FIXED.match(found):
            continue
        if item.kind == "email" and _OFFICIAL_MAIL.search(found):
            continue
        yield made(f"personal.{item.kind}", text, item.start, item.end, mask(text, (item,))[item.start : item.end])

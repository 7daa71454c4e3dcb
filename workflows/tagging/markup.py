"""Markup in a citizen's text is nothing the citizen said: taken out of sight of the analyser, every place kept."""

from __future__ import annotations

import re

_NAMES = (
    r"p|br|div|span|a|b|i|u|em|strong|font|small|big|sub|sup|img|hr|h[1-6]|ul|ol|li|dl|dt|dd|table|thead|tbody|tr|td|th"
    r"|blockquote|pre|code|section|article|center|label|input|form|button|iframe|svg|video|audio|object|embed|html|head"
    r"|body|meta|link|title|marquee|details|summary|base|o:p"
)
# A script or style goes with what is in it, closed or not; comments go whole; of other elements only the tags. The
# bounds keep hostile texts from costing more than their length.
_MARKUP = re.compile(
    r"<(script|style|template)\b[^>]{0,2000}>.*?(?:</\1\s{0,9}>|\Z)"
    r"|<!--.*?(?:-->|\Z)"
    rf"|</?(?:{_NAMES})(?:[\s/]+[a-z_:@-][^<>]{{0,2000}}|[\s/]{{0,9}})>|</(?:script|style|template)\s{{0,9}}>"
    r"|[\u202a-\u202e\u2066-\u2069]"  # turns the words after it round
    r"|&(?:nbsp|amp|lt|gt|quot|apos|[lr]dquo|[lr]squo|hellip|mdash|middot|#\d{1,7}|#x[0-9a-fA-F]{1,6});",
    re.IGNORECASE | re.DOTALL,
)


_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_SUSPECT = re.compile(r"[<&\u202a-\u202e\u2066-\u2069]")


def without_markup(text: str) -> str:
    """``text`` with blanks in the place of HTML and of marks that turn words round: as long as before, offsets hold."""
    if not _SUSPECT.search(text):
        return text
    return _MARKUP.sub(lambda found: " " * len(found[0]), text)


def spoken(title: str, text: str) -> str:
    """What a message says as routing reads it: title, line break, text, without markup."""
    return f"{without_markup(title)}\n{without_markup(text)}"


def straight(text: str) -> str:
    """``text`` without the marks that turn words round, for showing: a number must not read backwards."""
    return _TURNS.sub("", text)


def plainly(text: str) -> str:
    """``text`` on one line without markup, for titles and list rows; a text of nothing but markup stays as written."""
    return " ".join((without_markup(text).strip() or text).split())

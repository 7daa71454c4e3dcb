"""Languages: simplified Chinese is the source, English a catalogue, traditional Chinese derived with names protected.

Texts are looked up at the moment of showing, in the language of the running request, job or command.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale, dates, numbers
from babel.messages.pofile import read_po

from hub import clock

LANGUAGES = {"zh_CN": "简体中文", "zh_TW": "繁體中文", "en": "English"}
DEFAULT = "zh_CN"
CATALOGUES = Path(__file__).parent / "locale"
# Surnames and place names that OpenCC's general tables would change wrongly (范 is not 範, 后 not 後, …).
PROTECTED = "范后于余沈岳涂郁钟游种仇谷斗"

_language: ContextVar[str] = ContextVar("language", default=DEFAULT)


def language() -> str:
    """The language in force: zh_CN, zh_TW or en."""
    return _language.get()


def use(code: str) -> None:
    """Set the language of the running request, job or command; unknown codes mean the default."""
    _language.set(code if code in LANGUAGES else DEFAULT)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Use a language for a while."""
    token = _language.set(code if code in LANGUAGES else DEFAULT)
    try:
        yield
    finally:
        _language.reset(token)


def choose(accepted: str) -> str:
    """The language for an ``Accept-Language`` header (or a POSIX locale name); simplified Chinese when none fits."""
    for tag in _by_weight(accepted):
        low = tag.lower().replace("_", "-")
        if low.startswith("en"):
            return "en"
        if low.startswith(("zh-tw", "zh-hk", "zh-mo", "zh-hant")):
            return "zh_TW"
        if low.startswith("zh"):
            return "zh_CN"
    return DEFAULT


def _by_weight(accepted: str) -> list[str]:
    weighed = []
    for position, part in enumerate(accepted.split(",")[:20]):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        weighed.append((-weight, position, tag.strip()))
    return [tag for _, _, tag in sorted(weighed)]


def gettext(source: str, /, **values: object) -> str:
    """The text in the language in force; ``%(name)s`` places are filled from ``values``."""
    text = _look_up(language(), source)
    return text % values if values else text


def ngettext(one: str, many: str, count: int, /, **values: object) -> str:
    """As :func:`gettext`, with plural forms; ``%(n)s`` is the count in the locale's digits."""
    forms = _look_up_plural(language(), one, many)
    text = forms[0] if count == 1 or len(forms) == 1 else forms[1]
    return text % {"n": number(count), **values}


_ = gettext


def N_(source: str) -> str:  # noqa: N802 -- gettext's own name for "mark, do not translate yet"
    """Mark a text for the catalogue; it is translated where it is shown."""
    return source


def _look_up(code: str, source: str) -> str:
    if code == "zh_CN":
        return source
    if code == "zh_TW":
        return traditional(source)
    return _catalogue(code).get(source, (source,))[0]


def _look_up_plural(code: str, one: str, many: str) -> Sequence[str]:
    if code == "en":
        return _catalogue(code).get(one, (one, many))
    return (_look_up(code, many),)


@lru_cache(maxsize=4)
def _catalogue(code: str) -> dict[str, tuple[str, ...]]:
    path = CATALOGUES / f"{code}.po"
    if not path.exists():
        return {}
    with path.open("rb") as file:
        catalogue = read_po(file, locale=code)
    texts: dict[str, tuple[str, ...]] = {}
    for message in catalogue:
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        source = message.id[0] if isinstance(message.id, tuple | list) else message.id
        if isinstance(source, str) and source and all(forms) and not message.fuzzy:
            texts[source] = tuple(str(form) for form in forms)
    return texts


@lru_cache(maxsize=1)
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("s2t")


@lru_cache(maxsize=8192)
def traditional(text: str) -> str:
    """Traditional characters for our own texts; names and official words keep their form."""
    converted = str(_converter().convert(text))
    if len(converted) != len(text):
        return converted
    return "".join(old if old in PROTECTED else new for old, new in zip(text, converted, strict=True))


def _locale() -> Locale:
    return Locale.parse({"zh_CN": "zh_Hans_CN", "zh_TW": "zh_Hant_TW", "en": "en_GB"}[language()])


def number(value: float) -> str:
    """A figure for people: 12,345 in English; from ten thousand on 1.2万, 3.4亿 in Chinese."""
    if language() == "en" or abs(value) < 10_000:
        return numbers.format_decimal(value, locale=_locale())
    unit, size = ("亿", 100_000_000) if abs(value) >= 100_000_000 else ("万", 10_000)
    text = numbers.format_decimal(round(value / size, 1), locale=_locale())
    return text + (traditional(unit) if language() == "zh_TW" else unit)


def percent(value: float, digits: int = 0) -> str:
    """A share 0..1 as a percentage."""
    return numbers.format_percent(round(value, 2 + digits), locale=_locale(), decimal_quantization=False)


def day(value: date | datetime, *, weekday: bool = False) -> str:
    """An office day: 11月23日 (周一), with the year when it is not this one."""
    on = clock.local(value).date() if isinstance(value, datetime) else value
    same_year = on.year == clock.today().year
    if language() == "en":
        pattern = "d MMM" if same_year else "d MMM y"
        return dates.format_date(on, ("EEE " if weekday else "") + pattern, locale=_locale())
    pattern = "M月d日" if same_year else "y年M月d日"
    return dates.format_date(on, pattern + (" EEE" if weekday else ""), locale=_locale())


def moment(value: datetime) -> str:
    """Day and time on the office's clock: 11月23日 09:05."""
    return f"{day(value)} {clock.local(value):%H:%M}"


def exact(value: datetime) -> str:
    """For hover texts and exports: 2026-11-23 09:05:12."""
    return f"{clock.local(value):%Y-%m-%d %H:%M:%S}"

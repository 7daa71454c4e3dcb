"""Languages: simplified Chinese is the source, English a catalogue, traditional Chinese derived with names protected.

Texts are looked up at the moment of showing, in the language of the running request, job or command.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
# Characters that are surnames as they stand: OpenCC's general tables would make 範, 後, 於, 餘 … of them.
SURNAMES = "范后于余沈岳涂郁钟游种仇谷斗云曲冲卜丑尸干术朱松沉万肖叶"
TITLES = (
    "局长|处长|科长|主任|书记|市长|县长|区长|镇长|乡长|部长|厅长|司长|所长|站长|队长|院长|校长|社长|秘书长|科员|干事|编辑|记者|"
    "老师|医生|律师|先生|女士|小姐|同志|师傅|大爷|大妈|阿姨"
)
# The standard forms of public texts in Taiwan where OpenCC chooses another variant.
WORDING = {
    "發佈": "發布", "公佈": "公布", "頒佈": "頒布", "賬": "帳", "並案": "併案", "並入": "併入", "個贊": "個讚",
    "回復": "回覆", "控制檯": "控制臺", "盡快": "儘快", "單隻": "單只", "髮長": "發長", "催籤": "催簽", "能籤": "能簽",
    "上覆制": "上複製", "恢複": "恢復", "有采用": "有採用", "銷燬": "銷毀",
}  # fmt: skip
_NAMED = re.compile(
    rf"(?<![\u4e00-\u9fff])[{SURNAMES}](?=[\u4e00-\u9fff]{{0,2}}(?:{TITLES}))"
    # Inside a sentence only surnames that are hardly ever another word's last character, right before the title.
    rf"|(?<![模规示典风师防])[范沈岳涂郁仇](?={TITLES})"
)
_HAN = re.compile(r"[\u4e00-\u9fff]")
_PLACE = re.compile(r"%\((\w+)\)s")
_CONTEXT = "\x04"

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
        subtags = tag.lower().partition(".")[0].replace("_", "-").split("-")
        if subtags[0] == "en":
            return "en"
        if subtags[0] == "zh":
            # The script says more than the region: zh-Hans-HK is simplified.
            return "zh_TW" if "hans" not in subtags and {"hant", "tw", "hk", "mo"} & set(subtags) else "zh_CN"
    return DEFAULT


def _by_weight(accepted: str) -> list[str]:
    """Tags by falling q value; q=0 and broken weights mean "not this one"."""
    weighed = []
    for position, part in enumerate(accepted.split(",")[:20]):
        tag, *parameters = (piece.strip() for piece in part.split(";"))
        weight = _weight(parameters)
        if tag and weight > 0:
            weighed.append((-weight, position, tag))
    return [tag for _, _, tag in sorted(weighed)]


def _weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if math.isfinite(weight) else 0.0
    return 1.0


def gettext(source: str, /, **values: object) -> str:
    """The text in the language in force; ``%(name)s`` places are filled from ``values``."""
    text = _look_up(language(), source)
    return filled(text, values) if values else text


def ngettext(one: str, many: str, count: int, /, **values: object) -> str:
    """As :func:`gettext`, with plural forms; ``%(n)s`` is the count in the locale's digits."""
    forms = _look_up_plural(language(), one, many)
    text = forms[0] if count == 1 or len(forms) == 1 else forms[1]
    return filled(text, {"n": number(count), **values})


def pgettext(context: str, source: str, /, **values: object) -> str:
    """As :func:`gettext` for a text that another language says differently by context; the plain text's where it does
    not."""
    text = _look_up(language(), source, context)
    return filled(text, values) if values else text


def filled(text: str, values: Mapping[str, object]) -> str:
    """``%(name)s`` places filled. A blank stands between figures and words (12 条), not between words (1.2万条)."""
    for name, value in values.items():
        if isinstance(value, str) and value[-1:] in _LARGE and _FIGURE.fullmatch(value):
            text = text.replace(f"%({name})s ", f"%({name})s")
    return text % values


_LARGE = frozenset("万亿萬億")
_FIGURE = re.compile(r"-?[\d,.]+.")
_ = gettext


def N_(source: str) -> str:  # noqa: N802 -- gettext's own name for "mark, do not translate yet"
    """Mark a text for the catalogue; it is translated where it is shown."""
    return source


def NP_(context: str, source: str) -> str:  # noqa: N802 -- the collection reads the context
    """As :func:`N_`, to be shown with :func:`pgettext`."""
    return source


def written(source: str, /, **values: object) -> str:
    """A text that is kept in a row: always in Chinese, whoever acts, because others read it; show it with
    :func:`said`."""
    return source % values if values else source


def said(text: str) -> str:
    """A sentence made in Chinese elsewhere (by a connector, or by a job and stored), in the language in force.

    Known are texts of the catalogue, whole or with their places filled in; what is filled in is translated when it is
    itself such a text. Anything else (what people wrote, names, platforms' own words) comes back as it is.
    """
    # The very characters: a string that counts as markup must not be remembered for one that does not.
    return text if language() == "zh_CN" or not text else _said(language(), str.__str__(text))


@lru_cache(maxsize=4096)
def _said(code: str, text: str, depth: int = 3) -> str:
    if text in _catalogue("en"):
        return _look_up(code, text)
    # Sentences are short; whatever is longer was written by people.
    if not depth or len(text) > 600 or not _HAN.search(text):
        return text
    for pattern, source in _patterns():
        if found := pattern.fullmatch(text):
            return _look_up(code, source) % {n: _said(code, v, depth - 1) for n, v in found.groupdict().items()}
    several = text.split("；")
    made = [_said(code, one, depth - 1) for one in several] if len(several) > 1 else several
    return text if made == several else _look_up(code, "；").join(made)


@lru_cache(maxsize=1)
def _patterns() -> Sequence[tuple[re.Pattern[str], str]]:
    """Texts with places, the most telling first; too few characters of our own would match what people wrote."""
    sources = [s for s in _catalogue("en") if _PLACE.search(s) and _CONTEXT not in s]
    own = {s: len(_HAN.findall(_PLACE.sub("", s))) for s in sources}
    return [(_pattern(s), s) for s in sorted(sources, key=lambda s: (-own[s], s)) if own[s] >= 4]


def _pattern(source: str) -> re.Pattern[str]:
    seen: set[str] = set()
    parts = []
    for position, part in enumerate(_PLACE.split(source)):
        if position % 2 == 0:
            parts.append(re.escape(part.replace("%%", "%")))
        else:
            parts.append(f"(?P={part})" if part in seen else f"(?P<{part}>.+?)")
            seen.add(part)
    return re.compile("".join(parts), re.DOTALL)


def listed(items: Iterable[object]) -> str:
    """Things one after another: 甲、乙, in English “a, b”."""
    return gettext("、").join(map(str, items))


def sentences(texts: Iterable[str]) -> str:
    """Sentences in one line, each in the language in force: 甲；乙, in English “a; b”."""
    return gettext("；").join(said(text) for text in texts)


def aside(text: str) -> str:
    """Words in brackets after others: （甲）, in English “ (a)”."""
    return gettext("（%(text)s）", text=text)


def _look_up(code: str, source: str, context: str = "") -> str:
    if code == "zh_CN":
        return source
    if code == "zh_TW":
        return traditional(source)
    texts = _catalogue(code)
    plain = texts.get(source, (source,))
    return (texts.get(f"{context}{_CONTEXT}{source}", plain) if context else plain)[0]


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
            key = f"{message.context}{_CONTEXT}{source}" if message.context else source
            texts[key] = tuple(str(form) for form in forms)
    return texts


@lru_cache(maxsize=1)
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("s2tw")


@lru_cache(maxsize=8192)
def traditional(text: str, *names: str) -> str:
    """Traditional characters for our own texts. What is filled into their places is never converted; inside a text
    the given names and surnames before a title (范主任) keep their form."""
    kept = [re.escape(name) for name in names if name]
    protected = re.compile("|".join([*kept, _NAMED.pattern]))
    parts, position = [], 0
    for found in protected.finditer(text):
        parts += [_converted(text[position : found.start()]), found.group()]
        position = found.end()
    return "".join([*parts, _converted(text[position:])])


def _converted(text: str) -> str:
    made = str(_converter().convert(text)) if text else ""
    for old, new in WORDING.items():
        made = made.replace(old, new)
    return made


def _locale() -> Locale:
    return Locale.parse({"zh_CN": "zh_Hans_CN", "zh_TW": "zh_Hant_TW", "en": "en_GB"}[language()])


def number(value: float) -> str:
    """A figure for people: 12,345 in English; from ten thousand on 1.2万, 3.4亿 in Chinese."""
    if language() == "en" or abs(value) < 10_000:
        return numbers.format_decimal(value, locale=_locale())
    # 99,999,500 and more would round to 10,000万: that is 1亿.
    unit, size = ("亿", 100_000_000) if abs(value) >= 99_999_500 else ("万", 10_000)
    text = numbers.format_decimal(round(value / size, 1), locale=_locale())
    return text + (traditional(unit) if language() == "zh_TW" else unit)


def room(size: int) -> str:
    """Bytes as the room they take: 4.2 MB."""
    found = next(((unit, name) for unit, name in _ROOMS if size >= unit), None)
    return f"{size / found[0]:.1f} {found[1]}" if found else f"{size} B"


_ROOMS = ((1024**3, "GB"), (1024**2, "MB"), (1024, "KB"))


def span(seconds: float) -> str:
    """How long something plays: 1:05, 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


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

"""Lines of a file that people hand in, read as they stream by. Whatever is no UTF-8 text is named in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hub.errors import Refused
from hub.i18n import N_, _

_BOM = b"\xef\xbb\xbf"
_WORKBOOK = N_(
    "%(name)s 是表格软件的工作簿，不是文本文件：请另存为「文本文件（制表符分隔）」，再用记事本另存为 UTF-8。"
)
_WIDE = N_("%(name)s 是 UTF-16 编码（表格软件的「Unicode 文本」）：请用记事本打开，「另存为」时编码选 UTF-8，再试。")
# How files begin that are often taken for UTF-8 text.
_SIGNS = ((b"PK\x03\x04", _WORKBOOK), (b"\xd0\xcf\x11\xe0", _WORKBOOK), (b"\xff\xfe", _WIDE), (b"\xfe\xff", _WIDE))


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end. ``text``: bytes that are no UTF-8 as U+FFFD; ``is_whole``: there are none of these;
    ``read``: bytes of the file up to and with this line."""

    number: int
    text: str
    is_whole: bool
    read: int


def lines(source: Path) -> Iterator[Line]:
    """Every line, empty ones too. Refused for a workbook or another encoding that a file says of itself."""
    with source.open("rb") as file:
        start = file.peek(4)[:4]
        for sign, problem in _SIGNS:
            if start.startswith(sign):
                raise Refused([_(problem, name=source.name)])
        read = 0
        for number, raw in enumerate(file, 1):
            read += len(raw)
            plain = raw.removeprefix(_BOM) if number == 1 else raw
            text, is_whole = _decoded(plain.rstrip(b"\r\n"))
            yield Line(number, text, is_whole, read)


def _decoded(raw: bytes) -> tuple[str, bool]:
    try:
        return raw.decode(), True
    except UnicodeDecodeError:
        return raw.decode(errors="replace"), False


def not_utf8(name: str, number: int) -> str:
    """What is wrong with a line that is not whole, and what to do."""
    return _(
        "%(name)s 第 %(line)s 行不是 UTF-8 编码（可能是 GBK，即 ANSI）：请用记事本打开，「另存为」时编码选 UTF-8。",
        name=name, line=number,
    )  # fmt: skip

"""Files citizens send along: judged by their bytes, kept as they are, never opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from hub.i18n import _

MOST_FILES = 5
MOST_BYTES = 8 * 1024 * 1024
MOST_TOGETHER = 16 * 1024 * 1024
# First bytes of what may be sent: pictures and documents that no program runs.
_MAGIC = (
    (b"\xff\xd8\xff", 0, "image/jpeg", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", 0, "image/png", ".png"),
    (b"GIF8", 0, "image/gif", ".gif"),
    (b"WEBP", 8, "image/webp", ".webp"),
    (b"%PDF-", 0, "application/pdf", ".pdf"),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """One file as it came: the name the citizen's machine gave it, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Judged:
    """A file that may be kept: a name of ours with the ending its bytes deserve."""

    name: str
    mime: str
    data: bytes

    @property
    def is_picture(self) -> bool:
        """Whether a browser shows it as a picture."""
        return self.mime.startswith("image/")


def judge(files: list[Sent]) -> tuple[list[Judged], str]:
    """The files that may be kept, and one sentence when any may not ("" when all may)."""
    if len(files) > MOST_FILES:
        return [], _("附件最多 %(n)s 个。", n=MOST_FILES)
    if sum(len(file.data) for file in files) > MOST_TOGETHER:
        return [], _("附件合计不能超过 %(n)s MB。", n=MOST_TOGETHER // 1024**2)
    judged = []
    for file in files:
        name = PurePosixPath(file.name.replace("\\", "/")).name[:80] or _("附件")
        if len(file.data) > MOST_BYTES:
            return [], _("附件「%(name)s」超过 %(n)s MB，请压缩后再上传。", name=name, n=MOST_BYTES // 1024**2)
        kind = _kind(file.data)
        if kind is None:
            return [], _("附件「%(name)s」不是图片或 PDF，不能上传。文档请另存为 PDF。", name=name)
        judged.append(Judged(_stem(name) + kind[1], kind[0], file.data))
    return judged, ""


def _kind(data: bytes) -> tuple[str, str] | None:
    return next((found[2:] for found in _MAGIC if data[found[1] : found[1] + len(found[0])] == found[0]), None)


def _stem(name: str) -> str:
    stem = "".join(c for c in PurePosixPath(name).stem if c.isprintable() and c not in '"<>|:*?\\/')
    return stem.strip(". ") or "file"

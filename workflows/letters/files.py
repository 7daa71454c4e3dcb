"""Files a citizen adds to a letter on our page: all of them are kept, or the citizen is told why one is not."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import Attached
from hub.i18n import _
from workflows.intake.files import MOST_BYTES, MOST_TOGETHER, Judged, judged, own_name

MOST_FILES = 5


def too_much(sizes: Sequence[int]) -> str:
    """What is wrong with so many files of so many bytes, before any is looked into; "" when nothing is."""
    if len(sizes) > MOST_FILES:
        return _("附件最多 %(n)s 个。", n=MOST_FILES)
    if sum(sizes) > MOST_TOGETHER:
        return _("附件合计不能超过 %(n)s MB。", n=MOST_TOGETHER // 1024**2)
    return ""


def judge(files: Sequence[Attached]) -> tuple[list[Judged], str]:
    """The files as they are kept, and one sentence when any may not be ("" when all may)."""
    if problem := too_much([len(file.data) for file in files]):
        return [], problem
    found = []
    for file in files:
        if len(file.data) > MOST_BYTES:
            most = MOST_BYTES // 1024**2
            return [], _("附件「%(name)s」超过 %(n)s MB，请压缩后再上传。", name=own_name(file), n=most)
        if (one := judged(file)) is None:
            return [], _("附件「%(name)s」不是图片或 PDF，不能上传。文档请另存为 PDF。", name=own_name(file))
        found.append(one)
    return found, ""

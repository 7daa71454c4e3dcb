"""A picture on its way out: cut, converted and made small enough for where it goes. Pure; the same every time."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageOps

from connectors.base import PostForm
from hub.i18n import _
from workflows.pictures.cleaning import AT_ONCE, KINDS, flat, saved
from workflows.pictures.placed import FOCUS, Placed

_QUALITIES = (88, 75, 62)
# Bytes follow the area: from how much too large it is, the next size is about right; never smaller at once than this.
_SMALLEST_STEP, _LARGEST_STEP = 0.3, 0.9
_SMALLEST_SIDE = 160


@dataclass(frozen=True, slots=True)
class Fit:
    """What a picture must be. ``size``: it is cut to just these pixels around ``focus``; None: it keeps its shape."""

    types: tuple[str, ...]
    most_bytes: int
    size: tuple[int, int] | None = None
    focus: str = ""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The picture as it goes out; ``is_changed``: it is not the kept one."""

    data: bytes
    mime: str
    width: int
    height: int
    is_changed: bool


def form_of(forms: Sequence[PostForm], name: str) -> PostForm:
    """The form of this name, else the usual one."""
    return next((form for form in forms if form.name == name), forms[0])


def fit_for(form: PostForm, place: int, picture: Placed) -> Fit:
    """What the ``place``-th (from 0) picture of a post must be in this form: the first one is cut to the cover."""
    size = form.cover if place == 0 else None
    return Fit(form.picture_types, form.picture_bytes, size, picture.focus)


def plan(picture: Placed, fit: Fit) -> list[str]:
    """What :func:`fitted` will do to it, in words for the preview; empty: it goes out as it is."""
    said = []
    if fit.size:
        said.append(_("裁成 %(w)s×%(h)s", w=fit.size[0], h=fit.size[1]))
    if picture.mime not in fit.types:
        said.append(_("转成 JPG"))
    if picture.size > fit.most_bytes:
        said.append(_("压缩到 %(n)s KB 以内", n=fit.most_bytes // 1024))
    return said


def fitted(data: bytes, mime: str, fit: Fit) -> Fitted:
    """The picture as it can go out. A moving one loses its movement where it must be cut, converted or made smaller.

    CPU work of up to a second: call it in a thread.
    """
    with AT_ONCE, Image.open(io.BytesIO(data), formats=list(KINDS)) as image:
        if not fit.size and mime in fit.types and len(data) <= fit.most_bytes:
            return Fitted(data, mime, *image.size, is_changed=False)
        shaped = _cut(image, fit) if fit.size else image
        made, kind = _within(shaped, _kind(mime, fit.types), fit.most_bytes)
        return Fitted(made[0], kind, *made[1], is_changed=True)


def _kind(mime: str, types: Sequence[str]) -> str:
    """PNG stays PNG as long as it may (letters stay sharp), everything else becomes JPEG."""
    stays = mime == "image/png" and mime in types
    return "image/png" if stays or "image/jpeg" not in types else "image/jpeg"


def _cut(image: Image.Image, fit: Fit) -> Image.Image:
    assert fit.size is not None
    whole = image if image.mode in ("RGB", "RGBA") else image.convert("RGBA")
    return ImageOps.fit(whole, fit.size, Image.Resampling.LANCZOS, centering=FOCUS.get(fit.focus, FOCUS[""]))


def _within(image: Image.Image, mime: str, most: int) -> tuple[tuple[bytes, tuple[int, int]], str]:
    """The largest and finest version of at most ``most`` bytes; below a thumbnail's size it is taken as it is."""
    if mime == "image/png":
        whole = image if image.mode in ("RGB", "RGBA", "L", "LA") else image.convert("RGBA")
        if len(made := saved(whole, "PNG", optimize=True)) <= most:
            return (made, whole.size), "image/png"
    still = flat(image)
    while True:
        for quality in _QUALITIES:
            if len(made := saved(still, "JPEG", quality=quality, optimize=True)) <= most:
                return (made, still.size), "image/jpeg"
        if max(still.size) <= _SMALLEST_SIDE:
            return (made, still.size), "image/jpeg"
        step = max(_SMALLEST_STEP, min(_LARGEST_STEP, math.sqrt(most / len(made))))
        size = max(1, int(still.width * step)), max(1, int(still.height * step))
        still = still.resize(size, Image.Resampling.LANCZOS)

"""A picture on its way in: known by its bytes, decoded within bounds, written anew without anything but its pixels.

What a camera or phone notes beside them (place, time, device, owner) never gets further than this module.
"""

from __future__ import annotations

import hashlib
import io
import threading
import warnings
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from hub.errors import Invalid
from hub.i18n import _

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 60_000_000
# All frames of a moving picture together.
MOST_MOVING_PIXELS = 150_000_000
MOST_FRAMES = 300
LONGEST_SIDE = 4096
THUMB_SIDE = 320
KINDS = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
# Pillow only warns of pictures that unpack to very many pixels: nowhere in this process is one of them opened.
warnings.simplefilter("error", Image.DecompressionBombWarning)
# A crowd that uploads at once waits a little instead of taking all memory.
AT_ONCE = threading.BoundedSemaphore(2)
_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A picture as it is kept. ``thumb``: a small JPEG of it."""

    data: bytes
    mime: str
    width: int
    height: int
    thumb: bytes
    sha256: str


def clean(data: bytes) -> Cleaned:
    """The picture in ``data``, turned upright and without metadata. :class:`Invalid` says in words why not.

    CPU work of up to some seconds and up to 250 MB of pixels: call it in a thread; few work at once.
    """
    _refuse_known(data)
    try:
        with AT_ONCE:
            image = Image.open(io.BytesIO(data), formats=list(KINDS))
            _refuse_large(image)
            kept, mime, size = _moving(image) if _moves(image) else _still(image)
            return Cleaned(kept, mime, *size, thumb_of(kept), hashlib.sha256(kept).hexdigest())
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _no(_("图片的像素太多，请缩小后再上传")) from None
    except UnidentifiedImageError:
        raise _no(_("这不是能用的图片，请上传 JPG、PNG、GIF 或 WebP")) from None
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError, KeyError, IndexError):
        raise _no(_("图片已损坏或不完整，请重新导出后再上传")) from None


def thumb_of(data: bytes) -> bytes:
    """A small JPEG of a kept picture."""
    with Image.open(io.BytesIO(data), formats=list(KINDS)) as image:
        image.draft("RGB", (THUMB_SIDE, THUMB_SIDE))
        small = flat(image)
        small.thumbnail((THUMB_SIDE, THUMB_SIDE))
        return saved(small, "JPEG", quality=80)


def flat(image: Image.Image) -> Image.Image:
    """The (first) picture as RGB, what is transparent on white."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        full = image.convert("RGBA")
        ground = Image.new("RGBA", full.size, "white")
        return Image.alpha_composite(ground, full).convert("RGB")
    return image.convert("RGB")


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """``image`` as bytes, with nothing else in them."""
    bare = image.copy()
    bare.info = {}
    out = io.BytesIO()
    bare.save(out, kind, **options)
    return out.getvalue()


def _refuse_known(data: bytes) -> None:
    """What is often tried and cannot be taken, each with the way out."""
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not data:
        raise _no(_("文件是空的"))
    if len(data) > MOST_BYTES:
        raise _no(_("图片超过 %(n)s MB，请缩小后再上传", n=MOST_BYTES // 1024**2))
    if head.startswith((b"<svg", b"<?xml", b"<!doctype", b"<html")):
        raise _no(_("SVG 和网页文件里可以藏程序，不能作为配图；请导出为 PNG"))
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypheif", b"ftypavif"):
        raise _no(_("苹果手机的 HEIC 照片平台不认；请在手机上转成 JPG，或在「设置－相机－格式」选「兼容性最佳」"))
    if head.startswith(b"%pdf"):
        raise _no(_("PDF 不是图片，请截图或导出为 PNG"))


def _refuse_large(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise _no(_("图片的像素太多，请缩小后再上传"))
    frames = getattr(image, "n_frames", 1)
    if frames > MOST_FRAMES or (frames > 1 and frames * width * height > MOST_MOVING_PIXELS):
        raise _no(_("动图太大，请减少帧数或缩小尺寸后再上传"))


def _moves(image: Image.Image) -> bool:
    return image.format in ("GIF", "WEBP") and getattr(image, "n_frames", 1) > 1


def _moving(image: Image.Image) -> tuple[bytes, str, tuple[int, int]]:
    """Every frame written anew; comments and application blocks stay behind."""
    frames, lengths = [], []
    for number in range(image.n_frames):  # type: ignore[attr-defined]
        image.seek(number)
        frame = image.convert("RGBA")
        frame.info = {}
        frames.append(frame)
        lengths.append(max(20, int(image.info.get("duration", 100) or 100)))
    out, kind = io.BytesIO(), str(image.format)
    loop = int(image.info.get("loop", 0) or 0)
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=lengths, loop=loop, **_disposal(kind))
    return out.getvalue(), KINDS[kind], image.size


def _disposal(kind: str) -> dict[str, int]:
    return {"disposal": 2} if kind == "GIF" else {"quality": _QUALITY}


def _still(image: Image.Image) -> tuple[bytes, str, tuple[int, int]]:
    kind = str(image.format)
    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    upright = _in_usual_colours(upright, profile)
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    if kind == "JPEG":
        return saved(flat(upright), kind, quality=_QUALITY, optimize=True), KINDS[kind], upright.size
    whole = upright if upright.mode in ("RGB", "RGBA", "L", "LA") else upright.convert("RGBA")
    options = {"quality": _QUALITY} if kind == "WEBP" else {"optimize": True}
    return saved(whole, kind, **options), KINDS[kind], upright.size


def _in_usual_colours(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours as everybody's screen has them: a profile would be one more thing that tells where it came from."""
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK"):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        made = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return made or image


def _no(why: str) -> Invalid:
    return Invalid({"picture": why})

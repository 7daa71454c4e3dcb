"""Pictures drawn for tests: small, in any format, with what a phone notes beside them."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, ImageDraw


def drawn(width: int = 120, height: int = 80, kind: str = "JPEG", colour: str = "red", **options: Any) -> bytes:
    """A picture with a white band at its top, so that turning and cutting show."""
    image = Image.new("RGB", (width, height), colour)
    ImageDraw.Draw(image).rectangle((0, 0, width, height // 4), fill="white")
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def phone_photo(orientation: int = 6) -> bytes:
    """A JPEG as a phone makes it: lying on its side, with the place, the time and the device in its EXIF."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "SecretPhone"
    exif[0x0132] = "2026:11:27 09:30:00"
    exif.get_ifd(0x8825).update({1: "N", 2: (30.0, 15.0, 12.34), 3: "E", 4: (120.0, 9.0, 5.6)})
    return drawn(exif=exif, comment=b"secret comment")


def moving(frames: int = 3, size: tuple[int, int] = (60, 40)) -> bytes:
    """A moving GIF with a comment."""
    images = [Image.new("RGB", size, (number * 40, 90, 200 - number * 30)) for number in range(frames)]
    out = io.BytesIO()
    images[0].save(out, "GIF", save_all=True, append_images=images[1:], duration=120, loop=0, comment=b"secret")
    return out.getvalue()

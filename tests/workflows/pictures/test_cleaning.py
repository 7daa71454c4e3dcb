"""Pictures on their way in: upright, without what a phone notes beside them; what cannot be taken is said in words."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from hub.errors import Invalid
from tests.drawing import drawn, moving, phone_photo
from workflows.pictures import cleaning
from workflows.pictures.cleaning import clean


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_a_phones_photo_is_turned_upright_and_tells_nothing_of_where_and_by_what_it_was_taken() -> None:
    made = clean(phone_photo(orientation=6))
    assert (made.width, made.height, made.mime) == (80, 120, "image/jpeg")
    image = opened(made.data)
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    for secret in (b"SecretPhone", b"secret comment", b"Exif", b"2026:11:27"):
        assert secret not in made.data
        assert secret not in made.thumb
    # The white band lay at the top of the sensor: turned by 90 degrees it is at the right.
    assert image.getpixel((75, 60))[0] > 240
    assert image.getpixel((5, 60))[1] < 60


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_what_it_is_is_told_by_its_bytes_and_the_same_picture_is_the_same_content(kind: str) -> None:
    data = drawn(kind=kind)
    one, other = clean(data), clean(data)
    assert one.mime == f"image/{kind.lower()}"
    assert one.sha256 == other.sha256
    assert max(opened(one.thumb).size) <= cleaning.THUMB_SIDE


def test_text_in_a_png_stays_behind_and_transparency_is_kept() -> None:
    from PIL.PngImagePlugin import PngInfo

    notes = PngInfo()
    notes.add_text("Author", "secret person")
    out = io.BytesIO()
    Image.new("RGBA", (40, 40), (255, 0, 0, 80)).save(out, "PNG", pnginfo=notes)
    made = clean(out.getvalue())
    assert b"secret person" not in made.data
    assert opened(made.data).getpixel((5, 5)) == (255, 0, 0, 80)


def test_a_moving_picture_goes_on_moving_without_its_comment() -> None:
    made = clean(moving(frames=4))
    assert opened(made.data).n_frames == 4  # type: ignore[attr-defined]
    assert b"secret" not in made.data


def test_a_large_photo_is_made_smaller_once_for_all() -> None:
    made = clean(drawn(6000, 3000))
    assert (made.width, made.height) == (4096, 2048)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "空"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "SVG"),
        (b"\xef\xbb\xbf <?xml version='1.0'?><svg/>", "SVG"),
        (b"\x00\x00\x00\x18ftypheic" + b"\x00" * 40, "HEIC"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"BM" + b"\x00" * 100, "不是能用的图片"),
        (b"just words", "不是能用的图片"),
        (drawn()[:300], "损坏"),
        (drawn(kind="PNG")[:60], "损坏"),
        (b"\xff\xd8\xff" + b"\x00" * (cleaning.MOST_BYTES + 1), "超过"),
    ],
)
def test_what_cannot_be_taken_is_said_in_words(data: bytes, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        clean(data)
    assert why in refused.value.problems["picture"]


def bomb(side: int) -> bytes:
    """A PNG of a few kilobytes that says it has side × side pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 4096)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [9_000, 30_000, 200_000])
def test_a_bomb_is_refused_before_it_is_unpacked(side: int) -> None:
    with pytest.raises(Invalid) as refused:
        clean(bomb(side))
    assert "像素太多" in refused.value.problems["picture"]


def test_a_moving_picture_with_too_many_frames_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "MOST_FRAMES", 2)
    with pytest.raises(Invalid) as refused:
        clean(moving(frames=3))
    assert "动图" in refused.value.problems["picture"]

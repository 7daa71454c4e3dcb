"""Pictures on their way out: as the platform takes them, the same every time, and told beforehand."""

from __future__ import annotations

import io
import os

from PIL import Image

from connectors.base import PostForm
from tests.drawing import drawn, moving
from workflows.pictures.cleaning import clean
from workflows.pictures.fitting import Fit, fit_for, fitted, plan
from workflows.pictures.placed import Placed

FORM = PostForm("", "短文", 100, pictures=9, picture_types=("image/jpeg", "image/png"), picture_bytes=60_000)
WITH_COVER = PostForm("a", "文章", 100, pictures=9, picture_types=("image/jpeg",), cover=(900, 383))


def size_of(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as image:
        return image.size


def placed(data: bytes, focus: str = "") -> tuple[Placed, bytes]:
    made = clean(data)
    return Placed(1, "", focus, made.sha256, made.mime, len(made.data), made.width, made.height), made.data


def test_what_fits_goes_out_byte_for_byte() -> None:
    picture, data = placed(drawn(kind="PNG"))
    assert plan(picture, fit_for(FORM, 0, picture)) == []
    made = fitted(data, picture.mime, fit_for(FORM, 0, picture))
    assert (made.data, made.is_changed) == (data, False)


def test_the_first_picture_is_cut_to_the_cover_around_its_middle_and_only_the_first() -> None:
    picture, data = placed(drawn(800, 800))
    assert plan(picture, fit_for(WITH_COVER, 0, picture)) == ["裁成 900×383"]
    assert plan(picture, fit_for(WITH_COVER, 1, picture)) == []
    middle = fitted(data, picture.mime, fit_for(WITH_COVER, 0, picture))
    assert size_of(middle.data) == (middle.width, middle.height) == (900, 383)
    top = fitted(data, picture.mime, Fit(("image/jpeg",), 10**7, (900, 383), "top"))
    with Image.open(io.BytesIO(top.data)) as cut, Image.open(io.BytesIO(middle.data)) as other:
        assert min(cut.convert("RGB").getpixel((450, 20))) > 240, "the white band at the top stayed"
        assert min(other.convert("RGB").getpixel((450, 20))) < 100


def test_what_the_platform_does_not_take_is_converted_and_made_small_enough() -> None:
    noise = io.BytesIO()
    Image.frombytes("RGB", (700, 500), os.urandom(700 * 500 * 3)).save(noise, "WEBP", quality=95)
    picture, data = placed(noise.getvalue())
    assert plan(picture, fit_for(FORM, 1, picture)) == ["转成 JPG", "压缩到 58 KB 以内"]
    made = fitted(data, picture.mime, fit_for(FORM, 1, picture))
    assert made.mime == "image/jpeg"
    assert len(made.data) <= FORM.picture_bytes
    again = fitted(data, picture.mime, fit_for(FORM, 1, picture))
    assert again == made, "what is shown is what is sent"


def test_a_moving_picture_where_none_is_taken_becomes_a_still_one() -> None:
    picture, data = placed(moving())
    made = fitted(data, picture.mime, fit_for(FORM, 0, picture))
    assert made.mime == "image/jpeg"


def test_letters_stay_sharp_where_png_is_taken() -> None:
    picture, data = placed(drawn(900, 900, "PNG"))
    made = fitted(data, picture.mime, Fit(("image/png", "image/jpeg"), 10**7, (300, 300)))
    assert made.mime == "image/png"

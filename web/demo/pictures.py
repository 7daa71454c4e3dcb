"""Pictures for the invented city's posts: a river, hills and a sky, drawn for each post and the same every time."""

from __future__ import annotations

import io
import random
import zlib

from PIL import Image, ImageDraw

SIZE = (1280, 800)
_SKIES = (((205, 228, 247), (250, 246, 235)), ((252, 214, 170), (255, 245, 230)), ((40, 60, 110), (160, 130, 160)))
_HILLS = ((86, 130, 104), (120, 160, 110), (70, 104, 120))
DESCRIPTION = "示意画：江水、远山和天空"


def drawn(title: str) -> bytes:
    """A JPEG for the post of this title."""
    chance = random.Random(zlib.crc32(title.encode()))  # noqa: S311 -- a picture, not a secret
    image = Image.new("RGB", SIZE)
    draw = ImageDraw.Draw(image)
    _sky(draw, *chance.choice(_SKIES))
    sun = chance.randint(150, SIZE[0] - 150)
    draw.ellipse((sun - 60, 90, sun + 60, 210), fill=(255, 240, 200))
    for layer in range(3):
        _hills(draw, chance, 330 + layer * 90, tuple(max(0, part - layer * 18) for part in chance.choice(_HILLS)))
    _river(draw, chance)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


def _sky(draw: ImageDraw.ImageDraw, top: tuple[int, ...], bottom: tuple[int, ...]) -> None:
    for y in range(SIZE[1]):
        share = y / SIZE[1]
        draw.line((0, y, SIZE[0], y), fill=tuple(int(a + (b - a) * share) for a, b in zip(top, bottom, strict=True)))


def _hills(draw: ImageDraw.ImageDraw, chance: random.Random, base: int, colour: tuple[int, ...]) -> None:
    points = [(x, base - chance.randint(0, 130)) for x in range(0, SIZE[0] + 161, 160)]
    draw.polygon([(0, SIZE[1]), *points, (SIZE[0], SIZE[1])], fill=colour)


def _river(draw: ImageDraw.ImageDraw, chance: random.Random) -> None:
    draw.rectangle((0, 620, *SIZE), fill=(98, 140, 178))
    for _ in range(40):
        x, y = chance.randint(0, SIZE[0]), chance.randint(630, SIZE[1])
        draw.line((x, y, x + chance.randint(30, 140), y), fill=(150, 185, 212), width=2)

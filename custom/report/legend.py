"""What the colours of a picture mean: a strip to be set below it."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image, ImageDraw, ImageFont

from custom.base.colours import Colour
from custom.base.readable import readable

MARGIN, SWATCH_GAP, FONT_SIZE = 8, 6, 15  # pixels


def strip(width: int, legend: Mapping[str, Colour], title: str = "") -> Image.Image:
    """Title and legend entries in reading order, wrapped to `width` pixels, black on white (RGB)."""
    font, line = ImageFont.load_default(FONT_SIZE), FONT_SIZE + MARGIN
    entries = ([(readable(title), None)] if title else []) + [*legend.items()]
    x, y, placed = MARGIN, MARGIN, []
    for text, colour in entries:
        swatch = 0 if colour is None else FONT_SIZE + SWATCH_GAP
        length = swatch + round(font.getlength(text))
        if x > MARGIN and x + length > width:
            x, y = MARGIN, y + line
        placed.append((x, y, swatch, text, colour))
        x += length + 2 * MARGIN
    page = Image.new("RGB", (width, y + line), "white")
    draw = ImageDraw.Draw(page)
    for x, y, swatch, text, colour in placed:
        if colour is not None:
            draw.rectangle((x, y, x + FONT_SIZE, y + FONT_SIZE), fill=colour)
        draw.text((x + swatch, y), text, fill="black", font=font)
    return page

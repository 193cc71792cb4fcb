"""`region.png`: a raw volume seen along its three axes, with the region of interest drawn in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from custom.base.colours import PALETTE
from custom.base.files import complete_file
from custom.region.corners import AXES
from custom.region.finding import Look
from custom.region.projections import joined_projections
from custom.region.record import Region
from custom.report.legend import strip

_LONGEST = 620  # pixels of a panel's longer side
_FONT, _TICK = 14, 5
_LEFT, _TOP, _RIGHT, _BOTTOM = 58, 30, 14, 40  # pixels around a panel
_CORNER, _BENT, _SEAM, _CIRCLE = PALETTE[0], PALETTE[1], PALETTE[3], PALETTE[6]
_UNKNOWN = 24  # grey of what was not reconstructed
ALONG = {"yx": "z", "zx": "y", "zy": "x"}
_STEPS = 41  # points of a bent outline


def draw_region(look: Look, region: Region | None, path: Path) -> None:
    """Write the picture: means above, maxima below; without a region the projections alone.

    Raises:
        BadInput: it cannot be written.
    """
    seen = joined_projections([one.projections for one in look.looks], look.fields)
    rows = []
    for what, planes in (("mean", seen.mean), ("largest value", seen.largest)):
        panels = [_Panel(name, planes[ALONG[name]], what, look, region).drawn() for name in AXES]
        rows.append(_beside(panels))
    page = _below([*rows, strip(max(row.width for row in rows), _legend(look, region), _title(look, region))])
    with complete_file(path) as part:
        page.save(part, format="PNG")


def _title(look: Look, region: Region | None) -> str:
    sizes = " x ".join(map(str, look.shape))
    um = look.looks[0].stack.voxel_size_um
    unit = f" of {' x '.join(f'{one:g}' for one in um)} um" if um else ""
    if region is None or region.shape is None:
        return f"{sizes} voxels{unit} (z, y, x), no cell found: read the corners off here, in voxels"
    return f"{sizes} voxels{unit} (z, y, x); the region has {' x '.join(map(str, region.shape))}"


def _legend(look: Look, region: Region | None) -> dict[str, tuple[int, int, int]]:
    found = {}
    if region is not None:
        found["corners of the region, 1 to 4 in the order of region.json"] = _CORNER
        found["the electrodes' outer faces, through the middle"] = _BENT
    if len(look.fields) > 1:
        found["where fields of view overlap"] = _SEAM
    if look.looks[0].circle is not None:
        found["reconstruction circle"] = _CIRCLE
    return found


class _Panel:
    """One projection with its axes."""

    def __init__(self, name: str, plane: NDArray, what: str, look: Look, region: Region | None) -> None:
        self.name, self.what, self.look, self.region = name, what, look, region
        self.scale = _LONGEST / max(plane.shape)
        self.size = round(plane.shape[1] * self.scale), round(plane.shape[0] * self.scale)
        self.page = Image.new("RGB", (_LEFT + self.size[0] + _RIGHT, _TOP + self.size[1] + _BOTTOM), "white")
        self.page.paste(grey_picture(plane).resize(self.size, Image.Resampling.BILINEAR), (_LEFT, _TOP))
        self.draw, self.font = ImageDraw.Draw(self.page), ImageFont.load_default(_FONT)
        self.sides = plane.shape

    def drawn(self) -> Image.Image:
        self._axes()
        if self.name != "yx":
            self._seams()
        elif (circle := self.look.looks[0].circle) is not None:
            low = self._pixel(circle.y - circle.radius, circle.x - circle.radius)
            self.draw.ellipse((*low, *self._pixel(circle.y + circle.radius, circle.x + circle.radius)), outline=_CIRCLE)
        if self.region is not None:
            self._region(self.region)
        return self.page

    def _pixel(self, first: float, second: float) -> tuple[float, float]:
        """Of a voxel's centre, along the panel's two axes."""
        return _LEFT + (second + 0.5) * self.scale, _TOP + (first + 0.5) * self.scale

    def _axes(self) -> None:
        down, right = self.name[0], self.name[1]
        self.draw.text((_LEFT, 6), f"along {ALONG[self.name]}: {self.what}", fill="black", font=self.font)
        self.draw.text((_LEFT + self.size[0], _TOP + self.size[1] + 22), f"{right} (voxels)", "black", self.font, "ra")
        self.draw.text((4, _TOP), f"{down}", fill="black", font=self.font)
        for number in _ticks(self.sides[1], self.size[0]):
            x, y = self._pixel(self.sides[0] - 0.5, number)
            self.draw.line((x, y, x, y + _TICK), fill="black")
            self.draw.text((x, y + _TICK), str(number), fill="black", font=self.font, anchor="ma")
        for number in _ticks(self.sides[0], self.size[1]):
            x, y = self._pixel(number, -0.5)
            self.draw.line((x - _TICK, y, x, y), fill="black")
            self.draw.text((x - _TICK - 2, y), str(number), fill="black", font=self.font, anchor="rm")

    def _seams(self) -> None:
        for below, above in zip(self.look.fields, self.look.fields[1:], strict=False):
            for z in (above.first, below.last):
                (left, y), (right, _) = self._pixel(z, -0.5), self._pixel(z, self.sides[1] - 0.5)
                for x in np.arange(left, right, 14):
                    self.draw.line((x, y, min(x + 7, right), y), fill=_SEAM)

    def _region(self, region: Region) -> None:
        quad = getattr(region.corners, self.name)
        for outline in _faces(region, self.name):
            self.draw.line([self._pixel(*point) for point in outline], fill=_BENT, width=2)
        if quad is None:
            return
        points = [self._pixel(*point) for point in quad]
        self.draw.line([*points, points[0]], fill=_CORNER, width=2)
        middle = np.mean(points, axis=0)
        for number, (x, y) in enumerate(points, 1):
            self.draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=_CORNER, outline="black")
            inwards = np.sign(middle - np.array([x, y])) * 14
            place = x + inwards[0], y + inwards[1]
            self.draw.text(place, str(number), _CORNER, self.font, "mm", stroke_width=2, stroke_fill="black")


def _faces(region: Region, name: str) -> list[list[tuple[float, float]]]:
    """Both electrodes' outer faces, seen along z or x, through the middle of the cell; none along y."""
    if name == "zx" or region.shape is None:
        return []
    nz, ny, nx = region.shape
    axes = AXES[name]
    steps = np.linspace(0, 1, _STEPS)
    found = []
    for y in (0, ny - 1):
        points = np.stack(
            [
                steps * (nz - 1) if name == "zy" else np.full(_STEPS, (nz - 1) / 2),
                np.full(_STEPS, float(y)),
                steps * (nx - 1) if name == "yx" else np.full(_STEPS, (nx - 1) / 2),
            ],
            axis=1,
        )
        found.append([(float(point[axes[0]]), float(point[axes[1]])) for point in region.map().forward(points)])
    return found


def grey_picture(plane: NDArray) -> Image.Image:
    """Black to white between the 1 and 99.7 percentiles, as RGB."""
    known = np.isfinite(plane)
    low, high = np.percentile(plane[known], (1, 99.7)) if known.any() else (0.0, 1.0)
    shown = np.clip((np.where(known, plane, low) - low) / max(high - low, 1e-12), 0, 1) * 255
    return Image.fromarray(np.where(known, shown, _UNKNOWN).astype(np.uint8)).convert("RGB")


def _ticks(length: int, pixels: int) -> range:
    """About five round numbers from 0 to a length, fewer where there are few pixels."""
    rough = length / max(min(pixels // 40, 5), 1)
    power = 10 ** math.floor(math.log10(max(rough, 1)))
    step = next(one * power for one in (1, 2, 5, 10) if one * power >= rough)
    return range(0, length, int(step))


def _beside(pages: Sequence[Image.Image]) -> Image.Image:
    whole = Image.new("RGB", (sum(page.width for page in pages), max(page.height for page in pages)), "white")
    x = 0
    for page in pages:
        whole.paste(page, (x, 0))
        x += page.width
    return whole


def _below(pages: Sequence[Image.Image]) -> Image.Image:
    whole = Image.new("RGB", (max(page.width for page in pages), sum(page.height for page in pages)), "white")
    y = 0
    for page in pages:
        whole.paste(page, (0, y))
        y += page.height
    return whole

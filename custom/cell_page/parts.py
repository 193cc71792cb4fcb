"""What a page is made of: numbers and pictures as text that stands in it."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from PIL import Image

WIDEST = 1100  # pixels of a slice
_WIDE, _HIGH, _LEFT, _BELOW = 460, 200, 74, 40  # of a chart, in its own pixels


def packed(values: np.ndarray, kind: str) -> dict[str, Any]:
    """An array for the page: deflated and in base64, with its type as JavaScript has it."""
    names = {"uint8": "Uint8Array", "uint16": "Uint16Array", "uint32": "Uint32Array", "float32": "Float32Array"}
    raw = np.ascontiguousarray(values, np.dtype(kind).newbyteorder("<")).tobytes()
    return {"type": names[kind], "data": base64.b64encode(zlib.compress(raw, 9)).decode("ascii")}


def number(value: Any) -> str:
    """As a reader has it: three digits, thousands set apart."""
    if value is None:
        return "none"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return (
        f"{value:.3g}" if abs(value) < 1000 else f"{float(f'{value:.3g}'):,.0f}" if abs(value) < 1e9 else f"{value:.3g}"
    )


def picture_url(picture: Image.Image) -> str:
    """A picture that stands in the page."""
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def slice_url(picture: Image.Image) -> str:
    """A slice, as large as a page shows it, in few colours."""
    if picture.width > WIDEST:
        size = WIDEST, max(1, round(picture.height * WIDEST / picture.width))
        picture = picture.resize(size, Image.Resampling.BOX)
    return picture_url(picture.quantize(64) if picture.mode == "RGB" else picture)


def map_picture(values: np.ndarray, longest: int = 900) -> Image.Image:
    """A map from dark to bright, as `colour` has it: 0 is the darkest, its largest value the brightest."""
    shrink = min(longest / max(values.shape), 1)
    size = max(round(values.shape[1] * shrink), 1), max(round(values.shape[0] * shrink), 1)
    seen = np.asarray(Image.fromarray(values.astype(np.float32, copy=False)).resize(size, Image.Resampling.BOX))
    scaled = seen / max(float(values.max(initial=0)), 1e-12)
    red, green, blue = (np.interp(scaled, np.linspace(0, 1, len(_SCALE)), part) for part in np.array(_SCALE).T)
    return Image.fromarray(np.stack([red, green, blue], axis=-1).round().astype(np.uint8))


# from dark to bright and of growing lightness, so that it is read in grey and by the colour-blind too
_SCALE = ((13, 8, 40), (80, 18, 110), (155, 45, 105), (225, 90, 70), (250, 165, 60), (250, 240, 150))
SCALE = ["#{:02x}{:02x}{:02x}".format(*colour) for colour in _SCALE]


def _mark(value: float) -> str:
    return f"{value:.2g}" if value < 1000 else f"{float(f'{value:.2g}'):,.0f}" if value < 1e6 else f"{value:.1e}"


def chart(
    title: str, values: Sequence[float], ends: tuple[float, float], across: str, up: str, bars: bool = True
) -> str:
    """A curve or bars over evenly spaced places, as SVG that takes the page's colours.

    Args:
        values: at least one.
        ends: where the first bar begins and the last one ends; of a curve, its first place and its last.
        across, up: what the axes are, with unit.
    """
    top = max(max(values), 1e-300)
    width, height = _WIDE - _LEFT - 10, _HIGH - _BELOW - 10
    step = width / len(values)
    parts = []
    if bars:
        parts = [
            f'<rect x="{_LEFT + n * step:.1f}" y="{10 + height * (1 - value / top):.1f}" width="{max(step - 1, 0.5):.1f}" '
            f'height="{height * value / top:.1f}"/>'
            for n, value in enumerate(values)
        ]
    else:
        points = [
            f"{_LEFT + n * width / max(len(values) - 1, 1):.1f},{10 + height * (1 - value / top):.1f}"
            for n, value in enumerate(values)
        ]
        parts = [f'<polyline points="{" ".join(points)}"/>']
    marks = "".join(
        f'<text x="{_LEFT + share * width:.0f}" y="{_HIGH - _BELOW + 16}" text-anchor="{"end" if share == 1 else "middle"}">'
        f"{ends[0] + share * (ends[1] - ends[0]):.3g}</text>"
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    marks += "".join(
        f'<text x="{_LEFT - 6}" y="{14 + height * (1 - share):.0f}" text-anchor="end">{_mark(share * top)}</text>'
        for share in (0, 0.5, 1)
    )
    return (
        f'<figure class="chart"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="{escape(title)}">{"".join(parts)}'
        f'<path d="M{_LEFT},10V{10 + height}H{_WIDE - 10}"/>{marks}'
        f'<text x="{_LEFT + width / 2:.0f}" y="{_HIGH - 4}" text-anchor="middle">{escape(across)}</text>'
        f'<text transform="rotate(-90)" x="{-(10 + height / 2):.0f}" y="12" text-anchor="middle">{escape(up)}</text>'
        "</svg></figure>"
    )

"""A figure against charge as a small chart, with its range by threshold."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from custom.measuring.headline import number

_WIDE, _HIGH, _LEFT, _BELOW, _TOP = 460, 220, 70, 42, 12


def plot(
    title: str,
    at: Sequence[float],
    values: Sequence[float | None],
    across: str,
    up: str,
    ranges: Sequence[tuple[float, float] | None] = (),
) -> str:
    """Points and the line through them as SVG that takes the page's colours; places need not be evenly spaced.

    Args:
        at: of each point, rising, two at least.
        values: None where there is no figure.
        across, up: what the axes are, with unit.
        ranges: of each point, from and to; none: there are none.
    """
    known = [value for value in values if value is not None] + [end for one in ranges if one for end in one]
    low, high = min([0.0, *known]), max([0.0, *known])
    high = high if high > low else low + 1
    width, height = _WIDE - _LEFT - 12, _HIGH - _BELOW - _TOP
    xs = [_LEFT + width * (one - at[0]) / (at[-1] - at[0]) for one in at]

    def y(value: float) -> float:
        return _TOP + height * (high - value) / (high - low)

    points = [(x, y(value)) for x, value in zip(xs, values, strict=True) if value is not None]
    bars = [
        f'<path class="range" d="M{x:.1f},{y(one[0]):.1f}V{y(one[1]):.1f}"/>'
        for x, one in zip(xs, ranges, strict=False)
        if one is not None
    ]
    line = " ".join(f"{x:.1f},{up_:.1f}" for x, up_ in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{up_:.1f}" r="3.5"/>' for x, up_ in points)
    marks = "".join(
        f'<text x="{x:.0f}" y="{_TOP + height + 16}" text-anchor="middle">{number(float(one))}</text>'
        for x, one in _apart(xs, at)
    )
    marks += "".join(
        f'<text x="{_LEFT - 6}" y="{y(value) + 4:.0f}" text-anchor="end">{number(float(value))}</text>'
        for value in sorted({low, 0.0, (low + high) / 2, high})
    )
    return (
        f'<figure class="chart"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="{escape(title)}">'
        f'<path d="M{_LEFT},{_TOP}V{_TOP + height}M{_LEFT},{y(0):.1f}H{_WIDE - 12}"/>{"".join(bars)}'
        f'<polyline points="{line}"/>{dots}{marks}'
        f'<text x="{_LEFT + width / 2:.0f}" y="{_HIGH - 6}" text-anchor="middle">{escape(across)}</text>'
        f'<text transform="rotate(-90)" x="{-(_TOP + height / 2):.0f}" y="12" text-anchor="middle">{escape(up)}</text>'
        "</svg></figure>"
    )


def _apart(xs: Sequence[float], at: Sequence[float]) -> list[tuple[float, float]]:
    """Those marks that leave one another room."""
    found: list[tuple[float, float]] = []
    for x, one in zip(xs, at, strict=True):
        if not found or x - found[-1][0] > 44:
            found.append((x, one))
    return found

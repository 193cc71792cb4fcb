"""A stack's figures beside those of a training: which are in their allowed ranges, and what that comes to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from custom.guard.figures import FIGURES, HISTOGRAM, VOXEL_SIZE, Figure, apart
from custom.guard.looking import Look
from custom.guard.ranges import FALSE_ALARMS, allowed, excess
from custom.guard.reference import Reference

LIKE, UNLIKE, CANNOT_JUDGE = "like", "unlike", "cannot judge"
CURE = "label a few slices of this scan and train on them"
Row = dict[str, Any]


def judged(look: Look, voxel_size_um: Sequence[float] | None, reference: Reference, sizes: Any) -> dict[str, Any]:
    """What summary.json says of a stack.

    Args:
        look: what was measured of it.
        voxel_size_um: (z, y, x), None where it is unknown.
        reference: of the training.
        sizes: the voxel sizes of the training's files, (z, y, x) each.

    Returns:
        ``verdict``; ``distance``, that of the figure furthest off, in distances of its end; ``furthest``, its name;
        ``spread_among``: "scans" or "slices", whose spread the ranges are made of; ``figures``: of each ``value``,
        ``reference``, ``allowed`` (two ends), ``distance`` and ``in_range``.
    """
    level = FALSE_ALARMS / len(FIGURES)
    rows = {name: _row(look.figure(name), values, FIGURES[name], level) for name, values in reference.figures.items()}
    rows[HISTOGRAM] = _histogram(look.histogram(), reference.histograms, level)
    rows[VOXEL_SIZE] = _voxel_size(voxel_size_um, sizes)
    found: dict[str, Row] = {name: row for name in FIGURES if (row := rows.get(name)) is not None}
    if not found:
        return {"verdict": CANNOT_JUDGE}
    furthest = max(found, key=lambda name: found[name]["distance"])
    far = float(found[furthest]["distance"])
    verdict = LIKE if far <= 1 else UNLIKE
    about = {"distance": far, "furthest": furthest, "spread_among": reference.units}
    return {"verdict": verdict, **about, "figures": found}


def _row(value: float, known: Sequence[float], figure: Figure, level: float) -> Row | None:
    """None where either side has no number."""
    numbers = [one for one in known if math.isfinite(one)]
    if not math.isfinite(value) or not numbers:
        return None
    if not figure.ratio:
        return _told(value, *allowed(numbers, figure.finest, level))
    if value <= 0 or min(numbers) <= 0:
        return None
    centre, lower, upper = allowed([math.log(one) for one in numbers], math.log1p(figure.finest), level)
    far = excess(math.log(value), centre, lower, upper)
    return _told(value, math.exp(centre), math.exp(lower), math.exp(upper), far)


def _histogram(found: np.ndarray, known: np.ndarray, level: float) -> Row:
    """The distance from the nearest of the training's, beside that of each of these from the nearest of the others."""
    value = min(apart(found, one) for one in known)
    others = [min(apart(one, other) for j, other in enumerate(known) if j != i) for i, one in enumerate(known)]
    return _told(value, *allowed(others if len(known) > 1 else [0.0], FIGURES[HISTOGRAM].finest, level))


def _voxel_size(found: Sequence[float] | None, known: Any) -> Row | None:
    """In the slices, since those are what a network sees: from the least to the largest of the training, and a tenth more."""
    sizes = [math.sqrt(float(one[1]) * float(one[2])) for one in known or () if one]
    if found is None or not sizes:
        return None
    value, more = math.sqrt(float(found[1]) * float(found[2])), 1 + FIGURES[VOXEL_SIZE].finest
    centre = math.sqrt(min(sizes) * max(sizes))
    lower, upper = min(sizes) / more, max(sizes) * more
    far = excess(*(math.log(one) for one in (value, centre, lower, upper)))
    return _told(value, centre, lower, upper, far)


def _told(value: float, centre: float, lower: float, upper: float, far: float | None = None) -> Row:
    """A difference has an upper end alone, since its least is 0: nothing is too near."""
    far = (max(value - centre, 0.0) / (upper - centre)) if far is None else far
    ends = [max(lower, 0.0), upper]
    return {"value": value, "reference": centre, "allowed": ends, "distance": far, "in_range": far <= 1}


def sentence(stack: str, found: dict[str, Any], cure: str = CURE) -> str:
    """The verdict with the number, the allowed range and a cure.

    Args:
        stack: its name.
        found: what `judged` gave.
        cure: what to do about a stack that is unlike.
    """
    name = found["furthest"]
    row, figure = found["figures"][name], FIGURES[name]
    lower, upper = (_number(end * figure.scale) for end in row["allowed"])
    range_of = f"{lower} to {upper}{figure.unit}" if figure.ratio else f"at most {upper}{figure.unit}"
    told = f"{figure.words} is {_number(row['value'] * figure.scale)}{figure.unit}, allowed is {range_of}"
    if found["verdict"] == LIKE:
        return f"{stack}: looks like the scans that these weights were trained on (nearest to an end: {told})."
    others = [other for other, about in found["figures"].items() if not about["in_range"] and other != name]
    more = f" (out of range too: {', '.join(others)})" if others else ""
    few = " (slices of few scans, which tell little of others)" if found["spread_among"] == "slices" else ""
    return f"{stack}: looks unlike the scans that these weights were trained on{few}, {told}{more}; {cure}."


def _number(value: float) -> str:
    return f"{value:.3g}"

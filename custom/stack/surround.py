"""What lies outside a reconstruction: the constant that fills the corners around a circle, or a padding.

Filled with 0, -1000 or NaN, it has nothing to do with the sample, yet takes the ends of a grey window with it. It is told
from material by what noise never does: one value, over a solid region that reaches the border of the slice.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np
from scipy import ndimage

from custom.stack.few_values import is_disc_or_rectangle, nearly_constant
from custom.stack.grown import Mask, dilated, eroded, sides, solid_at_border
from custom.stack.rim import with_rim

LEAST_SHARE = 0.002  # of a slice; half of what moves an end of the usual window, 0.5 %
LEAST_RUN = 16  # voxels of one value side by side on a slice's border; noise has no such run
MOST_FLAT = 0.05  # share of voxels equal to all their neighbours up to which a slice counts as noisy
_COARSE = 500  # voxels along each side that show whether a closer look is worth it
_NOISE = 1e-4  # of a constant, in quartile distances of the material
_ROUNDING = 1e-6  # of a constant, relative
_EDGE_SHARE = 0.2  # of the voxels along an inner edge that have one value; of noise fewer have


class SurroundSearch:
    """Finds the values that fill what lies outside the reconstruction, in slices that are read for something else.

    A value counts that fills a solid region at the border of a slice whose other voxels are noisy. Where they are not
    (simulations, slices that were denoised in 8 bit), only the lowest or highest value does, around a disc or a rectangle.
    Around the circle of a reconstruction, a few neighbouring whole numbers do too, as a lossy compression leaves them.
    """

    def __init__(self) -> None:
        self._found: set[float] = set()
        self._constant: set[float] = set()
        self._material = False

    def look(self, plane: np.ndarray) -> None:
        """Look at a slice of the stack, (Y, X) or (1, Y, X)."""
        plane = plane.reshape(plane.shape[-2:])
        candidates = _runs(plane)
        whole = bool(candidates) and bool(_is(plane, candidates).all())
        self._material |= not whole
        slack = _slack(plane, candidates)
        for value in candidates:
            if _is_known(value, self._found, slack):
                continue
            if whole:
                self._constant.add(value)
            elif _is_surround(plane, value):
                self._found.add(value)
        if not whole and (inner := _behind(plane, self._found)) is not None and _is_surround(plane, inner, self._found):
            self._found.add(inner)
        if not whole and not self._found:
            self._found |= set(nearly_constant(plane))

    def found(self) -> tuple[float, ...]:
        """Ascending values, NaN for all that are not finite as the last one; mostly none or one."""
        found = self._found | (self._constant if self._material else set())
        return tuple(sorted(found, key=lambda value: (np.isnan(value), value)))


def unseen_surround(plane: np.ndarray, surround: Sequence[float]) -> tuple[float, ...]:
    """Further values that fill what lies outside the reconstruction in this slice alone; mostly none, in 0.1 ms.

    A stack's own are found in 64 of its slices, and those in between may have others. What a coarse look takes for material
    is not looked at further.

    Args:
        plane: (Y, X) grey values of a stack that has contrast.
        surround: of the stack.
    """
    runs = _runs(plane)
    slack = _slack(plane, runs) if runs else 0.0
    values = [value for value in runs if not _is_known(value, surround, slack)]
    coarse = plane[tuple(slice(None, None, max(length // _COARSE, 1)) for length in plane.shape)]
    if values and _is(coarse, runs).all() and _is(plane, runs).all():
        return tuple(values) if len(runs) == 1 else ()  # nothing, or a simulation of a few values
    return tuple(value for value in values if _is_surround(coarse, value) and _is_surround(plane, value))


def outside(plane: np.ndarray, surround: Sequence[float]) -> Mask | None:
    """Which voxels of a slice lie outside the reconstruction, bool (Y, X), or None where none does.

    Solid regions of the surround's values that reach the border; single voxels of that value, as dark noise cut off at 0
    leaves them, belong to the material.

    Args:
        plane: (Y, X) grey values.
        surround: of the stack, as `SurroundSearch` finds it.
    """
    if not surround or not (filled := _is(plane, surround)).any():
        return None
    region = solid_at_border(filled)
    if np.count_nonzero(region) < LEAST_SHARE * plane.size:
        return None
    return with_rim(plane, region, surround)


def _is_known(value: float, known: Collection[float], slack: float) -> bool:
    """Whether a value is one of those known, as far as noise and rounding go."""
    return any(
        (math.isnan(value) and math.isnan(one)) or abs(value - one) <= max(2 * _ROUNDING * abs(one), slack)
        for one in known
    )


def _is(plane: np.ndarray, values: Sequence[float]) -> Mask:
    finite = [value for value in values if not np.isnan(value)]
    equal = np.zeros(plane.shape, bool)
    # of several, as of slices that are each filled with their own mean, material would come near one of them
    noise = _slack(plane, finite) if len(finite) == 1 else 0.0
    for value in finite:
        if slack := max(noise, _ROUNDING * abs(value) if plane.dtype.kind == "f" else 0.0):
            equal |= (plane >= value - slack) & (plane <= value + slack)
        else:
            equal |= plane == value
    if len(finite) < len(values) and plane.dtype.kind == "f":
        equal |= ~np.isfinite(plane)
    return equal


def _slack(plane: np.ndarray, but: Sequence[float] = ()) -> float:
    """By how much a constant of a float slice may be off: a filter, a turn or a lossy compression leaves noise in it.

    Args:
        plane: (Y, X) grey values; whole numbers are taken as they are.
        but: constants that are known, which say nothing of how far the material's values spread.
    """
    if plane.dtype.kind != "f":
        return 0.0
    step = max(min(plane.shape) // 64, 1)
    sample = plane[::step, ::step]
    sample = sample[np.isfinite(sample) & ~np.isin(sample, np.array(but, plane.dtype))]
    low, high = np.percentile(sample, (25, 75)) if sample.size else (0.0, 0.0)
    return _NOISE * float(high - low)


def _runs(plane: np.ndarray) -> list[float]:
    """Values that stand in a run of `LEAST_RUN` or more on one of the four sides; NaN for those that are not finite."""
    exact = _runs_within(plane, 0.0)
    slack = _slack(plane, [*exact])
    found = exact if exact or not slack else _runs_within(plane, slack)
    nans = {value for value in found if np.isnan(value)}
    return [*sorted(found - nans), *([math.nan] if nans else [])]


def _runs_within(plane: np.ndarray, slack: float) -> set[float]:
    """The values, each the median of its run, of runs in which neighbours differ by `slack` at most."""
    found: set[float] = set()
    for side in sides(plane):
        line = side.astype(np.float64)
        line[~np.isfinite(line)] = np.nan
        with np.errstate(invalid="ignore"):
            same = (np.abs(np.diff(line)) <= slack) | (np.isnan(line[1:]) & np.isnan(line[:-1]))
        starts = np.flatnonzero(np.r_[True, ~same])
        lengths = np.diff(np.r_[starts, len(line)])
        long = lengths >= min(LEAST_RUN, len(line))
        for start, length in zip(starts[long], lengths[long], strict=True):
            found.add(float(np.median(line[start : start + length])))
    return found


def _behind(plane: np.ndarray, found: Collection[float]) -> float | None:
    """A further value that stands all along the inner edge of what is known to lie outside: that of a circle within a frame."""
    if not found or not (filled := _is(plane, list(found))).any():
        return None
    region = solid_at_border(filled)
    edge = plane[dilated(region) & ~region].astype(np.float64)
    edge[~np.isfinite(edge)] = np.nan
    values, counts = np.unique(edge, return_counts=True)
    if not counts.size or counts.max() < max(_EDGE_SHARE * len(edge), LEAST_RUN):
        return None
    return math.nan if np.isnan(value := float(values[counts.argmax()])) else value


def _is_surround(plane: np.ndarray, value: float, around: Collection[float] = ()) -> bool:
    own = _is(plane, [value])
    region = solid_at_border(_is(plane, [value, *around]))
    # behind a frame, by itself: of dark noise that was cut off at 0, the 1 lie among the 0
    if np.count_nonzero(eroded(own) if around else region & own) < LEAST_SHARE * plane.size:
        return False
    rest = ~ndimage.binary_dilation(region, iterations=2)
    if np.isnan(value) or not rest.any() or _flat(plane)[rest].mean() <= MOST_FLAT:
        return True
    extreme = value <= plane[rest].min() or value >= plane[rest].max()
    return bool(extreme) and is_disc_or_rectangle(~region)


def _flat(plane: np.ndarray) -> Mask:
    """Voxels that equal all their eight neighbours; none on the border."""
    flat = np.zeros(plane.shape, bool)
    centre = plane[1:-1, 1:-1]
    inner = np.ones(centre.shape, bool)
    for y in range(3):
        for x in range(3):
            inner &= plane[y : y + centre.shape[0], x : x + centre.shape[1]] == centre
    flat[1:-1, 1:-1] = inner
    return flat


def inside_values(planes: Iterable[np.ndarray], surround: Sequence[float]) -> Iterator[np.ndarray]:
    """The values of slices (1, Y, X) or (Y, X) without those outside the reconstruction, flat; whole slices where all count."""
    for plane in planes:
        region = outside(plane.reshape(plane.shape[-2:]), surround)
        yield plane if region is None else plane.reshape(region.shape)[~region]

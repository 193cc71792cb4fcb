"""The grey window: one pair of grey values for a whole stack, between which a network's input is scaled."""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from custom.base.errors import BadInput
from custom.stack.material import of_material
from custom.stack.percentiles import is_counted_at_once
from custom.stack.samples import Sample, at_hand
from custom.stack.stack import Stack
from custom.stack.surround import inside_values
from custom.stack.warn import tell_once, warn_once

_MOST_SLICES = 64
_SOME_SLICES = 16  # of these, where a rough range will do
_USUAL = (0.5, 99.5)
_FEW_WITHIN = 0.2  # of the voxels within a window that was given, which is then one of another grey scale, mostly
Scaling = Mapping[str, Any]  # `percentiles` and `fixed` of `grey_window`, by these names


@dataclass(frozen=True)
class GreyWindow:
    """Grey values that become 0 and 1.

    Attributes:
        lower, upper: finite, lower < upper, in the stack's own grey values.
        source: how they were found, in words for a report.
        surround: the values that fill what lies outside the reconstruction (`SurroundSearch`), mostly none or one.
    """

    lower: float
    upper: float
    source: str = "given"
    surround: tuple[float, ...] = ()


def grey_window(
    stack: Stack | np.ndarray,
    percentiles: tuple[float, float] = (0.5, 99.5),
    fixed: tuple[float, float] | None = None,
) -> GreyWindow:
    """The grey window of one stack, on disk or in memory; see `grey_window_of`.

    Args:
        stack: an opened stack, or an array (Z, Y, X) or (Y, X).
    """
    return grey_window_of([stack], percentiles, fixed)


def grey_window_of(
    stacks: Sequence[Stack | np.ndarray],
    percentiles: tuple[float, float] = (0.5, 99.5),
    fixed: tuple[float, float] | None = None,
) -> GreyWindow:
    """One grey window over all voxels of several stacks, such as 2-D slices that were opened one by one.

    At most 64 slices are read, evenly spaced over all stacks, a slice at a time. Values that are not finite do not count,
    nor do those outside a round reconstruction or in a padding, nor saturated or dead ones: the window is the material's.
    The percentiles are those of `numpy.percentile` over these slices, of values rounded to float32 unless they
    are integers up to 16 bits.

    Args:
        stacks: opened stacks, or arrays (Z, Y, X) or (Y, X).
        percentiles: of the lower and the upper end, within [0, 100].
        fixed: the window itself, instead of percentiles.

    Raises:
        BadInput: no finite value, no contrast (lower = upper), or unusable `percentiles` or `fixed`; a fixed window
            that holds none of the grey values between the 0.5 and 99.5 percentiles.
    """
    if fixed is not None:
        return _fixed(stacks, fixed)
    percentiles = _ascending(percentiles, "percentiles of the grey window", 0, 100)
    if not stacks:
        raise BadInput("There is no stack to find a grey window of; give at least one.")
    name, volumes = _name(stacks), _volumes(stacks)
    dtype = _dtype(volumes)
    chosen = at_hand(_evenly_spaced(volumes), is_counted_at_once(dtype))
    ends, surround = of_material(chosen, dtype, percentiles)
    if ends is None:
        raise BadInput(f"{name}: holds no finite grey value; export it anew.")
    if ends[0] == ends[1]:
        raise BadInput(
            f"{name}: has no contrast, its {percentiles[0]:g} and {percentiles[1]:g} percentiles are both {ends[0]:g}; "
            "check that it is the right file, or give the grey window as two numbers."
        )
    total = sum(volume.shape[0] for volume in volumes)
    source = f"percentiles {percentiles[0]:g} and {percentiles[1]:g} of {len(chosen)} of {total} slices"
    if surround:
        values = " and ".join("NaN" if math.isnan(value) else f"{value:g}" for value in surround)
        source += f", without what lies outside the reconstruction (filled with {values})"
        tell_once(
            f"{name}: what lies outside the reconstruction (filled with {values}) is left out of the grey window "
            f"({ends[0]:g} to {ends[1]:g}) and counts as background."
        )
    return GreyWindow(ends[0], ends[1], source, surround)


def _fixed(stacks: Sequence[Stack | np.ndarray], fixed: tuple[float, float]) -> GreyWindow:
    lower, upper = _ascending(fixed, "grey window", -math.inf, math.inf)
    if not stacks:
        return GreyWindow(lower, upper)
    volumes = _volumes(stacks)
    chosen, dtype = _evenly_spaced(volumes), _dtype(volumes)
    with suppress(BadInput):  # a damaged slice ends a run when it comes up, and what was done before it is kept
        chosen = at_hand(chosen, is_counted_at_once(dtype))
    ends, surround = of_material(chosen, dtype, _USUAL, sound=True)
    if ends is not None and (ends[1] <= lower or ends[0] >= upper):
        raise BadInput(
            f"{_name(stacks)}: its grey values, {ends[0]:g} to {ends[1]:g}, all lie outside the grey window that was "
            f"given, {lower:g} to {upper:g}; give the window of this grey scale with --grey_window#fixed, or "
            "--grey_window#percentiles [0.5,99.5]."
        )
    if ends is not None and (share := _share_within(_some(chosen), surround, lower, upper)) < _FEW_WITHIN:
        warn_once(
            f"{_name(stacks)}: {share:.1%} of its voxels lie within the grey window that was given, {lower:g} to {upper:g}, and "
            f"the others count as its ends; if its grey scale is another one ({ends[0]:g} to {ends[1]:g}), give the window of "
            "this one with --grey_window#fixed, or --grey_window#percentiles [0.5,99.5]."
        )
    return GreyWindow(lower, upper, surround=surround)


def _share_within(chosen: Sequence[Sample], surround: Sequence[float], lower: float, upper: float) -> float:
    """Of the voxels of slices, without what lies outside; 1 where there is none, or a slice is damaged."""
    within = total = 0
    with suppress(BadInput):
        for volume, z in chosen:
            plane = volume.read(z, z + 1) if isinstance(volume, Stack) else volume[z : z + 1]
            for values in inside_values([plane], surround):
                total += values.size
                within += int(np.count_nonzero((values >= lower) & (values <= upper)))
    return within / total if total else 1.0


def grey_range(stack: Stack) -> GreyWindow | None:
    """The window between a stack's 0.5 and 99.5 percentiles, found in 16 slices, or None where it has no contrast."""
    chosen = at_hand(_some(_evenly_spaced([stack])), is_counted_at_once(stack.dtype))
    ends, surround = of_material(chosen, stack.dtype, _USUAL)
    return None if ends is None or ends[0] == ends[1] else GreyWindow(*ends, surround=surround)


def _dtype(volumes: Sequence[Stack | np.ndarray]) -> np.dtype:
    found: np.dtype = np.result_type(*(volume.dtype for volume in volumes))
    return found


def _volumes(stacks: Sequence[Stack | np.ndarray]) -> list[Stack | np.ndarray]:
    return [stack if isinstance(stack, Stack) or stack.ndim == 3 else stack[None] for stack in stacks]


def _some(chosen: Sequence[Sample]) -> list[Sample]:
    picks = np.linspace(0, len(chosen) - 1, min(len(chosen), _SOME_SLICES)).round().astype(int)
    return [chosen[pick] for pick in picks]


def _ascending(pair: Sequence[float], what: str, least: float, most: float) -> tuple[float, float]:
    try:
        lower, upper = (float(value) for value in pair)
    except (TypeError, ValueError):
        lower = upper = math.nan
    if not (math.isfinite(lower) and math.isfinite(upper) and least <= lower < upper <= most):
        raise BadInput(f"The {what} {pair!r} is not usable; give two numbers, the lower one first.")
    return lower, upper


def _evenly_spaced(volumes: Sequence[Stack | np.ndarray]) -> list[Sample]:
    """At most 64 (volume, z), the first and the last slice among them."""
    slices = [(volume, z) for volume in volumes for z in range(volume.shape[0])]
    picks = np.linspace(0, len(slices) - 1, min(len(slices), _MOST_SLICES)).round().astype(int)
    return [slices[pick] for pick in picks]


def _name(stacks: Sequence[Stack | np.ndarray]) -> str:
    names = [str(stack.path) if isinstance(stack, Stack) else "the volume in memory" for stack in stacks]
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"

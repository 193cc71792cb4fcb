"""The grey window: one pair of grey values for a whole stack, between which a network's input is scaled."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from custom.errors import BadInput
from custom.stack.percentiles import exact_percentiles
from custom.stack.stack import Stack

_MOST_SLICES = 64


@dataclass(frozen=True)
class GreyWindow:
    """Grey values that become 0 and 1.

    Attributes:
        lower, upper: finite, lower < upper, in the stack's own grey values.
        source: how they were found, in words for a report.
    """

    lower: float
    upper: float
    source: str = "given"


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

    At most 64 slices are read, evenly spaced over all stacks, a slice at a time. Values that are not finite do not count.
    The percentiles are those of `numpy.percentile` over these slices, of values rounded to float32 unless they
    are integers up to 16 bits.

    Args:
        stacks: opened stacks, or arrays (Z, Y, X) or (Y, X).
        percentiles: of the lower and the upper end, within [0, 100].
        fixed: the window itself, instead of percentiles.

    Raises:
        BadInput: no finite value, no contrast (lower = upper), or unusable `percentiles` or `fixed`.
    """
    if fixed is not None:
        return GreyWindow(*_ascending(fixed, "grey window", -math.inf, math.inf))
    percentiles = _ascending(percentiles, "percentiles of the grey window", 0, 100)
    if not stacks:
        raise BadInput("There is no stack to find a grey window of; give at least one.")
    volumes = [stack if isinstance(stack, Stack) or stack.ndim == 3 else stack[None] for stack in stacks]
    chosen = _evenly_spaced(volumes)
    dtype = np.result_type(*(volume.dtype for volume in volumes))
    ends = exact_percentiles(lambda: _read(chosen), dtype, percentiles)
    name = _name(stacks)
    if ends is None:
        raise BadInput(f"{name}: holds no finite grey value; export it anew.")
    if ends[0] == ends[1]:
        raise BadInput(
            f"{name}: has no contrast, its {percentiles[0]:g} and {percentiles[1]:g} percentiles are both {ends[0]:g}; "
            "check that it is the right file, or give the grey window as two numbers."
        )
    total = sum(volume.shape[0] for volume in volumes)
    source = f"percentiles {percentiles[0]:g} and {percentiles[1]:g} of {len(chosen)} of {total} slices"
    return GreyWindow(ends[0], ends[1], source)


def _ascending(pair: Sequence[float], what: str, least: float, most: float) -> tuple[float, float]:
    try:
        lower, upper = (float(value) for value in pair)
    except (TypeError, ValueError):
        lower = upper = math.nan
    if not (math.isfinite(lower) and math.isfinite(upper) and least <= lower < upper <= most):
        raise BadInput(f"The {what} {pair!r} is not usable; give two numbers, the lower one first.")
    return lower, upper


def _evenly_spaced(volumes: Sequence[Stack | np.ndarray]) -> list[tuple[Stack | np.ndarray, int]]:
    """At most 64 (volume, z), the first and the last slice among them."""
    slices = [(volume, z) for volume in volumes for z in range(volume.shape[0])]
    picks = np.linspace(0, len(slices) - 1, min(len(slices), _MOST_SLICES)).round().astype(int)
    return [slices[pick] for pick in picks]


def _read(chosen: Sequence[tuple[Stack | np.ndarray, int]]) -> Iterator[np.ndarray]:
    for volume, z in chosen:
        yield volume.read(z, z + 1) if isinstance(volume, Stack) else volume[z : z + 1]


def _name(stacks: Sequence[Stack | np.ndarray]) -> str:
    names = [str(stack.path) if isinstance(stack, Stack) else "the volume in memory" for stack in stacks]
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"

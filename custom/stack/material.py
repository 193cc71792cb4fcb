"""The grey values of the material: percentiles without what lies outside the reconstruction, or is saturated or dead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from tqdm import tqdm

from custom.base.errors import BadInput
from custom.stack.percentiles import Blocks, Histogram
from custom.stack.samples import Sample
from custom.stack.stack import Stack
from custom.stack.surround import SurroundSearch, inside_values

Ends = tuple[float, float]


def of_material(
    chosen: Sequence[Sample], dtype: np.dtype, percentiles: Ends, sound: bool = False
) -> tuple[Ends | None, tuple[float, ...]]:
    """The percentiles within the reconstruction, None where there is no finite value, and the values outside.

    Integers of up to 16 bits are read once, others twice. A slice from before a surround was known is read again, if the
    surround fills slices without anything else, or not every slice alike.

    Args:
        chosen: slices.
        dtype: type that holds all their values.
        percentiles: within [0, 100].
        sound: slices that cannot be read are left out, else refused.
    """

    def planes(samples: Iterable[Sample]) -> Iterator[tuple[Sample, np.ndarray]]:
        return _read(samples, sound)

    counted, search = Histogram(dtype), SurroundSearch()
    counted_with: list[tuple[Sample, tuple[float, ...]]] = []
    bar = tqdm(chosen, "reading for the grey window", unit="slice", leave=False, delay=2, disable=None)
    for sample, plane in planes(bar):
        search.look(plane)
        counted_with.append((sample, search.found()))
        _add(counted, plane, counted_with[-1][1])
    surround = search.found()
    for sample, before in counted_with:
        for _, plane in planes([sample] if before != surround else []):
            _add(counted, plane, before, -1)
            _add(counted, plane, surround)
    return _ends(
        counted, lambda: inside_values((plane for _, plane in planes(chosen)), surround), percentiles
    ), surround


def _add(counted: Histogram, plane: np.ndarray, surround: Sequence[float], times: int = 1) -> None:
    for values in inside_values([plane], surround):
        counted.add(values, times)


def _ends(counted: Histogram, blocks: Blocks, percentiles: Ends) -> Ends | None:
    """The percentiles, without voxels that are saturated or dead, or None where there is no finite value.

    They all have the lowest or all have the highest value, more of them than lie beyond the percentile, and stand apart:
    without them the percentile is not the next extreme, as it would be where grey values are few.
    """
    wanted = (0, *percentiles, 100)
    if counted.empty:
        return None
    counted.refine(blocks, counted.foreseen(wanted))
    least, lower, upper, most = counted.percentiles(wanted, blocks)
    dead, saturated = lower == least and percentiles[0] > 0, upper == most and percentiles[1] < 100
    spikes = [extreme for extreme, spike in ((least, dead), (most, saturated)) if spike]
    if not spikes or least == most:
        return lower, upper
    rest = counted.without(spikes)
    if rest.empty:
        return lower, upper
    low, first, last, high = rest.percentiles(wanted, blocks)
    if first >= last:
        return lower, upper
    return first if dead and first > low else lower, last if saturated and last < high else upper


def _read(samples: Iterable[Sample], sound: bool) -> Iterator[tuple[Sample, np.ndarray]]:
    """Slices (1, Y, X), each with where it is from."""
    for volume, z in samples:
        try:
            plane = volume.read(z, z + 1) if isinstance(volume, Stack) else volume[z : z + 1]
        except BadInput:
            if not sound:
                raise
            continue
        yield (volume, z), plane

"""Exact percentiles of more values than fit into memory, by counting.

Integers of up to 16 bits are counted one by one. All others are rounded to float32 and turned into unsigned integers of
the same order: a histogram of their upper 16 bits finds the bins in which the wanted ranks lie, and a second pass counts
the lower 16 bits within those bins alone (radix selection). Both ways are exact whatever outliers there are. Even bins
between minimum and maximum are not: one bright speck of 10,000 among values around 0.01 leaves all others in one bin.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

_BINS = 1 << 16
_SIGN = np.uint32(1 << 31)
_PIECE = 1 << 20  # values counted at a time; a slice of 2575 x 2582 would need some 200 MB for its keys

Blocks = Callable[[], Iterable[np.ndarray]]


def exact_percentiles(blocks: Blocks, dtype: np.dtype, percentiles: Sequence[float]) -> list[float] | None:
    """Percentiles of the finite values, interpolated linearly as `numpy.percentile` does.

    Args:
        blocks: gives the data, block by block, each time it is called: once for integers up to 16 bits, else twice.
        dtype: type that holds the values of every block.
        percentiles: within [0, 100].

    Returns:
        One value for each percentile, or None where there is no finite value.
    """
    small_integers = dtype.kind in "iu" and dtype.itemsize <= 2
    least = int(np.iinfo(dtype).min) if small_integers else 0
    counts = _histogram(_offsets(blocks(), least) if small_integers else (keys >> 16 for keys in _keys(blocks())))
    total = int(counts.sum())
    if not total:
        return None
    positions = [(total - 1) * percentile / 100 for percentile in percentiles]
    ranks = sorted({rank for position in positions for rank in (math.floor(position), math.ceil(position))})
    found = np.searchsorted(np.cumsum(counts), ranks, side="right")
    values = [float(bin_) + least for bin_ in found] if small_integers else _refine(ranks, found, counts, blocks)
    at = dict(zip(ranks, values, strict=True))
    return [_interpolate(at, position) for position in positions]


def _interpolate(at: dict[int, float], position: float) -> float:
    below, above = at[math.floor(position)], at[math.ceil(position)]
    return below + (above - below) * (position - math.floor(position))


def _refine(ranks: Sequence[int], bins: np.ndarray, counts: np.ndarray, blocks: Blocks) -> list[float]:
    """The values at `ranks` (0 = least), whose keys have the upper halves `bins`; `counts` is the histogram of these."""
    lower = {int(bin_): np.zeros(_BINS, np.int64) for bin_ in bins}
    for keys in _keys(blocks()):
        upper = keys >> 16
        for bin_, tally in lower.items():
            tally += np.bincount(keys[upper == bin_] & 0xFFFF, minlength=_BINS)
    smaller = np.cumsum(counts) - counts
    values = []
    for rank, bin_ in zip(ranks, bins, strict=True):
        half = np.searchsorted(np.cumsum(lower[int(bin_)]), rank - smaller[bin_], side="right")
        values.append(_value(int(bin_) << 16 | int(half)))
    return values


def _histogram(numbers: Iterable[np.ndarray]) -> np.ndarray:
    counts = np.zeros(_BINS, np.int64)
    for some in numbers:
        counts += np.bincount(some, minlength=_BINS)
    return counts


def _pieces(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    for block in blocks:
        flat = block.reshape(-1)
        for start in range(0, flat.size, _PIECE):
            yield flat[start : start + _PIECE]


def _offsets(blocks: Iterable[np.ndarray], least: int) -> Iterator[np.ndarray]:
    for piece in _pieces(blocks):
        yield piece.astype(np.int64) - least


def _keys(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Unsigned integers in the order of the finite values: the sign bit set where positive, all bits turned where not."""
    for piece in _pieces(blocks):
        with np.errstate(over="ignore"):
            values = piece.astype(np.float32)
        bits = values[np.isfinite(values)].view(np.uint32)
        yield np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _value(key: int) -> float:
    """The float32 whose key this is."""
    bits = key & ~int(_SIGN) if key & int(_SIGN) else ~key & 0xFFFFFFFF
    return float(np.uint32(bits).view(np.float32))

"""Exact percentiles of more values than fit into memory, by counting.

Integers of up to 16 bits are counted one by one. All others are rounded to float32 and turned into unsigned integers of
the same order: a histogram of their upper 16 bits finds the bins in which the wanted ranks lie, and a second reading counts
the lower 16 bits within those bins alone (radix selection). Both ways are exact whatever outliers there are. Even bins
between minimum and maximum are not: one bright speck of 10,000 among values around 0.01 leaves all others in one bin.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

_BINS = 1 << 16
_SIGN = np.uint32(1 << 31)
_PIECE = 1 << 20  # values counted at a time; a slice of 2575 x 2582 would need some 200 MB for its keys

Blocks = Callable[[], Iterable[np.ndarray]]


def is_counted_at_once(dtype: np.dtype) -> bool:
    """Whether one reading of values of this type is enough for all percentiles."""
    return dtype.kind in "iu" and dtype.itemsize <= 2


class Histogram:
    """How often each of the finite values occurs that were added.

    Args:
        dtype: type that holds the values of every block.
    """

    def __init__(self, dtype: np.dtype) -> None:
        self._least = int(np.iinfo(dtype).min) if is_counted_at_once(dtype) else None
        self._counts = np.zeros(_BINS, np.int64)
        self._lower: dict[int, np.ndarray] = {}

    def add(self, block: np.ndarray, times: int = 1) -> None:
        """Count the values of a block; -1 takes back those that were added before."""
        for keys in self._keys([block]):
            bins = keys if self._least is not None else keys >> 16
            self._counts += times * np.bincount(bins, minlength=_BINS)

    @property
    def empty(self) -> bool:
        """Whether no finite value was added."""
        return not self._counts.any()

    def percentiles(self, percentiles: Sequence[float], blocks: Blocks) -> list[float]:
        """Percentiles of at least one value, interpolated linearly as `numpy.percentile` does.

        Args:
            percentiles: within [0, 100].
            blocks: gives the same values once more, block by block; it is called where one reading is not enough.
        """
        total = int(self._counts.sum())
        self.refine(blocks, _bins(self._counts, percentiles))
        positions = [(total - 1) * percentile / 100 for percentile in percentiles]
        return [_between(self._value(math.floor(at)), self._value(math.ceil(at)), at % 1) for at in positions]

    def foreseen(self, percentiles: Sequence[float]) -> set[int]:
        """The bins that `percentiles` looks into, also without what the lowest and the highest one hold."""
        ends = np.flatnonzero(self._counts)[[0, -1]]
        found = _bins(self._counts, percentiles)
        for dropped in (ends[:1], ends[1:], ends):
            rest = self._counts.copy()
            rest[dropped] = 0
            found |= _bins(rest, percentiles)
        return found

    def refine(self, blocks: Blocks, bins: Iterable[int]) -> None:
        """Tell the values of some bins apart, unless that is done: a reading of all blocks."""
        missing = sorted(set(bins) - self._lower.keys())
        if self._least is not None or not missing:
            return
        self._lower |= {bin_: np.zeros(_BINS, np.int64) for bin_ in missing}
        for keys in self._keys(blocks()):
            upper = (keys >> 16).astype(np.uint16)
            for bin_ in missing:
                some = keys[upper == bin_] & 0xFFFF
                if some.size:
                    self._lower[bin_] += np.bincount(some, minlength=_BINS)

    def without(self, values: Sequence[float]) -> Histogram:
        """The same without some values, which percentiles of this one were."""
        rest = Histogram(np.dtype(np.float32))
        rest._least, rest._counts, rest._lower = self._least, self._counts.copy(), dict(self._lower)
        for value in values:
            (key,) = (int(found[0]) for found in self._keys([np.array([value])]))
            if self._least is not None:
                rest._counts[key] = 0
                continue
            bin_, low = divmod(key, _BINS)
            rest._counts[bin_] -= rest._lower[bin_][low]
            rest._lower[bin_] = rest._lower[bin_].copy()
            rest._lower[bin_][low] = 0
        return rest

    def _value(self, rank: int) -> float:
        """The value of a rank (0 = least)."""
        upto = np.cumsum(self._counts)
        bin_ = int(np.searchsorted(upto, rank, side="right"))
        if self._least is not None:
            return float(bin_ + self._least)
        below = int(upto[bin_] - self._counts[bin_])
        low = int(np.searchsorted(np.cumsum(self._lower[bin_]), rank - below, side="right"))
        key = bin_ << 16 | low
        bits = key & ~int(_SIGN) if key & int(_SIGN) else ~key & 0xFFFFFFFF
        return float(np.uint32(bits).view(np.float32))

    def _keys(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Whole numbers in the order of the finite values: from 0 on, or of 32 bits."""
        for piece in _pieces(blocks):
            if self._least is not None:
                yield piece.astype(np.int64) - self._least
                continue
            with np.errstate(over="ignore"):
                values = piece.astype(np.float32)
            values += np.float32(0)  # -0 is 0
            bits = values[np.isfinite(values)].view(np.uint32)
            # the sign bit set where positive, all bits turned where not
            yield np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _bins(counts: np.ndarray, percentiles: Sequence[float]) -> set[int]:
    """Where the ranks lie between which percentiles are interpolated."""
    total = int(counts.sum())
    if not total:
        return set()
    positions = [(total - 1) * percentile / 100 for percentile in percentiles]
    ranks = [rank for at in positions for rank in (math.floor(at), math.ceil(at))]
    return set(np.searchsorted(np.cumsum(counts), ranks, side="right").tolist())


def _between(below: float, above: float, share: float) -> float:
    return below + (above - below) * share


def _pieces(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    for block in blocks:
        flat = block.reshape(-1)
        for start in range(0, flat.size, _PIECE):
            yield flat[start : start + _PIECE]

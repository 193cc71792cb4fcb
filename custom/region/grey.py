"""Sampled values in the grey type of the result, turned round where that is wanted."""

from __future__ import annotations

import numpy as np


class Grey:
    """How a value, in the first field's scale, is stored.

    Args:
        dtype: of the result.
        invert: the two grey values whose sum less a value replaces it; None: values stay.
    """

    def __init__(self, dtype: np.dtype, invert: tuple[float, float] | None) -> None:
        self.dtype = dtype
        self.total = None if invert is None else float(invert[0] + invert[1])
        self.whole = dtype.kind in "iu"
        self.least, self.most = _ends(dtype) if self.whole else (0.0, 0.0)

    def finish(self, scale: float, offset: float) -> np.ndarray:
        """(scale, offset, least, most, whole, sign, total) for a kernel, for values in the scale of a field."""
        turned = (1.0, 0.0) if self.total is None else (-1.0, self.total)
        return np.array([scale, offset, self.least, self.most, self.whole, *turned], np.float32)

    def of(self, values: np.ndarray) -> np.ndarray:
        """Values as they are stored: rounded, then turned round."""
        rounded = np.rint(values) if self.whole else values
        turned = rounded if self.total is None else self.total - rounded
        return (turned.clip(self.least, self.most) if self.whole else turned).astype(self.dtype)

    @property
    def turns_in_place(self) -> bool:
        """Whether stored values can be turned round as they are, or need not be."""
        return self.total is None or (self.whole and self.total.is_integer() and 0 <= self.total <= self.most)

    def turn(self, stored: np.ndarray) -> None:
        """Turn round in place."""
        if self.total is not None:
            total = self.dtype.type(self.total)
            np.subtract(total, np.minimum(stored, total), out=stored)


def _ends(dtype: np.dtype) -> tuple[float, float]:
    """The least and the most that a float32 can be without leaving a type of whole numbers."""
    found = np.iinfo(dtype)
    most = np.float32(found.max)
    return float(found.min), float(most if most <= found.max else np.nextafter(most, np.float32(0)))

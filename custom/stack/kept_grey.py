"""The grey values of a slab, kept beside what the grey window made of them in a fraction of their memory."""

from __future__ import annotations

import numpy as np

Window = tuple[float, float]
_CLOSE = 2.0**-20  # of the window's width, for grey values that are no whole numbers; float32 has 24 bits


def left_over(
    grey: np.ndarray, scaled: np.ndarray, window: Window, outside: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The grey values that the window does not give back: what it clipped, and what is not finite or was filled.

    With the usual percentiles that is 1 % of the voxels; where it is so many that their places take more memory than all
    grey values, all are kept.

    Args:
        grey: (h, Y, X).
        scaled: the same in [0, 1], float32.
        window: its ends.
        outside: bool, of the same shape, voxels whose grey value nobody asks for.

    Returns:
        Flat places (int64, ascending) and the grey values there, of their type; no place and all values if all are kept.
    """
    places, size, most = [np.empty(0, np.int64)], grey[0].size, grey.nbytes // (8 + grey.itemsize)
    for z, (plane, made) in enumerate(zip(grey, scaled, strict=True)):
        back = _unscaled(made, window, grey.dtype)
        differs = back != plane if grey.dtype.kind in "iu" else ~(abs(back - plane) <= _CLOSE * (window[1] - window[0]))
        if outside is not None:
            differs &= ~outside[z]
        found = np.flatnonzero(differs)
        most -= len(found)
        if most < 0:
            return np.empty(0, np.int64), grey.reshape(-1)
        places.append(found + z * size)
    at = np.concatenate(places)
    return at, grey.reshape(-1)[at]


def given_back(scaled: np.ndarray, window: Window, at: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The grey values again: whole numbers as they were, others to 1e-6 of the window's width; any outside.

    Args:
        scaled, window: as `left_over` had them.
        at, values: what it returned.
    """
    if values.size == scaled.size:
        return values.reshape(scaled.shape)
    grey = np.empty(scaled.shape, values.dtype)
    for plane, made in zip(grey, scaled, strict=True):
        plane[:] = _unscaled(made, window, values.dtype)
    grey.reshape(-1)[at] = values
    return grey


def _unscaled(made: np.ndarray, window: Window, dtype: np.dtype) -> np.ndarray:
    lower, upper = window
    fine = np.float32 if dtype.itemsize <= 2 else np.float64
    values = np.multiply(made, upper - lower, dtype=fine)
    np.add(values, lower, out=values)
    if dtype.kind in "iu":
        with np.errstate(invalid="ignore"):  # a window may reach beyond what the type holds
            return np.rint(values, out=values).astype(dtype)
    return values.astype(dtype, copy=False)

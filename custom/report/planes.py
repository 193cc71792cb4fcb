"""Slices for pictures: plain 2-D arrays of one size."""

from __future__ import annotations

import numpy as np
from monai.config import NdarrayOrTensor
from monai.utils import convert_to_numpy
from numpy.typing import NDArray


def planes(*slices: NdarrayOrTensor) -> list[NDArray]:
    """Bring (Y, X) or (1, Y, X) arrays or tensors to numpy (Y, X); refuse other shapes and differing sizes.

    Raises:
        ValueError: a shape that is not one slice, or slices of different size.
    """
    arrays = [np.asarray(convert_to_numpy(s)) for s in slices]
    flat = [a[0] if a.ndim == 3 and a.shape[0] == 1 else a for a in arrays]
    if any(a.ndim != 2 or a.shape != flat[0].shape for a in flat):
        shapes = ", ".join(str(a.shape) for a in arrays)
        raise ValueError(f"A picture is made of slices (Y, X) or (1, Y, X) of one size, but these are {shapes}.")
    return flat


def grey(image: NDArray) -> NDArray[np.float32]:
    """Grey values clipped to [0, 1] as float32; not-a-number is black."""
    return np.clip(np.nan_to_num(image.astype(np.float32), nan=0.0), 0.0, 1.0)

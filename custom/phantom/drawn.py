"""A label as a person draws it, slice by slice with a brush: what is small is missed, outlines are smooth."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

OVERLOOKED = 150.0  # voxels: a piece of this size is missed by one in three


def drawn_label(label: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The label (Z, Y, X), 0 and 1, as drawn by hand.

    Pieces (26-connected) are missed by chance, exp(-voxels / OVERLOOKED); pores are painted over; the outline is that of a
    brush of three voxels and runs up to a voxel beside the true one, and what is thinner than the brush is drawn too
    thick or not at all.
    """
    pieces, count = ndimage.label(label, np.ones((3, 3, 3), bool))
    size = np.bincount(pieces.ravel(), minlength=count + 1)
    seen = rng.random(count + 1) >= np.exp(-size / OVERLOOKED)
    seen[0] = False
    flat = np.ones((1, 3, 3), bool)
    painted = ndimage.binary_closing(seen[pieces], flat)
    smooth = ndimage.gaussian_filter(painted.astype(np.float32), (0, 1.2, 1.2))
    shift = ndimage.gaussian_filter(rng.standard_normal(label.shape, dtype=np.float32), (0, 6, 6))
    shift = np.clip(0.12 / max(float(shift.std()), 1e-6) * shift, -0.2, 0.2)
    drawn: NDArray[np.uint8] = ndimage.binary_opening(smooth + shift * (smooth > 0.05) > 0.45, flat).astype(np.uint8)
    return drawn

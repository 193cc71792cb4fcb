"""Going on with the material beyond the outline of a reconstruction."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from custom.stack.surround import Mask, dilated


class MirrorFill:
    """Goes on with the material where the reconstruction ends, as in a mirror, so that a network sees no edge there.

    With a step to a constant in its windows a network finds lithium along it: on a phantom's test cell inside a circle of
    0, TransforCNN of the shipped weights has a Dice of 0.03, with this filling 0.96, without a circle 0.96.

    What a slice needs depends on its outline alone, and is kept for the next slice: that of a circle is the same in all.

    Args:
        reach: voxels beyond the outline that are filled, the side of a window; further ones get 0.
    """

    def __init__(self, reach: int = 128) -> None:
        self.reach = reach
        self._outline: Mask | None = None

    def __call__(self, plane: np.ndarray, region: Mask, beyond: float) -> None:
        """Fill the voxels of `plane` (Y, X) in `region`, in place; those out of reach get `beyond`."""
        if self._outline is None or not np.array_equal(self._outline, region):
            self._find(region)
            self._outline = region
        flat = plane.reshape(-1)
        flat[self._far] = beyond
        flat[self._targets] = flat[self._sources]

    def _find(self, region: Mask) -> None:
        # one voxel more: where a program interpolated across the outline, that one is a mixture
        wide = dilated(region)
        if wide.all():
            self._far, self._targets, self._sources = np.flatnonzero(wide), np.zeros(0, int), np.zeros(0, int)
            return
        # the distances of all voxels would take as long again as the nearest ones
        nearest = ndimage.distance_transform_edt(wide, return_distances=False, return_indices=True)
        beyond = np.stack(np.nonzero(wide))
        within = np.square(beyond - nearest[:, beyond[0], beyond[1]]).sum(axis=0) <= self.reach**2
        target = beyond[:, within]
        source = target
        for _ in range(4):  # a strip thinner than the reach is mirrored to and fro
            lost = wide[source[0], source[1]]
            if not lost.any():
                break
            edge = nearest[:, source[0][lost], source[1][lost]]
            mirrored = 2 * edge - source[:, lost]
            source = source.copy()
            source[:, lost] = mirrored.clip(0, np.array([[wide.shape[0] - 1], [wide.shape[1] - 1]]))
        lost = wide[source[0], source[1]]
        source[:, lost] = nearest[:, source[0][lost], source[1][lost]]
        self._targets, self._sources = (np.ravel_multi_index(tuple(at), wide.shape) for at in (target, source))
        self._far = np.ravel_multi_index(tuple(beyond[:, ~within]), wide.shape)

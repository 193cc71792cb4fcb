"""Materials laid over one another with edges that the scan's blur and fringe have already, by formula."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float32]
Level = Floats | np.float32


class Picture:
    """Attenuation, density and edge fringe of points; it begins as one material everywhere.

    An edge is that of a flat face blurred by a Gaussian: the share of the upper material is Phi(depth / blur), and minus
    the Laplacian of the density, which the fringe is proportional to (`scan.with_fringe`), is its step times
    depth / blur^3 phi(depth / blur).

    Args:
        shape: of the points.
        blur: standard deviation, voxels.
        attenuation, density: of the material.
    """

    def __init__(self, shape: tuple[int, ...], blur: float, attenuation: float, density: float) -> None:
        self._blur = np.float32(blur)
        self._attenuation = np.full(shape, attenuation, np.float32)
        self._density = np.full(shape, density, np.float32)
        self._fringe = np.zeros(shape, np.float32)

    def lay(self, depth: Floats, attenuation: float | Floats, density: float) -> None:
        """Lay a material over what there is, where the depth below its surface, in voxels, is positive."""
        self._lay(depth, attenuation, np.float32(density), np.float32(0))

    def lay_picture(self, depth: Floats, other: Picture) -> None:
        """Lay another picture over this one."""
        self._lay(depth, other._attenuation, other._density, other._fringe)

    def lift(self, depth: Floats, attenuation: Floats) -> None:
        """Add attenuation where the depth is positive; the density stays."""
        self._attenuation += attenuation * special.ndtr(depth / self._blur)

    def seen(self, fringe: float) -> Floats:
        """Attenuation with its edge fringe, of strength attenuation x square voxels per g/cm3."""
        return self._attenuation + np.float32(fringe) * self._fringe

    def _lay(self, depth: Floats, attenuation: float | Floats, density: Level, fringe: Level) -> None:
        if depth.size == 0 or depth.max() < -5 * self._blur:
            return
        far = np.clip(depth / self._blur, -6, 6)
        share = special.ndtr(far)
        edge = far * np.exp(-0.5 * far * far) / np.float32(np.sqrt(2 * np.pi)) / self._blur**2
        step = density - self._density
        self._fringe += (fringe - self._fringe) * share + step * edge
        self._density += step * share
        self._attenuation += (attenuation - self._attenuation) * share

"""A surface through heights that were measured here and there, some of them wrong."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from custom.electrodes.surface import Surface

_ROUNDS = 20
_FAR = 4.685  # Tukey's biweight, in standard deviations: 95 % of the efficiency of least squares on clean heights
_MAD = 1.4826  # standard deviations per median of absolute deviations


def fit_surface(heights: np.ndarray, places: tuple[np.ndarray, np.ndarray], smooth: float | None) -> Surface:
    """The plane through most heights, and what the others' smooth part deviates from it.

    Args:
        heights: float (n, m), in voxels, NaN where none was found.
        places: of the rows and of the columns, in voxels, evenly spaced.
        smooth: standard deviation, in rows and columns, of the Gaussian that deviations are averaged with; None: a plane.

    Raises:
        ValueError: fewer than three heights.
    """
    rows, columns = np.meshgrid(*places, indexing="ij")
    known = np.isfinite(heights)
    if np.count_nonzero(known) < 3:
        raise ValueError("too few heights for a plane")
    design = np.stack([np.ones(known.sum()), rows[known], columns[known]], axis=1)
    wanted, weights = heights[known].astype(float), np.ones(known.sum())
    for _ in range(_ROUNDS):
        root = np.sqrt(weights)
        plane = np.linalg.lstsq(design * root[:, None], wanted * root, rcond=None)[0]
        rest = wanted - design @ plane
        # about their median: wrong heights shift the first plane as a whole
        apart = rest - np.median(rest)
        spread = max(_MAD * float(np.median(np.abs(apart))), 1e-3)
        weights = np.clip(1 - (apart / (_FAR * spread)) ** 2, 0, None) ** 2
    deviation = np.zeros((1, 1))
    if smooth is not None:
        held, by = np.zeros(heights.shape), np.zeros(heights.shape)
        held[known], by[known] = rest * weights, weights
        weight = ndimage.gaussian_filter(by, smooth, mode="nearest")
        mean = ndimage.gaussian_filter(held, smooth, mode="nearest")
        smoothed = np.divide(mean, weight, out=np.zeros_like(mean), where=weight > 1e-6)
        # waves are no mistakes: the plane is that of the surface as it was found, as ISO 25178 has it
        whole = np.stack([np.ones(rows.size), rows.reshape(-1), columns.reshape(-1)], axis=1)
        more = np.linalg.lstsq(whole, smoothed.reshape(-1), rcond=None)[0]
        plane = plane + more
        deviation = smoothed - (whole @ more).reshape(smoothed.shape)
    return _surface(plane, deviation, places)


def surface_through(heights: np.ndarray, places: tuple[np.ndarray, np.ndarray], smooth: float) -> Surface:
    """The plane of least squares through heights none of which is wrong, and what their smooth part deviates from it.

    The plane is theirs, not that of the smooth part: where a Gaussian meets the border of a short stack it levels slopes.

    Args:
        heights: float (n, m), in voxels.
        places: of the rows and of the columns, in voxels, evenly spaced.
        smooth: standard deviation, in rows and columns, of the Gaussian that deviations are averaged with.
    """
    rows, columns = np.meshgrid(*places, indexing="ij")
    design = np.stack([np.ones(rows.size), rows.ravel(), columns.ravel()], axis=1)
    plane = np.linalg.lstsq(design, heights.ravel(), rcond=None)[0]
    rest = heights - (design @ plane).reshape(heights.shape)
    return _surface(plane, ndimage.gaussian_filter(rest, smooth, mode="nearest"), places)


def _surface(plane: np.ndarray, deviation: np.ndarray, places: tuple[np.ndarray, np.ndarray]) -> Surface:
    origin = float(places[0][0]), float(places[1][0])
    step = [float(along[1] - along[0]) if len(along) > 1 else 1.0 for along in places]
    slope = float(plane[1]), float(plane[2])
    return Surface(slope, float(plane[0]), deviation.astype(np.float32), origin, (step[0], step[1]))


def roughness(surface: Surface) -> tuple[float, float]:
    """Sa and Sq of ISO 25178, mean and root mean square of what it deviates from its plane, in voxels."""
    rest = surface.deviation - surface.deviation.mean()
    return float(np.abs(rest).mean()), float(np.sqrt((rest**2).mean()))

"""Masks of a region on the raw grid against numpy, and there and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.polynomial.polynomial import polyval2d
from scipy import ndimage
from scipy.special import logit
from test_sampling import BEND, QUAD, SHAPE, region_of, saved, tilted

from custom.region import Bend, Corners, Region, RegionMap
from custom.region.back import BackSampler
from custom.region.sampling import Sampler


def taken(region: Region, mask: np.ndarray) -> np.ndarray:
    """What the raw grid should hold: region voxels scattered to their nearest raw voxels, the rest by the inverse map."""
    assert region.shape is not None and region.volume is not None
    raw_shape = region.volume.shape
    raw_points = np.stack(np.meshgrid(*map(np.arange, raw_shape), indexing="ij"), axis=-1)
    bent = RegionMap(region.shape, region.map().corners_3d).inverse(raw_points)
    near = np.floor(bent + 0.5).astype(int)
    if region.bend:  # each column has lines of its own
        u, w = (2 * near[..., axis] / (region.shape[axis] - 1) - 1 for axis in (0, 2))
        first, last = (polyval2d(u, w, table) for table in region.bend.tables())
        near[..., 1] = np.floor((bent[..., 1] - first) / (1 + (last - first) / (region.shape[1] - 1)) + 0.5)
    inside = ((near >= 0) & (near < region.shape)).all(axis=-1)
    expected = np.zeros(raw_shape, mask.dtype)
    expected[inside] = mask[tuple(near[inside].T)]
    voxels = np.stack(np.meshgrid(*map(np.arange, region.shape), indexing="ij"), axis=-1).reshape(-1, 3)
    places = region.map().forward(voxels)
    source = np.floor(places + 0.5).astype(int)
    held = ((source >= 0) & (source < raw_shape)).all(axis=-1)
    voxels, places, source = voxels[held], places[held], source[held]
    mutual = (near[tuple(source.T)] == voxels).all(axis=-1)
    best_last = np.lexsort((-np.linalg.norm(places - source, axis=-1), mutual))
    expected[tuple(source[best_last].T)] = mask[tuple(voxels[best_last].T)]
    return expected


@pytest.mark.parametrize(("corners", "bend"), [(tilted(27), BEND), (tilted(27), None), (Corners(QUAD), BEND)])
def test_each_raw_voxel_gets_what_was_sampled_from_it(corners: Corners, bend: Bend | None, tmp_path: Path) -> None:
    depth = 27 if corners.zx else 9
    region = region_of(np.empty((depth, 160, 170), np.uint16), corners, bend)
    mask = np.random.default_rng(0).integers(1, 200, SHAPE).astype(np.uint8)
    sampler = BackSampler(region, saved(tmp_path, mask, "mask"), height=4)
    found = np.concatenate([sampler.read(z, min(z + 4, depth)) for z in range(0, depth, 4)])
    assert np.array_equal(found, taken(region, mask)) and (found > 0).mean() > 0.2


@pytest.mark.parametrize(
    ("corners", "bend", "half"),
    [(tilted(27), BEND, 127.5), (tilted(27), None, 127.5), (Corners(QUAD), BEND, 127.5), (tilted(27), None, 0.5)],
)
def test_a_probability_is_interpolated(corners: Corners, bend: Bend | None, half: float, tmp_path: Path) -> None:
    depth = 27 if corners.zx else 9
    region = region_of(np.empty((depth, 160, 170), np.uint16), corners, bend)
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal(SHAPE), 3)
    likely = np.clip(128 + 400 * smooth / smooth.std() / 3, 0, 255).astype(np.uint8)
    given = likely
    if half < 1:  # and some that is no probability
        given = np.choose(np.searchsorted([1, 255], likely, "right"), [np.nan, likely / 255, 1.7]).astype(np.float32)
    sampler = BackSampler(region, saved(tmp_path, given, "likely"), height=4, half=half)
    found = np.concatenate([sampler.read(z, min(z + 4, depth)) for z in range(0, depth, 4)])
    points = region.map().inverse(np.stack(np.meshgrid(*map(np.arange, found.shape), indexing="ij"), axis=-1))
    odds = logit(np.clip(likely, 0.5, 254.5) / 255)
    value = ndimage.map_coordinates(odds, np.moveaxis(points, -1, 0), order=1, mode="nearest")
    within = ((points >= 0) & (points <= np.array(SHAPE) - 1)).all(axis=-1)
    beyond = ((points < -0.51) | (points > np.array(SHAPE) - 0.49)).any(axis=-1)
    # under a bend that shears a slice by up to a line, columns of their own are not quite a plane
    same = (found == (value >= 0))[within]
    assert same.all() if bend is None else same.mean() > 0.98
    assert found[beyond].mean() <= (0 if bend is None else 0.002)
    assert within.mean() > 0.15 and 0.2 < found[within].mean() < 0.8


def test_labels_come_back_as_they_went(tmp_path: Path) -> None:
    blobs = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal((27, 160, 170)), 4)
    label = (blobs > np.quantile(blobs, 0.8)).astype(np.uint8)
    region = region_of(label, tilted(27), BEND)
    seen = Sampler(region, [saved(tmp_path, label)], "nearest").read(0, SHAPE[0])
    sampler = BackSampler(region, saved(tmp_path, seen, "seen"), height=27)
    back, shown = sampler.read(0, 27), BackSampler(region, saved(tmp_path, np.ones_like(seen), "ones"), 27).read(0, 27)
    both, either = (back & label).sum(), ((back | label) & shown).sum()
    assert both / either > 0.995  # turned by up to 3 degrees; by the nearest voxel both ways it is 0.977

"""Masks of a region on the raw grid against numpy, and there and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from test_sampling import BEND, QUAD, SHAPE, region_of, saved, tilted

from custom.region import Bend, Corners
from custom.region.back import BackSampler
from custom.region.sampling import Sampler


@pytest.mark.parametrize(("corners", "bend"), [(tilted(27), BEND), (tilted(27), None), (Corners(QUAD), BEND)])
def test_each_raw_voxel_gets_the_nearest_of_the_region(corners: Corners, bend: Bend | None, tmp_path: Path) -> None:
    depth = 27 if corners.zx else 9
    raw = np.empty((depth, 160, 170), np.uint16)
    region = region_of(raw, corners, bend)
    mask = np.random.default_rng(0).integers(1, 4, SHAPE).astype(np.uint8)
    sampler = BackSampler(region, saved(tmp_path, mask, "mask"), height=4)
    found = np.concatenate([sampler.read(z, min(z + 4, depth)) for z in range(0, depth, 4)])
    points = region.map().inverse(np.stack(np.meshgrid(*map(np.arange, raw.shape), indexing="ij"), axis=-1))
    at = np.floor(points + 0.5).astype(int)
    inside = ((at >= 0) & (at < SHAPE)).all(axis=-1)
    expected = np.zeros(raw.shape, np.uint8)
    expected[inside] = mask[tuple(at[inside].T)]
    assert np.array_equal(found, expected) and inside.mean() > 0.2


def test_labels_come_back_as_they_went(tmp_path: Path) -> None:
    blobs = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal((27, 160, 170)), 4)
    label = (blobs > np.quantile(blobs, 0.8)).astype(np.uint8)
    region = region_of(label, tilted(27), BEND)
    seen = Sampler(region, [saved(tmp_path, label)], "nearest").read(0, SHAPE[0])
    sampler = BackSampler(region, saved(tmp_path, seen, "seen"), height=27)
    back, shown = sampler.read(0, 27), BackSampler(region, saved(tmp_path, np.ones_like(seen), "ones"), 27).read(0, 27)
    both, either = (back & label).sum(), ((back | label) & shown).sum()
    assert both / either > 0.9  # blobs of four voxels, nearest twice; 0.99 for those of a cell

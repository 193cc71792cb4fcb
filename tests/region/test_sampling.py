"""Regions sampled by the kernels against scipy's single resampling through coordinates that are computed here."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from custom.region import Bend, Corners, Field, Region, Volume, quads_of
from custom.region.sampling import Sampler
from custom.stack import Stack, open_stack

SHAPE = (9, 130, 140)
BEND = Bend(((1.0, 0.5, -2.0), (0.25, 1.5), (2.0,)), ((-2.0,), (), (), (0.5, -1.0), (0.75,)))
QUAD = ((8.0, 12.0), (14.0, 155.0), (150.0, 148.0), (141.0, 9.0))


def pattern(shape: tuple[int, int, int], dtype: str = "uint16", seed: int = 0) -> np.ndarray:
    """As fine as can be: noise."""
    return np.random.default_rng(seed).integers(0, 60000 if dtype != "uint8" else 250, shape).astype(dtype)


def saved(folder: Path, raw: np.ndarray, name: str = "raw") -> Stack:
    np.save(folder / f"{name}.npy", raw)
    return open_stack(folder / f"{name}.npy")


def region_of(raw: np.ndarray, corners: Corners, bend: Bend | None = None, **others: object) -> Region:
    fields = (Field("raw.npy", raw.shape),)  # type: ignore[arg-type]
    return replace(Region(corners, SHAPE, Volume(raw.shape, raw.dtype.name), fields, bend, 100.0), **others)  # type: ignore[arg-type]


def tilted(depth: int) -> Corners:
    """A box turned about all axes in the middle of a volume."""
    turn = Rotation.from_euler("zyx", [1.5, 2, -3], degrees=True).as_matrix()
    corners = np.empty((2, 2, 2, 3))
    for place in product(range(2), repeat=3):
        corners[place] = turn @ ((np.array(place) - 0.5) * (np.array(SHAPE) - 1)) + ((depth - 1) / 2, 79.3, 81.7)
    return quads_of(corners)


def grid() -> np.ndarray:
    return np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), axis=-1).astype(float)


def scipys(raw: np.ndarray, points: np.ndarray, order: int = 1) -> np.ndarray:
    return ndimage.map_coordinates(
        raw.astype(np.float32), np.moveaxis(points, -1, 0), order=order, mode="constant", cval=100
    )


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize(("order", "number"), [("linear", 1), ("cubic", 3)])
def test_one_interpolation_of_all_that_the_map_does(order: str, number: int, dtype: str, tmp_path: Path) -> None:
    raw = pattern((27, 160, 170), dtype)
    region = region_of(raw, tilted(27), BEND)
    found = Sampler(region, [saved(tmp_path, raw)], order, height=4).read(0, 9)
    expected = scipys(raw, region.map().forward(grid()), number)
    assert found.dtype == raw.dtype
    error = np.abs(found - expected.clip(*((0, np.iinfo(dtype).max) if dtype != "float32" else (None, None))))
    assert error.max() < 1e-3 * np.ptp(raw) + (0.5 if dtype != "float32" else 0)
    assert (expected == 100).mean() < 0.2


@pytest.mark.parametrize("bend", [None, BEND])
@pytest.mark.parametrize("dtype", ["uint16", "float32", "int16"])
def test_a_perspective_within_slices(dtype: str, bend: Bend | None, tmp_path: Path) -> None:
    raw = pattern((9, 160, 170), dtype)
    region = region_of(raw, Corners(QUAD), bend)
    found = Sampler(region, [saved(tmp_path, raw)], height=4).read(0, 9)
    expected = scipys(raw, region.map().forward(grid()))
    assert np.abs(found - expected).max() < 1e-3 * np.ptp(raw.astype(float)) + 0.5


def test_values_are_turned_round_by_one_rule(tmp_path: Path) -> None:
    for corners in (Corners(QUAD), tilted(9)):
        raw = pattern((9, 160, 170))
        region = region_of(raw, corners, invert=(500, 59000))
        turned = Sampler(region, [saved(tmp_path, raw)]).read(0, 9)
        plain = Sampler(replace(region, invert=None), [saved(tmp_path, raw)]).read(0, 9)
        assert np.array_equal(turned, np.clip(59500 - plain.astype(int), 0, None))


def test_slabs_may_be_cut_anywhere_and_asked_for_in_any_order(tmp_path: Path) -> None:
    raw = pattern((27, 160, 170))
    for order in ("linear", "cubic"):
        sampler = Sampler(region_of(raw, tilted(27), BEND), [saved(tmp_path, raw)], order, height=3)
        whole = sampler.read(0, 9)
        for start, stop in ((7, 9), (0, 2), (2, 5), (4, 8), (8, 9)):
            assert np.array_equal(sampler.read(start, stop), whole[start:stop])


def test_fields_that_overlap_within_a_slab_do_not_change_its_other_slices(tmp_path: Path) -> None:
    """By OpenCV or by a kernel, a slice is made in one way, wherever slabs are cut."""
    shape = (6, 160, 170)
    fields = (Field("a", shape), Field("b", shape, None, (4.0, 1.0, 0.0)))
    region = region_of(np.empty((10, 160, 170), np.uint16), Corners(QUAD), fields=fields, shape=(10, 130, 140))
    sampler = Sampler(region, [saved(tmp_path, pattern(shape, seed=seed), str(seed)) for seed in (1, 2)], height=10)
    whole = sampler.read(0, 10)
    for start, stop in ((0, 3), (3, 5), (5, 6), (6, 10)):
        assert np.array_equal(sampler.read(start, stop), whole[start:stop])


def test_each_raw_slice_is_read_once_and_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = pattern((27, 160, 170))
    stack = saved(tmp_path, raw)
    sampler = Sampler(region_of(raw, tilted(27)), [stack], height=2)
    read: list[int] = []
    own = stack._read
    monkeypatch.setattr(stack, "_read", lambda start, stop: read.extend(range(start, stop)) or own(start, stop))
    for start in range(0, 9, 2):
        sampler.read(start, min(start + 2, 9))
    assert read == list(range(read[0], read[-1] + 1)) and len(read) > 9


def test_what_lies_outside_the_reconstruction_never_comes_into_the_cell(tmp_path: Path) -> None:
    """Constant around a circle in integers, NaN in floats: the fill stands there before anything is interpolated."""
    y, x = np.ogrid[:160, :170]
    circle = (y - 79.5) ** 2 + (x - 84.5) ** 2 < 75**2
    for dtype, beyond in (("uint16", 0), ("float32", np.nan)):
        raw = (30000 + pattern((27, 160, 170)) % 1000).astype(dtype)
        filled = np.where(circle, raw, 30500)
        raw[:, ~circle] = beyond
        region = region_of(raw, tilted(27), fill=30500)
        found = Sampler(region, [saved(tmp_path, raw)]).read(0, 9)
        again = Sampler(region, [saved(tmp_path, filled.astype(dtype))]).read(0, 9)
        assert np.array_equal(found, again) and found.min() > 29000


def test_fields_are_joined_in_the_same_interpolation(tmp_path: Path) -> None:
    """One fine volume, seen by two fields that differ in shift, rotation and grey scale, each resampled by scipy."""
    shape = (16, 160, 170)
    fields = (Field("a", shape), Field("b", shape, None, (11.4, 3.0, -2.0), 0.3, 0.5, 700.0))
    raws = [pattern(shape, seed=seed) // 2 for seed in (1, 2)]
    region = region_of(np.empty((27, 160, 170), np.uint16), tilted(27), BEND, fields=fields)
    points = region.map().forward(grid())
    seen = [
        scipys(raw, (np.insert(points, 3, 1, -1) @ field.matrix().T)[..., :3])
        for raw, field in zip(raws, fields, strict=True)
    ]
    share = np.interp(points[..., 0], [11.4, 15], [0, 1])
    expected = (1 - share) * seen[0] + share * (0.5 * seen[1] + 700)
    stacks = [saved(tmp_path, raw, name) for raw, name in zip(raws, "ab", strict=True)]
    found = Sampler(region, stacks, height=3).read(0, 9)
    inside = (seen[0] != 100) | (share == 1), (seen[1] != 100) | (share == 0)
    both = inside[0] & inside[1]
    assert both.mean() > 0.9 and ((share > 0) & (share < 1))[both].mean() > 0.1
    assert np.abs(found - expected)[both].max() < 31


def test_labels_are_taken_from_the_nearest_voxel(tmp_path: Path) -> None:
    raw = (pattern((27, 160, 170)) % 3).astype(np.uint8)
    region = region_of(raw, tilted(27), BEND)
    found = Sampler(region, [saved(tmp_path, raw)], "nearest").read(0, 9)
    at = np.floor(region.map().forward(grid()) + 0.5).astype(int)
    inside = ((at >= 0) & (at < raw.shape)).all(axis=-1)
    assert np.array_equal(found[inside], raw[tuple(at[inside].T)]) and not found[~inside].any()


def test_where_fields_overlap_a_label_is_of_one_of_them(tmp_path: Path) -> None:
    shape = (16, 160, 170)
    fields = (Field("a", shape), Field("b", shape, None, (11.0, 90.0, 0.0)))
    region = region_of(np.empty((27, 160, 170), np.uint8), tilted(27), fields=fields)
    stacks = [saved(tmp_path, np.full(shape, value, np.uint8), str(value)) for value in (1, 3)]
    found = Sampler(region, stacks, "nearest").read(0, 9)
    z = region.map().forward(grid())[..., 0]
    assert set(np.unique(found)) == {0, 1, 3} and (found[(z > 1) & (z < 10)] == 1).all()
    assert (found[:, :60][(z > 14)[:, :60] & (z < 15)[:, :60]] == 1).all()  # beside the second field, the first one's

"""Which 2-D slices share a grey window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from custom.data.windows import windows_of
from custom.stack import Stack, grey_window, open_stack

PERCENTILES = (0.5, 99.5)


def slices(folder: Path, *planes: np.ndarray) -> list[Stack]:
    for number, plane in enumerate(planes):
        tifffile.imwrite(folder / f"s_{number}.tif", plane)
    return [open_stack(folder / f"s_{number}.tif") for number in range(len(planes))]


def plane(low: float, high: float, dtype: str, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, (40, 50)).astype(dtype)


@pytest.mark.parametrize(
    "other", [("uint8", 20, 200), ("uint16", 10, 240), ("float32", -0.4, 2.6)], ids=["8 bit", "8 in 16 bit", "float"]
)
def test_slices_of_another_scale_have_a_window_of_their_own(other: tuple[str, float, float], tmp_path: Path) -> None:
    dtype, low, high = other
    planes = [plane(5000, 60000, "uint16" if dtype != "float32" else dtype, i) for i in range(3)]
    planes += [plane(low, high, dtype, i) for i in range(3)]
    windows = windows_of(slices(tmp_path, *planes), PERCENTILES, None)
    assert windows[:3] == [grey_window(np.stack(planes[:3]))] * 3
    assert windows[3:] == [grey_window(np.stack(planes[3:]))] * 3


@pytest.mark.parametrize(("scale", "shift"), [(0.3, 0), (-1, 65535), (0.1, 0), (1e-3, 0.2)])
def test_another_scan_of_the_same_type_by_the_names_of_its_slices(scale: float, shift: float, tmp_path: Path) -> None:
    """A rescaled copy, an inverted one, mu in 1/mm beside 1/cm, and narrower by far; slices of like values share."""
    planes = [plane(14000, 30000, "float32", i) for i in range(6)]
    names = [f"{scan}_{z}.tif" for scan in ("a", "b", "c") for z in (0, 1)]
    planes[2:4] = [one * scale + shift for one in planes[2:4]]
    for name, one in zip(names, planes, strict=True):
        tifffile.imwrite(tmp_path / name, one.astype(np.float32))
    windows = windows_of([open_stack(tmp_path / name) for name in names], PERCENTILES, None)
    assert windows[2:4] == [grey_window(np.stack(planes[2:4]).astype(np.float32))] * 2
    assert len({window.lower for window in (*windows[:2], *windows[4:])}) == 1


def test_slices_of_one_scan_share_a_window(tmp_path: Path) -> None:
    polymer, both, empty = plane(20000, 21000, "uint16"), plane(19000, 40000, "uint16"), plane(38000, 39500, "uint16")
    windows = windows_of(slices(tmp_path, polymer, both, empty), PERCENTILES, None)
    assert windows == [grey_window(np.stack([polymer, both, empty]))] * 3


def test_a_fixed_window_is_that_of_all(tmp_path: Path) -> None:
    stacks = slices(tmp_path, plane(50, 200, "uint8"), plane(50, 60000, "uint16"))
    assert [(w.lower, w.upper) for w in windows_of(stacks, PERCENTILES, (40.0, 300.0))] == [(40.0, 300.0)] * 2


def test_a_surround_that_one_slice_of_many_has_is_known(tmp_path: Path) -> None:
    planes = [plane(20000, 40000, "uint16", i) for i in range(70)]
    planes[1][:, :20] = 0
    windows = windows_of(slices(tmp_path, *planes), PERCENTILES, None)
    assert {window.surround for window in windows} == {(0.0,)}

"""--stack_key and --stack_index as a user types them: the mask of the one volume that they name, else a refusal."""

from __future__ import annotations

from pathlib import Path

import cli
import h5py
import numpy as np
import pytest
import tifffile
import zarr

GREY = cli.volume((3, 60, 90))
OTHER = GREY[::-1, ::-1]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cli.tiny_weights(tmp_path_factory.mktemp("weights") / "model.pt", GREY)


def mask(stack: Path, out: Path, weights: Path, **options: object) -> np.ndarray:
    outcome = cli.segment(stack, out, weights, output_format="tiff", **options)
    assert outcome.code == 0, outcome.error
    return tifffile.imread(out / "mask.tif")


def test_the_volume_that_is_named(weights: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", GREY)
    expected = mask(tmp_path / "s.npy", tmp_path / "npy", weights)
    assert 0 < expected.mean() < 1
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file["/exchange/data"], file["volumes/raw"], file["0"] = OTHER, GREY, np.stack([OTHER, GREY])
    named = [{"stack_key": "/volumes/raw"}, {"stack_key": 0, "stack_index": 1}]
    for n, options in enumerate(named):
        np.testing.assert_array_equal(mask(tmp_path / "s.h5", tmp_path / f"h5_{n}", weights, **options), expected)
    metadata = {"axes": "TZCYX"}
    both = np.stack([np.stack([OTHER, GREY], axis=1), np.stack([OTHER, OTHER], axis=1)])
    tifffile.imwrite(tmp_path / "s.tif", both, imagej=True, metadata=metadata)
    np.testing.assert_array_equal(mask(tmp_path / "s.tif", tmp_path / "tif", weights, stack_index="[0,1]"), expected)


def test_refusals(weights: Path, tmp_path: Path) -> None:
    zarr.create_array(tmp_path / "s.zarr", data=np.stack([GREY, OTHER]), dimension_names=["c", "z", "y", "x"])
    outcome = cli.segment(tmp_path / "s.zarr", tmp_path / "out", weights)
    assert outcome.code == 2
    assert outcome.error == (
        f"error: {tmp_path}/s.zarr: has axes (c, z, y, x) of length (2, 3, 60, 90) where (z, y, x) is wanted; choose one "
        "volume with --stack_index c, c from 0 to 1."
    )
    outcome = cli.segment(tmp_path / "s.zarr", tmp_path / "out", weights, stack_index="first")
    assert outcome.code == 2 and "--stack_index 'first' is not usable" in outcome.error
    assert not list((tmp_path / "out").glob("*"))


def test_axes_in_another_order(weights: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", GREY)
    np.save(tmp_path / "t.npy", np.ascontiguousarray(GREY.transpose(1, 2, 0)))
    expected = mask(tmp_path / "s.npy", tmp_path / "as_it_is", weights)
    np.testing.assert_array_equal(mask(tmp_path / "t.npy", tmp_path / "turned", weights, stack_axes="yxz"), expected)
    outcome = cli.segment(tmp_path / "t.npy", tmp_path / "out", weights, stack_axes="yx")
    assert outcome.code == 2 and "t.npy: --stack_axes yx is not usable" in outcome.error

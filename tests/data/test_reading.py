"""Which arrays of HDF5 files and Zarrs are the images and labels of a set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cli
import h5py
import numpy as np
import pytest
import tifffile
import zarr
from monai.data import DataLoader, Dataset

from custom.base.errors import BadInput
from custom.data import Reading, labelled_slices, voxel_sizes
from custom.study.dataset_keys import words_of
from custom.transforms import LoadStackd

GREY = np.random.default_rng(0).integers(0, 60_000, (3, 9, 11)).astype(np.uint16)
LABEL = (GREY > 40_000).astype(np.uint8)
load = LoadStackd(keys=["image", "label"])


def hdf5(path: Path, **arrays: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for key, voxels in arrays.items():
            file[key.replace("__", "/")] = voxels


def read(folder: Path, **reading: Any) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels as a training's loader hands them over."""
    items = labelled_slices(folder, reading=Reading(**reading))
    voxel_sizes(items)
    loader = DataLoader(Dataset(items, load), batch_size=1)
    parts = [(batch["image"].numpy()[0, 0], batch["label"].numpy()[0, 0]) for batch in loader]
    image, label = (np.stack(planes) for planes in zip(*parts, strict=True))
    return image, label


def refusal(folder: Path, **reading: Any) -> str:
    with pytest.raises(BadInput) as refused:
        labelled_slices(folder, reading=Reading(**reading))
    assert "--stack_" not in str(refused.value)  # a key of another command
    return str(refused.value)


def test_keys(tmp_path: Path) -> None:
    """Beside files without keys; the channel of length 1 of an exported label goes without saying."""
    hdf5(tmp_path / "images/a.h5", exchange__data=GREY * 0, t0__grey=GREY)
    hdf5(tmp_path / "labels/a.h5", labels=LABEL[..., None], other=LABEL * 0)
    for part, voxels in (("images", GREY), ("labels", LABEL)):
        tifffile.imwrite(tmp_path / part / "b.tif", voxels, photometric="minisblack")
    image, label = read(tmp_path, image_key="t0/grey", label_key="labels")
    np.testing.assert_array_equal(image, np.concatenate([GREY, GREY]))
    np.testing.assert_array_equal(label, np.concatenate([LABEL, LABEL]))


def test_channels(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    group = zarr.open_group(tmp_path / "images/a.zarr", mode="w")
    group["0"] = np.stack([GREY * 0 + 7, GREY], axis=1)
    group["0"].attrs["_ARRAY_DIMENSIONS"] = ["z", "c", "y", "x"]
    hdf5(tmp_path / "labels/a.h5", exported_data=np.stack([LABEL * 0, LABEL]), other=LABEL)
    hdf5(tmp_path / "labels/b.h5", exported_data=LABEL)
    zarr.save_array(tmp_path / "images/b.zarr", GREY)
    assert "a.zarr: " in (message := refusal(tmp_path)) and "--image_index" in message
    assert "a.h5: " in (message := refusal(tmp_path, image_index=1)) and "--label_key" in message
    assert "a.h5: " in (message := refusal(tmp_path, image_index=1, label_key="exported_data"))
    assert "--label_index" in message
    image, label = read(tmp_path, image_index=1, label_key="exported_data", label_index=[1])
    np.testing.assert_array_equal(image, np.concatenate([GREY, GREY]))
    np.testing.assert_array_equal(label, np.concatenate([LABEL, LABEL]))
    assert "--image_index 2 lies outside" in refusal(tmp_path, image_index=2)


def test_the_only_array_of_a_label_needs_no_key(tmp_path: Path) -> None:
    hdf5(tmp_path / "images/a.h5", exchange__data=GREY)
    hdf5(tmp_path / "labels/a.h5", exported_data=LABEL[..., None], axis=np.arange(3))
    np.testing.assert_array_equal(read(tmp_path)[1], LABEL)
    hdf5(tmp_path / "other/images/a.h5", exchange__data=GREY)
    hdf5(tmp_path / "other/labels/a.h5", exported_data=LABEL)
    with h5py.File(tmp_path / "other/labels/a.h5", "a") as file:
        file["elsewhere"] = h5py.ExternalLink("b.h5", "labels")
    assert "--label_key" in refusal(tmp_path / "other")
    hdf5(tmp_path / "other/labels/b.h5", labels=LABEL)
    (tmp_path / "other/labels/b.h5").rename(tmp_path / "other/b.h5")
    with h5py.File(tmp_path / "other/labels/a.h5", "w") as file:
        file["soft"], file["elsewhere"] = h5py.SoftLink("/elsewhere"), h5py.ExternalLink("../b.h5", "labels")
    np.testing.assert_array_equal(read(tmp_path / "other")[1], LABEL)


def test_grey_values_in_the_usual_place_of_a_label(tmp_path: Path) -> None:
    """A copy of the image file to which the labels were added: the cure is a key, not another value."""
    hdf5(tmp_path / "images/a.h5", exchange__data=GREY)
    hdf5(tmp_path / "labels/a.h5", exchange__data=GREY, labels=LABEL)
    assert "or give --label_key if the labels are another array of it" in refusal(tmp_path)
    np.testing.assert_array_equal(read(tmp_path, label_key="labels")[1], LABEL)


@pytest.mark.parametrize("axis", [0, 3])
def test_channels_without_a_name(tmp_path: Path, axis: int) -> None:
    hdf5(tmp_path / "images/a.h5", exchange__data=GREY)
    hdf5(tmp_path / "labels/a.h5", exchange__data=np.stack([LABEL * 0, LABEL], axis))
    assert f"--label_index axis_{axis}, axis {axis} from 0 to 1" in refusal(tmp_path)
    np.testing.assert_array_equal(read(tmp_path, label_index=1)[1], LABEL)


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        ({"label_key": "labels"}, "labels/a.tif: is of a format without keys; leave --label_key labels away"),
        ({"image_key": "nothing"}, "images/a.h5: has no "),
        ({"image_index": 0, "label_index": 1}, "labels/a.tif: --label_index 1 does not fit"),
        ({"image_index": "red"}, "--image_index"),
    ],
)
def test_keys_without_use(tmp_path: Path, reading: dict[str, Any], words: str) -> None:
    hdf5(tmp_path / "images/a.h5", exchange__data=GREY[None])
    (tmp_path / "labels").mkdir()
    tifffile.imwrite(tmp_path / "labels/a.tif", LABEL, photometric="minisblack")
    assert words in refusal(tmp_path, **reading)


def test_keys_of_the_commands(tmp_path: Path) -> None:
    """A training and an evaluation read what their keys say, and note it; the label map is that of the training."""
    turned = [GREY, GREY[:, ::-1], GREY[:, :, ::-1], GREY[:, ::-1, ::-1]]  # no slice is there twice
    large = np.pad(np.concatenate(turned), ((0, 0), (0, 40), (0, 40)), "reflect")
    hdf5(tmp_path / "set/images/a.h5", grey=large)
    hdf5(
        tmp_path / "set/labels/a.h5",
        nothing=large * 0,
        labels=np.stack([large * 0, (large > 40_000) * 255 + (large < 9_000) * 7]),
    )
    reading = Reading("grey", None, "labels", [1], "lithium", {"255": "lithium", "7": 255})
    assert words_of(reading) == {
        "image_key": "grey",
        "label_key": "labels",
        "label_index": "[1]",
        "label_255": "lithium",
        "label_map": "{'255': 'lithium', '7': 255}",
    }
    given = {"network_def": cli.TINY, **words_of(reading)}
    outcome = cli.train(tmp_path / "set", tmp_path / "run", **given)
    assert outcome.code == 0, outcome.error
    del given["label_map"]
    scored = {"dataset_dir": tmp_path / "set", "output_dir": tmp_path / "run", "device": "cpu", **given}
    assert cli.run("train", "evaluate", **scored).code == 0
    for name in ("model.json", "metrics.json"):
        assert json.loads((tmp_path / "run" / name).read_text())["reading"] == reading.given()

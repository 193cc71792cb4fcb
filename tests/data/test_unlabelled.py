"""Which slices are learned from without labels: none that is scored, or near one that is."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from conftest import blobs, write_labelled_set

from custom.base.errors import BadInput
from custom.data import Reading, split_dataset, unlabelled_slices
from custom.data.sides_of_stack import Labelled, on_training_side
from custom.stack import grey_window, open_stack, source

SIZE = (40, 44)
SCALING = {"percentiles": (0.5, 99.5), "fixed": None}


def write(path: Path, volume: np.ndarray, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, volume, photometric="minisblack", **options)
    return path


def found(folder: Path, unlabelled: str | list[str] | None = None, **options: Any) -> list[tuple[str, int]]:
    split = split_dataset(folder, 0)
    rest = unlabelled_slices(unlabelled, split, str(folder), SCALING, **options)
    return [(Path(item["image"]).name, item["z"]) for item in rest.items]


def scans(folder: Path, unlabelled: str | None = None) -> set[str | None]:
    """The scans that slices are known to be of."""
    rest = unlabelled_slices(unlabelled, split_dataset(folder, 0), str(folder), SCALING)
    return {item.get("scan") for item in rest.items}


def partly_labelled(folder: Path, labelled: Sequence[int], depth: int = 30) -> Path:
    """One stack, of which some slices are labelled, every fourth of these for the test, every third but that for validation."""
    grey, label = blobs(depth, SIZE, seed=4)
    label[[z for z in range(depth) if z not in labelled]] = 255
    write(folder / "images/cell.tif", grey)
    write(folder / "labels/cell.tif", label)
    return folder


def nearest(depth: int, known: dict[int, str]) -> list[int]:
    """By hand: all labelled slices at the least distance are of the training side."""
    return [
        z
        for z in range(depth)
        if {side for at, side in known.items() if abs(at - z) == min(abs(other - z) for other in known)} == {"train"}
    ]


@pytest.mark.parametrize("seed", range(5))
def test_a_slice_is_on_the_side_of_the_nearest_labelled_one(seed: int) -> None:
    draw = np.random.default_rng(seed)
    places = draw.choice(40, 6, replace=False)
    known = {int(z): ("train", "val", "test")[i % 3] for i, z in enumerate(places)}
    assert on_training_side(40, {z: Labelled(side, {}) for z, side in known.items()}) == nearest(40, known)


def test_without_stacks_it_is_what_nobody_labelled_near_the_training_slices(tmp_path: Path) -> None:
    folder = partly_labelled(tmp_path, range(0, 30, 3))
    split = split_dataset(folder, 0)
    known = {item["z"]: side for side in split for item in split[side]}
    assert set(known.values()) == {"train", "val", "test"}
    expected = [z for z in nearest(30, known) if z not in known]
    assert found(folder) == [("cell.tif", z) for z in expected] and 5 < len(expected) < 20
    assert found(folder, str(folder / "images/cell.tif")) == found(folder)


def test_a_copy_in_another_format_is_known(tmp_path: Path) -> None:
    folder = partly_labelled(tmp_path / "set", range(0, 30, 3))
    grey = tifffile.imread(folder / "images/cell.tif")
    np.save(tmp_path / "copy.npy", grey.astype(np.float32))
    assert [z for _, z in found(folder, str(tmp_path / "copy.npy"))] == [z for _, z in found(folder)]
    assert scans(folder, str(tmp_path / "copy.npy")) == scans(folder) == {"cell"}


def test_slices_of_a_side_that_is_scored_are_refused(tmp_path: Path) -> None:
    folder = write_labelled_set(tmp_path / "set", stacks=(4, 4, 4), size=SIZE)
    sides = {"train": ["stack_0"], "val": ["stack_1"], "test": ["stack_2"]}
    (folder / "splits.json").write_text(json.dumps(sides))
    for number, side in ((1, "validation"), (2, "test")):
        path = str(folder / f"images/stack_{number}.tif")
        with pytest.raises(
            BadInput, match=f"^--unlabelled {path}: its slice 0 is one of the {side} side, .*leave it away"
        ):
            found(folder, [path])
    other, _ = blobs(3, SIZE, seed=50)
    mixed = np.concatenate([other, tifffile.imread(folder / "images/stack_2.tif")[1:2]])
    with pytest.raises(BadInput, match="its slice 3 is one of the test side"):
        found(folder, str(write(tmp_path / "mixed.tif", mixed)))


def test_a_stack_without_anything_new_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = write_labelled_set(tmp_path, stacks=(4, 4, 4), size=SIZE)
    (folder / "splits.json").write_text(json.dumps({"train": ["stack_0"], "val": ["stack_1"], "test": ["stack_2"]}))
    with caplog.at_level(logging.WARNING):
        assert found(folder, str(folder / "images/stack_0.tif")) == []
    assert "all of its slices that lie on the training side (4) are labelled and learned from as such" in caplog.text
    with pytest.raises(BadInput, match="has no unlabelled slices on its training side"):
        found(folder)


def test_bad_lists(tmp_path: Path) -> None:
    folder = write_labelled_set(tmp_path, size=SIZE)
    with pytest.raises(BadInput, match=r"^--unlabelled \[\]: lists no stack; give one"):
        found(folder, [])
    with pytest.raises(BadInput, match="^--unlabelled nowhere.tif: there is no such file or folder; give"):
        found(folder, "nowhere.tif")
    colours = write(tmp_path / "colours.tif", np.zeros((*SIZE, 3), np.uint8))
    with pytest.raises(BadInput, match="colours.tif"):
        found(folder, str(colours))


def test_arrays_and_channels_are_chosen_where_a_file_has_several(tmp_path: Path) -> None:
    folder = write_labelled_set(tmp_path / "set", size=SIZE)
    grey, _ = blobs(3, (50, 60), seed=8)
    plain = write(tmp_path / "plain.tif", grey)
    both = write(tmp_path / "both.tif", np.stack([grey, grey + 7], 1), imagej=True, metadata={"axes": "ZCYX"})
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["a"], file["raw"] = grey, grey + 9
    reading = Reading(image_key="raw", image_index=1)
    split = split_dataset(folder, 0)
    paths = [str(path) for path in (plain, both, tmp_path / "other.h5")]
    rest = unlabelled_slices(paths, split, str(folder), SCALING, reading)
    first = [source(item, "image").open().read(0, 1)[0] for item in rest.items[::3]]
    assert all(np.array_equal(found, grey[0] + more) for found, more in zip(first, (0, 7, 9), strict=True))
    with pytest.raises(BadInput, match="other.h5"):
        unlabelled_slices(paths[2], split, str(folder), SCALING)


def test_a_stack_has_the_window_of_a_segmentation(tmp_path: Path) -> None:
    folder = write_labelled_set(tmp_path / "set", size=SIZE)
    grey, _ = blobs(5, (50, 60), seed=8)
    path = write(tmp_path / "other.tif", grey + 9000)
    rest = unlabelled_slices(str(path), split_dataset(folder, 0), str(folder), SCALING)
    window = grey_window(open_stack(path))
    assert {item["grey_window"] for item in rest.items} == {(window.lower, window.upper)}
    assert [(item["z"], item["size"]) for item in rest.items] == [(z, (50, 60)) for z in range(5)]
    assert scans(folder, str(path)) == {None}
    (noted,) = rest.noted
    assert (noted["name"], noted["shape"], noted["slices"]) == ("other.tif", [5, 50, 60], 5)
    fixed = {"percentiles": (0.5, 99.5), "fixed": [20000, 60000]}
    rest = unlabelled_slices(str(path), split_dataset(folder, 0), str(folder), fixed)
    assert rest.items[0]["grey_window"] == (20000.0, 60000.0)


def test_voxels_of_another_size_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def sized(um: float) -> dict[str, Any]:
        return {
            "imagej": True,
            "resolution": (1 / um, 1 / um),
            "metadata": {"axes": "ZYX", "spacing": um, "unit": "um"},
        }

    grey, label = blobs(6, SIZE)
    write(tmp_path / "set/images/cell.tif", grey, **sized(1.5))
    write(tmp_path / "set/labels/cell.tif", label)
    other, _ = blobs(3, SIZE, seed=3)
    for um, told in ((1.5, False), (1.505, False), (3.0, True)):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            found(tmp_path / "set", str(write(tmp_path / f"other_{um}.tif", other, **sized(um))))
        assert (
            "its voxels are 3 x 3 x 3 um (z, y, x) and those of the labelled images 1.5 x 1.5 x 1.5" in caplog.text
        ) is told


def test_the_stack_of_a_scan_gives_what_lies_near_its_training_slices(tmp_path: Path) -> None:
    grey, label = blobs(24, SIZE, seed=6)
    folder = tmp_path / "set"
    sides: dict[str, list[str]] = {"train": ["a_00", "a_06"], "val": ["a_12"], "test": ["a_18"]}
    for name in sum(sides.values(), []):
        z = int(name[2:])
        write(folder / f"images/{name}.tif", grey[z])
        write(folder / f"labels/{name}.tif", label[z])
    (folder / "splits.json").write_text(json.dumps(sides))
    write(tmp_path / "whole.tif", grey)
    (folder / "scans.json").write_text(json.dumps({"a": {"stack": "../whole.tif", "files": sum(sides.values(), [])}}))
    assert found(folder) == [("whole.tif", z) for z in range(9) if z not in (0, 6)] and scans(folder) == {"a"}
    write(
        tmp_path / "whole.tif", (grey // 3).astype(np.uint16)
    )  # another grey scale: nothing tells where the slices lie
    (folder / "scans.json").write_text(json.dumps({"a": sum(sides.values(), [])}))
    with pytest.raises(BadInput, match="has no unlabelled slices on its training side"):
        found(folder)


def test_a_training_goes_on_with_the_same_stacks_alone(tmp_path: Path) -> None:
    folder = write_labelled_set(tmp_path / "set", size=SIZE)
    paths = [str(write(tmp_path / f"{name}.tif", blobs(3, SIZE, seed=seed)[0])) for seed, name in enumerate("pq", 20)]
    split = split_dataset(folder, 0)
    begun = unlabelled_slices(paths[0], split, str(folder), SCALING)

    class Resumed:
        by_file = (("checkpoint.pt", {"unlabelled": begun.noted}),)
        resumed = True

    assert unlabelled_slices(paths[0], split, str(folder), SCALING, trained=Resumed()).noted == begun.noted
    with pytest.raises(
        BadInput, match=r"was begun with the unlabelled slices of p.tif, and goes on with others \(q.tif\)"
    ):
        unlabelled_slices(paths[1], split, str(folder), SCALING, trained=Resumed())

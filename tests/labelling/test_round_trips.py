"""What labelling tools save comes back as it was drawn: each in its own form, by its own library where that is here."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
import tifffile
import zarr

from custom.base.errors import BadInput
from custom.data import Reading
from custom.data.labelled import labelled_slices
from custom.labelling.collecting import Collecting
from custom.labelling.suggesting import Suggesting
from custom.stack import open_stack

SHAPE = (12, 40, 50)
WINDOW = {"percentiles": (0.5, 99.5), "fixed": None}
Drawing = dict[str, np.ndarray]
Save = Callable[[Path, Drawing], dict[str, Any]]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scan") / "cell_2.tif"
    voxels = np.random.default_rng(0).integers(100, 60000, SHAPE).astype(np.uint16)
    tifffile.imwrite(path, voxels, photometric="minisblack", imagej=True)
    return path


@pytest.fixture
def suggested(stack: Path, tmp_path: Path) -> Path:
    Suggesting(open_stack(stack), WINDOW, 3, tmp_path / "next", ("lithium",)).run(None)
    return tmp_path / "next"


def drawing(suggested: Path, seed: int = 1) -> Drawing:
    """0 and 1 for each image, in pieces."""
    rng = np.random.default_rng(seed)
    names = sorted(path.stem for path in (suggested / "images").iterdir())
    return {name: np.kron(rng.random((8, 10)) < 0.3, np.ones((5, 5))).astype(np.uint8) for name in names}


def napari(folder: Path, drawn: Drawing) -> dict[str, Any]:
    try:
        write = importlib.import_module("napari_builtins.io._write").napari_write_labels
    except ImportError:  # what it comes to, in napari 0.9: integers of 32 bits, zlib

        def write(path: str, data: np.ndarray, meta: dict[str, Any]) -> None:
            tifffile.imwrite(path, data.astype(np.uint32), compression="zlib")

    for name, labels in drawn.items():
        write(str(folder / f"{name}.tif"), labels.astype(np.int64).astype(np.uint32), {})
    return {}


def napari_of_a_stack(folder: Path, drawn: Drawing) -> dict[str, Any]:
    """The images opened as one stack, and the layer saved as one file."""
    tifffile.imwrite(folder / "Labels.tif", np.stack(list(drawn.values())).astype(np.uint32), compression="zlib")
    return {"drawn": folder / "Labels.tif"}


def fiji(folder: Path, drawn: Drawing) -> dict[str, Any]:
    """Edit > Selection > Create Mask: 0 and 255, shown with 0 as white."""
    for name, labels in drawn.items():
        tifffile.imwrite(folder / f"Mask of {name}.tif", labels * 255, photometric="miniswhite")
    return {}


def ilastik_labels(folder: Path, drawn: Drawing) -> dict[str, Any]:
    """The export of what was drawn by brush: 0 is not drawn, 1 and 2 the first two labels; with a last axis of channels."""
    for name, labels in drawn.items():
        with h5py.File(folder / f"{name}_Labels.h5", "w") as file:
            voxels = file.create_dataset("exported_data", data=(2 - labels)[..., None].astype(np.uint8))
            axes = [
                {"key": key, "typeFlags": 1 if key == "c" else 2, "resolution": 0, "description": ""} for key in "yxc"
            ]
            voxels.attrs["axistags"] = json.dumps({"axes": axes})
    return {"label_map": {"0": 255, "1": "lithium", "2": "background"}}


def ilastik_segmentation(folder: Path, drawn: Drawing) -> dict[str, Any]:
    for name, labels in drawn.items():
        tifffile.imwrite(folder / f"{name}_Simple Segmentation.tiff", (2 - labels).astype(np.uint8))
    return {"label_map": {"1": "lithium", "2": "background"}}


def slicer(folder: Path, drawn: Drawing) -> dict[str, Any]:
    """A segmentation of each image, by SimpleITK, which keeps Slicer's fields."""
    for name, labels in drawn.items():
        image = sitk.GetImageFromArray(labels[None])
        for key, value in {"Name": "Lithium", "LabelValue": "1", "Layer": "0"}.items():
            image.SetMetaData(f"Segment0_{key}", value)
        sitk.WriteImage(image, str(folder / f"{name}.seg.nrrd"), useCompression=True)
    return {}


def slicer_in_layers(folder: Path, drawn: Drawing) -> dict[str, Any]:
    """Two segments that a name and a map tell apart, each in a layer of its own."""
    for name, labels in drawn.items():
        header: dict[str, Any] = {"kinds": ["list", "domain", "domain", "domain"], "space": "left-posterior-superior"}
        header |= {"space directions": np.vstack([[np.nan] * 3, np.eye(3)]), "space origin": [0, 0, 0]}
        for n, word in enumerate(("lithium", "polymer")):
            header |= {f"Segment{n}_Name": word, f"Segment{n}_LabelValue": "1", f"Segment{n}_Layer": str(n)}
        layers = np.stack([labels.T[..., None], 1 - labels.T[..., None]])
        nrrd.write(str(folder / f"{name}.seg.nrrd"), layers, header)
    return {"label_map": {"polymer": "background"}}


def zarr_array(folder: Path, drawn: Drawing) -> dict[str, Any]:
    for name, labels in drawn.items():
        array = zarr.create_array(folder / f"{name}.zarr", shape=labels.shape, chunks=labels.shape, dtype="uint8")
        array[:] = labels
    return {}


TOOLS: list[Save] = [
    napari,
    napari_of_a_stack,
    fiji,
    ilastik_labels,
    ilastik_segmentation,
    slicer,
    slicer_in_layers,
    zarr_array,
]


@pytest.mark.parametrize("save", TOOLS, ids=lambda save: save.__name__)
def test_the_label_that_comes_back_is_the_one_drawn(save: Save, suggested: Path, stack: Path, tmp_path: Path) -> None:
    drawn = drawing(suggested)
    (folder := tmp_path / "saved").mkdir()
    given = {"drawn": folder} | save(folder, drawn)
    Collecting(tmp_path / "mine", suggested=suggested, stack=None, **given).run()
    voxels = tifffile.imread(stack)
    for name, labels in drawn.items():
        z = int(name.rpartition("_z")[2])
        np.testing.assert_array_equal(tifffile.imread(tmp_path / f"mine/labels/{name}.tif"), labels)
        np.testing.assert_array_equal(tifffile.imread(tmp_path / f"mine/images/{name}.tif"), voxels[z])
    items = labelled_slices(tmp_path / "mine")
    assert [item["at"] for item in items] == [1, 5, 9] and {item["scan"] for item in items} == {"cell_2"}
    assert {item["grey_window"] for item in items} == {tuple(np.percentile(voxels, (0.5, 99.5)).tolist())}
    assert [item["lithium"] for item in items] == [int(labels.sum()) for labels in drawn.values()]


def test_scribbles_leave_the_rest_unlabelled(suggested: Path, tmp_path: Path) -> None:
    drawn = drawing(suggested)
    (folder := tmp_path / "saved").mkdir()
    wanted = {}
    for name, labels in drawn.items():
        scribbles = np.where(labels == 1, 2, 0)
        scribbles[3], scribbles[:, 7] = 1, 1
        tifffile.imwrite(folder / f"{name}.tif", scribbles.astype(np.uint8))
        wanted[name] = np.array([255, 0, 1])[scribbles]
    label_map = {"0": 255, "1": "background", "2": "lithium"}
    Collecting(tmp_path / "mine", folder, suggested, None, label_map=label_map).run()
    for name, labels in wanted.items():
        np.testing.assert_array_equal(tifffile.imread(tmp_path / f"mine/labels/{name}.tif"), labels)


def test_segments_with_a_background_leave_the_rest_unlabelled_and_grow(stack: Path, tmp_path: Path) -> None:
    """Drawn on the whole stack in 3D Slicer, which cropped the segmentation to its segments."""
    where = np.random.default_rng(3).integers(0, 3, (2, 10, 12)).astype(np.uint8)
    header: dict[str, Any] = {
        "space": "left-posterior-superior",
        "space directions": np.eye(3),
        "space origin": [4, 3, 5],
    }
    for n, word in enumerate(("Lithium", "background")):
        header |= {f"Segment{n}_Name": word, f"Segment{n}_LabelValue": str(n + 1), f"Segment{n}_Layer": "0"}
    header["Segmentation_ReferenceImageExtentOffset"] = "4 3 5"
    nrrd.write(str(tmp_path / "Segmentation.seg.nrrd"), where.T, header)
    Collecting(tmp_path / "mine", tmp_path / "Segmentation.seg.nrrd", None, stack).run()
    names = sorted(path.stem for path in (tmp_path / "mine/labels").iterdir())
    assert names == ["cell_2_z00005", "cell_2_z00006"]
    for name, plane in zip(names, where, strict=True):
        whole = np.full(SHAPE[1:], 255)
        whole[3:13, 4:16] = np.array([255, 1, 0])[plane]
        np.testing.assert_array_equal(tifffile.imread(tmp_path / f"mine/labels/{name}.tif"), whole)


def test_a_mask_of_a_whole_stack_gives_the_slices_that_were_drawn_on(stack: Path, tmp_path: Path) -> None:
    mask = np.zeros(SHAPE, np.uint8)
    mask[4, 10:20, 10:30] = mask[9, :5] = 255
    tifffile.imwrite(tmp_path / "mask.tif", mask, photometric="minisblack")
    Collecting(tmp_path / "mine", tmp_path / "mask.tif", None, stack).run()
    assert sorted(path.name for path in (tmp_path / "mine/images").iterdir()) == [
        "cell_2_z00004.tif",
        "cell_2_z00009.tif",
    ]
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "mine/labels/cell_2_z00004.tif"), mask[4] // 255)


def test_several_classes_come_back(stack: Path, tmp_path: Path) -> None:
    values = np.random.default_rng(4).integers(0, 4, SHAPE).astype(np.uint8)
    tifffile.imwrite(tmp_path / "drawn.tif", np.where(values == 3, 255, values).astype(np.uint8))
    Collecting(tmp_path / "mine", tmp_path / "drawn.tif", None, stack, classes=["pit", "dendrite"]).run()
    items = labelled_slices(tmp_path / "mine", reading=Reading(classes=("pit", "dendrite")))
    assert [item["classes"] for item in items] == [((plane == 1).sum(), (plane == 2).sum()) for plane in values]


def test_a_stack_within_a_file_is_found_again(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["grey"] = np.random.default_rng(0).integers(0, 999, (2, *SHAPE)).astype(np.uint16)
        voxels = file["grey"][1]
    stack = open_stack(tmp_path / "scan.h5", stack_key="grey", stack_index=1)
    Suggesting(stack, WINDOW, 2, tmp_path / "next", ("lithium",)).run(None)
    (folder := tmp_path / "next/labels").mkdir()
    napari(folder, drawing(tmp_path / "next"))
    Collecting(tmp_path / "mine", None, tmp_path / "next", None).run()  # labels/ beside images/ is where it looks first
    windows = {item["grey_window"] for item in labelled_slices(tmp_path / "mine")}
    assert windows == {tuple(np.percentile(voxels, (0.5, 99.5)).tolist())}
    with pytest.raises(BadInput, match="Labels"):
        napari_of_a_stack(tmp_path, {"a": np.zeros((3, 3)), "b": np.zeros((3, 3))})
        Collecting(tmp_path / "mine", tmp_path / "Labels.tif", tmp_path / "next", None).run()

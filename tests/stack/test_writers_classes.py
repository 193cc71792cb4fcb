"""Masks of several classes: their voxels, names and colours as libraries of each format's world read them."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK
import tifffile
import zarr
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader
from ome_zarr_models.v05.image_label import ImageLabel
from PIL import Image

from custom.base.colours import class_colour
from custom.stack import open_stack
from custom.stack.writers import OUTPUT_FORMATS, open_writer
from custom.stack.writers.pyramid import halved_classes

CLASSES = ("pit", "µ-crack\\notch", "dead lithium")
MASK = np.random.default_rng(0).integers(0, 4, (5, 30, 280), np.uint8)
MASK[:, :15] = 0


def written(folder: Path, output_format: str, classes: tuple[str, ...] = CLASSES, mask: np.ndarray = MASK) -> Path:
    with open_writer(
        folder / "mask", output_format, mask.shape, mask.dtype, (1.0, 0.5, 0.5), classes=classes
    ) as writer:
        for start in range(0, len(mask), 2):
            writer.write(start, mask[start : start + 2])
    return writer.path


def tree(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_the_voxels_are_the_classes(output_format: str, tmp_path: Path) -> None:
    stack = open_stack(written(tmp_path, output_format))
    np.testing.assert_array_equal(stack.read(0, 5), MASK, strict=True)
    assert stack.voxel_size_um == pytest.approx((1.0, 0.5, 0.5))


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_a_single_class_needs_no_word(output_format: str, tmp_path: Path) -> None:
    one = (MASK > 2).astype(np.uint8)
    named = written(tmp_path / "named", output_format, ("lithium",), one)
    assert tree(named) == tree(written(tmp_path / "plain", output_format, (), one))


def test_nrrd_is_a_segmentation_to_slicer(tmp_path: Path) -> None:
    path = written(tmp_path, "nrrd")
    image = SimpleITK.ReadImage(str(path))
    for number, name in enumerate(CLASSES):
        segment = {
            key: image.GetMetaData(f"Segment{number}_{key}") for key in ("Name", "LabelValue", "Layer", "Extent")
        }
        assert segment == {"Name": name, "LabelValue": str(number + 1), "Layer": "0", "Extent": "0 279 0 29 0 4"}
        colour = [float(part) for part in image.GetMetaData(f"Segment{number}_Color").split()]
        assert colour == pytest.approx(np.array(class_colour(number + 1)) / 255, abs=1e-5)
    assert not image.HasMetaDataKey("Segment3_ID")
    assert nrrd.read_header(str(path))["Segment2_Name"] == "dead lithium"
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image), MASK)


def test_nifti_has_workbenchs_label_table(tmp_path: Path) -> None:
    image = nibabel.load(written(tmp_path, "nii.gz"))
    assert image.header.get_intent()[0] == "label"
    (extension,) = image.header.extensions
    labels = ElementTree.fromstring(extension.text).findall("VolumeInformation/LabelTable/Label")
    assert extension.get_code() == 30 and {label.get("Key"): label.text for label in labels} == {
        "0": "background",
        "1": "pit",
        "2": "µ-crack\\notch",
        "3": "dead lithium",
    }
    np.testing.assert_array_equal(np.asarray(image.dataobj).T, MASK)
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(tmp_path / "mask.nii.gz")), MASK)


@pytest.mark.parametrize("output_format", ["tiff", "tiff_folder"])
def test_tiff_is_grey_to_all_but_coloured_to_imagej(output_format: str, tmp_path: Path) -> None:
    path = written(tmp_path, output_format)
    first = path if path.is_file() else path / "mask_00000.tif"
    with tifffile.TiffFile(first) as tiff:
        assert tiff.pages.first.photometric == tifffile.PHOTOMETRIC.MINISBLACK
        assert tiff.imagej_metadata["Info"] == "0: background\n1: pit\n2: µ-crack\\notch\n3: dead lithium\n"
        assert (tiff.imagej_metadata["min"], tiff.imagej_metadata["max"]) == (0, 255)
        colours = tiff.pages.first.tags["ColorMap"].value
        table = np.array(colours).reshape(3, 256)[:, :5].T // 257
        assert table.tolist() == [[0] * 3, *[list(class_colour(value)) for value in (1, 2, 3)], [0] * 3]
    with Image.open(first) as picture:
        assert picture.mode == "L" and np.array_equal(np.asarray(picture), MASK[0])


def test_beyond_a_classic_tiff_ome_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom.stack.writers.tiff.CLASSIC_LIMIT", 1000)
    with tifffile.TiffFile(written(tmp_path, "tiff")) as tiff:
        assert tiff.is_bigtiff and tiff.is_ome
        names = {
            element.get("K"): element.text
            for element in ElementTree.fromstring(tiff.ome_metadata).iter()
            if element.get("K")
        }
        np.testing.assert_array_equal(tiff.asarray(), MASK)
    assert names == {"0": "background", "1": "pit", "2": "µ-crack\\notch", "3": "dead lithium"}


def test_ome_zarr_is_a_label_image(tmp_path: Path) -> None:
    path = written(tmp_path, "zarr")
    told = ImageLabel.from_zarr(zarr.open_group(path, mode="r")).attributes.ome
    assert told.image_label is not None and told.multiscales[0].type == "mode"
    assert "most frequent class" in told.multiscales[0].metadata["method"]
    metadata = next(iter(Reader(parse_url(path))())).metadata
    assert {value: told["class"] for value, told in metadata["properties"].items()} == dict(
        enumerate(("background", *CLASSES))
    )
    assert metadata["color"][0][3] == 0
    for value in (1, 2, 3):
        assert metadata["color"][value] == pytest.approx([*np.array(class_colour(value)) / 255, 1])


# --- overviews ------------------------------------------------------------------------------------------------------


def expected_overview(mask: np.ndarray) -> np.ndarray:
    """Block by block in plain Python."""
    in_all = Counter(mask.ravel().tolist())
    coarse = np.zeros([-(-n // 2) for n in mask.shape], np.uint8)
    for z, y, x in product(*map(range, coarse.shape)):
        block = Counter(mask[2 * z : 2 * z + 2, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].ravel().tolist())
        del block[0]
        coarse[z, y, x] = min(block, key=lambda v: (-block[v], in_all[v], v)) if block else 0
    return coarse


@pytest.mark.parametrize("shape", [(16, 20, 30), (5, 7, 9), (1, 4, 4), (2, 1, 3)])
@pytest.mark.parametrize("share", [0.1, 0.9])
def test_a_block_is_its_most_frequent_class(shape: tuple[int, int, int], share: float) -> None:
    draw = np.random.default_rng(1)
    mask = np.where(draw.random(shape) < share, draw.integers(1, 5, shape), 0).astype(np.uint8)
    found = halved_classes(mask, 4)
    np.testing.assert_array_equal(found, expected_overview(mask), strict=True)
    np.testing.assert_array_equal(found > 0, halved_classes((mask > 0).astype(np.uint8), 4) > 0)


@pytest.mark.parametrize("thin", [1, 2])
def test_a_layer_one_voxel_thick_stays_between_two_others(thin: int) -> None:
    mask = np.full((16, 64, 64), 3 - thin, np.uint8)
    mask[:, 21] = thin
    found = halved_classes(halved_classes(mask, 2), 2)
    assert (halved_classes(mask, 2)[:, 10] == thin).all()
    assert (found != thin).any() and (found == 3 - thin).any()


def test_overviews_of_a_file_are_those(tmp_path: Path) -> None:
    group = zarr.open_group(written(tmp_path, "zarr"), mode="r")
    np.testing.assert_array_equal(np.asarray(group["1"]), expected_overview(MASK))

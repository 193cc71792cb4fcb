"""Labels whose files lie otherwise in space than their images, from the data set to the training's slices."""

from __future__ import annotations

import logging
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK
import zarr

from custom.base.errors import BadInput
from custom.data import labelled_slices
from custom.data.datasets import expand_slices
from custom.transforms import LoadStackd

SHAPE = (4, 5, 6)
RNG = np.random.default_rng(0)
GREY, LABELS = RNG.random(SHAPE).astype(np.float32), RNG.integers(0, 2, SHAPE, np.uint8)


def write(folder: Path, stems: str, label_affine: np.ndarray | None = None) -> Path:
    """Images that point to the left and the back; labels in nibabel's canonical order, or as they are at another place."""
    affine = np.diag([-0.00133, -0.00133, 0.00133, 1])
    affine[:3, 3] = 500, -300, 200
    for stem in stems:
        for part, voxels in (("images", GREY), ("labels", LABELS)):
            (folder / part).mkdir(exist_ok=True)
            image = nibabel.Nifti1Image(voxels.transpose(), affine)
            if part == "labels":
                canonical = nibabel.as_closest_canonical(image)
                image = canonical if label_affine is None else nibabel.Nifti1Image(voxels.transpose(), label_affine)
            nibabel.save(image, folder / part / f"{stem}.nii.gz")
    return folder


def test_slices_of_image_and_label_belong_together(tmp_path: Path) -> None:
    items = labelled_slices(write(tmp_path, "a"))
    assert [item["lithium"] for item in items] == LABELS.sum(axis=(1, 2)).tolist()
    pairs = [{"image": item["image"], "label": item["label"]} for item in items[:1]]
    for one in (items, expand_slices(pairs)):  # as a client names them, too
        loaded = [LoadStackd(["image", "label"])(item) for item in one]
        np.testing.assert_array_equal(np.concatenate([item["image"] for item in loaded]), GREY)
        np.testing.assert_array_equal(np.concatenate([item["label"] for item in loaded]), LABELS)
    whole = LoadStackd(["image", "label"])(pairs[0])
    np.testing.assert_array_equal(whole["label"][0], LABELS)
    np.testing.assert_array_equal(whole["label"].affine, whole["image"].affine)


def test_doubts_are_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        labelled_slices(write(tmp_path, "abc", np.eye(4)))
    (record,) = caplog.records
    first = tmp_path / "labels" / "a.nii.gz"
    assert record.getMessage().startswith(
        f"{first} (and 2 more in this set likewise): its header states voxels of 1 mm"
    )


def test_a_label_cropped_to_its_segments_comes_back_by_its_cure(tmp_path: Path) -> None:
    """As 3D Slicer saves a segmentation."""
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    image, label = SimpleITK.GetImageFromArray(GREY), SimpleITK.GetImageFromArray(LABELS)
    for whole in (image, label):
        whole.SetSpacing((0.00133,) * 3)
    SimpleITK.WriteImage(image, tmp_path / "images/a.nrrd")
    SimpleITK.WriteImage(label[1:5, 1:4, :], tmp_path / "labels/a.nrrd")
    with pytest.raises(BadInput, match="sitkNearestNeighbor"):
        labelled_slices(tmp_path)
    back = SimpleITK.Resample(label[1:5, 1:4, :], image, SimpleITK.Transform(), SimpleITK.sitkNearestNeighbor)
    SimpleITK.WriteImage(back, tmp_path / "labels/a.nrrd")
    assert [item["lithium"] for item in labelled_slices(tmp_path)] == LABELS[:, 1:4, 1:5].sum(axis=(1, 2)).tolist()


@pytest.mark.parametrize("suffix", ["nii", "nrrd", "mha"])
def test_a_label_that_runs_backwards_along_z_alone(tmp_path: Path, suffix: str) -> None:
    """Uncompressed: its slices are views of the file."""
    for part, voxels in (("images", GREY), ("labels", LABELS)):
        (tmp_path / part).mkdir()
        image = SimpleITK.GetImageFromArray(voxels)
        image.SetSpacing((0.00133,) * 3)
        image.SetOrigin((1, 2, 3))
        image = image if part == "images" else SimpleITK.Flip(image, (False, False, True))
        SimpleITK.WriteImage(image, tmp_path / part / f"a.{suffix}")
    loaded = [LoadStackd(["image", "label"])(item) for item in labelled_slices(tmp_path)]
    np.testing.assert_array_equal(np.concatenate([item["label"] for item in loaded]), LABELS)


@pytest.mark.parametrize("away", [0.0, 6.5])
def test_an_image_at_0_and_a_label_beside_it(tmp_path: Path, away: float, caplog: pytest.LogCaptureFixture) -> None:
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    for part, voxels, shift in (("images", GREY, 0.0), ("labels", LABELS, away)):
        moves = [{"type": "scale", "scale": [1.3] * 3}, {"type": "translation", "translation": [0.0, shift, 0.0]}]
        levels = [{"path": "0", "coordinateTransformations": moves}]
        group = zarr.create_group(tmp_path / part / "a.zarr", zarr_format=3)
        group.create_array("0", data=voxels)
        group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": levels}]}
    with caplog.at_level(logging.WARNING):
        labelled_slices(tmp_path)
    said = [text for text in caplog.messages if "its header puts it up to 5 voxels beside its image" in text]
    assert len(said) == bool(away)

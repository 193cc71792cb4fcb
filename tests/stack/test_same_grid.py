"""Labels brought onto their image's grid: as a resampling by ITK does it, or refused, with a cure that works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
import tifffile

from custom.base.errors import BadInput
from custom.stack import LABEL, Source, Stack, block, planning, scratch, turned
from custom.stack.turned import TurnedStack

SHAPE = (5, 6, 7)
LABELS = np.random.default_rng(0).integers(0, 2, SHAPE, np.uint8)
SPACING = (0.00133, 0.002, 0.0031)
ORIGIN = (5.0, -6.5, 7.25)
TURN = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, 0.28, -0.96], [0, 0.96, 0.28]])


def at(direction: np.ndarray | None = None, spacing: Any = SPACING, origin: Any = ORIGIN) -> sitk.Image:
    image = sitk.GetImageFromArray(LABELS)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection((np.eye(3) if direction is None else direction).ravel())
    return image


def saved(image: sitk.Image, path: Path) -> Path:
    sitk.WriteImage(image, str(path))
    return path


def opened(label: Path, image: Path) -> Stack:
    return Source(str(label), LABEL, grid=Source(str(image))).open()


def assert_on_grid(label: Path, image: Path) -> None:
    """Every labelled voxel where ITK's resampling has it."""
    stored = sitk.ReadImage(str(label))
    wanted = sitk.Resample(stored, sitk.ReadImage(str(image)), sitk.Transform(), sitk.sitkNearestNeighbor, 255)
    found = opened(label, image)
    np.testing.assert_array_equal(found.read(0, found.shape[0]), sitk.GetArrayFromImage(wanted))
    assert not found.doubt


@pytest.mark.parametrize("codes", ["LPS", "RAS", "RPI", "SAR", "PIR", "ILA", "ASL"])
@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("direction", [np.eye(3), TURN], ids=["straight", "turned"])
def test_flips_and_exchanges(direction: np.ndarray, suffix: str, codes: str, tmp_path: Path) -> None:
    """Anatomical codes of ITK as all kinds of order of axes; the label is stored in another one than the image."""
    image = saved(at(direction), tmp_path / "image.nii")
    label = at()
    label = sitk.DICOMOrient(label, codes) if codes != "LPS" else label
    into = direction @ np.reshape(label.GetDirection(), (3, 3))
    label.SetOrigin(direction @ (np.subtract(label.GetOrigin(), ORIGIN)) + ORIGIN)
    label.SetDirection(into.ravel())
    assert_on_grid(saved(label, tmp_path / f"label{suffix}"), image)


def test_a_label_turned_by_180_degrees(tmp_path: Path) -> None:
    end = [o + (n - 1) * s for o, n, s in zip(ORIGIN, SHAPE[::-1], SPACING, strict=True)]
    label = saved(at(np.diag([-1.0, -1, 1]), origin=(*end[:2], ORIGIN[2])), tmp_path / "label.mha")
    assert_on_grid(label, saved(at(), tmp_path / "image.mha"))
    np.testing.assert_array_equal(opened(label, tmp_path / "image.mha").read(0, 5), LABELS[:, ::-1, ::-1])


@pytest.mark.parametrize("codes", ["LPS", "RAS", "LAS"])
def test_a_label_drawn_over_a_tiff_and_turned_since(codes: str, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "image.tif", LABELS, photometric="minisblack")
    label = saved(sitk.DICOMOrient(at(origin=(0, 0, 0)), codes), tmp_path / "label.nii")
    np.testing.assert_array_equal(opened(label, tmp_path / "image.tif").read(0, 5), LABELS)


@pytest.mark.parametrize("origin", [(0, 0, 0), ORIGIN])
def test_a_label_that_is_turned_by_no_evidence_stays(origin: Any, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "image.tif", LABELS, photometric="minisblack")
    label = saved(at(np.diag([-1.0, -1, 1]), origin=origin), tmp_path / "label.nii")
    np.testing.assert_array_equal(opened(label, tmp_path / "image.tif").read(0, 5), LABELS)


def test_the_image_may_be_the_one_that_is_turned(tmp_path: Path) -> None:
    image = sitk.DICOMOrient(at(), "SAR")
    assert_on_grid(saved(at(), tmp_path / "label.mha"), saved(image, tmp_path / "image.nii"))


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize("flipped", [(False, True, False), (True, False, True)])
@pytest.mark.parametrize("kept", [1, 100, 1 << 20])
def test_any_part_of_a_turned_stack(
    kept: int, flipped: tuple[bool, ...], order: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "KEPT_BYTES", kept)
    monkeypatch.setattr(planning, "KEPT_SLICES", 1)
    monkeypatch.setattr(scratch, "BOX_BYTES", 64)
    monkeypatch.setattr(turned, "_SLAB", 2)
    np.save(tmp_path / "a.npy", LABELS)
    stack = TurnedStack(Source(str(tmp_path / "a.npy")).open(), order, flipped)
    planning.plan_reading(stack, tmp_path, "")
    wanted = np.flip(LABELS.transpose(order), [axis for axis in range(3) if flipped[axis]])
    assert stack.shape == wanted.shape
    for start, stop in ((0, 2), (3, 5), (2, 3), (1, 4), (0, 1), (4, 5), (0, 5)):
        np.testing.assert_array_equal(stack.read(start, stop), wanted[start:stop])


def nii(path: Path, affine: np.ndarray, unit: str = "mm", labels: np.ndarray = LABELS) -> Path:
    image = nibabel.Nifti1Image(labels.transpose(), affine)
    image.header.set_xyzt_units(unit)
    nibabel.save(image, path)
    return path


def affine_of(
    size: float, origin: tuple[float, float, float] = (0, 0, 0), signs: tuple[int, int] = (1, 1)
) -> np.ndarray:
    found = np.diag([size * signs[0], size * signs[1], size, 1.0])
    found[:3, 3] = origin
    return found


def image_far(path: Path) -> Path:
    return nii(path / "image.nii", affine_of(0.00133, (500.0, -300.0, 200.0)))


def plain_tif(path: Path) -> Path:
    tifffile.imwrite(path / "label.tif", LABELS, photometric="minisblack")
    return path / "label.tif"


AS_THEY_ARE: dict[str, tuple[Callable[[Path], Path], Callable[[Path], Path], str]] = {
    "rounded to float32": (
        lambda path: saved(at(TURN), path / "label.nii"),
        lambda path: saved(at(TURN), path / "image.nrrd"),
        "",
    ),
    "without its unit": (
        lambda path: nii(path / "label.nii", affine_of(1.33, (5, 6, 7)), "unknown"),
        lambda path: nii(path / "image.nii", affine_of(1.33, (5, 6, 7)), "micron"),
        "",
    ),
    "in another unit": (
        lambda path: nii(path / "label.nii", affine_of(0.00133, (5, 6, 7))),
        lambda path: nii(path / "image.nii", affine_of(1.33, (5000, 6000, 7000)), "micron"),
        "",
    ),
    "in um that are said to be mm": (
        lambda path: nii(path / "label.nii", affine_of(1.33)),
        lambda path: nii(path / "image.nii", affine_of(0.00133)),
        "",
    ),
    "a label without place": (plain_tif, image_far, ""),
    "an image without place": (image_far, plain_tif, ""),
    "a header of ones": (
        lambda path: nii(path / "label.nii", np.eye(4)),
        image_far,
        "its header states voxels of 1 mm at the origin",
    ),
    "an image with a header of ones": (
        image_far,
        lambda path: saved(at(spacing=(1, 1, 1), origin=(0, 0, 0)), path / "b.mha"),
        "its header states a place (voxels of (0.00133, 0.00133, 0.00133) mm along RAS, the first at RAS (500, -300, 200))",
    ),
    "the size alone": (
        lambda path: nii(path / "label.nii", affine_of(0.00133)),
        image_far,
        "its header states the size of its voxels, at the origin",
    ),
    "the size alone, of axes the other way": (
        lambda path: saved(at(spacing=(0.00133,) * 3, origin=(0, 0, 0)), path / "label.mha"),
        lambda path: nii(path / "image.nii", affine_of(0.00133)),
        "its header states the size of its voxels, at the origin",
    ),
    "half a voxel": (
        lambda path: nii(path / "label.nii", affine_of(0.002, (5.001, 6.001, 7.001))),
        lambda path: nii(path / "image.nii", affine_of(0.002, (5, 6, 7))),
        "its header puts it up to 0.5 voxels beside its image",
    ),
    "a rounded size": (
        lambda path: nii(path / "label.nii", affine_of(0.0013333, (5, 6, 7))),
        lambda path: nii(path / "image.nii", affine_of(0.00133, (5, 6, 7))),
        "",
    ),
}


@pytest.mark.parametrize("case", AS_THEY_ARE)
def test_voxel_by_voxel(case: str, tmp_path: Path) -> None:
    label, image, doubt = AS_THEY_ARE[case]
    found = opened(label(tmp_path), image(tmp_path))
    np.testing.assert_array_equal(found.read(0, 5), LABELS)
    assert found.doubt.startswith(doubt) and bool(found.doubt) == bool(doubt)


def test_a_size_rounded_in_a_long_stack(tmp_path: Path) -> None:
    """A quarter of a percent is 5 voxels at the end of 2,000; where both begin they agree."""
    labels = np.zeros((2000, 2, 3), np.uint8)
    label = nii(tmp_path / "label.nii", affine_of(0.0013333, (5, 6, 7)), labels=labels)
    image = nii(tmp_path / "image.nii", affine_of(0.00133, (5, 6, 7)), labels=labels)
    assert opened(label, image).doubt == "its header puts it up to 4.95 voxels beside its image"


REFUSED: dict[str, tuple[sitk.Image, sitk.Image]] = {
    "shifted by a voxel": (at(origin=(5.00133, -6.5, 7.25)), at()),
    "shifted against an image at the origin": (at(origin=(0.00266, 0, 0)), at(origin=(0, 0, 0))),
    "elsewhere": (at(), at(origin=(50, 60, 70))),
    "part of the image's place": (at(origin=(0, 0, 0)), at(origin=(0.00266, 0.002, 0))),
    "another size": (at(spacing=(0.0015, 0.002, 0.0031)), at()),
    "turned": (at(TURN), at()),
    "turned round the first voxel": (at(np.diag([-1.0, 1, -1])), at()),
    "mirrored about the origin": (at(np.diag([-1.0, 1, 1]), origin=(0, 0, 0)), at(origin=(0, 0, 0))),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_both_places(case: str, tmp_path: Path) -> None:
    label, image = REFUSED[case]
    paths = saved(label, tmp_path / "label.nrrd"), saved(image, tmp_path / "image.mha")
    with pytest.raises(BadInput) as refusal:
        opened(*paths)
    words = str(refusal.value)
    assert words.startswith(f"{paths[0]}: lies elsewhere than its image image.mha, up to ")
    label.CopyInformation(image)  # the cures
    copied = opened(saved(label, tmp_path / "copied.nrrd"), paths[1])
    np.testing.assert_array_equal(copied.read(0, 5), LABELS)
    resampled = sitk.Resample(sitk.ReadImage(str(paths[0])), image, sitk.Transform(), sitk.sitkNearestNeighbor)
    assert not opened(saved(resampled, tmp_path / "resampled.nrrd"), paths[1]).doubt


def test_a_label_of_two_places_fits_by_either(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(LABELS.transpose(), affine_of(0.002, (5, 6, 7)))
    image.header.set_qform(affine_of(0.002, (1, 2, 3)), 1)
    nibabel.save(image, tmp_path / "image.nii")
    label = sitk.ReadImage(str(tmp_path / "image.nii"))  # which takes the qform
    assert opened(saved(label, tmp_path / "label.nrrd"), tmp_path / "image.nii").doubt == ""


@pytest.mark.parametrize("shape", [(6, 7), (1, 6, 7)])
def test_of_single_slices_the_height_does_not_count(shape: tuple[int, ...], tmp_path: Path) -> None:
    """It is often lost; which slice a label belongs to, its name says."""
    plane = LABELS[0].reshape(shape)
    image = nii(tmp_path / "image.nii", affine_of(0.002, (5, 6, 0.4)), labels=plane)
    backwards = affine_of(0.002, (5 + 6 * 0.002, 6 + 5 * 0.002, 0), (-1, -1))
    label = nii(tmp_path / "label.nii", backwards, labels=plane[..., ::-1, ::-1])
    found = opened(label, image)
    np.testing.assert_array_equal(found.read(0, 1)[0], LABELS[0])
    assert not found.doubt


def test_a_slice_with_its_axes_exchanged(tmp_path: Path) -> None:
    image = nii(tmp_path / "image.nii", affine_of(0.002, (5, 6, 0)), labels=LABELS[:1])
    exchanged = affine_of(0.002, (5, 6, 0))[:, [1, 0, 2, 3]]
    label = nii(tmp_path / "label.nii", exchanged, labels=LABELS[:1].transpose(0, 2, 1))
    np.testing.assert_array_equal(opened(label, image).read(0, 1)[0], LABELS[0])


def test_four_axes(tmp_path: Path) -> None:
    end = (5 - 6 * 0.002, 6, 7)
    image = nii(tmp_path / "image.nii", affine_of(0.002, end), labels=LABELS[None])
    label = nii(tmp_path / "label.nii", affine_of(0.002, (5, 6, 7), (-1, 1)), labels=LABELS[..., ::-1])
    np.testing.assert_array_equal(opened(label, image).read(0, 5), LABELS)


def test_a_stream_that_is_read_backwards_starts_again_once_a_band(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = np.tile(LABELS, (20, 1, 1))
    nii(tmp_path / "l.nii.gz", np.eye(4), labels=labels)
    monkeypatch.setattr(turned, "_BACKWARDS_BYTES", 40 * LABELS[0].nbytes)
    starts: list[int] = []
    again = block._DecompressedFile._restart
    monkeypatch.setattr(block._DecompressedFile, "_restart", lambda self: (starts.append(0), again(self))[1])
    stack = TurnedStack(Source(str(tmp_path / "l.nii.gz"), LABEL).open(), (0, 1, 2), (True, False, False))
    planning.plan_reading(stack, None, "")
    for z in range(100):
        np.testing.assert_array_equal(stack.read(z, z + 1), labels[99 - z : 100 - z])
    assert len(starts) == 3

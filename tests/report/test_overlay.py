"""Overlay pictures against a voxel-by-voxel painting and against what another library reads from the PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import torch
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.transform import downscale_local_mean

from custom.base.colours import class_colour, class_colours
from custom.base.errors import BadInput
from custom.report import TRUTH_COLOURS, overlay_mask, overlay_truth, save_overlay
from custom.report.overlay import DIMMED, OPACITY

LEGEND = class_colours(["lithium"])


@pytest.fixture
def slices() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image, prediction and label of 48 x 60 voxels with all six combinations of prediction and label."""
    rng = np.random.default_rng(0)
    pred = rng.integers(0, 2, (48, 60), dtype=np.uint8)
    label = rng.choice(np.array([0, 1, 255], dtype=np.uint8), (48, 60))
    return rng.random((48, 60), dtype=np.float32), pred, label


def read_png(path: Path) -> np.ndarray:
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path))


def test_truth_is_painted_voxel_by_voxel(slices: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    image, pred, label = slices
    names = {(1, 1): "true positive", (1, 0): "false positive", (0, 1): "false negative"}
    rgb = overlay_truth(image, pred, label)
    assert rgb.shape == (48, 60, 3)
    assert rgb.dtype == np.uint8
    for y, x in np.ndindex(48, 60):
        expected = np.full(3, 255.0 * image[y, x]) * (DIMMED if label[y, x] == 255 else 1)
        name = names.get((int(pred[y, x]), int(label[y, x])))
        if name is not None:
            expected = (1 - OPACITY) * expected + OPACITY * np.array(TRUTH_COLOURS[name])
        np.testing.assert_allclose(rgb[y, x], expected, atol=0.51)


def test_tensors_with_a_channel_axis_are_the_same_slice(slices: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    image, pred, label = slices
    tensors = [torch.from_numpy(a)[None].float() for a in slices]
    np.testing.assert_array_equal(overlay_truth(*tensors), overlay_truth(image, pred, label))
    np.testing.assert_array_equal(overlay_mask(tensors[0], tensors[1]), overlay_mask(image, pred))


def test_mask_is_painted_and_odd_grey_values_are_harmless() -> None:
    image = np.array([[0.5, np.nan, np.inf, -3.0]])
    rgb = overlay_mask(image, np.array([[1, 0, 0, 0]]))
    np.testing.assert_allclose(rgb[0, 0], 0.3 * 127.5 + 0.7 * np.array(class_colour(1)), atol=0.51)
    np.testing.assert_array_equal(rgb[0, 1:, 0], [0, 255, 0])


@pytest.mark.parametrize("grey_value", [0.0, 0.5, 1.0])
def test_outcomes_can_be_told_apart_on_any_grey(grey_value: float) -> None:
    image = np.full((1, 4), grey_value)
    rgb = overlay_truth(image, np.array([[1, 1, 0, 0]]), np.array([[1, 0, 1, 0]]))
    lab = rgb2lab(rgb)[0]
    differences = [deltaE_ciede2000(lab[i], lab[j]) for i in range(4) for j in range(i)]
    assert min(differences) > 20  # 2.3 is the smallest difference that the eye sees


def test_differing_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(4, 4\), \(4, 5\)"):
        overlay_mask(np.zeros((4, 4)), np.zeros((4, 5)))
    with pytest.raises(ValueError, match=r"\(2, 4, 4\)"):
        overlay_mask(np.zeros((2, 4, 4)), np.zeros((2, 4, 4)))


def test_a_small_slice_is_magnified_over_a_legend(
    tmp_path: Path, slices: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    rgb = overlay_truth(*slices)
    path = tmp_path / "overlays" / "slice_0003.png"
    save_overlay(path, rgb, TRUTH_COLOURS, title="slice_0003")
    page = read_png(path)
    assert page.shape[1] == 480  # 60 x 8
    for shift in (0, 7):
        np.testing.assert_array_equal(page[shift : 48 * 8 : 8, shift::8], rgb)
    legend = page[48 * 8 :].reshape(-1, 3)
    assert (legend == 255).all(axis=1).mean() > 0.5
    for colour in TRUTH_COLOURS.values():
        assert (legend == colour).all(axis=1).sum() >= 15 * 15
    assert [p.name for p in path.parent.iterdir()] == ["slice_0003.png"]


def test_a_narrow_slice_wraps_its_legend(tmp_path: Path) -> None:
    save_overlay(tmp_path / "narrow.png", np.zeros((400, 100, 3), np.uint8), TRUTH_COLOURS, title="narrow")
    page = read_png(tmp_path / "narrow.png")
    rows = [np.flatnonzero((page[400:] == colour).all(axis=2).any(axis=1))[0] for colour in TRUTH_COLOURS.values()]
    assert page.shape[1] == 100
    assert rows == sorted(set(rows))


@pytest.mark.parametrize(("width", "factor"), [(1600, 1), (1601, 2), (2582, 2), (3200, 2), (3201, 3)])
def test_a_large_slice_is_shrunk_by_a_whole_factor(tmp_path: Path, width: int, factor: int) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (60, width, 3), dtype=np.uint8)
    save_overlay(tmp_path / "large.png", rgb, LEGEND)
    page = read_png(tmp_path / "large.png")
    whole = width // factor  # a last block that the edge cuts is compared nowhere
    assert page.shape[1] == -(-width // factor)
    blocks = downscale_local_mean(rgb[:, : whole * factor], (factor, factor, 1))
    np.testing.assert_allclose(page[: 60 // factor, :whole], blocks, atol=1)


def test_an_unwritable_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "overlays").write_text("not a folder")
    with pytest.raises(BadInput, match=r"overlays/a\.png cannot be written .*--output_dir"):
        save_overlay(tmp_path / "overlays" / "a.png", np.zeros((8, 8, 3), np.uint8), LEGEND)

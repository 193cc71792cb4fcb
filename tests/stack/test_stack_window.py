"""The grey window against numpy.percentile."""

from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest
import tifffile

from custom.base.errors import BadInput
from custom.stack import GreyWindow, grey_window, grey_window_of, open_stack, samples, warn_once
from custom.stack.percentiles import Histogram


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32", "float16", "float32", "float64"])
def test_equal_to_numpy(dtype: str) -> None:
    mean = 100 if dtype == "uint8" else 30  # the tails stay within the type: values cut off at its end do not count
    voxels = np.random.default_rng(0).normal(mean, 20, (20, 30, 31)).clip(mean - 90, mean + 90).astype(dtype)
    window = grey_window(voxels, (2, 97.3))
    expected = np.percentile(voxels.astype(np.float32).astype(np.float64), (2, 97.3))
    np.testing.assert_allclose((window.lower, window.upper), expected, rtol=1e-12)


@pytest.mark.parametrize("percentiles", [[0, 100], [0.5, 99.5], [50, 50], [0.01, 0.02]])
def test_all_magnitudes_and_signs(percentiles: list[float]) -> None:
    rng = np.random.default_rng(1)
    values = (rng.normal(size=5001) * 10.0 ** rng.integers(-38, 37, 5001)).astype(np.float32)
    values[:5] = np.array([0.0, -0.0, 1e-44, -3.4e38, 3.4e38])
    histogram = Histogram(values.dtype)
    for block in np.array_split(values, 7):
        histogram.add(block)
    found = histogram.percentiles(percentiles, lambda: np.array_split(values, 7))
    assert found == pytest.approx(np.percentile(values.astype(np.float64), percentiles), rel=1e-12)


def test_a_bright_speck_does_not_coarsen_the_window() -> None:
    voxels = np.random.default_rng(0).normal(0.01, 0.001, (3, 50, 50)).astype(np.float32)
    voxels[1, 2, 3] = 1e4
    window = grey_window(voxels)
    np.testing.assert_allclose((window.lower, window.upper), np.percentile(voxels, (0.5, 99.5)), rtol=1e-6)


def test_values_that_are_not_finite_do_not_count(recwarn: pytest.WarningsRecorder) -> None:
    voxels = np.random.default_rng(0).normal(size=(4, 20, 20))
    finite = voxels.copy()
    voxels = np.concatenate([voxels, np.full((1, 20, 20), np.nan)])
    voxels[4, 0, :2] = np.inf, -np.inf
    window = grey_window(voxels)
    np.testing.assert_allclose((window.lower, window.upper), np.percentile(finite.astype("f4"), (0.5, 99.5)), 1e-6)
    assert not recwarn.list


def test_at_most_64_slices_evenly_spaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ramp = np.arange(1000, dtype=np.uint16)[:, None, None] * np.ones((1, 2, 3), np.uint16)
    np.save(tmp_path / "ramp.npy", ramp)
    stack = open_stack(tmp_path / "ramp.npy")
    read: list[int] = []
    original = stack.read

    def recording(start: int, stop: int) -> np.ndarray:
        read.extend(range(start, stop))
        return original(start, stop)

    monkeypatch.setattr(stack, "read", recording)
    window = grey_window(stack, (0, 100))
    assert (window.lower, window.upper) == (0, 999)
    assert len(read) == 64 and set(np.diff(read)) <= {15, 16}
    assert window.source == "percentiles 0 and 100 of 64 of 1000 slices"


def test_one_window_over_single_slices(tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).integers(0, 1 << 16, (10, 30, 31), np.uint16)
    for z, voxel_slice in enumerate(voxels):
        tifffile.imwrite(tmp_path / f"{z}.tif", voxel_slice)
    stacks = [open_stack(tmp_path / f"{z}.tif") for z in range(10)]
    assert grey_window_of(stacks) == grey_window(voxels) == grey_window(open_stack(tmp_path))
    assert grey_window(voxels[0]) == grey_window(stacks[0])


def test_a_fixed_window_is_taken_where_it_meets_the_grey_values() -> None:
    voxels = np.random.default_rng(0).normal(100, 5, (2, 30, 40))
    assert grey_window(np.zeros((2, 3, 4)), fixed=(-1, 2.5)) == GreyWindow(-1.0, 2.5, "given")
    assert grey_window(voxels, fixed=(90, 400)) == GreyWindow(90.0, 400.0, "given")
    for foreign in ((0, 50), (1000, 60000)):
        with pytest.raises(BadInput, match="all lie outside the grey window that was given"):
            grey_window(voxels, fixed=foreign)


@pytest.mark.parametrize(("fixed", "share"), [((5000, 45000), "4."), ((-13000, 15000), "")])
def test_a_fixed_window_of_another_scale_is_told(
    fixed: tuple[int, int], share: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As of weights that were trained on uint16, for the same scan as int16."""
    voxels = np.random.default_rng(0).normal(-10000, 8600, (2, 60, 80)).astype("int16")
    warn_once.cache_clear()
    assert grey_window(voxels, fixed=fixed).lower == fixed[0]
    expected = np.count_nonzero((voxels >= fixed[0]) & (voxels <= fixed[1])) / voxels.size
    assert (f"{expected:.1%} of its voxels lie within the grey window" in caplog.text) is bool(share)


@pytest.mark.parametrize(("dtype", "scale"), [("uint8", 1), ("uint16", 200), ("float32", 0.01)])
def test_saturated_and_dead_voxels_do_not_count(dtype: str, scale: float) -> None:
    rng = np.random.default_rng(0)
    voxels = (rng.normal(100, 10, (4, 60, 50)) * scale).astype(dtype)
    expected = grey_window(voxels)
    spoilt = voxels.copy()
    spoilt[rng.random(voxels.shape) < 0.02] = 0
    spoilt[rng.random(voxels.shape) < 0.03] = 255 * scale
    found = grey_window(spoilt)
    assert (found.lower, found.upper) == pytest.approx((expected.lower, expected.upper), rel=0.02)


def test_few_grey_levels_all_count() -> None:
    voxels = np.random.default_rng(0).choice(np.array([0, 50, 100, 200], np.uint8), (4, 30, 30))
    assert (grey_window(voxels).lower, grey_window(voxels).upper) == (0, 200)


@pytest.mark.parametrize(
    ("voxels", "fault"),
    [
        (np.full((2, 3, 4), 7, np.uint8), "no contrast, its 0.5 and 99.5 percentiles are both 7"),
        (np.full((2, 3, 4), 0.25), "no contrast"),
        (np.full((2, 3, 4), np.nan), "no finite grey value"),
        (np.full((2, 3, 4), -np.inf, np.float32), "no finite grey value"),
    ],
)
def test_no_window_to_be_found(voxels: np.ndarray, fault: str, tmp_path: Path) -> None:
    np.save(tmp_path / "stack.npy", voxels)
    with pytest.raises(BadInput, match=rf"stack\.npy: .*{fault}"):
        grey_window(open_stack(tmp_path / "stack.npy"))
    with pytest.raises(BadInput, match=f"in memory: .*{fault}"):
        grey_window(voxels)


@pytest.mark.parametrize("percentiles", [(99, 1), (50, 50), (-1, 99), (1, 101), (0, float("nan")), (1, 2, 3)])
def test_unusable_percentiles(percentiles: tuple[float, float]) -> None:
    with pytest.raises(BadInput, match="percentiles .* not usable"):
        grey_window(np.arange(10).reshape(1, 2, 5), percentiles)


@pytest.mark.parametrize("fixed", [(2, 1), (1, 1), (0, float("inf")), (float("nan"), 1), ("a", 1)])
def test_unusable_fixed_window(fixed: tuple[float, float]) -> None:
    with pytest.raises(BadInput, match="grey window .* not usable"):
        grey_window(np.arange(10).reshape(1, 2, 5), fixed=fixed)


@pytest.mark.parametrize(
    ("dtype", "depth", "most"),
    [("uint16", 40, 40), ("uint16", 200, 64), ("float32", 40, 40), ("float32", 100, 64), ("float32", 200, 128)],
)
def test_a_segmentation_reads_a_stack_twice_at_most(dtype: str, depth: int, most: int, tmp_path: Path) -> None:
    """With a black surround, and saturated and dead voxels, too, each of which once took a reading of its own."""
    rng = np.random.default_rng(0)
    grey = rng.normal(1000, 100, (depth, 40, 40)).astype(dtype)
    grey[rng.random(grey.shape) < 0.02] = 1
    grey[rng.random(grey.shape) < 0.02] = 5000
    grey[:, :6] = 0
    tifffile.imwrite(tmp_path / "stack.tif", grey, compression="zlib", photometric="minisblack")
    stack = open_stack(tmp_path / "stack.tif")
    read: list[int] = []
    reading = stack.read
    stack.read = lambda start, stop: (read.append(start), reading(start, stop))[1]  # type: ignore[method-assign]
    window = grey_window(stack)
    assert len(read) == most and most + depth <= 2 * depth
    assert window.surround == (0,)
    material = grey[np.linspace(0, depth - 1, min(depth, 64)).round().astype(int), 6:]
    usual = np.percentile(material[(material != 1) & (material != 5000)], (0.5, 99.5))
    np.testing.assert_allclose((window.lower, window.upper), usual, rtol=1e-6)


def test_slices_from_before_the_surround_was_known_are_counted_anew() -> None:
    grey = np.random.default_rng(0).normal(1000, 100, (6, 40, 40)).astype(np.uint16)
    expected = grey_window(grey[3:, 6:])
    grey[:3] = 0
    grey[3:, :6] = 0
    window = grey_window(grey)
    assert (window.lower, window.upper, window.surround) == (expected.lower, expected.upper, (0,))


@pytest.mark.parametrize("in_memory", [1 << 27, 0])
@pytest.mark.parametrize("written", ["zip.nii.gz", "layers.h5"])
def test_where_going_back_costs_the_slices_are_read_once(
    written: str, in_memory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "_IN_MEMORY", in_memory)
    grey = np.random.default_rng(4).normal(size=(90, 8, 9)).astype(np.float32)
    path = tmp_path / written
    if path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            file.create_dataset("/exchange/data", data=grey, chunks=(20, 8, 9))
    else:
        nibabel.save(nibabel.Nifti1Image(grey.transpose(2, 1, 0), np.eye(4)), path)
    stack = open_stack(path, scratch_dir=tmp_path / "not made yet")
    read: list[int] = []
    reading = stack.read
    stack.read = lambda start, stop: (read.append(start), reading(start, stop))[1]  # type: ignore[method-assign]
    assert grey_window(stack) == grey_window(grey)  # of floats, in two passes or more
    assert len(read) == 64 and read == sorted(read)
    assert list(tmp_path.iterdir()) == [path]

"""A small raw phantom: its voxels show what its truth says, asked of both by scipy."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from scipy import ndimage

from custom.base.errors import BadInput
from custom.phantom import raw_dataset
from custom.phantom.raw_dataset import RawWriter, make_raw_phantom
from custom.phantom.raw_phantom import RawPhantom
from custom.region import RegionMap, corners_of, read_region
from custom.stack import open_stack

SIZE = (104, 96, 100)
FIELDS = ("low", "mid", "high")
Points = NDArray[np.float64]


def written(folder: Path, output_format: str, slab: int) -> None:
    writer = RawWriter(folder, RawPhantom.draw(SIZE, 3), output_format, slab)
    writer.write_fields()
    writer.write_truth()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    written(folder, "tiff", 8)
    return folder


@pytest.fixture(scope="module")
def stacks(made: Path) -> dict[str, NDArray[Any]]:
    return {path.stem: tifffile.imread(path) for path in made.glob("*.tif")}


@pytest.fixture(scope="module")
def record(made: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((made / "true_region.json").read_text())
    return found


def in_raw_grid(record: dict[str, Any], points: Points) -> Points:
    """Cell to raw grid from the file's numbers alone: the bend, then the affine map of the eight corners."""
    shape, corners = np.array(record["shape"]), np.array(record["corners_3d"])
    z, y, x = points.T
    u, w, v = 2 * z / (shape[0] - 1) - 1, 2 * x / (shape[2] - 1) - 1, y / (shape[1] - 1)
    bend = [
        sum(c * u**i * w**j for i, row in enumerate(record["bend"][face]) for j, c in enumerate(row))
        for face in ("first", "last")
    ]
    bent = np.stack([z, y + (1 - v) * bend[0] + v * bend[1], x]) / (shape - 1)[:, None]
    origin = corners[0, 0, 0]
    edges = np.stack([corners[1, 0, 0], corners[0, 1, 0], corners[0, 0, 1]]) - origin
    return origin + bent.T @ edges


def in_field(record: dict[str, Any], number: int, points: Points) -> Points:
    field = record["fields"][number]
    t, centre = np.deg2rad(field["rotation_deg"]), (np.array(field["shape"][1:]) - 1) / 2
    away = points[:, 1:] - field["shift"][1:] - centre
    turned = np.stack(
        [np.cos(t) * away[:, 0] + np.sin(t) * away[:, 1], np.cos(t) * away[:, 1] - np.sin(t) * away[:, 0]]
    )
    return np.column_stack([points[:, 0] - field["shift"][0], centre + turned.T])


def sampled(record: dict[str, Any], stacks: dict[str, NDArray[Any]], number: int, points: Points) -> Points:
    """Grey values of a field of view at points of the raw grid, in the first one's scale; NaN where it has none."""
    at, stack = in_field(record, number, points), stacks[FIELDS[number]]
    grey = record["fields"][number]["grey"]
    found = ndimage.map_coordinates(stack.astype(float), at.T, order=1, cval=np.nan)
    return np.asarray(grey["scale"] * found + grey["offset"])


@pytest.mark.parametrize(
    ("number", "axis", "face"),
    [(0, 0, 0), (2, 0, 1), *((n, axis, face) for n in range(3) for axis in (1, 2) for face in (0, 1))],
)
def test_the_cell_ends_where_the_truth_says(
    record: dict[str, Any], stacks: dict[str, NDArray[Any]], number: int, axis: int, face: int
) -> None:
    """From the outside in: air, film, electrode; its edge lies half a voxel beyond the outermost centre, everywhere."""
    step, last = np.arange(-8, 5.01, 0.25), np.array(record["shape"]) - 1
    third = last[0] / 3
    over = [third * number + np.arange(6, third - 6, 2), np.array([2, 2.5, 3]), np.linspace(4, last[2] - 4, 16)]
    over[axis] = step if face == 0 else last[axis] - step
    points = np.moveaxis(
        np.stack(np.meshgrid(*over, indexing="ij"), axis=-1), axis, 2
    )  # lines run along the third axis
    values = sampled(record, stacks, number, in_raw_grid(record, points.reshape(-1, 3)))
    profile = np.nanmedian(values.reshape(-1, len(step)), axis=0)
    film, electrode, air = profile[step < 0].max(), profile[step > 2].mean(), profile[step < -6].mean()
    inner = np.interp(-(film + electrode) / 2, -profile[step >= -1.5], step[step >= -1.5])
    outer = np.interp((film + air) / 2, profile[step <= -1], step[step <= -1])
    assert abs(inner + 0.5) < 0.3
    assert abs(outer + 0.5 + record["found"]["film_voxels"]) < 0.4


def test_overlapping_fields_agree(record: dict[str, Any], stacks: dict[str, NDArray[Any]]) -> None:
    for number in (1, 2):
        start = record["fields"][number]["shift"][0]
        z, y, x = (g.ravel() for g in np.meshgrid(np.arange(np.ceil(start), start + 1.9), *[np.arange(25, 72.0)] * 2))
        points = np.stack([z, y, x], axis=1)
        below, above = (sampled(record, stacks, one, points) for one in (number - 1, number))
        both = np.isfinite(below) & np.isfinite(above)
        contrast = np.ptp(np.percentile(below[both], [5, 95]))
        assert both.sum() > 1000 and np.corrcoef(below[both], above[both])[0, 1] > 0.85
        assert abs(np.median(below[both] - above[both])) < 0.03 * contrast  # drift is all that is left


def test_lithium_is_the_same_on_both_grids(record: dict[str, Any], stacks: dict[str, NDArray[Any]]) -> None:
    own, raw = stacks["true_label"], stacks["raw_label"]
    assert own.shape == tuple(record["shape"]) and raw.shape == SIZE and set(np.unique(own)) == {0, 1}
    assert int(raw.sum()) == pytest.approx(int(own.sum()), rel=0.02)
    points = in_raw_grid(record, np.argwhere(own))
    assert np.mean(ndimage.map_coordinates(raw.astype(float), points.T, order=1)) > 0.85  # outlines alone differ
    assert np.mean(ndimage.map_coordinates(ndimage.maximum_filter(raw, 3), points.T, order=0)) > 0.999


def test_lithium_is_dark_in_the_straight_cell(stacks: dict[str, NDArray[Any]]) -> None:
    cell, lithium = stacks["true_cell"].astype(float), ndimage.binary_erosion(stacks["true_label"])
    polymer, electrode = np.median(cell[:, cell.shape[1] // 2]), np.median(cell[:, 2:5])
    assert cell.shape == lithium.shape and electrode < np.median(cell[lithium]) < (electrode + polymer) / 2


def test_outside_of_the_circle_and_in_air_there_is_nothing(
    record: dict[str, Any], stacks: dict[str, NDArray[Any]]
) -> None:
    y, x = (np.arange(n) - (n - 1) / 2 for n in SIZE[1:])
    radius = np.hypot(y[:, None], x)
    for number, name in enumerate(FIELDS):
        stack = stacks[name]
        assert stack.dtype == np.uint16 and stack.shape[1:] == SIZE[1:] and not stack[:, radius > 47].any()
        grey = record["fields"][number]["grey"]
        air = grey["scale"] * np.median(stack[:, (radius < 46) & (radius > 42)]) + grey["offset"]
        assert air == pytest.approx(record["fill"], abs=0.05 * np.percentile(stack, 90))


def test_the_record_is_a_region_of_the_contract(made: Path, record: dict[str, Any]) -> None:
    region = read_region(made / "true_region.json")
    assert region.volume is not None and region.shape is not None
    corners = corners_of(region.corners, region.volume.shape[0])
    np.testing.assert_allclose(corners, record["corners_3d"], atol=1e-9)
    points = np.random.default_rng(0).uniform(0, np.array(record["shape"]) - 1, (200, 3))
    own = in_raw_grid(record, points)
    np.testing.assert_allclose(RegionMap(region.shape, corners, region.bend).forward(points), own, atol=1e-8)
    for number, field in enumerate(region.fields):
        expected = (np.column_stack([own, np.ones(200)]) @ field.matrix().T)[:, :3]
        np.testing.assert_allclose(in_field(record, number, own), expected, atol=1e-9)


def test_same_seed_same_voxels_whatever_the_format_and_the_height_of_a_slab(
    made: Path, stacks: dict[str, NDArray[Any]], tmp_path: Path
) -> None:
    written(tmp_path, "zarr", 13)
    text = (tmp_path / "true_region.json").read_text()
    assert text.replace(".zarr", ".tif") == (made / "true_region.json").read_text()
    assert {path.stem for path in tmp_path.glob("*.zarr")} == set(stacks)
    for name, expected in stacks.items():
        stack = open_stack(tmp_path / f"{name}.zarr")
        assert stack.voxel_size_um == (1.33, 1.33, 1.33) and stack.dtype == expected.dtype
        np.testing.assert_array_equal(stack.read(0, stack.shape[0]), expected)


@pytest.mark.parametrize("size", [(200, 200, 200), (64, 512, 512), (0, 256, 256)])
def test_a_size_too_small_for_networks_is_refused(size: tuple[int, int, int], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--size 256"):
        make_raw_phantom(tmp_path / "raw", size)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "size", "output_format"),
    [([], (256, 256, 256), "tiff"), (["--size", "300", "256", "280", "--format", "zarr"], (300, 256, 280), "zarr")],
)
def test_command_line(
    arguments: list[str],
    size: tuple[int, int, int],
    output_format: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(raw_dataset, "make_raw_phantom", lambda *given: asked.extend(given) or given[0])
    assert command(["--raw", "--output_dir", str(tmp_path / "raw"), "--seed", "4", *arguments], monkeypatch) == 0
    assert asked == [tmp_path / "raw", size, 4, output_format]
    assert f"a raw scan of {size[0]} x" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--raw", "--size", "64"], "give --size 256"),
        (["--raw", "--size", "256", "256"], "one number, or three"),
        (["--raw", "--cells", "3"], "--cells is for a labelled data set; leave it out"),
        (["--size", "300"], "--size is for raw scans; add --raw"),
    ],
)
def test_the_command_line_says_what_does_not_go_together(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(["--output_dir", str(tmp_path / "raw"), *arguments], monkeypatch) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "raw").exists()


def command(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The exit code of make_phantom.py."""
    script = Path(__file__).resolve().parents[2] / "scripts" / "make_phantom.py"
    monkeypatch.setattr(sys, "argv", [str(script), *arguments])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(script), run_name="__main__")
    return left.value.code

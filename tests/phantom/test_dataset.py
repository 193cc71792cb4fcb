"""The synthetic cell: what it must look like, how hard it must be, and how it is written."""

import json
import runpy
import shutil
import sys
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
import tifffile
from scipy import ndimage
from skimage.measure import label as label_pieces

from custom.base.errors import BadInput
from custom.metrics.grey_window import best_grey_window
from custom.phantom import dataset as phantom_dataset
from custom.phantom import ensure_dataset, make_cell, make_dataset, writing
from custom.phantom.cell import Cell
from custom.phantom.growth import dendrite, solid
from custom.phantom.layers import (
    DENDRITE,
    EDGE,
    ELECTRODE,
    GRID,
    IMPURITY,
    OUTSIDE,
    PIT,
    POLYMER,
    REDEPOSITED,
    CellParameters,
)
from custom.phantom.phases import phase_map
from custom.phantom.site import TEST, TRAINING, Site
from custom.phantom.truth import truth
from custom.stack import grey_window, outside

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_SEEDS = range(9)


@pytest.fixture(scope="module")
def cells() -> list[Cell]:
    """A heavy, a light and a middling cell of the default set, thin."""
    return [make_cell(seed, slices=4) for seed in (1, 3, 7)]


@pytest.fixture(scope="module")
def default_phases() -> list[np.ndarray]:
    """The phase maps that the default set is scanned from, within the field of view."""
    maps = []
    for seed in DEFAULT_SEEDS:
        drawing, growing, _ = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))
        maps.append(phase_map(CellParameters.draw(drawing, seed), growing, 24)[:, :, EDGE:-EDGE])
    return maps


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("phantom") / "made", cells=3, slices=2, seed=5)


def test_every_default_cell_holds_half_to_five_percent_lithium(default_phases: list[np.ndarray]) -> None:
    shares = [np.isin(phases, (DENDRITE, REDEPOSITED)).mean() for phases in default_phases]
    assert 0.005 <= min(shares) and max(shares) <= 0.05, shares
    assert max(shares) > 2.5 * min(shares), "the cells should differ in load"
    for seed, share in zip(DEFAULT_SEEDS, shares, strict=True):
        aim = CellParameters.draw(np.random.default_rng(0), seed).lithium
        assert share == pytest.approx(aim, rel=0.3)


def test_a_thin_stack_is_not_overgrown() -> None:
    """A large dendrite weighs much in a thin stack: one that would overshoot the aim by more than 15 % is left out."""
    for seed in range(8):
        parameters = CellParameters.draw(np.random.default_rng(seed), seed)
        phases = phase_map(parameters, np.random.default_rng(seed), 8)[:, :, EDGE:-EDGE]
        assert np.isin(phases, (DENDRITE, REDEPOSITED)).mean() <= 1.15 * parameters.lithium


def test_every_phase_occurs_and_layers_lie_in_order(default_phases: list[np.ndarray]) -> None:
    for phases in default_phases:
        assert set(np.unique(phases)) == {OUTSIDE, ELECTRODE, POLYMER, PIT, DENDRITE, REDEPOSITED, IMPURITY}
        rows = [np.flatnonzero((phases == kind).any(axis=(0, 2))) for kind in (OUTSIDE, ELECTRODE, POLYMER)]
        assert rows[0][0] < rows[1][0] < rows[2][0] <= rows[2][-1] < rows[1][-1] < rows[0][-1]
        assert (np.diff(rows[2]) == 1).all(), "one layer of polymer"


def test_part_of_the_tiles_is_empty(default_phases: list[np.ndarray]) -> None:
    lithium = np.isin(np.concatenate(default_phases), (DENDRITE, REDEPOSITED))
    tiles = [lithium[:, y : y + 128, x : x + 128].any(axis=(1, 2)) for y in (0, 64) for x in (0, 96, 192)]
    assert 0.1 < 1 - np.mean(tiles) < 0.4


def test_nothing_labelled_is_a_hair_or_a_speck(default_phases: list[np.ndarray]) -> None:
    for phases in default_phases:
        inner = np.isin(phases, (DENDRITE, REDEPOSITED))
        for image in inner:
            numbered = label_pieces(image, connectivity=1)
            cut = np.unique(numbered[:, [0, -1]])  # what goes on outside the field of view may be small inside it
            areas = np.bincount(numbered.ravel())
            assert all(area >= 25 for number, area in enumerate(areas) if number and number not in cut)


def test_structures_continue_from_slice_to_slice(default_phases: list[np.ndarray]) -> None:
    for phases in default_phases:
        lithium = np.isin(phases, (DENDRITE, REDEPOSITED))
        shared = (lithium[1:] & lithium[:-1]).sum() / lithium[1:].sum()
        apart = (lithium[12:] & lithium[:-12]).sum() / lithium[12:].sum()
        assert shared > 0.75 and shared > apart


def test_redeposited_lithium_keeps_off_the_electrodes(default_phases: list[np.ndarray]) -> None:
    """More than two voxels apart in any direction within the slice; only dendrites stand on an electrode."""
    for phases in default_phases:
        near = ndimage.binary_dilation(phases == ELECTRODE, ndimage.generate_binary_structure(2, 1)[None], iterations=2)
        touching = (phases == REDEPOSITED) & near
        assert touching.sum() <= 0.01 * (phases == REDEPOSITED).sum()


def test_dendrite_is_one_piece_that_starts_below_the_plane() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        balls = dendrite(rng, radius=5.0, length=40.0) + [70, 20, 70, 0]
        _, inside = solid(balls, np.zeros((140, 140, 140), np.float32))
        assert ndimage.label(inside, np.ones((3, 3, 3)))[1] == 1
        assert balls[0, 1] < 20 < balls[:, 1].max()


def test_solid_is_the_union_of_balls() -> None:
    balls = np.array([[5.0, 6.0, 7.0, 4.0], [8.0, 12.5, 9.0, 3.0], [-1.0, 3.0, 18.0, 5.0]])
    z, y, x = np.indices((12, 20, 22))
    expected = np.zeros(z.shape, bool)
    for cz, cy, cx, radius in balls:
        expected |= (z - cz) ** 2 + (y - cy) ** 2 + (x - cx) ** 2 < radius**2
    box, inside = solid(balls, np.zeros(z.shape, np.float32))
    found = np.zeros(z.shape, bool)
    found[box] = inside
    np.testing.assert_array_equal(found, expected)


def test_cell_has_the_promised_arrays(cells: list[Cell]) -> None:
    for cell in cells:
        assert cell.image.shape == cell.label.shape == cell.phases.shape == (4, 192, 320)
        assert (cell.image.dtype, cell.label.dtype, cell.phases.dtype) == (np.uint16, np.uint8, np.uint8)
        assert cell.voxel_size_um == (1.33, 1.33, 1.33)
        np.testing.assert_array_equal(cell.label == 1, np.isin(cell.phases, (DENDRITE, REDEPOSITED)))
        assert set(np.unique(cell.label)) == {0, 1}
        assert ((cell.image == 0) | (cell.image == 65535)).mean() < 0.01


def test_lithium_shares_its_grey_value_and_stands_out_from_polymer(cells: list[Cell]) -> None:
    for cell in cells:
        grey = {kind: cell.image[cell.phases == kind].astype(float) for kind in (ELECTRODE, POLYMER, DENDRITE)}
        contrast = grey[POLYMER].mean() - grey[ELECTRODE].mean()
        noise = np.sqrt((grey[POLYMER].var() + grey[ELECTRODE].var()) / 2)
        assert 3 < contrast / noise < 7
        assert abs(np.median(grey[DENDRITE]) - np.median(grey[ELECTRODE])) < 0.35 * contrast


def test_the_best_grey_window_fails(cells: list[Cell]) -> None:
    grey = []
    for cell in cells:
        low, high = np.percentile(cell.image, (0.5, 99.5))
        grey.append((cell.image - low) / (high - low))
    _, _, dice = best_grey_window(np.stack(grey), np.stack([cell.label for cell in cells]))
    assert 0.02 < dice < 0.50


def test_same_seed_same_bytes_other_seed_other_cell(cells: list[Cell]) -> None:
    again = make_cell(3, slices=4)
    assert again.parameters == cells[1].parameters
    for kind in ("image", "label", "phases"):
        np.testing.assert_array_equal(getattr(again, kind), getattr(cells[1], kind))
    for part in ("shape", "scan", "grey"):
        first, other = cells[0].parameters[part], cells[1].parameters[part]
        assert all(first[name] != other[name] for name in first if not isinstance(first[name], int))


def test_dataset_is_an_ordinary_labelled_one(dataset: Path) -> None:
    stems = ["cell_0005", "cell_0006", "cell_0007"]
    for kind in ("images", "labels", "classes", "phases"):
        assert [path.name for path in sorted((dataset / kind).iterdir())] == [f"{stem}.tif" for stem in stems]
    assert json.loads((dataset / "splits.json").read_text()) == {
        "train": stems[:1],
        "val": stems[1:2],
        "test": stems[2:],
    }
    about = json.loads((dataset / "phantom.json").read_text())
    cell = make_cell(6, slices=2)
    assert {key: about["cells"]["cell_0006"][key] for key in cell.parameters} == cell.parameters
    for kind, stack in (("images", cell.image), ("labels", cell.label), ("phases", cell.phases)):
        read = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(dataset / kind / "cell_0006.tif")))
        np.testing.assert_array_equal(read, stack)


def test_classes_and_truth_stand_beside_every_cell(dataset: Path) -> None:
    for stem in ("cell_0005", "cell_0006", "cell_0007"):
        phases, classes = (tifffile.imread(dataset / kind / f"{stem}.tif") for kind in ("phases", "classes"))
        for value, phase in enumerate((ELECTRODE, PIT, DENDRITE, REDEPOSITED, IMPURITY), 1):
            np.testing.assert_array_equal(classes == value, phases == phase)
        np.testing.assert_array_equal(classes == 0, np.isin(phases, (OUTSIDE, POLYMER)))
        assert json.loads((dataset / "truth" / f"{stem}.json").read_text()) == truth(phases, (1.33, 1.33, 1.33))


def test_where_the_electrodes_end_is_kept(dataset: Path) -> None:
    """A voxel lies between them if its middle does; only what grows on them or lies in them is of another kind."""
    for stem in ("cell_0005", "cell_0007"):
        phases = tifffile.imread(dataset / "phases" / f"{stem}.tif")
        top, bottom = np.load(dataset / "electrodes" / f"{stem}.npy")
        assert top.shape == bottom.shape == (len(phases), phases.shape[2])
        y = (np.arange(phases.shape[1]) + 0.5)[:, None]
        between = (y > top[:, None]) & (y < bottom[:, None])
        assert np.isin(phases[between], (POLYMER, DENDRITE, REDEPOSITED, IMPURITY)).all()
        assert np.isin(phases[~between], (ELECTRODE, OUTSIDE, PIT, IMPURITY)).all()


def test_the_default_cells_stay_as_they_are() -> None:
    """The images' second digest is that of a processor without AVX2, whose exponentials end in other digits."""
    cell = make_cell(3, 2)
    digest = {kind: sha256(getattr(cell, kind).tobytes()).hexdigest()[:16] for kind in ("image", "label", "phases")}
    assert digest.pop("image") in ("46bb5b35040a11b6", "b3cdd2082774bf20")
    assert digest == {"label": "e54b72e7486868ba", "phases": "ff5550e4894368d3"}


def voxel_size(path: Path) -> tuple[float, ...]:
    """(y, x) of the first page, by its resolution tags."""
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        return tuple(b / a for a, b in (page.tags[name].value for name in ("YResolution", "XResolution")))


def test_tiff_carries_its_voxel_size(dataset: Path) -> None:
    path = dataset / "images" / "cell_0005.tif"
    with tifffile.TiffFile(path) as file:
        assert file.series[0].axes == "ZYX" and file.imagej_metadata is not None
        assert file.imagej_metadata["spacing"] == pytest.approx(1.33) and file.imagej_metadata["unit"] == "um"
    assert voxel_size(path) == pytest.approx((1.33, 1.33), rel=1e-5)


@pytest.fixture
def tiny_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells that are made at once, for the tests of what is done with them."""
    empty = np.zeros((2, 4, 4), np.uint8)
    tiny = Cell(empty.astype(np.uint16), empty, empty, (1.33, 1.33, 1.33), {})
    monkeypatch.setattr(phantom_dataset, "make_cell", lambda seed, slices, round_field: tiny)


def test_a_hard_data_set_tests_at_another_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sites, grey = [], np.zeros((1, 4, 4), np.uint8)

    def tiny(seed: int, site: Site, slices: int, round_field: bool) -> Cell:
        sites.append((seed, site))
        return Cell(grey.astype(np.uint16), grey, grey, (site.voxel_size_um,) * 3, {"seed": seed}, grey + 1)

    monkeypatch.setattr(phantom_dataset, "make_hard_cell", tiny)
    folder = make_dataset(tmp_path / "made", cells=3, slices=1, seed=5, difficulty="hard")
    assert sites == [(5, TRAINING), (6, TRAINING), (7, TEST)]
    assert json.loads((folder / "phantom.json").read_text())["difficulty"] == "hard"
    for stem, size in (("cell_0005", 1.33), ("cell_0006", 1.33), ("cell_0007", 1.65)):
        assert json.loads((folder / "truth" / f"{stem}.json").read_text())["voxel_size_um"] == [size] * 3
        assert voxel_size(folder / "images" / f"{stem}.tif") == pytest.approx((size, size), rel=1e-5)
        assert (tifffile.imread(folder / "drawn" / f"{stem}.tif") == 1).all()


@pytest.mark.usefixtures("tiny_cells")
def test_default_split_is_six_one_two(tmp_path: Path) -> None:
    splits = json.loads((make_dataset(tmp_path / "nine") / "splits.json").read_text())
    assert {side: len(stems) for side, stems in splits.items()} == {"train": 6, "val": 1, "test": 2}


@pytest.mark.usefixtures("tiny_cells")
def test_nothing_is_left_when_the_making_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "open_writer", full_disk)
    with pytest.raises(BadInput, match="No space left on device"):
        make_dataset(tmp_path / "made", cells=3, slices=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [{"cells": 2}, {"slices": 0}, {"seed": -1}, {"difficulty": "harder"}])
def test_refuses_what_makes_no_data_set(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="made"):
        make_dataset(tmp_path / "made", **wrong)
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_folder_that_holds_something(dataset: Path) -> None:
    before = sorted(dataset.rglob("*"))
    with pytest.raises(BadInput, match="already holds something"):
        make_dataset(dataset, cells=3, slices=1)
    assert sorted(dataset.rglob("*")) == before


@pytest.mark.usefixtures("tiny_cells")
def test_ensure_keeps_what_is_there_and_says_when_it_makes(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ensure_dataset(dataset) == dataset
    assert capsys.readouterr().out == ""
    assert ensure_dataset(tmp_path / "new", cells=3, slices=1) == tmp_path / "new"
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and str(tmp_path / "new") in said
    monkeypatch.setattr(phantom_dataset, "make_cell", None)  # a second call must not make anything
    assert (ensure_dataset(tmp_path / "new", cells=3, slices=1) / "splits.json").is_file()


@pytest.mark.usefixtures("tiny_cells")
def test_two_at_once_leave_one_whole_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both begin before either ends: the slower one finds the name taken and drops its copy."""
    meeting, write = threading.Barrier(2, timeout=60), phantom_dataset._write_cells

    def write_together(*given: Any) -> None:
        write(*given)
        meeting.wait()

    monkeypatch.setattr(phantom_dataset, "_write_cells", write_together)
    found: list[Path] = []
    both = [threading.Thread(target=lambda: found.append(ensure_dataset(tmp_path / "one", 3, 1))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert found == [tmp_path / "one"] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert (tmp_path / "one" / "phantom.json").is_file()


def test_a_folder_that_somebody_fills_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_: object) -> None:
        (tmp_path / "one" / "images").mkdir(parents=True)

    monkeypatch.setattr(phantom_dataset, "_write_cells", fill)
    with pytest.raises(BadInput, match=r"one already holds something.*: name another folder"):
        make_dataset(tmp_path / "one", 3, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


@pytest.mark.usefixtures("tiny_cells")
def test_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    script, folder = ROOT / "scripts" / "make_phantom.py", tmp_path / "made"
    monkeypatch.chdir(tmp_path)
    arguments = ["--output_dir", str(folder), "--cells", "3", "--slices", "2", "--seed", "40", "--round_field"]
    monkeypatch.setattr(sys, "argv", [str(script), *arguments])
    for code in (0, 2):  # the second time the folder is taken
        with pytest.raises(SystemExit) as left:
            runpy.run_path(str(script), run_name="__main__")
        assert left.value.code == code
    assert (folder / "images" / "cell_0042.tif").is_file()
    assert "already holds something" in capsys.readouterr().err


def test_grid_holds_the_field_of_view() -> None:
    assert np.hypot(GRID[0], GRID[1] - 2 * EDGE) < GRID[1], (
        "the slice's diagonal must fit the circle that is reconstructed"
    )


def test_a_round_field_is_black_outside_the_scanned_circle() -> None:
    cell, plain = make_cell(3, 2, round_field=True), make_cell(3, 2)
    assert cell.image.shape == cell.label.shape == cell.phases.shape == (2, *GRID)
    y, x = (np.arange(n) - n // 2 for n in GRID)
    beyond = np.hypot(y[:, None], x) >= GRID[1] // 2 - 1
    assert 0.02 < beyond.mean() < 0.1 and not cell.image[:, beyond].any() and not cell.label[:, beyond].any()
    assert cell.image[:, ~beyond].min() > 0
    window = grey_window(cell.image)
    assert window.surround == (0.0,) and np.array_equal(outside(cell.image[0], window.surround), beyond)  # type: ignore[arg-type]
    np.testing.assert_array_equal(cell.image[:, :, EDGE:-EDGE], plain.image)


def test_a_phantom_without_classes_gets_them(tmp_path: Path) -> None:
    made = make_dataset(tmp_path / "made", cells=3, slices=2)
    wanted = {path.name: tifffile.imread(path) for path in (made / "classes").iterdir()}
    shutil.rmtree(made / "classes")
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*.tif")}
    assert ensure_dataset(made) == made
    assert {path.name for path in (made / "classes").iterdir()} == wanted.keys()
    for path in (made / "classes").iterdir():
        np.testing.assert_array_equal(tifffile.imread(path), wanted[path.name])
    assert before.items() <= {path: path.stat().st_mtime_ns for path in made.rglob("*.tif")}.items()
    assert not list(made.glob(".*"))
    shutil.rmtree(made / "classes")
    (made / "phantom.json").unlink()  # somebody's own data set
    assert ensure_dataset(made) == made and not (made / "classes").exists()

"""What images/ and labels/ hold: files, folders of slices, and what is none of both."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from custom.base.errors import BadInput
from custom.data import labelled_slices, list_pairs, stems

PARTS = ("images", "labels")


def write(root: Path, name: str, depth: int = 0, parts: tuple[str, ...] = PARTS) -> None:
    """An image and a label of 6 x 7 voxels, of other values for every name; depth 0: 2-D."""
    rng = np.random.default_rng(sum(name.encode()))
    for part in parts:
        (root / part / name).parent.mkdir(parents=True, exist_ok=True)
        volume = rng.integers(0, 2 if part == "labels" else 60_000, (depth or 1, 6, 7))
        kept = volume.astype(np.uint8 if part == "labels" else np.uint16)
        tifffile.imwrite(root / part / name, kept if depth else kept[0], photometric="minisblack")


def folder_of_slices(root: Path, name: str = "a", depth: int = 5) -> None:
    for z in range(depth):
        write(root, f"{name}/s_{z:03d}.tif")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data set of one folder of five slices."""
    folder_of_slices(tmp_path)
    return tmp_path


def found(root: Path) -> dict[str, int]:
    return dict(Counter(item["stem"] for item in labelled_slices(root)))


def refusal(root: Path) -> str:
    with pytest.raises(BadInput) as caught:
        labelled_slices(root)
    message = str(caught.value)
    assert "\n" not in message and ";" in message
    return message.replace(f"{root}/", "")


def test_a_folder_of_slices_is_a_stack(root: Path) -> None:
    items = labelled_slices(root)
    assert [(item["stem"], item["z"]) for item in items] == [("a", z) for z in range(5)]
    assert {item["image"] for item in items} == {str(root / "images/a")}
    labels = [tifffile.imread(root / f"labels/a/s_{z:03d}.tif") for z in range(5)]
    assert [item["lithium"] for item in items] == [int(label.sum()) for label in labels]
    images = np.stack([tifffile.imread(root / f"images/a/s_{z:03d}.tif") for z in range(5)])
    np.testing.assert_allclose(items[0]["grey_window"], np.percentile(images, (0.5, 99.5)))


def test_folders_beside_files(root: Path) -> None:
    write(root, "b.tif", 3)
    folder_of_slices(root, "cell_1.5um", 2)
    folder_of_slices(root, "c", 4)
    shutil.rmtree(root / "labels/c")
    write(root, "c.tif", 4, ("labels",))  # labels in another form
    for part in PARTS:
        zarr.create_array(root / part / "v2.1", data=np.arange(84, dtype=np.uint8).reshape(2, 6, 7) % 2)
    assert found(root) == {"a": 5, "b": 3, "c": 4, "cell_1.5um": 2, "v2.1": 2}
    assert stems(labelled_slices(root)) == ["a", "b", "c", "cell_1.5um", "v2.1"]


def test_folders_that_hold_nothing(root: Path) -> None:
    (root / "images/e/f/g").mkdir(parents=True)
    (root / "labels/notes").mkdir()
    (root / "labels/notes/who.txt").write_text("x")
    assert found(root) == {"a": 5}


def test_what_desktops_and_people_leave(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    for place in ("images", "labels", "images/a", "labels/a"):
        for name in ("Thumbs.db", "._a.tif", "desktop.ini", "~$a.tif", "notes.TXT", "README", "a.json", "a.tif~"):
            (root / place / name).write_bytes(b"x")
        (root / place / "__MACOSX").mkdir()
        (root / place / "__MACOSX/s.tif").write_bytes(b"x")
    assert found(root) == {"a": 5}
    assert not caplog.records


def test_a_folder_of_other_pictures_is_told(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    (root / "images/previews").mkdir()
    (root / "images/previews/s.jpg").write_bytes(b"x")
    assert found(root) == {"a": 5}
    (record,) = caplog.records
    assert f"{root / 'images/previews'}: is passed over" in record.getMessage()


def lone_image(root: Path) -> None:
    write(root, "b/s_0.tif", parts=("images",))


def deeper(root: Path) -> None:
    for z in range(3):
        write(root, f"b/tif/s_{z}.tif")


def zarr_within(root: Path) -> None:
    for part in PARTS:
        zarr.create_array(root / part / "b/cell.zarr", data=np.ones((2, 6, 7), np.uint8))


def files_of(name: str) -> Callable[[Path], None]:
    return lambda root: [(root / part / name).write_bytes(b"x") for part in PARTS] and None


def link(target: str, name: str) -> Callable[[Path], None]:
    return lambda root: (root / "images" / name).symlink_to(target)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lone_image, "images/b: this image has no file of the same stem in labels"),
        (deeper, "images/b: holds no TIFF slices of its own but tif/s_0.tif; .* so move .* to images itself"),
        (zarr_within, "images/b: holds no TIFF slices of its own but cell.zarr;"),
        (files_of("b.jpg"), "images/b.jpg: its format is not known by its suffix; .* or take it out of the folder"),
        (files_of("b.xyz"), "images/b.xyz: its format is not known by its suffix;"),
        (link("/gone", "b.tif"), "images/b.tif: is a link to /gone, where there is no file;"),
        (link("/gone", "b"), "images/b: is a link to /gone, where there is no file;"),
        (link("/gone", "a/s_009.tif"), "images/a/s_009.tif: is a link to /gone, where there is no file;"),
        (link("..", "b"), "images/b: is a link back to a folder that it lies in; take it away"),
    ],
)
def test_what_may_be_an_image_is_never_passed_over(spoil: Callable[[Path], None], words: str, root: Path) -> None:
    spoil(root)
    assert re.match(words, refusal(root))


def test_folders_whose_slices_differ_in_number(root: Path) -> None:
    for part, lost in (("images", 3), ("labels", 2)):
        (root / part / f"a/s_{lost:03d}.tif").unlink()
    assert refusal(root).startswith(
        "labels/a/s_003.tif: is slice 2 of the labels but by its number not that of s_002.tif"
    )
    (root / "images/a/s_002.tif").unlink()
    (root / "labels/a/s_003.tif").unlink()
    assert found(root) == {"a": 3}


def test_folders_that_share_names_at_other_places(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    """s_000 to s_004 beside s_002 to s_006; numbers of their own, as tools count their exports, are no fault."""
    shutil.rmtree(root / "labels/a")
    for z in range(5):
        write(root, f"a/s_{z + 2}.tif", parts=("labels",))
    for z in range(4):
        write(root, f"b/rec_{z + 340}.tif", parts=("images",))
        write(root, f"b/rec_{z}.tif", parts=("labels",))
        write(root, f"c/s_{z}.tif", parts=("images",))
        write(root, f"c/mask_{z + 1}.tif", parts=("labels",))
    assert found(root) == {"a": 5, "b": 4, "c": 4} == found(root)
    (record,) = caplog.records
    message = record.getMessage().replace(f"{root}/", "")
    assert message.startswith("labels/a: its slices are numbered from s_2.tif and those of images/a from s_000.tif; ")
    assert (
        "3 names that are in both belong to different slices (s_2.tif is slice 0 of the labels and 2 of the" in message
    )


def test_a_label_for_some_slices_alone(root: Path) -> None:
    (root / "labels/a/s_001.tif").unlink()
    assert "give every slice of the image one in the label, all 255 where nothing is labelled" in refusal(root)


@pytest.mark.parametrize(
    "name", ["s_1", "s_0001 copy", "s_0001 - Copy (2)", "s_0001 (1)", "s_0001 2", "Copy of s_0001"]
)
def test_an_image_that_is_there_twice(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for z in range(3):
        write(tmp_path, f"s_{z:04d}.tif")
    for part in PARTS:
        shutil.copy(tmp_path / part / "s_0001.tif", tmp_path / part / f"{name}.tif")
    assert len(list_pairs(tmp_path)) == len(list_pairs(tmp_path)) == 4
    (record,) = caplog.records
    message = record.getMessage()
    assert message.startswith(f"{tmp_path / 'images'}: images that seem to be there twice: 1, ")
    assert f"{name}.tif" in message and "s_0001.tif" in message


def test_names_of_copies_that_are_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("scan.tif", "scan 2.tif", "scan (1).tif", "s_7.tif"):
        write(tmp_path, name)
    assert len(list_pairs(tmp_path)) == 4 and not caplog.records
    write(tmp_path, "s_07.tif")
    assert len(list_pairs(tmp_path)) == 5
    assert "s_7.tif beside s_07.tif; take" in caplog.text

"""Drafts that nobody changed, slices that are there already, and what cannot be right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest
import tifffile

from custom.base.errors import BadInput
from custom.labelling.collecting import Collecting
from custom.labelling.suggesting import Suggesting
from custom.stack import open_stack

SHAPE = (9, 60, 70)
WINDOW = {"percentiles": (0.5, 99.5), "fixed": None}


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    voxels = np.random.default_rng(0).integers(1, 255, SHAPE).astype(np.uint8)
    tifffile.imwrite(tmp_path / "scan.tif", voxels, photometric="minisblack")
    return tmp_path / "scan.tif"


@pytest.fixture
def suggested(stack: Path, tmp_path: Path) -> Path:
    """Three slices, of which a square of 30 voxels is to be labelled."""
    Suggesting(open_stack(stack), WINDOW, 3, tmp_path / "next", ("lithium",), box=30).run(None)
    return tmp_path / "next"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def collect(folder: Path, suggested: Path, **given: Any) -> None:
    Collecting(folder, given.pop("drawn", None), suggested, None, **given).run()


def draw(suggested: Path, name: str) -> np.ndarray:
    path = suggested / "drafts" / name
    labels = tifffile.imread(path)
    inside = labels != 255
    labels[inside & (np.indices(labels.shape)[1] % 4 == 0)] = 1
    tifffile.imwrite(path, labels)
    return np.asarray(labels)


def test_drafts_have_a_box_and_are_asked_about(suggested: Path, tmp_path: Path) -> None:
    first, *others = names(suggested / "drafts")
    for name in (first, *others):
        assert (tifffile.imread(suggested / "drafts" / name) == 0).sum() == 30 * 30
    labels = draw(suggested, first)
    with pytest.raises(
        BadInput, match=r"drafts: 2 of 3 labels are the drafts as they were written .*--unchanged labelled"
    ):
        collect(tmp_path / "mine", suggested)
    assert not (tmp_path / "mine").exists()
    collect(tmp_path / "mine", suggested, unchanged="left_out")
    assert names(tmp_path / "mine/labels") == names(tmp_path / "mine/images") == [first]
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "mine/labels" / first), labels)
    assert json.loads((tmp_path / "mine/scans.json").read_text())["scan"]["files"] == [first.removesuffix(".tif")]
    collect(tmp_path / "mine", suggested, unchanged="labelled")
    assert names(tmp_path / "mine/labels") == [first, *others]


def test_labels_that_are_there_are_replaced_when_that_is_asked_for(suggested: Path, tmp_path: Path) -> None:
    first = names(suggested / "drafts")[0]
    collect(tmp_path / "mine", suggested, unchanged="labelled")
    collect(tmp_path / "mine", suggested, unchanged="labelled")  # the same again changes nothing
    before = tifffile.imread(tmp_path / "mine/labels" / first)
    labels = draw(suggested, first)
    with pytest.raises(BadInput, match=rf"{first}: holds other labels than those drawn now; give --overwrite true"):
        collect(tmp_path / "mine", suggested, unchanged="labelled")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "mine/labels" / first), before)
    collect(tmp_path / "mine", suggested, unchanged="labelled", overwrite=True)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "mine/labels" / first), labels)


def test_slices_of_other_scans_stay(suggested: Path, stack: Path, tmp_path: Path) -> None:
    """2-D images that nobody told of become one scan, as they were read before; another stack of the name is refused."""
    for part, value in (("images", 77), ("labels", 1)):
        (tmp_path / "mine" / part).mkdir(parents=True)
        tifffile.imwrite(tmp_path / "mine" / part / "old_1.tif", np.full((20, 20), value, np.uint8))
    collect(tmp_path / "mine", suggested, unchanged="labelled")
    told = json.loads((tmp_path / "mine/scans.json").read_text())
    assert told["others"] == ["old_1"] and len(told["scan"]["files"]) == 3 and told["scan"]["stack"] == str(stack)
    (elsewhere := tmp_path / "other").mkdir()
    voxels = tifffile.imread(stack)[::-1]
    tifffile.imwrite(elsewhere / "scan.tif", voxels, photometric="minisblack")
    Suggesting(open_stack(elsewhere / "scan.tif"), WINDOW, 2, elsewhere / "next", ("lithium",), box=30).run(None)
    with pytest.raises(BadInput, match=r"scan 'scan' comes from .*scan.tif, and what was drawn from .*other/scan.tif"):
        collect(tmp_path / "mine", elsewhere / "next", unchanged="labelled")


def test_labelled_slices_are_not_suggested_again(suggested: Path, stack: Path, tmp_path: Path) -> None:
    Suggesting(open_stack(stack), WINDOW, 9, tmp_path / "more", ("lithium",), labelled=suggested).run(None)
    first, second = ({path.stem for path in (folder / "images").iterdir()} for folder in (suggested, tmp_path / "more"))
    assert len(first) == 3 and len(second) == 6 and not first & second
    both = [suggested, tmp_path / "more"]
    with pytest.raises(BadInput, match=r"all of its 9 slices are labelled in .*next; give another stack"):
        Suggesting(open_stack(stack), WINDOW, 1, tmp_path / "none", ("lithium",), labelled=both)
    with pytest.raises(BadInput, match="holds no images/; give --labelled"):
        Suggesting(open_stack(stack), WINDOW, 1, tmp_path / "none", ("lithium",), labelled=tmp_path)
    with pytest.raises(BadInput, match="already holds something: name another folder"):
        Suggesting(open_stack(stack), WINDOW, 1, suggested, ("lithium",)).run(None)


def test_what_cannot_be_right_is_refused(suggested: Path, stack: Path, tmp_path: Path) -> None:
    first = names(suggested / "drafts")[0]
    (saved := tmp_path / "saved").mkdir()
    with pytest.raises(BadInput, match="saved: holds no labels; save there what you draw"):
        collect(tmp_path / "mine", suggested, drawn=saved)
    tifffile.imwrite(saved / "other.tif", np.ones(SHAPE[1:], np.uint8))
    with pytest.raises(
        BadInput, match=r"other.tif: is not called as one of the images \(scan_z00001, .*name it as the image"
    ):
        collect(tmp_path / "mine", suggested, drawn=saved)
    (saved / "other.tif").rename(saved / first)
    tifffile.imwrite(saved / f"Mask of {first}", np.ones(SHAPE[1:], np.uint8))
    with pytest.raises(BadInput, match=r"is of scan_z00001, as .* is; keep one of the two"):
        collect(tmp_path / "mine", suggested, drawn=saved)
    (saved / first).unlink()
    tifffile.imwrite(saved / f"Mask of {first}", np.ones((20, 20), np.uint8))
    with pytest.raises(BadInput, match="the label is 1 x 20 x 20 and its image"):
        collect(tmp_path / "mine", suggested, drawn=saved)
    np.save(tmp_path / "empty.npy", np.zeros(SHAPE, np.uint8))
    with pytest.raises(BadInput, match="empty.npy: nothing is drawn in any of its 9 slices"):
        Collecting(tmp_path / "mine", tmp_path / "empty.npy", None, stack).run()
    with pytest.raises(BadInput, match=r"--suggested, --stack: give the one of both"):
        Collecting(tmp_path / "mine", None, suggested, stack)
    with pytest.raises(BadInput, match="holds no suggested.json"):
        Collecting(tmp_path / "mine", None, saved, None)
    with pytest.raises(BadInput, match="nowhere: does not exist"):
        collect(tmp_path / "mine", suggested, drawn=tmp_path / "nowhere")
    assert not (tmp_path / "mine").exists()


def test_the_commands(stack: Path, tmp_path: Path) -> None:
    """A network's mask as drafts, looked at and corrected, becomes a labelled set."""
    grey = tifffile.imread(stack)
    weights = cli.tiny_weights(tmp_path / "tiny.pt", grey)
    made = cli.segment(stack, tmp_path / "next", weights, "suggest", slices=2, network_def=cli.TINY)
    assert made.code == 0, made.error
    whole = cli.segment(stack, tmp_path / "whole", weights, network_def=cli.TINY, output_format="tiff")
    assert whole.code == 0, whole.error
    mask = tifffile.imread(tmp_path / "whole/mask.tif")
    found = {name: tifffile.imread(tmp_path / "next/drafts" / name) for name in names(tmp_path / "next/drafts")}
    assert list(found) == ["scan_z00002.tif", "scan_z00006.tif"] or list(found) == [
        "scan_z00001.tif",
        "scan_z00006.tif",
    ]
    for name, labels in found.items():
        np.testing.assert_array_equal(labels, mask[int(name[-6:-4])])
    record = json.loads((tmp_path / "next/suggested.json").read_text())
    assert record["weights"] == json.loads((tmp_path / "whole/summary.json").read_text())["weights_sha256"]
    given = {"suggested": tmp_path / "next", "dataset_dir": tmp_path / "mine"}
    refused = cli.run("collect", **given)
    assert refused.code == 2 and "2 of 2 labels are the drafts as they were written" in refused.error
    taken = cli.run("collect", **given, unchanged="labelled")
    assert taken.code == 0, taken.error
    for name, labels in found.items():
        np.testing.assert_array_equal(tifffile.imread(tmp_path / "mine/labels" / name), labels)
    none = cli.segment(stack, tmp_path / "none", weights, "suggest", slices=2, drafts="false", network_def=cli.TINY)
    assert none.code == 0 and names(tmp_path / "none") == ["images", "scans.json", "suggested.json"], none.error

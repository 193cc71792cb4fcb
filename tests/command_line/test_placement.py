"""Results go nowhere where they would become part of their input, or replace it; beside it they do no harm."""

from __future__ import annotations

import re
from pathlib import Path

import cli
import numpy as np
import pytest
import tifffile
import zarr

from custom.base.errors import BadInput
from custom.command_line.placement import check_place
from custom.segmenting import Result, check_stack_place
from custom.stack import fingerprint, open_stack


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A labelled set with a linked Zarr, a folder of slices, a Zarr with a group, and links to them."""
    root = tmp_path_factory.mktemp("data")
    for folder in ("set/images", "set/labels", "slices", "project/labels", "out/overlays", "out/mask_tiff"):
        (root / folder).mkdir(parents=True)
    for z in range(3):
        tifffile.imwrite(root / f"slices/{z}.tif", cli.volume((1, 60, 90), seed=z)[0])
    group = zarr.open_group(root / "scan.zarr", mode="w")
    group["raw/0"] = cli.volume((2, 60, 90))
    (root / "set/images/cell.zarr").symlink_to(root / "scan.zarr")
    (root / "link").symlink_to(root / "slices")
    (root / "raw").symlink_to(root / "set/images")
    tifffile.imwrite(root / "out/mask.tif", cli.volume((3, 60, 90)), photometric="minisblack")
    return root


REFUSED = [
    # output_dir, dataset_dir, stack
    ("set/images", "set", None),
    ("set/images/run", "set", None),
    ("set/labels/a/b", "set", None),
    ("raw/run", "set", None),
    ("scan.zarr/run", "set", None),
    ("phantom", "phantom", None),
    ("phantom/run", "phantom", None),
    ("slices", None, "slices"),
    ("link", None, "slices"),
    ("slices", None, "link"),
    ("slices/../slices", None, "slices"),
    ("scan.zarr", None, "scan.zarr"),
    ("scan.zarr/run", None, "scan.zarr"),
    ("scan.zarr/raw/0/run", None, "scan.zarr"),
    ("set/images/cell.zarr/run", None, "scan.zarr"),
    ("scan.zarr/run", None, "slices"),
    ("set/images/run", None, "slices"),
    ("out", None, "out/mask.tif"),
    ("out", None, "out/mask.nrrd"),
    ("out", None, "out/mask_tiff"),
    ("out", None, "out/mask.zarr/0"),
    ("out", None, "out/overlays/0.tif"),
]
TAKEN = [
    ("set", "set", None),
    ("set/run", "set", None),
    ("images/run", "set", None),
    ("project/images/run", "set", None),
    (".", "set", None),
    ("slices/results", None, "slices"),
    (".", None, "slices"),
    (".", None, "scan.zarr"),
    ("scan.zarr_results", None, "scan.zarr"),
    ("new.zarr", None, "slices"),
    ("out", None, "out/scan.tif"),
    ("out", None, "slices"),
    ("out/mask.tif_results", None, "out/mask.tif"),
]


def check(root: Path, output: str, dataset: str | None, stack: str | None) -> None:
    if stack is None:
        check_place(root / output, root / str(dataset))
    else:
        check_stack_place(root / output, root / stack, [Result("mask", "pred")], [])


@pytest.mark.parametrize(("output", "dataset", "stack"), REFUSED)
def test_refused_with_a_cure_that_works(data: Path, output: str, dataset: str | None, stack: str | None) -> None:
    with pytest.raises(BadInput) as refused:
        check(data, output, dataset, stack)
    sentence = str(refused.value)
    if cure := re.search(r"such as (\S+)$", sentence):
        check(data, cure[1], dataset, stack)
    else:
        assert "would replace it; give another --output_dir" in sentence


@pytest.mark.parametrize(("output", "dataset", "stack"), TAKEN)
def test_what_does_no_harm(data: Path, output: str, dataset: str | None, stack: str | None) -> None:
    check(data, output, dataset, stack)


def test_results_within_the_folder_of_slices_do_not_join_it(data: Path, tmp_path: Path) -> None:
    slices = data / "slices"
    weights = cli.tiny_weights(tmp_path / "model.pt", np.stack([tifffile.imread(f) for f in slices.glob("*.tif")]))
    before = fingerprint(open_stack(slices))
    for output_format in ("tiff", "tiff_folder"):
        ended = cli.segment(slices, slices / "results", weights, output_format=output_format, overwrite=True)
        assert ended.code == 0, ended.error
        assert fingerprint(open_stack(slices)) == before and open_stack(slices).shape == (3, 60, 90)
    (tmp_path / "linked").mkdir()  # to what would be removed with the mask
    for file in (slices / "results/mask_tiff").iterdir():
        (tmp_path / "linked" / file.name).symlink_to(file)
    ended = cli.segment(tmp_path / "linked", slices / "results", weights, output_format="tiff", overwrite=True)
    assert ended.code == 2 and "mask_00000.tif: is the stack itself, or a part of it" in ended.error


def test_nothing_is_done_before_the_refusal(data: Path, labelled_set: Path) -> None:
    for ended in (
        cli.run("inference", stack=data / "scan.zarr", output_dir=data / "scan.zarr/run", device="cpu"),
        cli.train(labelled_set, labelled_set / "images/run"),
        cli.run("train", "evaluate", dataset_dir=labelled_set, output_dir=labelled_set / "labels"),
    ):
        assert ended.code == 2 and "would become part of them; give another one" in ended.error
    words = ["--dataset_dir", str(labelled_set), "--output_dir", str(labelled_set / "images/study")]
    assert cli.study(words) == 2
    assert cli.study([*words[:2], "--output_dir", str(data / "scan.zarr/s"), "--stack", str(data / "scan.zarr")]) == 2
    assert not any(folder.exists() for folder in (data / "scan.zarr/run", labelled_set / "images/run"))
    assert not [*labelled_set.glob("**/.lock"), *labelled_set.glob("**/train.log"), *data.glob("scan.zarr/s")]


def test_a_folder_of_labels_may_have_any_name(tmp_path: Path) -> None:
    """The one that --label_folder names, and one whose files are called as those of images/."""
    for folder in ("images", "labels", "classes", "drawn", "masks/cell.tif"):
        (tmp_path / "set" / folder).mkdir(parents=True)
    for folder in ("images", "drawn"):
        (tmp_path / "set" / folder / "cell.tif").touch()
    for place, given in (
        ("classes", {"label_folder": "classes"}),
        ("classes/run", {"label_folder": "classes"}),
        ("labels/run", {"label_folder": "classes"}),
        ("drawn", {}),
        ("drawn/a/b", {"stack": tmp_path / "scan.tif"}),
    ):
        data = {"dataset_dir": tmp_path / "set"} if "label_folder" in given else {}
        with pytest.raises(BadInput, match="lies in the data of .*give another one, such as") as refused:
            check_place(tmp_path / "set" / place, **data, **given)  # type: ignore[arg-type]
        cure = Path(str(refused.value).split("such as ")[1])
        check_place(cure, **data, **given)  # type: ignore[arg-type]
        assert cure.parent == tmp_path
    check_place(tmp_path / "set/classes/run", tmp_path / "set")
    check_place(tmp_path / "set/masks/run")  # the results of segmentations, by the names of the stacks


def test_a_training_does_not_write_among_its_labels(tmp_path: Path) -> None:
    data = cli.labelled_stack(tmp_path / "cells")
    (data / "labels").rename(data / "phases")
    options = {"network_def": cli.TINY, "label_folder": "phases"}
    ended = cli.train(data, data / "phases/run", **options)
    assert ended.code == 2 and f"lies in the data of {data / 'phases'}" in ended.error
    assert [path.name for path in (data / "phases").iterdir()] == ["cell.tif"]
    assert cli.train(data, data / "run", **options).code == 0

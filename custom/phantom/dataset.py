"""The phantom: synthetic Li-polymer-Li cells seen by parallel-beam CT, written as an ordinary labelled data set."""

import os
import time
from pathlib import Path
from typing import Any

from custom.base.errors import BadInput
from custom.base.whole_folder import whole_folder
from custom.phantom.cell import VOXEL_SIZE_UM, make_cell
from custom.phantom.hard_cell import make_hard_cell
from custom.phantom.site import TEST, TRAINING
from custom.phantom.writing import add_classes, sides, write_cell, write_json

DIFFICULTIES = ("default", "hard")


def make_dataset(
    dataset_dir: str | os.PathLike[str],
    cells: int = 9,
    slices: int = 24,
    seed: int = 0,
    round_field: bool = False,
    difficulty: str = "default",
) -> Path:
    """Write the cells of seeds `seed` ... `seed + cells - 1` as a labelled data set and return its folder.

    images/, labels/ (1 = lithium), classes/ (the five of `CLASSES`, from 1) and phases/ hold one (Z, Y, X) TIFF per cell
    (`cell_0000.tif`, numbered by seed), truth/ a JSON with what the cell holds (`truth`), electrodes/ an array of where both
    electrodes end (`surfaces_in_view`). splits.json names the cells of
    each side (about 70 % train, 10 % val, 20 % test), phantom.json what each was drawn with; `round_field` as for
    `make_cell`. The folder appears under its name when it is complete.

    The difficulty "hard" makes hard cells, those of the test side scanned at another site (`custom.phantom.site`), and
    writes drawn/ beside labels/: the lithium as a person draws it.

    Raises:
        BadInput: an unknown difficulty, fewer than 3 cells or 1 slice, a folder that already holds something, or one
            that cannot be written.
    """
    target = Path(dataset_dir)
    if cells < 3 or slices < 1 or seed < 0:
        raise BadInput(
            f"{target}: a phantom needs cells >= 3 (one each to train, validate, test), slices >= 1 and seed >= 0."
        )
    if difficulty not in DIFFICULTIES:
        raise BadInput(f"{target}: difficulty {difficulty!r} is unknown; choose one of {', '.join(DIFFICULTIES)}.")
    with whole_folder(target) as folder:
        _write_cells(folder, range(seed, seed + cells), slices, round_field, difficulty)
    return target


def ensure_dataset(dataset_dir: str | os.PathLike[str], cells: int = 9, slices: int = 24, seed: int = 0) -> Path:
    """Return the folder, making the phantom there on first use; whatever the folder already holds is left as it is.

    A phantom without classes/ gets them, made of its phases/.

    Several processes may call it at once: each makes its own copy aside, the first to finish gives it the name, the
    others drop theirs.
    """
    target = Path(dataset_dir)
    if _holds_dataset(target):
        if (target / "phantom.json").is_file() and (target / "phases").is_dir() and not (target / "classes").exists():
            add_classes(target)
        return target
    start = time.monotonic()
    print(f"Making the phantom, {cells} synthetic cells, in {target} ... ", end="", flush=True)
    try:
        make_dataset(target, cells, slices, seed)
        print(f"done in {time.monotonic() - start:.0f} s", flush=True)
    except BadInput:
        if not _holds_dataset(target):
            raise
        print("another process was faster", flush=True)
    return target


def ensure_path(path: Any, phantom_dir: str | os.PathLike[str]) -> Any:
    """The path, or several, as it is; if it is the phantom's folder or lies in it, the phantom is made there on first use."""
    for one in path if isinstance(path, list) else [path]:
        if Path(phantom_dir) in (Path(one), *Path(one).parents):
            ensure_dataset(phantom_dir)
    return path


def _holds_dataset(folder: Path) -> bool:
    return (folder / "images").is_dir() and (folder / "labels").is_dir()


def _write_cells(folder: Path, seeds: range, slices: int, round_field: bool, difficulty: str) -> None:
    split, described = sides([f"cell_{number:04d}" for number in seeds]), {}
    for number in seeds:
        stem = f"cell_{number:04d}"
        if difficulty == "hard":
            cell = make_hard_cell(number, TEST if stem in split["test"] else TRAINING, slices, round_field)
        else:
            cell = make_cell(number, slices, round_field)
        write_cell(folder, stem, cell)
        described[stem] = cell.parameters | {"lithium": float(cell.label.mean())}
    write_json(folder / "splits.json", split)
    about = {"difficulty": difficulty} if difficulty == "hard" else {"voxel_size_um": VOXEL_SIZE_UM}
    write_json(folder / "phantom.json", {"seed": seeds.start, **about, "cells": described})

"""A case written as an ordinary data set, so that every command of the documents can be given it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from comparing.cases import Case, Item
from custom.base.classes import UNLABELLED
from custom.base.errors import BadInput
from custom.data import Reading
from custom.data.json_beside import plain as plain_name
from custom.data.splits_json import SIDES
from custom.report import plain, write_json
from custom.stack import source
from custom.stack.formats import format_of_name, has_suffix, parts_of
from custom.study.reading import read_json
from custom.study.slices import LabelledSlice


def write_case(case: Case, folder: Path, about: dict[str, Any]) -> Path:
    """Write images/, labels/, splits.json and unlabelled/, unless that is done; the images are links.

    A file of several slices stands there once for each side that has some of them, its other slices unlabelled; grey windows
    are then those of the set, which are found in whole files. 2-D files share a window, so that those on no side are there
    too, unlisted. Where scans are told, scans.json tells them here too. In unlabelled/ lies what a recipe may learn from without
    labels: the files of the training side and those on no side at all; 2-D ones are a folder of slices for each scan and size.

    Args:
        about: of what it is made; where it is the same, what is there stays.

    Raises:
        BadInput: a header whose voxels lie in another file, which a link would lose.
    """
    mark = folder / "made.json"
    if mark.is_file() and read_json(mark) == plain(about):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    listed: dict[str, list[str]] = {side: [] for side in SIDES}
    scans: dict[str, list[str]] = {}
    sided = {str(item["image"]) for items in case.sides.values() for item in items}
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    for side, items in {**case.sides, "": case.others}.items():
        files: dict[str, list[Item]] = {}
        for item in items:
            files.setdefault(str(item["image"]), []).append(item)
        for of_file in files.values():
            name = _write_file(of_file, side, folder)
            if side and name:
                listed[side].append(name)
            if name and "scan" in of_file[0]:
                scans.setdefault(str(of_file[0]["scan"]), []).append(name)
            if side == "train" or not (side or str(of_file[0]["image"]) in sided):
                _lay_out(of_file[0], folder)
    write_json(folder / "splits.json", listed)
    if scans:
        write_json(folder / "scans.json", _told(scans, Path(case.sides["train"][0]["image"]).parents[1] / "scans.json"))
    write_json(mark, about)
    return folder


def reading_of_case(reading: Reading) -> Reading:
    """How what `write_case` wrote is read: the images as the set's, labels that are 0 to K and 255."""
    return Reading(
        image_key=reading.image_key,
        image_index=reading.image_index,
        label_255="unlabelled",
        classes=reading.classes,
    )


def _write_file(items: Sequence[Item], side: str, folder: Path) -> str | None:
    """One image's slices on one side; the name that it has there, None where it is not needed."""
    image = Path(items[0]["image"])
    known = format_of_name(image)
    if parts_of(image) or (known and has_suffix(image, known.headers)):
        raise BadInput(f"{image}: leaves its voxels to another file; save it as one file, such as a TIFF or .nii.gz")
    depth, stem = source(items[0], "image").open().shape[0], str(items[0]["stem"])
    if depth > 1 and not side:
        return None
    name = stem if depth == 1 else f"{stem}_{side}"
    (folder / "images" / f"{name}{image.name[len(stem) :]}").symlink_to(image.absolute(), image.is_dir())
    planes = {int(item["z"]): LabelledSlice(item).label for item in items}
    label = np.full((depth, *next(iter(planes.values())).shape), UNLABELLED, np.uint8)
    for z, plane in planes.items():
        label[z] = plane
    axes = {"axes": "ZYX" if depth > 1 else "YX"}
    voxels = label if depth > 1 else label[0]
    tifffile.imwrite(
        folder / "labels" / f"{name}.tif", voxels, photometric="minisblack", compression="zlib", metadata=axes
    )
    return name


def _lay_out(item: Item, folder: Path) -> None:
    """Link an image into unlabelled/: a stack as it is, a 2-D slice into the folder of those of its scan and size."""
    image, shape = Path(item["image"]), source(item, "image").open().shape
    place = folder / "unlabelled"
    if shape[0] == 1:
        place /= f"{item.get('scan', 'slices')}_{shape[1]}_{shape[2]}"
    place.mkdir(parents=True, exist_ok=True)
    (place / image.name).symlink_to(image.absolute(), image.is_dir())


def _told(scans: dict[str, list[str]], listing: Path) -> dict[str, Any]:
    """The scans with the names that their files have here, and the stacks that the set itself tells."""
    tables = {plain_name(key): value for key, value in read_json(listing).items() if isinstance(value, dict)}
    told: dict[str, Any] = dict(scans)
    for scan in scans:
        if "stack" in (table := tables.get(scan, {})):
            told[scan] = {**table, "stack": str((listing.parent / table["stack"]).absolute()), "files": scans[scan]}
    return told

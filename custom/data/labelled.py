"""A labelled data set on disk -> one item per labelled slice.

Layout: ``dataset_dir/images`` and ``dataset_dir/labels`` with the same stems, each file a 2-D slice or a (Z, Y, X) stack.
Label values: 0 background, 1 lithium, 255 unlabelled (or lithium, see `custom.data.meaning`); of several classes 1, 2, ... in
their order; or those of `Reading.label_map`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from custom.base.classes import BACKGROUND, UNLABELLED
from custom.base.errors import BadInput
from custom.data.blanks import warn_of_blanks
from custom.data.doubts import tell_doubts
from custom.data.listing import list_pairs
from custom.data.looking import look_at, tell_beyond
from custom.data.meaning import SliceCounts, lithium_is_255
from custom.data.numbers import check_numbers
from custom.data.reading import Reading
from custom.data.scans_json import Scan, check_all_told, find_scans, read_scans
from custom.data.windows import windows_of_files
from custom.stack import LABEL, ON_THE_GRID, Stack, source
from custom.stack.formats import stem_of
from custom.stack.numbering import counting_numbers

logger = logging.getLogger("data")


def labelled_slices(
    dataset_dir: str | os.PathLike[str],
    percentiles: Sequence[float] = (0.5, 99.5),
    fixed: Sequence[float] | None = None,
    reading: Reading | None = None,
) -> list[dict[str, Any]]:
    """Open and check a labelled data set.

    All 2-D files of one grey scale count as one stack and share a grey window, unless ``scans.json`` tells which scan they
    came from; every 3-D file is a stack with its own.

    Args:
        dataset_dir: the folder that holds images/ and labels/.
        percentiles: the grey window's ends as percentiles of each whole stack, in [0, 100].
        fixed: the grey window as two grey values, which replaces the percentiles.
        reading: which arrays of the files, and what their values stand for; None: the usual.

    Returns:
        one item per slice that has a labelled voxel: ``image`` and ``label`` (paths), ``z`` (index in the file), ``stem``,
        ``grey_window`` (lower, upper), ``surround`` (values outside the reconstruction), ``lithium`` (number of voxels
        labelled lithium, or as any class, within the reconstruction), of several classes ``classes`` (that of each) and
        ``digest`` (of its image), where scans are told ``scan`` (its name) and of a 2-D file ``at`` (its place along z, by
        its number); beside a path what `custom.stack.source` needs to read it, where that is not the usual.

    Raises:
        BadInput: whatever is wrong with the files, and a set without any labelled voxel or any of a class.
    """
    reading = reading or Reading()
    pairs, folder = list_pairs(dataset_dir, reading.label_folder), Path(dataset_dir) / reading.label_folder
    several = len(reading.classes) > 1
    listing = find_scans(Path(dataset_dir))
    told = read_scans(listing, pairs) if listing else {}
    images, labels = (reading.sources([pair[i] for pair in pairs], part) for i, part in enumerate(("image", LABEL)))
    stacks = [image.open() for image in images]
    if listing:
        check_all_told(told, stacks, listing)
    opened = [replace(label, grid=image).open() for image, label in zip(images, labels, strict=True)]
    tell_doubts(opened)
    counted = [check_label(stack, label, len(reading.classes)) for stack, label in zip(stacks, opened, strict=True)]
    by_file = dict(zip((label for _, label in pairs), counted, strict=True))
    mapped = reading.label_values is not None  # then it says what 255 is, and 255 here is unlabelled
    lithium_255 = not mapped and lithium_is_255(by_file, folder, reading.label_255)
    warn_of_blanks([count for counts in counted for count in counts], folder, lithium_255)
    labelled = [[z for z, count in enumerate(counts) if lithium_255 or count.labelled] for counts in counted]
    used = [file for file, some in enumerate(labelled) if some]
    ends = (float(percentiles[0]), float(percentiles[1]))
    scans = [told.get(stem_of(stack.path)) for stack in stacks]
    windows = windows_of_files(stacks, used, scans, ends, None if fixed is None else (float(fixed[0]), float(fixed[1])))
    about = _about_scans(scans, stacks)
    items: list[dict[str, Any]] = []
    beyond: dict[Path, int] = {}
    lost = 0
    for file, window in zip(used, windows, strict=True):
        whole = {
            **images[file].named(),
            **labels[file].named(lithium_255),
            "stem": stem_of(stacks[file].path),
            "grey_window": (window.lower, window.upper),
            "surround": window.surround,
            **about[file],
        }
        found = {z: _of_classes(counted[file][z], lithium_255) for z in labelled[file]}
        values = [(1 + i, UNLABELLED) if lithium_255 else (1 + i,) for i in range(len(reading.classes))]
        seen = look_at(stacks[file], opened[file], found, values, window.surround)
        beyond[opened[file].path] = sum(map(sum, seen.beyond.values()))
        lost += len(seen.nothing)
        for z, counts in found.items():
            if z in seen.nothing:
                continue
            left = tuple(count - out for count, out in zip(counts, seen.beyond[z], strict=True))
            by_class = {"classes": left} if several else {}
            items.append(whole | {"z": z, "lithium": sum(left), **by_class, "digest": seen.digests[z]})
    tell_beyond(beyond, "as a class" if several else "lithium")
    if lost:
        logger.warning(
            "%s: %d labelled slices have no labelled voxel within the reconstruction, as where the image has one value all over, "
            "and take part nowhere.",
            folder,
            lost,
        )
    every = [count for counts in counted for count in counts]
    _check_amount(items, len(every), folder, reading)
    if not several and not any(count.background for count in every):
        raise BadInput(
            f"{folder}: no labelled voxel is background, all {sum(item['lithium'] for item in items)} are lithium; label some "
            "background with 0, or say with --label_map which value stands for it"
        )
    return items


def _about_scans(scans: Sequence[Scan | None], stacks: Sequence[Stack]) -> list[dict[str, Any]]:
    """What the items of each file say of its scan; of a 2-D file also ``at``, its number among those of the scan."""
    found: list[dict[str, Any]] = [{} if scan is None else {"scan": scan.name} for scan in scans]
    for scan in {scan.name: scan for scan in scans if scan is not None}.values():
        flat = [file for file, stack in enumerate(stacks) if scans[file] is scan and stack.shape[0] == 1]
        numbers = counting_numbers([stacks[file].path for file in flat])
        for file, number in zip(flat, numbers or [0.0] * len(flat), strict=True):
            found[file]["at"] = number
    return found


def _of_classes(counts: SliceCounts, lithium_255: bool) -> tuple[int, ...]:
    """Voxels of each class."""
    return counts.classes or (counts.lithium + (counts.unlabelled if lithium_255 else 0),)


def _check_amount(items: Sequence[dict[str, Any]], total: int, folder: Path, reading: Reading) -> None:
    several, label_map = len(reading.classes) > 1, reading.label_map
    what = f"of a class ({', '.join(reading.classes)})" if several else "lithium"
    if label_map is not None and not any(item["lithium"] for item in items):
        raise BadInput(
            f"{folder}: no voxel of the {total} slices is {what} by --label_map {dict(label_map)}; list the values that stand "
            f"for it there, or label at least one slice that shows {'one' if several else 'lithium'}"
        )
    if not items:
        raise BadInput(
            f"{folder}: no voxel is labelled in any of the {total} slices, all are 255 (unlabelled); label some slices "
            f"with 0 (background) and {'the numbers of the classes' if several else '1 (lithium)'}"
        )
    if several and not any(item["lithium"] for item in items):
        raise BadInput(
            f"{folder}: no voxel is labelled 1 to {len(reading.classes)}, which stand for the classes "
            f"{', '.join(reading.classes)}, in any of the {len(items)} slices; label slices that show them"
        )
    if not any(item["lithium"] for item in items):
        raise BadInput(
            f"{folder}: no voxel is labelled 1 (lithium) in any of the {len(items)} slices; "
            "label at least one slice that shows lithium"
        )
    if len(items) < total:
        logger.info(
            "%s: %d of %d slices hold labelled voxels; the others take part nowhere.", folder, len(items), total
        )


def voxel_sizes(items: Sequence[dict[str, Any]]) -> list[tuple[float, float, float] | None]:
    """The different voxel sizes (z, y, x), in micrometres, of the images that items come from; None is an unknown one."""
    images = dict.fromkeys(source(item, "image") for item in items)
    return list(dict.fromkeys(image.open().voxel_size_um for image in images))


def voxel_size_of_stems(items: Sequence[dict[str, Any]]) -> dict[str, tuple[float, float, float] | None]:
    """Voxel size (z, y, x) in micrometres, or None, by the stem of the image that items come from."""
    images = {str(item["stem"]): source(item, "image") for item in items if "stem" in item}
    return {stem: image.open().voxel_size_um for stem, image in images.items()}


def stems(items: Sequence[dict[str, Any]]) -> list[str]:
    """The names of the images that items come from, without suffix, sorted; items are slices or image/label paths."""
    return sorted({stem_of(Path(item["image"])) for item in items})


def common_folder(items: Sequence[dict[str, Any]]) -> str:
    """The folder that all images of the items lie in, without a last part `images`, which belongs to the layout."""
    parents = [str(Path(item["image"]).parent) for item in items]
    folder = Path(os.path.commonpath(parents)) if parents else Path()
    return str(folder.parent if folder.name == "images" else folder)


def check_label(image: Stack, label: Stack, classes: int = 1) -> list[SliceCounts]:
    """Check one label file against its image; returns the counts of each slice.

    Args:
        image, label: of one shape.
        classes: how many are looked for, in labels 1, 2, ...

    Raises:
        BadInput: another size than the image's, folders of slices whose numbers differ, or a value that stands for nothing.
    """
    if label.shape != image.shape:
        placed = all(one.place and one.place.stated for one in (image, label))
        cure = "export both from the same slices without resampling"
        if placed:  # as 3D Slicer crops a segmentation to its segments
            cure = ON_THE_GRID
        elif label.shape[1:] == image.shape[1:]:
            cure = "give every slice of the image one in the label, all 255 where nothing is labelled"
        raise BadInput(
            f"{label.path}: the label is {_size(label)} and its image {image.path.name} is {_size(image)} (z, y, x); {cure}"
        )
    check_numbers(image, label)
    return [counts_of(label.read(z, z + 1), classes) for z in range(label.shape[0])]


def counts_of(labels: np.ndarray, classes: int = 1) -> SliceCounts:
    """How many voxels hold which label; given labels, uint8 of any shape, and the number of classes."""
    of_value = np.bincount(labels.ravel(), minlength=256).tolist()
    found = tuple(of_value[1 : 1 + classes])
    return SliceCounts(of_value[BACKGROUND], sum(found), of_value[UNLABELLED], found if classes > 1 else ())


def _size(stack: Stack) -> str:
    return " x ".join(str(n) for n in stack.shape)

"""What somebody drew on slices, as labels: whatever napari, Fiji, ilastik or 3D Slicer saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from custom.base.classes import UNLABELLED
from custom.base.errors import BadInput
from custom.data.labelled import check_label, counts_of
from custom.data.listing import stacks_in
from custom.data.meaning import SliceCounts, lithium_is_255
from custom.data.pairing import alike
from custom.labelling.meaning import Meaning, open_drawn
from custom.labelling.scan_entry import name_of
from custom.stack import Stack
from custom.stack.formats import format_of_folder, stem_of


@dataclass(frozen=True)
class Sheet:
    """A slice that somebody drew on.

    Attributes:
        name: of its image, without suffix.
        image, z: where its grey values are.
        label, at: where its labels are, uint8 in {0, 1, ..., 255}.
    """

    name: str
    image: Stack
    z: int
    label: Stack
    at: int


@dataclass(frozen=True)
class Drawn:
    """The labels of a slice, uint8 (Y, X): 0 background, 1, 2, ... classes, 255 unlabelled."""

    sheet: Sheet
    labels: np.ndarray


def sheets_of_images(images: Mapping[str, Stack], drawn: Path, meaning: Meaning) -> list[Sheet]:
    """What was drawn on images of one slice each.

    Args:
        images: by their stems, in natural order.
        drawn: a folder of files that are called as the images, or as an exporter lengthens that; or one file, of one of
            them, or with a slice for each of them in their order, as napari saves it that opened them as a stack.
        meaning: of what is in the files.

    Raises:
        BadInput: no file; one of no image, of several or of another size; two of one image; whatever reading them raises.
    """
    folder = drawn.is_dir() and format_of_folder(drawn) is None
    files = stacks_in(drawn) if folder else [drawn]
    if not files:
        raise BadInput(f"{drawn}: holds no labels; save there what you draw, or say where it is with --drawn")
    if not folder and len(images) > 1 and not _images_of(drawn, images):
        return _slice_for_each(images, drawn, meaning)
    found: dict[str, Sheet] = {}
    for file in files:
        near = _images_of(file, images)
        if len(near) != 1:
            names = ", ".join(near or list(images)[:5])
            raise BadInput(
                f"{file}: is not called as one of the images ({names}); name it as the image that it was drawn on, or take it away"
            )
        if near[0] in found:
            raise BadInput(f"{file}: is of {near[0]}, as {found[near[0]].label.path.name} is; keep one of the two")
        image = images[near[0]]
        label = open_drawn(file, image, meaning)
        check_label(image, label, len(meaning.reading.classes))
        found[near[0]] = Sheet(near[0], image, 0, label, 0)
    return [found[name] for name in images if name in found]


def _images_of(file: Path, images: Mapping[str, Stack]) -> list[str]:
    if stem_of(file) in images:
        return [stem_of(file)]
    return [name for name, image in images.items() if alike(image.path, file)]


def _slice_for_each(images: Mapping[str, Stack], drawn: Path, meaning: Meaning) -> list[Sheet]:
    first = next(iter(images.values()))
    label = open_drawn(drawn, first, meaning)
    if label.shape != (len(images), *first.shape[1:]):
        size = " x ".join(map(str, label.shape))
        raise BadInput(
            f"{drawn}: is not called as one of the images ({', '.join(list(images)[:5])}), and with {size} voxels it has no slice "
            f"for each of these {len(images)} of {first.shape[1]} x {first.shape[2]}; name it as the image that it was drawn on"
        )
    return [Sheet(name, image, 0, label, at) for at, (name, image) in enumerate(images.items())]


def sheets_of_stack(stack: Stack, drawn: Path, meaning: Meaning) -> list[Sheet]:
    """What was drawn on slices of a stack, in one file of its shape; slices where nothing was drawn are left out.

    Raises:
        BadInput: another shape; nothing drawn at all; whatever reading it raises.
    """
    label = open_drawn(drawn, stack, meaning)
    counts = check_label(stack, label, len(meaning.reading.classes))
    held = [z for z, one in enumerate(counts) if one.lithium or (one.background and one.unlabelled)]
    if meaning.nothing == UNLABELLED:
        held = [z for z, one in enumerate(counts) if one.labelled]
    if not held:
        raise BadInput(f"{drawn}: nothing is drawn in any of its {len(counts)} slices; give the file that you drew in")
    return [Sheet(name_of(stack, z), stack, z, label, z) for z in held]


def labels_of(sheets: Sequence[Sheet], drawn: Path, meaning: Meaning) -> list[Drawn]:
    """The labels, with 255 as what it stands for.

    Raises:
        BadInput: a value that is no label; nothing tells what 255 is.
    """
    found = [Drawn(sheet, sheet.label.read(sheet.at, sheet.at + 1)[0]) for sheet in sheets]
    if meaning.reading.label_values is not None:
        return found
    counts: dict[Path, list[SliceCounts]] = {}
    for one in found:
        counts.setdefault(one.sheet.label.path, []).append(counts_of(one.labels))
    if lithium_is_255(counts, drawn, meaning.reading.label_255):
        for one in found:
            one.labels[one.labels == UNLABELLED] = 1
    return found

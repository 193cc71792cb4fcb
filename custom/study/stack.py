"""The stack that a study segments, and what is known of the lithium in it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from custom.base.errors import BadInput
from custom.data.sides import Split
from custom.stack import LABEL, Source, open_stack, source
from custom.stack.writers import open_writer
from custom.study.plan import Study
from custom.study.slices import opened


@dataclass(frozen=True)
class StudyStack:
    """A stack.

    Attributes:
        image: where it lies.
        labels: source and index of each slice's label, in order; None where there are none.
        window: the grey window to give to the command; None: the command finds the stack's own.
        trained_on: how many of its slices are on the training side.
    """

    image: Source
    labels: list[tuple[Source, int]] | None = None
    window: tuple[float, float] | None = None
    trained_on: int = 0

    @property
    def path(self) -> Path:
        """The file or folder."""
        return Path(self.image.path)

    def label(self, z: int) -> NDArray[np.uint8]:
        """(Y, X), values {0, 1, 255}, of one slice of a stack that has labels."""
        label, index = (self.labels or [])[z]
        plane: NDArray[np.uint8] = opened(label).read(index, index + 1)[0]
        return plane


def choose_stack(study: Study, split: Split) -> StudyStack:
    """The stack that was asked for; else the file with most slices on the test side, or its 2-D files as one stack.

    Raises:
        BadInput: the test side is empty.
    """
    if study.stack is not None:
        return StudyStack(Source(str(study.stack)))
    if not split["test"]:
        raise BadInput(f"{study.dataset_dir}: the test side is empty; name slices for it in splits.json")
    counted = Counter(str(item["image"]) for item in split["test"])
    image, most = counted.most_common(1)[0]
    first = next(item for item in split["test"] if item["image"] == image)
    depth = source(first, "image").open().shape[0]
    if depth == 1 and most == 1:
        return _joined(study, [item for item in split["test"] if counted[str(item["image"])] == 1])
    trained = sum(item["image"] == image for item in split["train"])
    return StudyStack(source(first, "image"), [(source(first, LABEL), z) for z in range(depth)], None, trained)


def _joined(study: Study, items: Sequence[dict[str, Any]]) -> StudyStack:
    """2-D files of the test side as one stack, those of the most frequent size, under the data set's grey window."""
    shapes = [source(item, "image").open().shape for item in items]
    size = Counter(shapes).most_common(1)[0][0]
    kept = [item for item, shape in zip(items, shapes, strict=True) if shape == size]
    first = source(kept[0], "image").open()
    path = study.output_dir / "test_stack.tif"
    if not path.is_file() or open_stack(path).shape[0] != len(kept):
        target = os.fspath(path.with_suffix(""))
        shape = (len(kept), size[1], size[2])
        with open_writer(target, "tiff", shape, first.dtype, first.voxel_size_um, overwrite=True) as writer:
            for z, item in enumerate(kept):
                writer.write(z, source(item, "image").open().read(0, 1))
    lower, upper = kept[0]["grey_window"]
    return StudyStack(Source(str(path)), [(source(item, LABEL), 0) for item in kept], (float(lower), float(upper)))


def masks(folder: Path, found: dict[str, Any], start: int, stop: int) -> NDArray[np.uint8]:
    """Slices start, ..., stop - 1 of the mask that a segmentation left in `folder`, given its summary."""
    planes: NDArray[np.uint8] = open_stack(folder / str(found["mask"])).read(start, stop)
    return planes

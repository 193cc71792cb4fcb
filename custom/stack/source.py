"""The image or the label that an item of a data set names, opened in one way wherever it is read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from custom.base.errors import BadInput
from custom.stack.labels import LabelStack
from custom.stack.opening import open_stack
from custom.stack.same_grid import along_axes_of, on_grid_of
from custom.stack.stack import Stack
from custom.stack.stack_axes import AS_SLICES

LABEL = "label"  # the part of an item that holds labels


@dataclass(frozen=True)
class Source:
    """Where one part of an item lies.

    Attributes:
        path: of the file.
        part: which part it is; "label" is read as labels, anything else as grey values.
        key, index: as `open_stack` takes them.
        lithium_255: whether 255 in a label stands for lithium.
        label_map: (value in the file, label) for all values that a label may hold, where it holds others than labels.
        grid: the image whose voxels those of a label lie on; it is brought there, see `on_grid_of` and `along_axes_of`.
    """

    path: str
    part: str = "image"
    key: str | None = None
    index: tuple[int, ...] | None = None
    lithium_255: bool = False
    label_map: tuple[tuple[int, int], ...] | None = None
    grid: Source | None = None

    def open(self) -> Stack:
        """The stack, opened lazily; labels come as uint8 in {0, 1, 255}, or as `label_map` has them.

        Raises:
            BadInput: whatever `open_stack` refuses, with `--image_key` or `--label_key` in the cure; a label that lies
                elsewhere than its image.
        """
        try:
            stack = open_stack(self.path, stack_key=self.key, stack_index=self.index, labels=self.part == LABEL)
        except BadInput as refusal:
            sentence = str(refusal).replace(AS_SLICES, "save it with its axes as ZYX")  # a set has no key for the axes
            raise BadInput(sentence.replace("--stack_", f"--{self.part}_")) from refusal
        if self.part != LABEL:
            return stack
        label = LabelStack(stack, self.lithium_255, self.label_map)
        if self.grid is None:
            return label
        if label.place is not None and label.place.stated:
            return on_grid_of(label, self.grid.open())
        # the image's header is not needed for single slices, of which there may be thousands
        return along_axes_of(label, self.grid.open()) if label.shape[0] > 1 else label

    def named(self, lithium_255: bool = False) -> dict[str, Any]:
        """What an item says of it, for `source` to find again; nothing that goes without saying."""
        about: dict[str, Any] = {self.part: self.path}
        if self.key is not None:
            about[f"{self.part}_key"] = self.key
        if self.index is not None:
            about[f"{self.part}_index"] = self.index
        if self.part == LABEL and lithium_255:
            about["lithium_255"] = True
        if self.label_map is not None:
            about["label_map"] = self.label_map
        return about


def source(item: Mapping[Any, Any], part: str) -> Source:
    """The source of `item[part]`, a path; ``<part>_key``, ``<part>_index``, ``lithium_255`` and ``label_map`` may stand beside it.

    A label lies on the grid of ``item["image"]``, if that is a path too.
    """
    index = item.get(f"{part}_index")
    numbers = (index,) if isinstance(index, int) else tuple(index) if index is not None else None
    key = item.get(f"{part}_key")
    if part != LABEL:
        return Source(os.fspath(item[part]), part, key, numbers)
    grid = source(item, "image") if isinstance(item.get("image"), (str, os.PathLike)) else None
    pairs = item.get("label_map")
    label_map = None if pairs is None else tuple((int(value), int(label)) for value, label in pairs)
    return Source(os.fspath(item[part]), part, key, numbers, bool(item.get("lithium_255")), label_map, grid)

"""Labels as they are meant, in uint8: 0 (background), 1 (lithium; of several classes 1, 2, ...) and 255 (unlabelled).

Files that hold other values, as labelling tools write them, need to be told what each stands for.

The one reader of labels: what a data set was checked for is what its training, its evaluation and its study read.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from custom.base.classes import BACKGROUND, LEAST_VALUE, MOST_VALUE, UNLABELLED
from custom.base.errors import BadInput
from custom.stack.opening import takes_key
from custom.stack.stack import Stack

LITHIUM = 1
LABEL_VALUES = (BACKGROUND, LITHIUM, UNLABELLED)
_MOST_TOLD = 5  # values of a slice in one sentence
_MOST_LISTED = 6  # values that a map is asked for; a labelling tool has fewer classes
_CLOSE = 1e-4  # a slope in float32 turns 1 into 1.00000006 and 255 into 254.99998


_AS_STORED = tuple((label, label) for label in LABEL_VALUES)


class LabelStack(Stack):
    """The labels that `stored` holds, read as uint8 in {0, 1, 255}.

    Args:
        stored: of any type of numbers.
        lithium_255: whether 255 stands for lithium, as in the masks that ImageJ writes.
        label_map: (value in the file, label) for all values that it may hold; None: they are the labels themselves.
    """

    def __init__(
        self, stored: Stack, lithium_255: bool = False, label_map: Sequence[tuple[int, int]] | None = None
    ) -> None:
        super().__init__(stored.path, stored.shape, np.dtype(np.uint8), stored.voxel_size)
        self.files, self.place, self.costly_again = stored.files, stored.place, stored.costly_again
        self.stored_order = stored.stored_order
        self._stored, self._lithium_255, self._map = stored, lithium_255, label_map

    def _read(self, start: int, stop: int) -> np.ndarray:
        labels = np.empty((stop - start, *self.shape[1:]), np.uint8)
        for z in range(start, stop):
            stored = self._stored.read(z, z + 1)[0]
            labels[z - start] = as_labels(stored, self._stored.step, self.path, z, self._map)
        if self._lithium_255:
            labels[labels == UNLABELLED] = LITHIUM
        return labels


def as_labels(
    values: np.ndarray,
    step: float = 0.0,
    path: str | os.PathLike[str] = "label",
    z: int = 0,
    label_map: Sequence[tuple[int, int]] | None = None,
) -> np.ndarray:
    """Stored values as labels, each the whole number that it is meant to be.

    A value that a slope bent is taken for the label that it is nearest to among all that the file can hold: in a file
    whose stored integers are 2 / 255 apart, 127 of them are .996, and no other number of them is nearer to 1.

    Args:
        values: of any shape.
        step: between neighbouring values of the file, see `Stack.step`.
        path, z: file and slice, for the refusal.
        label_map: as for `LabelStack`.

    Returns:
        uint8 in {0, 1, 255}, or the labels of `label_map`, of the same shape.

    Raises:
        BadInput: any other value.
    """
    labels, unknown = np.zeros(values.shape, np.uint8), np.ones(values.shape, bool)
    exact = values.dtype.kind in "biu"
    if label_map is not None and values.dtype == np.float16:
        values = values.astype(np.float32)  # float16 ends before 65535
    for value, label in _AS_STORED if label_map is None else label_map:
        tolerance = max(_CLOSE * max(1.0, value / 256), min(step, 0.1) * 0.501)  # float32 is .004 apart near 65535
        # compared, not subtracted: unsigned and 64-bit numbers stay what they are
        found = values == value if exact else (values >= value - tolerance) & (values <= value + tolerance)
        labels[found] = label
        unknown &= ~found
    if unknown.any():
        if label_map is None:
            raise _no_label(values[unknown], values, path, z)
        numbered = all(value == label for value, label in label_map)
        raise (_no_number if numbered else _unlisted)(values[unknown], path, z, label_map)
    return labels


def _no_label(unknown: np.ndarray, values: np.ndarray, path: str | os.PathLike[str], z: int) -> BadInput:
    """Of values that are no labels, among all of a slice."""
    if np.isnan(wrong := unknown[0]):
        return BadInput(
            f"{path}: {np.isnan(unknown).sum()} voxels of slice {z} are NaN; write 255 where a voxel is unlabelled and 0 where it is "
            "background"
        )
    text, count = _text(wrong), len(np.unique(values))
    if count > _MOST_LISTED and values.dtype.kind in "iu":
        return BadInput(
            f"{path}: holds {count} different values in slice {z}, up to {values.max()}, as labels of single objects do; write "
            f"a mask, (label > 0).astype('uint8'), and 255 where a voxel is unlabelled{_other_array(path)}"
        )
    line = f", as with {_example(text, values)}" if _can_be_listed(text) else ""
    return BadInput(
        f"{path}: holds the value {text} in slice {z}; labels are 0 (background), 1 (lithium) and 255 (unlabelled), so "
        f"map the values of your labelling tool to these{line}{_other_array(path)}"
    )


def _example(text: str, values: np.ndarray) -> str:
    """The label map that a slice suggests: 0 and N are a mask, 1 and N without 0 count from 1, else N may be anything."""
    zero, one = ((values == number).any() for number in (0, 1))
    meant = "255" if text.startswith("-") or (zero and one) else "'lithium'"
    first = "'1': 'background', " if one and not zero else "'1': 'lithium', " if one or meant == "255" else ""
    return f"--label_map \"{{{first}'{text}': {meant}}}\""


def _no_number(
    values: np.ndarray, path: str | os.PathLike[str], z: int, label_map: Sequence[tuple[int, int]]
) -> BadInput:
    """A value beside the numbers of several classes."""
    wrong, most = values[0], max(label for _, label in label_map if label != UNLABELLED)
    if np.isnan(wrong):
        return _no_label(values, values, path, z)
    text = _text(wrong)
    line = f" and, for this one, '{text}': 255 or the class that it stands for" if _can_be_listed(text) else ""
    return BadInput(
        f"{path}: holds the value {text} in slice {z}; labels of {most} classes are 0 (background), 1 to {most} in the order "
        f"of --classes and 255 (unlabelled), so map the values of your labelling tool to them with a --label_map that lists "
        f"each value{line}{_other_array(path)}"
    )


def _unlisted(
    values: np.ndarray, path: str | os.PathLike[str], z: int, label_map: Sequence[tuple[int, int]]
) -> BadInput:
    """Values that a label map lacks: all of a slice, since each may need its line."""
    if np.isnan(values).any():
        return BadInput(
            f"{path}: {np.isnan(values).sum()} voxels of slice {z} are NaN; write a value that --label_map lists"
        )
    found = [(_text(value), int(count)) for value, count in zip(*np.unique(values, return_counts=True), strict=True)]
    told = " and ".join(f"{value} ({count} voxel{'s' if count > 1 else ''})" for value, count in found[:_MOST_TOLD])
    more = f" and {len(found) - _MOST_TOLD} more values" if len(found) > _MOST_TOLD else ""
    holds = f"{path}: holds {told}{more} in slice {z}, which --label_map does not list"
    lines = [f'"{value}": 255' for value, _ in found[:_MOST_TOLD] if _can_be_listed(value)]
    if not lines:
        return BadInput(
            f"{holds}; labels are whole numbers from {LEAST_VALUE} to {MOST_VALUE}, so export them as such{_other_array(path)}"
        )
    return BadInput(
        f"{holds}; add {', '.join(lines)} to it, with the name of a class in place of 255 (unlabelled) where it is one"
        f"{_other_array(path)}"
    )


def _can_be_listed(text: str) -> bool:
    """Whether a value can stand in --label_map."""
    return text.removeprefix("-").isdecimal() and LEAST_VALUE <= int(text) <= MOST_VALUE


def _text(value: np.generic) -> str:
    return str(int(value)) if value.dtype.kind == "b" else str(value).removesuffix(".0")


def _other_array(path: str | os.PathLike[str]) -> str:
    keyed = os.path.exists(path) and takes_key(Path(path))
    return ", or give --label_key if the labels are another array of it" if keyed else ""

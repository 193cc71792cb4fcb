"""Labels as they are meant: uint8 with 0 (background), 1 (lithium) and 255 (unlabelled), whatever type holds them.

The one reader of labels: what a data set was checked for is what its training, its evaluation and its study read.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from custom.base.errors import BadInput
from custom.stack.opening import takes_key
from custom.stack.stack import Stack

BACKGROUND, LITHIUM, UNLABELLED = 0, 1, 255
LABEL_VALUES = (BACKGROUND, LITHIUM, UNLABELLED)
_CLOSE = 1e-4  # a slope in float32 turns 1 into 1.00000006 and 255 into 254.99998


class LabelStack(Stack):
    """The labels that `stored` holds, read as uint8 in {0, 1, 255}.

    Args:
        stored: of any type of numbers.
        lithium_255: whether 255 stands for lithium, as in the masks that ImageJ writes.
    """

    def __init__(self, stored: Stack, lithium_255: bool = False) -> None:
        super().__init__(stored.path, stored.shape, np.dtype(np.uint8), stored.voxel_size)
        self.files, self.place, self.costly_again = stored.files, stored.place, stored.costly_again
        self._stored, self._lithium_255 = stored, lithium_255

    def _read(self, start: int, stop: int) -> np.ndarray:
        labels = np.empty((stop - start, *self.shape[1:]), np.uint8)
        for z in range(start, stop):
            labels[z - start] = as_labels(self._stored.read(z, z + 1)[0], self._stored.step, self.path, z)
        if self._lithium_255:
            labels[labels == UNLABELLED] = LITHIUM
        return labels


def as_labels(values: np.ndarray, step: float = 0.0, path: str | os.PathLike[str] = "label", z: int = 0) -> np.ndarray:
    """Stored values as labels, each the whole number that it is meant to be.

    A value that a slope bent is taken for the label that it is nearest to among all that the file can hold: in a file
    whose stored integers are 2 / 255 apart, 127 of them are .996, and no other number of them is nearer to 1.

    Args:
        values: of any shape.
        step: between neighbouring values of the file, see `Stack.step`.
        path, z: file and slice, for the refusal.

    Returns:
        uint8 in {0, 1, 255}, of the same shape.

    Raises:
        BadInput: any other value.
    """
    labels = np.full(values.shape, 2, np.uint8)
    exact = values.dtype.kind in "biu"
    tolerance = max(_CLOSE, min(step, 0.1) * 0.501)
    for label in LABEL_VALUES:
        # compared, not subtracted: unsigned and 64-bit numbers stay what they are
        found = values == label if exact else (values >= label - tolerance) & (values <= label + tolerance)
        labels[found] = label
    if (labels == 2).any():
        raise _no_label(values[labels == 2], path, z)
    return labels


def _no_label(values: np.ndarray, path: str | os.PathLike[str], z: int) -> BadInput:
    wrong = values[0]
    if np.isnan(wrong):
        return BadInput(
            f"{path}: {np.isnan(values).sum()} voxels of slice {z} are NaN; write 255 where a voxel is unlabelled and 0 where it is "
            "background"
        )
    keyed = os.path.exists(path) and takes_key(Path(path))
    return BadInput(
        f"{path}: holds the value {str(wrong).removesuffix('.0')} in slice {z}; labels are 0 (background), 1 (lithium) and 255 (unlabelled), so "
        "map the values of your labelling tool to these"
        f"{', or give --label_key if the labels are another array of it' if keyed else ''}"
    )

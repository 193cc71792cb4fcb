"""Whether an unpacked bundle finds here what it found where it was packed."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import numpy as np

from custom.base.errors import BadInput
from custom.metrics.masks import dice_of
from custom.sharing.running import segment_slice
from custom.stack import open_stack

# another processor rounds otherwise, which turns a few voxels at the threshold
LEAST_DICE = 0.999


def selftest(path: Path, name: str) -> str:
    """Unpack a bundle that was found right into a temporary folder and segment its own slice in a process of its own.

    Returns:
        one line that says how much of the mask agrees.

    Raises:
        BadInput: the command fails, or the mask differs.
    """
    with tempfile.TemporaryDirectory(prefix="selftest_") as aside:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(aside)
        folder = Path(aside) / name
        found = _mask(segment_slice(folder, Path(aside) / "result", path))
        wanted = _mask(folder / "selftest/mask.tif")
    if found.shape != wanted.shape:
        raise BadInput(
            f"{path}: the self-test's mask is {found.shape} and should be {wanted.shape}; ask for a mended bundle"
        )
    differing, dice = int(np.count_nonzero(found != wanted)), dice_of(found, wanted)
    if dice < LEAST_DICE:
        raise BadInput(
            f"{path}: the self-test finds another mask here ({differing} of {wanted.size} voxels differ, Dice {dice:.4f}); "
            "install the versions of its requirements.txt"
        )
    return f"works here: {differing} of {wanted.size} voxels of the self-test's mask differ, Dice {dice:.4f}"


def _mask(path: Path) -> np.ndarray:
    stack = open_stack(path)
    return stack.read(0, stack.shape[0])

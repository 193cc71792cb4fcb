"""Transforms of plain tensors, without MONAI's notes of what was done to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from monai.data import get_track_meta, set_track_meta


@contextmanager
def untracked() -> Iterator[None]:
    """Patches need no affine and no list of operations: keeping them takes more than half of the time of small transforms."""
    before = get_track_meta()
    set_track_meta(False)
    try:
        yield
    finally:
        set_track_meta(before)

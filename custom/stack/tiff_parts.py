"""Strips and tiles of a TIFF that hold no byte: a writer left them out, or never came to write them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tifffile import TiffFrame, TiffPage

from custom.base.errors import BadInput
from custom.stack.warn import warn_once


def check_parts(path: Path, pages: Sequence[TiffPage | TiffFrame], labels: bool) -> None:
    """Say once how much of a stack has no bytes, and is read as 0.

    Args:
        path: of the file.
        pages: its slices.
        labels: whether it holds labels, of which whole slices may be empty.

    Raises:
        BadInput: the last slices have none at all, as of a writer that was ended.
    """
    total = sum(len(page.databytecounts) for page in pages)
    lacking = [z for z, page in enumerate(pages) if lacks_parts(page)]
    if not lacking:
        return
    written = [z for z, page in enumerate(pages) if any(page.databytecounts)]
    if not labels and lacking[-1] == len(pages) - 1 and (not written or written[-1] < lacking[-1]):
        first = written[-1] + 1 if written else 0
        raise BadInput(
            f"{path}: is half-written, nothing was ever written to slices {first} to {len(pages) - 1} of {len(pages)}; write it "
            "anew, or without the empty slices if they are meant."
        )
    count = sum(number == 0 for z in lacking for number in pages[z].databytecounts)
    warn_once(
        f"{path}: lacks {count} of its {total} strips or tiles, in {len(lacking)} slices, slice {lacking[0]} the first; they are "
        "read as 0, which is right where its writer leaves out empty ones, else it is half-written: copy or write it anew."
    )


def lacks_parts(page: TiffPage | TiffFrame) -> bool:
    """Whether a strip or tile of it holds no byte."""
    return not all(page.databytecounts)

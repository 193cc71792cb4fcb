"""Which stacks a command line means, and what the folders of their results are called."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from custom.base.errors import BadInput
from custom.region.opening import Paths, paths_of
from custom.stack.formats import stem_of


def is_pattern(path: str) -> bool:
    """Whether a path with ``*``, ``?`` or ``[...]`` in it is no name of something that is there."""
    return glob.has_magic(path) and not os.path.lexists(path)


def stacks_of(stack: Paths) -> list[str]:
    """The paths of the stacks that are given, each once, those of a pattern in the order of their names.

    Args:
        stack: a path, a pattern such as ``scans/*.tif`` (``**`` stands for any number of folders), or a list of both.

    Raises:
        BadInput: a pattern that nothing matches, or a stack that is given twice.
    """
    found: list[str] = []
    for path in paths_of(stack):
        matched = sorted(glob.glob(path, recursive=True)) if is_pattern(path) else [path]
        if not matched:
            raise BadInput(f"--stack {path}: nothing is called so; check the folder and the ending of the pattern.")
        found += matched
    real = [os.path.realpath(path) for path in found]
    times = Counter(real)
    for path, where in zip(found, real, strict=True):
        if times[where] > 1:
            raise BadInput(f"{path}: is given more than once in --stack; give each stack once.")
    return found


def folder_names(paths: Sequence[str]) -> list[str]:
    """A folder for each stack's results: its name without the suffix, below the folders that tell it from the others.

    So ``scans/cell_1.tif`` and ``scans/cell_2.tif`` give ``cell_1`` and ``cell_2``, and ``a/cell.tif`` and ``b/cell.tif``
    give ``a/cell`` and ``b/cell``. Where two would be the same, or one lie in another, all keep their suffix.

    Raises:
        BadInput: a stack lies in another one.
    """
    places = [Path(os.path.abspath(path)) for path in paths]
    above = Path(os.path.commonpath([place.parent for place in places]))
    whole = [place.relative_to(above) for place in places]
    short = [name.with_name(stem_of(place) or name.name) for name, place in zip(whole, places, strict=True)]
    for names in (short, whole):
        if not (nested := _nested(names)):
            return [str(name) for name in names]
    raise BadInput(f"{above / nested[0]}: is given in --stack together with what it lies in; give one of both.")


def _nested(names: Sequence[Path]) -> list[Path]:
    """Those that stand there twice, or below another."""
    times = Counter(names)
    return [name for name in names if times[name] > 1 or any(other in times for other in name.parents)]

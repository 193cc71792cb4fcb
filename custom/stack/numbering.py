"""What the names of a folder's slices tell: whether they are of one stack, each once and all of them."""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from custom.base.errors import BadInput
from custom.stack.warn import warn_once

_WHOLE = re.compile(r"\d+")
_DECIMAL = re.compile(r"\d+(?:\.\d+)?")
_UNEVEN = 1.5  # times the smallest step between two numbers: 1.33, 2.67, 4.00 are even
_MOST = 3  # names in a sentence


def natural_key(path: Path) -> tuple[list[str | int], str]:
    """Sorts names with their digits read as numbers; names alike but for leading zeros follow the alphabet."""
    pieces = re.split(r"(\d+)", path.name.casefold())
    return [int(piece) if piece.isdecimal() else piece for piece in pieces], path.name


def number_key(stem: str) -> tuple[str, tuple[int, ...]]:
    """A name without its suffix as its pattern and its numbers; the same for s_1, s_0001 and S_01."""
    return _WHOLE.sub("#", stem.casefold()), tuple(int(digits) for digits in _WHOLE.findall(stem))


def check_names(folder: Path, files: Sequence[Path]) -> None:
    """Refuse what cannot be the slices of one stack; warn of gaps and of several series.

    Args:
        folder: what the sentences name.
        files: the slices, in natural order.

    Raises:
        BadInput: two slices of one number; names of several patterns, of which one at least is numbered; numbers that
            do not rise in natural order.
    """
    seen: dict[tuple[str, tuple[int, ...]], Path] = {}
    for file in files:
        first = seen.setdefault(number_key(file.stem), file)
        if first is not file:
            raise BadInput(f"{file}: has the same number as {first.name}; take one of the two out of the folder.")
    patterns: dict[str, list[Path]] = {}
    for file in files:
        patterns.setdefault(_DECIMAL.sub("#", file.stem.casefold()), []).append(file)
    if len(patterns) > 1:
        if any("#" in pattern for pattern in patterns):
            raise _several_patterns(folder, sorted(patterns.values(), key=len, reverse=True))
        return
    numbers = counting_numbers(files)
    if numbers is not None:
        _warn_of_gaps(folder, files, numbers)
    elif len(files) > 1:
        _refuse_disorder(folder, files)
        warn_once(
            f"{folder}: of the numbers in the names of its {len(files)} slices none counts them through, from "
            f"{files[0].name} to {files[-1].name}; they are read in this order as one stack, so give each series a folder "
            "of its own if there are several."
        )


def counting_numbers(files: Sequence[Path]) -> list[float] | None:
    """The number in each name that rises from slice to slice, or None where there is none.

    Where several do, such as a time and a number, it is one whose steps are even.
    """
    rising: list[list[float]] = []
    for digits in (_DECIMAL, _WHOLE):
        rows = [[float(number) for number in digits.findall(file.stem)] for file in files]
        if len({len(row) for row in rows}) != 1:
            continue
        columns = [list(column) for column in zip(*rows, strict=True)]
        rising += [column for column in columns if all(a < b for a, b in pairwise(column))]
    return next((column for column in rising if not _gaps(column)), rising[0]) if len(files) > 1 and rising else None


def first_out_of_step(files: Sequence[Path], others: Sequence[Path]) -> int | None:
    """The first slice whose number is another in `others`, whatever the first number and the step; None: there is none.

    Both have as many slices; names that do not count are never out of step.
    """
    numbers = [counting_numbers(files), counting_numbers(others)]
    if numbers[0] is None or numbers[1] is None:
        return None
    steps = [[(n - column[0]) / _smallest_step(column) for n in column] for column in numbers if column]
    return next((z for z, (one, other) in enumerate(zip(*steps, strict=True)) if abs(one - other) >= 0.5), None)


def _several_patterns(folder: Path, groups: list[list[Path]]) -> BadInput:
    words = [f"{len(files)} like {files[0].name}" for files in groups[:_MOST]]
    more = f" and {len(groups) - _MOST} more" if len(groups) > _MOST else ""
    return BadInput(
        f"{folder}: the names of its slices follow {len(groups)} patterns ({', '.join(words)}{more}); keep the slices of "
        "one stack alone in a folder, or number them all in one way."
    )


def _refuse_disorder(folder: Path, files: Sequence[Path]) -> None:
    """z0.5.tif, z1.5.tif, z1.tif: there is one number, but names do not follow it."""
    columns = zip(*([float(number) for number in _DECIMAL.findall(file.stem)] for file in files), strict=True)
    varying = [column for column in columns if len(set(column)) > 1]
    if len(varying) == 1:
        z = next(z for z, (a, b) in enumerate(pairwise(varying[0])) if a >= b)
        raise BadInput(
            f"{folder}: by its name {files[z].name} comes before {files[z + 1].name}, by its number it does not; write all "
            "numbers with the same digits after the point."
        )


def _warn_of_gaps(folder: Path, files: Sequence[Path], numbers: Sequence[float]) -> None:
    gaps = _gaps(numbers)
    if not gaps:
        return
    step = _smallest_step(numbers)
    missing = sum(round((numbers[z] - numbers[z - 1]) / step) - 1 for z in gaps)
    words = [f"between {files[z - 1].name} and {files[z].name}" for z in gaps[:_MOST]]
    more = f" and elsewhere ({len(gaps) - _MOST} more)" if len(gaps) > _MOST else ""
    warn_once(
        f"{folder}: numbers are missing in the names of its {len(files)} slices, {missing} in all: {', '.join(words)}{more}; "
        "what follows a missing slice lies too low in the stack, so look whether slices were lost."
    )


def _gaps(numbers: Sequence[float]) -> list[int]:
    """The slices before which the numbers jump."""
    limit = _UNEVEN * _smallest_step(numbers)
    return [z for z in range(1, len(numbers)) if numbers[z] - numbers[z - 1] > limit]


def _smallest_step(numbers: Sequence[float]) -> float:
    return min((b - a for a, b in pairwise(numbers)), default=1.0)

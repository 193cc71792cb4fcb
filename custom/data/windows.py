"""The grey windows of a labelled data set: one a stack, one a scan, and one for all other 2-D slices of one grey scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from custom.base.errors import BadInput
from custom.data.scans_json import Scan
from custom.stack import GreyWindow, Stack, grey_range, grey_window, grey_window_of, tell_once, warn_once
from custom.stack.formats import stem_of
from custom.stack.numbering import number_key

FAR = 10.0  # spans between two slices' grey values, from which on they cannot be of one scale
WIDER = 8.0  # times the span, from which on one scale for both is worth a word
_MOST = 8  # scans in a sentence

Range = tuple[float, float]


@dataclass
class Scale:
    """2-D slices of one type whose grey values lie near one another.

    Attributes:
        stacks: the slices.
        known: 0.5 and 99.5 percentiles of each, None for a constant slice.
        surround: the values that fill what lies outside the reconstruction in any of them.
        series: what the names of numbered ones have in common.
    """

    stacks: list[Stack]
    known: list[Range | None] = field(default_factory=list)
    surround: set[float] = field(default_factory=set)
    series: set[str] = field(default_factory=set)

    @property
    def ranges(self) -> list[Range]:
        """The percentiles that are known."""
        return [values for values in self.known if values is not None]

    def takes(self, stack: Stack, values: Range | None) -> bool:
        """Whether a slice with these percentiles may be of this scale."""
        if stack.dtype != self.stacks[0].dtype:
            return False
        if values is None or not self.ranges:
            return True
        if (series := _series(stack)) and self.series and series not in self.series:  # of another scan perhaps
            return any(_alike(values, other) for other in self.ranges)
        return min(_distance(values, other) for other in self.ranges) <= FAR

    def words(self) -> str:
        """How many slices, which type, which values."""
        ends = f" from {min(r[0] for r in self.ranges):g} to {max(r[1] for r in self.ranges):g}" if self.ranges else ""
        return f"{len(self.stacks)} of {self.stacks[0].dtype}{ends}, such as {self.stacks[0].path.name}"


def windows_of(stacks: Sequence[Stack], percentiles: Range, fixed: Range | None) -> list[GreyWindow]:
    """The grey window of each stack, in order.

    2-D slices of one type and scale share a window, as one stack of which these are labelled would have it. Slices of
    several scales, such as 8 bit beside 16 bit or several scans, get one for each, and it is said.

    Raises:
        BadInput: whatever `grey_window_of` refuses.
    """
    flat = [stack for stack in stacks if stack.shape[0] == 1]
    scales = _scales(flat) if fixed is None else [Scale(list(flat))] if flat else []
    shared = {
        id(s): window for scale in scales for window in [_of_all(scale, percentiles, fixed)] for s in scale.stacks
    }
    if len(scales) > 1:
        tell_once(
            f"{flat[0].path.parent}: the 2-D slices have {len(scales)} grey scales, each with a grey window of its own: "
            f"{'; '.join(scale.words() for scale in scales)}."
        )
    for scale in scales:
        _tell_of_spans(scale)
    return [shared.get(id(stack)) or _of([stack], percentiles, fixed) for stack in stacks]


def windows_of_files(
    stacks: Sequence[Stack], used: Sequence[int], scans: Sequence[Scan | None], percentiles: Range, fixed: Range | None
) -> list[GreyWindow]:
    """The grey windows of a data set whose scans are told apart, or not.

    Args:
        stacks: all files.
        used: the numbers of those whose windows are wanted.
        scans: for each of `stacks` the scan that it is told to be of, or None: then `windows_of` decides.
        percentiles, fixed: as for `windows_of`.

    Returns:
        the window of each of `used`, in order.

    Raises:
        BadInput: whatever `window_of_scan` and `grey_window_of` refuse.
    """
    alone = [file for file in used if scans[file] is None]
    found = dict(zip(alone, windows_of([stacks[file] for file in alone], percentiles, fixed), strict=True))
    told: list[str] = []
    listing: Path | None = None
    for scan in dict.fromkeys(scan for file in used if (scan := scans[file]) is not None):
        own = [file for file, of in enumerate(scans) if of is scan]
        window = window_of_scan(scan, [stacks[file] for file in own], percentiles, fixed)
        found |= dict.fromkeys(own, window)
        listing = scan.listing
        amount = f"{len(own)} files" if scan.stack is None else f"its stack {scan.stack.name}"
        told.append(f"{scan.name} {window.lower:g} to {window.upper:g} ({amount})")
    if told and fixed is None:
        more = f" and {len(told) - _MOST} more" if len(told) > _MOST else ""
        tell_once(f"{listing}: the grey window of each scan: {', '.join(told[:_MOST])}{more}.")
    return [found[file] for file in used]


def window_of_scan(scan: Scan, stacks: Sequence[Stack], percentiles: Range, fixed: Range | None) -> GreyWindow:
    """One grey window for all files of a scan: that of its stack, as a segmentation of it has it, else that of the files.

    Args:
        scan: which says whether its stack is at hand.
        stacks: its files, labelled or not.
        percentiles, fixed: as for `windows_of`; a fixed window needs no stack.

    Raises:
        BadInput: no such stack, or one whose grey values are others than those of the files.
    """
    if fixed is not None:
        return _of(stacks, percentiles, fixed)
    scales = _scales(stacks)
    every = Scale(list(stacks), [r for s in scales for r in s.known], {v for s in scales for v in s.surround})
    if len(scales) > 1:
        warn_once(
            f"{scan.listing}: the files of the scan {scan.name!r} have {len(scales)} grey scales "
            f"({'; '.join(scale.words() for scale in scales)}) and one grey window; make them scans of their own if they are."
        )
    if scan.stack is None:
        return _of_all(every, percentiles, None)
    window = grey_window(scan.open(), percentiles)
    ends = [end for values in every.ranges for end in values]
    if ends and not _alike((min(ends), max(ends)), (window.lower, window.upper)):
        raise BadInput(
            f"{scan.listing}: the files of the scan {scan.name!r} have grey values from {min(ends):g} to {max(ends):g}, and its stack "
            f"{scan.stack} from {window.lower:g} to {window.upper:g}; give the stack that they were cut from, export the files "
            'anew with its grey values, or leave "stack" away'
        )
    return _with_surrounds(window, every)


def _of(stacks: Sequence[Stack], percentiles: Range, fixed: Range | None) -> GreyWindow:
    return grey_window_of(stacks, percentiles=percentiles, fixed=fixed)


def _of_all(scale: Scale, percentiles: Range, fixed: Range | None) -> GreyWindow:
    """The window knows the surrounds of all slices, though it is found in at most 64 of them."""
    return _with_surrounds(_of(scale.stacks, percentiles, fixed), scale)


def _with_surrounds(window: GreyWindow, scale: Scale) -> GreyWindow:
    # NaN, always math.nan, comes last
    return replace(window, surround=tuple(sorted(scale.surround.union(window.surround), key=lambda v: (v != v, v))))


def _scales(stacks: Sequence[Stack]) -> list[Scale]:
    scales: list[Scale] = []
    for stack in stacks:
        found = grey_range(stack)
        values = None if found is None else (found.lower, found.upper)
        near = next((scale for scale in scales if scale.takes(stack, values)), None)
        if near is None:
            near = Scale([])
            scales.append(near)
        near.stacks.append(stack)
        near.known.append(values)
        near.series |= {series} if (series := _series(stack)) else set()
        near.surround.update(() if found is None else found.surround)
    return scales


def _series(stack: Stack) -> str:
    """What the names of a series of slices have in common: all but the number; empty where there is none."""
    pattern, numbers = number_key(stem_of(stack.path))
    return pattern if numbers else ""


def _alike(one: Range, other: Range) -> bool:
    """Whether two ranges overlap and are about as wide, as those of slices of one scan are."""
    spans = sorted(ends[1] - ends[0] for ends in (one, other))
    return _distance(one, other) == 0 and spans[1] <= WIDER * spans[0]


def _distance(one: Range, other: Range) -> float:
    """The gap between two ranges, in spans of the narrower one."""
    gap = max(one[0], other[0]) - min(one[1], other[1])
    return max(gap, 0.0) / min(one[1] - one[0], other[1] - other[0])


def _tell_of_spans(scale: Scale) -> None:
    named = [
        (r[1] - r[0], stack.path.name) for stack, r in zip(scale.stacks, scale.known, strict=False) if r is not None
    ]
    if named and max(named)[0] > WIDER * min(named)[0]:
        (least, narrow), (most, wide) = min(named), max(named)
        tell_once(
            f"{scale.stacks[0].path.parent}: the grey values of {wide} spread {most / least:.0f} times as far "
            f"as those of {narrow}, and both have one grey window; tell in scans.json which slices are of which scan if "
            "they are not of one scale."
        )

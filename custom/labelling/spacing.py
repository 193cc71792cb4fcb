"""Which slices of a stack to label next: evenly spaced, and away from those that are labelled."""

from __future__ import annotations

from collections.abc import Iterable


def next_slices(depth: int, count: int, labelled: Iterable[int] = ()) -> list[int]:
    """So many slices that leave no wide part of a stack without a label.

    Without labelled slices: the middles of `count` equal parts. Else each goes to the widest part that is left between two
    labelled ones, or between one and an end of the stack, which counts twice, since nothing is labelled beyond it; those of a
    part share it evenly.

    Args:
        depth: slices of the stack.
        count: at most so many; fewer where all others are labelled.
        labelled: slices that need not be labelled again.

    Returns:
        Different slices, ascending, none of them in `labelled`.
    """
    known = sorted({z for z in labelled if 0 <= z < depth})
    ends = [-0.5, *map(float, known), depth - 0.5]
    parts = [_Part(low, high, i > 0, i < len(known)) for i, (low, high) in enumerate(zip(ends, ends[1:], strict=False))]
    for _ in range(min(count, depth - len(known))):
        max(parts, key=_Part.widest).count += 1
    return sorted(z for part in parts for z in part.places())


class _Part:
    """What lies between two labelled slices, or beyond the last.

    Args:
        low, high: its ends, along z.
        first, last: whether a labelled slice lies there, or else the end of the stack.
    """

    def __init__(self, low: float, high: float, first: bool, last: bool) -> None:
        self.low, self.high, self.first, self.last, self.count = low, high, first, last, 0
        self.room = sum(1 for _ in self._free())

    def _free(self) -> range:
        return range(int(self.low) + 1 if self.first else 0, int(self.high) if self.last else int(self.high + 0.5))

    def widest(self) -> float:
        """How far apart labelled slices are, with `count` more."""
        if self.count >= self.room:
            return -1.0
        return (self.high - self.low) / (self.count + self._more()) if self.count + self._more() else float("inf")

    def _more(self) -> float:
        return (self.first + self.last) / 2

    def places(self) -> list[int]:
        """Where they go."""
        step = (self.high - self.low) / (self.count + self._more()) if self.count else 0.0
        begin = self.low + (step if self.first else step / 2)
        free, found = list(self._free()), list[int]()
        for i in range(self.count):
            wanted = begin + i * step
            found.append(min(free, key=lambda z: (abs(z - wanted), z)))
            free.remove(found[-1])
        return found

"""What lies beside projections, raw data for a reconstruction, and gives them away: by names and sizes alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from custom.stack.angles import ANGLES

_FLAT = re.compile(
    r"(data_)?(white|dark|flat|bright|bak|drk)s?(_?field)?s?(_?(pre|post|before|after|data|mean|avg|average|median))?",
    re.IGNORECASE,
)
_PER_FRAME = re.compile(rf"{'|'.join(sorted(ANGLES))}|\w+_angles?|\w*rot|image_key(_control)?", re.IGNORECASE)
_FEW = 4  # angles that say nothing far from an array of as many slices, such as those of a setup

Shape = tuple[int, ...]


def tells(name: str) -> bool:
    """Whether a name is one that goes with projections: a value per image, flat or dark fields."""
    return bool(_PER_FRAME.fullmatch(name) or _FLAT.fullmatch(name))


@dataclass
class Beside:
    """The evidence that a volume is projections, in words such as "/exchange/theta of 900".

    Attributes:
        shape: of the volume.
        fitting: what fits it in size.
        others: what does not, as beside a reconstruction that was saved where its scan is.
    """

    shape: Shape
    fitting: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def look(self, name: str, shape: Shape) -> None:
        """Take in an array that is near: in a group above the volume, or not far below one."""
        leaf = name.rpartition("/")[2]
        if _PER_FRAME.fullmatch(leaf) and _count(shape) > 1:
            self._add(name, shape, self._are_images(_count(shape)))
        elif _FLAT.fullmatch(leaf) and len(shape) > 1:
            self._add(name, shape, shape[-2:] == self.shape[-2:])

    def look_from_afar(self, name: str, shape: Shape) -> None:
        """Take in an array anywhere else: there only a value per image counts, where there are as many as images."""
        leaf = name.rpartition("/")[2]
        if _PER_FRAME.fullmatch(leaf) and _count(shape) == self.shape[0] > _FEW:
            self._add(name, shape, True)

    def _are_images(self, count: int) -> bool:
        """Whether there are as many images, along the first axis or, in sinograms, whose sides mostly differ, the second."""
        return count == self.shape[0] or (len(self.shape) == 3 and count == self.shape[1] != self.shape[2])

    def _add(self, name: str, shape: Shape, fits: bool) -> None:
        words = f"{name} of {'x'.join(map(str, shape))}"
        place = self.fitting if fits else self.others
        if words not in place:
            place.append(words)

    def says(self, name: str) -> str:
        """The evidence in words, for the volume called `name`."""
        size = "x".join(map(str, self.shape))
        return f"its {name} of {size} lies beside {' and '.join((self.fitting or self.others)[:2])}, as projections do,"


def _count(shape: Sequence[int]) -> int:
    count = 1
    for length in shape:
        count *= length
    return count

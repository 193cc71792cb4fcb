"""Measuring the mask that a segmentation has just finished: its `--measure true`.

What measures is imported where it is wanted: numba alone takes a tenth of a second, which every segmentation would wait for.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from custom.base.errors import BadInput
from custom.report.earlier import check_output
from custom.running import OutputFolder
from custom.stack import Stack
from custom.stack.writers import OUTPUT_FORMATS

logger = logging.getLogger("measuring")


@dataclass(frozen=True)
class MeasuredAfterwards:
    """What is measured of a segmentation's mask, in the folder ``measured`` of its own.

    Attributes:
        wanted: whether it is.
        folder: of the segmentation.
        output_format: of its volumes, a key of `OUTPUT_FORMATS`.
        classes: names of the mask's values 1, 2, ...
        thresholds: of the probability, where one is kept.
        slab_height: slices that are measured at once.
        electrodes, thickness_axis, lithium: see `open_cell`.
    """

    wanted: bool
    folder: OutputFolder
    output_format: str
    classes: Sequence[str]
    thresholds: Sequence[float]
    slab_height: int
    electrodes: Any = None
    thickness_axis: Any = None
    lithium: Sequence[str] | None = None

    def check(self, stack: Stack) -> None:
        """What cannot be measured is refused before hours of segmenting.

        Args:
            stack: that is segmented.

        Raises:
            BadInput: electrodes that are not wanted, or cannot be; classes of which none is lithium; a result is there.
        """
        if not self.wanted:
            for name in ("electrodes", "thickness_axis", "lithium"):
                if getattr(self, name) is not None:
                    raise BadInput(
                        f"--{name} {getattr(self, name)}: is for measuring; give --measure true too, or leave {name} away"
                    )
            return
        from custom.measuring.opening import checked_electrodes, lithium_values
        from custom.measuring.results import FIGURES, REPORT

        lithium_values(f"{stack.path}", self.classes, self.lithium)
        if self.electrodes is not None:
            checked_electrodes(stack, self.electrodes, self.thickness_axis)
        check_output(self._path, self.folder.overwrite, (FIGURES, REPORT))

    @property
    def _path(self) -> Path:
        return Path(self.folder.path) / "measured"

    def run(self, stack: Stack) -> None:
        """Measure, where it is wanted; of several processes the one that wrote the mask.

        Args:
            stack: the grey values that were segmented.

        Raises:
            BadInput: see `Measuring.run`.
        """
        if not (self.wanted and self.folder.writes):
            return
        from custom.measuring.opening import open_cell
        from custom.measuring.run import Measuring

        suffix = OUTPUT_FORMATS[self.output_format].suffix
        names = ("mask", "probability", "uncertainty")
        mask, *others = (Path(self.folder.path) / f"{name}{suffix}" for name in names)
        logger.info("Measuring %s; if that is cut off, measure.json with this --mask does it.", mask)

        def opened() -> Any:
            probability, uncertainty = (path if path.exists() else None for path in others)
            given = (self.lithium, self.electrodes, self.thickness_axis)
            deviation = uncertainty if probability else None
            return open_cell(mask, probability, stack, self.classes, *given, deviation=deviation)

        place = replace(self.folder, path=self._path, rank=0, world_size=1)
        Measuring(opened, self.slab_height, place, self.thresholds).run()

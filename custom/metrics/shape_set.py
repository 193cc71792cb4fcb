"""Boundary, centreline and components over a set of slices, with their bootstrap intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from custom.base.classes import UNLABELLED
from custom.base.errors import BadInput
from custom.metrics.bootstrap import ends, z_blocks
from custom.metrics.shape import Shape, shape_scores
from custom.metrics.shape_ratios import drawn_scores, point_scores, shape_ratios

COLUMNS = ("surface_dice", "hd95", "cldice", "components_true", "components_predicted")


class ShapeScores:
    """Collects the slices of one class.

    Their scores are averaged by the slice, not by the tile: a boundary that leaves a tile would end there.

    Args:
        tolerance: distance up to which boundaries agree, in voxels: the shorter side of one within its slice.
        voxel_sizes: (z, y, x) in micrometres by stack; a stack that is not there, or has None, is of square voxels of
            unknown size.

    Raises:
        BadInput: a tolerance of None, which elsewhere switches an option off.
    """

    def __init__(
        self, tolerance: float | None = 1.0, voxel_sizes: Mapping[str, Sequence[float] | None] | None = None
    ) -> None:
        if tolerance is None:
            raise BadInput("--boundary_tolerance null: cannot be; give a number of voxels, 0 for none")
        self.tolerance = float(tolerance)
        self.sides = {stack: size[-2:] for stack, size in (voxel_sizes or {}).items() if size is not None}
        self.clear()

    def clear(self) -> None:
        """Forget all slices."""
        self.places: list[tuple[str, int]] = []
        self.shapes: list[Shape] = []

    def another(self) -> ShapeScores:
        """A collection with the same settings, of another class."""
        other = copy(self)
        other.clear()
        return other

    def add(self, place: tuple[str, int], pred: NDArray[Any], label: NDArray[Any], value: int = 1) -> dict[str, Any]:
        """Score one slice and return its `COLUMNS`, all None where none of its voxels is labelled.

        Args:
            place: stem of the stack and z.
            pred, label: (Y, X); the class is `value`, and 255 in the label is unlabelled.
        """
        labelled = label != UNLABELLED
        if not labelled.any():
            return dict.fromkeys(COLUMNS)
        sides = self.sides.get(place[0])
        spacing = None if sides is None else [side / min(sides) for side in sides]
        shape = shape_scores(pred == value, label == value, labelled, self.tolerance, spacing)
        self.places.append(place)
        self.shapes.append(shape)
        return {name: getattr(shape, name) for name in COLUMNS}

    def summary(self) -> dict[str, Any]:
        """The scores over all slices.

        a: mean over slices, one without the class in label and prediction scores best; b: as a, of the slices whose
        label holds the class; d: the boundary or centreline voxels of all slices counted together.

        Returns:
            surface_dice_a, _b, _d and cldice_a, _b, _d in [0, 1]; hd95_a, _b in voxels and, where every voxel size is
            known, hd95_um_a, _b; component_error_a, _b; components_true and _predicted, summed over slices; n_slices,
            n_empty (label without the class), n_missed (label with it, prediction without), n_unjudged (no boundary is
            labelled); boundary_tolerance; interval_95, bootstrapped over `blocks` blocks of z. None stands for a score
            without a slice to average. Empty where nothing was added.
        """
        if not self.shapes:
            return {}
        blocks = z_blocks(self.places)
        ratios = shape_ratios(self.shapes, blocks, self._voxel_um())
        intervals = {name: ends(scores) for name, scores in drawn_scores(ratios).items()}
        return {
            "boundary_tolerance": self.tolerance,
            **{name: _plain(score) for name, score in point_scores(ratios).items()},
            "components_true": sum(shape.components_true for shape in self.shapes),
            "components_predicted": sum(shape.components_predicted for shape in self.shapes),
            "n_slices": len(self.shapes),
            "n_empty": sum(not shape.present for shape in self.shapes),
            "n_missed": sum(shape.missed for shape in self.shapes),
            "n_unjudged": sum(shape.hd95 is None for shape in self.shapes),
            "interval_95": {name: [_plain(low), _plain(high)] for name, (low, high) in intervals.items()},
            "blocks": int(blocks.max()) + 1,
        }

    def _voxel_um(self) -> list[float] | None:
        """The unit of each slice's distances, where all are known."""
        stacks = [stack for stack, _ in self.places]
        return [min(self.sides[stack]) for stack in stacks] if self.sides.keys() >= set(stacks) else None


def _plain(score: Any) -> float | None:
    return None if np.isnan(score) else float(score)

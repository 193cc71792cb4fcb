"""Joining fields of view: their order, the move of each onto the lowest, and its grey values in the lowest's scale."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from custom.base.errors import BadInput
from custom.region.looking import FieldLook
from custom.region.overlap import LEAST_ALIKE, Ends, Overlap, correlated, overlaps
from custom.region.part import Move, Part, Volume, smoothed, varying
from custom.region.registration import register

LEAST_CORRELATION = (
    0.16  # of what changes along z, in the overlap; of fields that do not overlap it is mostly below 0.1
)
_MOST_VOXELS = 24_000_000  # of a part that is registered; wider slices are averaged over squares first
_MOST_SLICES = 32  # of an overlap, its middle ones
_BROAD = 4.0  # voxels of smoothing within the slice, under which no noise is left of grey values that are compared
_MARGIN = 12  # slices around those that should match, for the smoothing and for what the coarse look was wrong by


@dataclass(frozen=True)
class Joint:
    """How a field of view joins the one below it.

    Attributes:
        move: of the field.
        scale, offset: scale * grey value + offset is the grey value below.
        correlation: in the overlap, of what changes along z.
    """

    move: Move
    scale: float
    offset: float
    correlation: float


NO_JOINT = Joint(Move((0.0, 0.0, 0.0), 0.0), 1.0, 0.0, 1.0)


def join(looks: Sequence[FieldLook]) -> tuple[list[FieldLook], list[Joint]]:
    """The fields from the lowest to the highest, and how each joins the lowest.

    Of the orders in which every field matches the next one, that in which they match best; all are tried of up to seven
    fields, of more the given one and its reverse.

    Args:
        looks: of fields with slices of one shape.

    Raises:
        BadInput: in no order do all neighbours match; it tells of the order that comes closest.
    """
    pairs = _Pairs(looks)
    fault: BadInput | None = None
    for order in pairs.orders():
        joints = [NO_JOINT]
        try:
            for lower, upper in itertools.pairwise(order):
                joints.append(_composed(joints[-1], pairs.joint(lower, upper)))
            return [looks[number] for number in order], joints
        except BadInput as refused:
            fault = fault or refused
    assert fault is not None
    raise fault


class _Pairs:
    """What is known of pairs of fields, each worked out once."""

    def __init__(self, looks: Sequence[FieldLook]) -> None:
        self.looks, self.few = looks, len(looks) <= 7
        ends = [Ends(look.tall) for look in looks] if len(looks) > 1 else []
        near = [pair for pair in itertools.permutations(range(len(ends)), 2) if self.few or abs(pair[0] - pair[1]) == 1]
        self.overlaps = {pair: overlaps(ends[pair[0]], ends[pair[1]]) for pair in near}
        self.joints: dict[tuple[int, int], Joint | BadInput] = {}

    def orders(self) -> list[tuple[int, ...]]:
        """From the one in which neighbours correlate best."""
        numbers = range(len(self.looks))
        every = list(itertools.permutations(numbers)) if self.few else [tuple(numbers), tuple(numbers)[::-1]]
        return sorted(every, key=lambda one: -sum(self._likely(pair) for pair in itertools.pairwise(one)))

    def _likely(self, pair: tuple[int, int]) -> float:
        found = self.overlaps[pair]
        return found[0].correlation if found and found[0].alike >= LEAST_ALIKE else 0.0

    def joint(self, lower: int, upper: int) -> Joint:
        pair = lower, upper
        if pair not in self.joints:
            try:
                self.joints[pair] = joint(self.looks[lower], self.looks[upper], self.overlaps[pair])
            except BadInput as refused:
                self.joints[pair] = refused
        found = self.joints[pair]
        if isinstance(found, BadInput):
            raise found
        return found


def joint(lower: FieldLook, upper: FieldLook, likely: Sequence[Overlap]) -> Joint:
    """How a field joins the one below it, by the first of some overlaps that holds at full resolution.

    Raises:
        BadInput: none does; it tells of the best.
    """
    faults = [(0.0, f"the correlation is 0.00 at best where {LEAST_CORRELATION} is needed")]
    for overlap in likely:
        if overlap.alike < LEAST_ALIKE:
            faults.append((overlap.correlation, _not_alike(overlap.alike)))
            continue
        found, alike = _registered(lower, upper, overlap)
        if found.correlation < LEAST_CORRELATION:
            fault = f"the correlation is {found.correlation:.2f} at best where {LEAST_CORRELATION} is needed"
            faults.append((found.correlation, fault))
        elif alike < LEAST_ALIKE:
            faults.append((found.correlation, _not_alike(alike)))
        else:
            return found
    raise BadInput(
        f"{upper.stack.path}: does not match {lower.stack.path} where they should overlap, {max(faults[1:] or faults)[1]}; give "
        "fields of view that overlap by a tenth or so, or join them yourself and write what you found under fields of a "
        "region.json."
    )


def _not_alike(found: float) -> str:
    return f"the grey values there correlate by {found:.2f} at best where {LEAST_ALIKE} is needed"


def _registered(lower: FieldLook, upper: FieldLook, overlap: Overlap) -> tuple[Joint, float]:
    """A field registered with the one below it at full resolution, in the middle slices of their overlap, and how much alike
    their grey values are there."""
    factor = lower.factor
    start = Move((overlap.shift[0] * lower.thin, overlap.shift[1] * factor, overlap.shift[2] * factor), 0.0)
    first, last = _middle(lower.stack.shape[0], upper.stack.shape[0], start.shift[0])
    voxels = (last - first + 2 * _MARGIN) * math.prod(lower.stack.shape[1:])
    step = max(math.ceil(math.sqrt(voxels / _MOST_VOXELS)), 1)
    below = _part(lower, first - _MARGIN, last + _MARGIN, step)
    above = _part(upper, first - round(start.shift[0]) - _MARGIN, last - round(start.shift[0]) + _MARGIN, step)
    move = register(below, above, start, lower.thin)
    correlation = _correlation(below, above, move)
    found = Joint(move, *_grey_match(below.values, _moved(above, below, move)), correlation)
    return found, _alike(below, above, move)


def _middle(below: int, above: int, shift: float) -> tuple[int, int]:
    """The middle slices of the overlap, in the lower field."""
    first, stop = max(round(shift), 0), min(below, round(shift) + above)
    spare = max(stop - first - _MOST_SLICES, 0)
    return first + spare // 2, stop - (spare - spare // 2)


def _part(look: FieldLook, first: int, stop: int, step: int) -> Part:
    """Those of some slices that there are, NaN outside the reconstruction."""
    depth, rows, columns = look.stack.shape
    first, stop = max(first, 0), min(stop, depth)
    part = np.empty((stop - first, rows // step, columns // step), np.float32)
    for z in range(first, stop):
        plane = look.stack.read(z, z + 1)[0].astype(np.float32)
        plane[~look.inside] = np.nan
        plane = plane[: part.shape[1] * step, : part.shape[2] * step]
        part[z - first] = plane.reshape(part.shape[1], step, part.shape[2], step).mean(axis=(1, 3))
    return Part(part, first, step, (rows, columns))


def _moved(above: Part, below: Part, move: Move) -> Volume:
    """The upper field's part on the voxels of the lower one's."""
    angle = math.radians(move.rotation_deg)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    matrix = np.eye(3)
    matrix[1:, 1:] = turn
    centre = np.array(below.centre)
    within = centre - turn @ (centre + np.array(move.shift[1:]) / below.step)
    shift = np.array([below.first - move.shift[0] - above.first, *within])
    return ndimage.affine_transform(above.values, matrix, shift, below.values.shape, order=1, cval=np.nan)


def _correlation(below: Part, above: Part, move: Move) -> float:
    """Of what changes along z, in the overlap."""
    sigma = max(2 / below.step, 0.7)
    one, moved = _smoothed(below, above, move, sigma)
    both = np.isfinite(moved) & np.isfinite(one)
    there = both.any(axis=(1, 2))
    if np.count_nonzero(there) < 3:
        return 0.0
    one[~both] = moved[~both] = np.nan
    first, second = (varying(some[there], sigma) for some in (one, moved))
    norm = math.sqrt(float((first**2).sum()) * float((second**2).sum()))
    return float((first * second).sum()) / norm if norm else 0.0


def _alike(below: Part, above: Part, move: Move) -> float:
    """Correlation of the grey values in the overlap, see `Overlap.alike`."""
    return correlated(*_smoothed(below, above, move, _BROAD / below.step))


def _smoothed(below: Part, above: Part, move: Move, sigma: float) -> tuple[Volume, Volume]:
    """Both parts smoothed by `sigma` of their voxels within the slice, on the lower one's voxels."""
    one = smoothed(below.values, 0.7, sigma)
    return one, _moved(replace(above, values=smoothed(above.values, 0.7, sigma)), below, move)


def _grey_match(below: Volume, moved: Volume) -> tuple[float, float]:
    """Scale and offset of the upper field's grey values; noise in both is smoothed first, and weighs on neither."""
    one, other = (ndimage.gaussian_filter(part, 1.0, truncate=2) for part in (below, moved))
    both = np.isfinite(one) & np.isfinite(other)
    scale = float(np.std(one[both]) / np.std(other[both]))
    return scale, float(np.mean(one[both]) - scale * np.mean(other[both]))


def _composed(below: Joint, above: Joint) -> Joint:
    """A field's joint with the lowest field, from that of the one below it and its own with that."""
    angle = math.radians(below.move.rotation_deg)
    (z0, y0, x0), (z, y, x) = below.move.shift, above.move.shift
    turned = math.cos(angle) * y - math.sin(angle) * x, math.sin(angle) * y + math.cos(angle) * x
    move = Move((z0 + z, y0 + turned[0], x0 + turned[1]), below.move.rotation_deg + above.move.rotation_deg)
    scale, offset = below.scale * above.scale, below.scale * above.offset + below.offset
    return Joint(move, scale, offset, above.correlation)

"""Joining fields of view: their order, the move of each onto the lowest, and its grey values in the lowest's scale."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from custom.base.errors import BadInput
from custom.region.looking import FieldLook
from custom.region.overlap import Ends, Overlap, best_overlap
from custom.region.part import Move, Part, Volume, band_passed
from custom.region.registration import register

LEAST_CORRELATION = 0.3  # of what changes along z, in the overlap; fields that do not overlap stay below 0.1
_MOST_VOXELS = 40_000_000  # of a part that is registered; wider slices are averaged over squares first
_MOST_SLICES = 32  # of an overlap, its middle ones
_MARGIN = 6  # slices around those that should match, for the smoothing and for what the coarse look was wrong by


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


def check_alike(looks: Sequence[FieldLook]) -> None:
    """Refuse fields that are not of one scan.

    Raises:
        BadInput: slices of different shape, or a different voxel size.
    """
    first = looks[0].stack
    for stack in (look.stack for look in looks[1:]):
        if stack.shape[1:] != first.shape[1:]:
            raise BadInput(
                f"{stack.path}: its slices of {_by(stack.shape[1:])} voxels are not those of {first.path}, "
                f"{_by(first.shape[1:])}; give fields of view of one scan, reconstructed alike."
            )
        one, other = first.voxel_size_um, stack.voxel_size_um
        if one and other and not np.allclose(one, other, rtol=1e-3):
            raise BadInput(
                f"{stack.path}: its voxel size, {_by(other)} um, is not that of {first.path}, {_by(one)} um; "
                "give fields of view of one scan, or the true size of all with --voxel_size_um."
            )


def in_order(looks: Sequence[FieldLook]) -> tuple[list[int], list[Overlap]]:
    """The numbers of the fields from the lowest to the highest, and the overlap of each with the one below it.

    The order in which every field matches the next one best; all orders are tried of up to seven fields, of more the
    given one and its reverse.
    """
    if len(looks) == 1:
        return [0], []
    ends = [Ends(look.coarse) for look in looks]
    count = len(ends)
    found = {pair: best_overlap(ends[pair[0]], ends[pair[1]]) for pair in _pairs(count)}
    orders = itertools.permutations(range(count)) if count <= 7 else (range(count), range(count)[::-1])
    order = list(max(orders, key=lambda one: sum(found[pair].significance for pair in itertools.pairwise(one))))
    return order, [found[pair] for pair in itertools.pairwise(order)]


def _pairs(count: int) -> list[tuple[int, int]]:
    return [pair for pair in itertools.permutations(range(count), 2) if count <= 7 or abs(pair[0] - pair[1]) == 1]


def joint(lower: FieldLook, upper: FieldLook, overlap: Overlap) -> Joint:
    """Register a field with the one below it at full resolution, in the middle slices of their overlap.

    Raises:
        BadInput: what changes along z does not correlate there.
    """
    factor = lower.factor
    start = Move((overlap.shift[0] * factor, overlap.shift[1] * factor, overlap.shift[2] * factor), 0.0)
    first, last = _middle(lower.stack.shape[0], upper.stack.shape[0], start.shift[0])
    step = max(math.ceil(math.sqrt((last - first) * math.prod(lower.stack.shape[1:]) / _MOST_VOXELS)), 1)
    below = _part(lower, first - _MARGIN, last + _MARGIN, step)
    above = _part(upper, first - round(start.shift[0]) - _MARGIN, last - round(start.shift[0]) + _MARGIN, step)
    move = register(below, above, start)
    moved = _moved(above, below, move)
    correlation = _correlation(below.values, moved)
    if correlation < LEAST_CORRELATION:
        raise BadInput(
            f"{upper.stack.path}: does not match {lower.stack.path} where they should overlap, the correlation is "
            f"{correlation:.2f} at best where {LEAST_CORRELATION} is needed; give fields of view that overlap by a tenth "
            "or so, or join them yourself and write what you found under fields of a region.json."
        )
    return Joint(move, *_grey_match(below.values, moved), correlation)


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


def _correlation(below: Volume, moved: Volume) -> float:
    """Of what changes along z."""
    one, other = (band_passed(part, 1.0, along_z=True) for part in (below, moved))
    both = (one != 0) & (other != 0)
    norm = math.sqrt(float((one[both] ** 2).sum()) * float((other[both] ** 2).sum()))
    return float((one[both] * other[both]).sum()) / norm if norm else 0.0


def _grey_match(below: Volume, moved: Volume) -> tuple[float, float]:
    """Scale and offset of the upper field's grey values; noise in both is smoothed first, and weighs on neither."""
    one, other = (ndimage.gaussian_filter(part, 1.0, truncate=2) for part in (below, moved))
    both = np.isfinite(one) & np.isfinite(other)
    scale = float(np.std(one[both]) / np.std(other[both]))
    return scale, float(np.mean(one[both]) - scale * np.mean(other[both]))


def _by(numbers: Sequence[float]) -> str:
    return " x ".join(f"{number:g}" for number in numbers)


def join(looks: Sequence[FieldLook]) -> tuple[list[FieldLook], list[Joint]]:
    """The fields from the lowest to the highest, and how each joins the lowest.

    Raises:
        BadInput: they are not of one scan (`check_alike`), or neighbours do not match (`joint`).
    """
    check_alike(looks)
    order, overlaps = in_order(looks)
    ordered = [looks[number] for number in order]
    joints = [NO_JOINT]
    for lower, upper, overlap in zip(ordered, ordered[1:], overlaps, strict=False):
        joints.append(_composed(joints[-1], joint(lower, upper, overlap)))
    return ordered, joints


def _composed(below: Joint, above: Joint) -> Joint:
    """A field's joint with the lowest field, from that of the one below it and its own with that."""
    angle = math.radians(below.move.rotation_deg)
    (z0, y0, x0), (z, y, x) = below.move.shift, above.move.shift
    turned = math.cos(angle) * y - math.sin(angle) * x, math.sin(angle) * y + math.cos(angle) * x
    move = Move((z0 + z, y0 + turned[0], x0 + turned[1]), below.move.rotation_deg + above.move.rotation_deg)
    scale, offset = below.scale * above.scale, below.scale * above.offset + below.offset
    return Joint(move, scale, offset, above.correlation)

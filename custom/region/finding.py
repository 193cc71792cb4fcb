"""Looking, joining and finding in one: from opened raw stacks to the region of interest that a cell fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from custom.base.errors import BadInput
from custom.region.box import SMALL, Box, bend_of, box_of
from custom.region.coarse import joined_coarse
from custom.region.corners import quads_of
from custom.region.faces import Faces, Scan, faces_of
from custom.region.fields import Field, joined_shape
from custom.region.identity import identity_of
from custom.region.joining import Joint, join
from custom.region.looking import FieldLook, Progress, coarse_factor, look_at
from custom.region.matching import LEAST, check_alike
from custom.region.outline import Outline, outline_of
from custom.region.part import Volume as Coarse
from custom.region.record import Region, Volume
from custom.stack import Stack

_MOST_SPREAD = 3.0  # voxels: points of a flat cell's face are closer to a smooth surface, those of other things are not


@dataclass(frozen=True)
class Look:
    """What was seen on the way to a region.

    Attributes:
        looks: of the fields of view, from the lowest to the highest.
        fields: where they lie.
        coarse: all of them in one, NaN outside the reconstruction.
        factor: how much coarser than the raw grid it is.
    """

    looks: tuple[FieldLook, ...]
    fields: tuple[Field, ...]
    coarse: Coarse
    factor: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """(Z, Y, X) of the raw grid."""
        return joined_shape(self.fields)


class NoCell(BadInput):
    """A raw volume in which no cell was found.

    Attributes:
        look: what was seen of it.
    """

    def __init__(self, sentence: str, look: Look) -> None:
        super().__init__(sentence)
        self.look = look


def find_region(stacks: Sequence[Stack], progress: Progress | None = None) -> tuple[Region, Look]:
    """The region of interest of a flat cell, from one reading of its fields of view and a second one of few slices.

    Args:
        stacks: the fields of view, in any order.
        progress: told how many slices have been read, of how many.

    Returns:
        The region and what was seen; both with the fields from the lowest to the highest.

    Raises:
        BadInput: the stacks are no fields of one scan, neighbours do not match, or more than half is not finite.
        NoCell: nothing there is a flat cell.
    """
    look = look_at_all(stacks, progress)
    outline = outline_of(look.coarse, look.factor)
    if outline is None:
        raise _no_cell(look, "nothing flat stands out from the air around it")
    ordered = [one.stack for one in look.looks]
    faces = faces_of(Scan(ordered, look.fields, [one.inside for one in look.looks]), outline, look.factor)
    if faces is None:
        raise _no_cell(look, "what stands out from the air has no two flat faces")
    box = _box(faces, outline, look.shape)
    if box.residual > _MOST_SPREAD:
        raise _no_cell(look, f"the faces of what stands out are uneven by {box.residual:.1f} voxels")
    return _region(look, outline, faces, box), look


def look_at_all(stacks: Sequence[Stack], progress: Progress | None = None) -> Look:
    """Look at fields of view and join them; see `find_region`."""
    check_alike(stacks)
    total, factor = sum(stack.shape[0] for stack in stacks), coarse_factor(stacks[0].shape)
    looks: list[FieldLook] = []
    for stack in stacks:
        before = sum(one.stack.shape[0] for one in looks)
        looks.append(look_at(stack, factor, _counted(progress, before, total)))
    ordered, joints = join(looks)
    fields = tuple(_field(look, joint) for look, joint in zip(ordered, joints, strict=True))
    coarse = joined_coarse([look.coarse for look in ordered], fields, factor)
    return Look(tuple(ordered), fields, coarse, factor)


def _counted(progress: Progress | None, before: int, total: int) -> Progress | None:
    return None if progress is None else lambda done, _: progress(before + done, total)


def _field(look: FieldLook, joint: Joint) -> Field:
    stack = look.stack
    move, grey = joint.move, (joint.scale, joint.offset)
    return Field(
        stack.path.name, stack.shape, identity_of(stack), move.shift, move.rotation_deg, *grey, joint.correlation
    )  # fmt: skip


def _box(faces: Faces, outline: Outline, shape: tuple[int, int, int]) -> Box:
    """The box of a cell; where the volume or the circle cuts it off, as far as that goes."""
    middle = np.concatenate([faces.points[name] for name in ("first", "last")]).mean(axis=0)
    (_, across), frame = _framed(middle, outline), outline.frame
    ends = {"left": outline.w[0] - across, "right": outline.w[1] - across}
    ends |= {"low": outline.z[0] - middle[0], "high": outline.z[1] - middle[0]}
    missing = {name: ends[name] for name in SMALL if name not in faces.points}
    box = box_of(faces.points, missing, frame.angle)
    cut = {name: _reach(box, name, shape, middle) for name in missing if name in ("low", "high")}
    return box_of(faces.points, missing | cut, frame.angle) if cut else box


def _framed(point: np.ndarray, outline: Outline) -> tuple[float, float]:
    n, w = outline.frame.framed(point[1], point[2])
    return float(n), float(w)


def _reach(box: Box, name: str, shape: tuple[int, int, int], middle: np.ndarray) -> float:
    """How far a box may reach along its z from `middle` without a corner leaving the volume."""
    aside = np.abs(box.turn[0, 1:]) @ np.array(box.sides[1:]) / 2
    shift = float((box.middle - middle) @ box.turn[:, 1]) * box.turn[0, 1]
    room = (middle[0] + shift if name == "low" else shape[0] - 1 - middle[0] - shift) - aside
    return float(-room if name == "low" else room) / float(box.turn[0, 0])


def _region(look: Look, outline: Outline, faces: Faces, box: Box) -> Region:
    first = look.looks[0].stack
    shape = box.shape
    if min(shape[1:]) < LEAST:
        raise _no_cell(
            look, f"the flat thing in it has {shape[0]} x {shape[1]} x {shape[2]} voxels, and networks need {LEAST}"
        )
    return Region(
        quads_of(box.corners()),
        shape,
        Volume(look.shape, first.dtype.name, first.voxel_size_um),
        look.fields,
        bend_of(box),
        fill=round(outline.air, 6),
        found=_told(faces, box),
    )


def _told(faces: Faces, box: Box) -> Mapping[str, Any]:
    """Numbers for a reader."""
    turn = box.turn
    tilt = np.degrees([np.arctan2(turn[1, 0], turn[0, 0]), np.arctan2(turn[2, 0], turn[0, 0])])
    normal = turn[:, 1]
    planes = {
        name: {"normal": _rounded(normal), "distance": round(float(normal @ box.middle + side * box.sides[1] / 2), 3)}
        for name, side in (("first", -1), ("last", 1))
    }
    return {
        "tilt_deg": {"y_along_z": round(float(tilt[0]), 3), "x_along_z": round(float(tilt[1]), 3)},
        "rotation_deg": round(float(np.degrees(np.arctan2(turn[2, 1], turn[1, 1]))), 3),
        "planes": planes,
        "film_voxels": [round(layer.face, 2) for layer in faces.layers],
        "sides_voxels": _rounded(np.array(box.sides)),
        "faces_found": sorted(faces.points),
        "residual_voxels": round(box.residual, 3),
    }


def _rounded(numbers: np.ndarray) -> list[float]:
    return [round(float(number), 5) for number in numbers]


def _no_cell(look: Look, fault: str) -> NoCell:
    names = " and ".join(str(one.stack.path) for one in look.looks[:2]) + (" and more" if len(look.looks) > 2 else "")
    return NoCell(
        f"{names}: no flat cell was found, {fault}; look at the projections in region_look.png, drag the "
        'corners to the cell in region.html, or write the four into a file such as {"corners": {"yx": [[y, x], [y, x], [y, x], '
        "[y, x]]}}, and give the file with --region.",
        look,
    )

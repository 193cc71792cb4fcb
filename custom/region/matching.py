"""A region and the stacks that it is to be taken from: do they belong together, and what the record leaves open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from custom.base.errors import BadInput
from custom.region.corners import AXES, corners_of
from custom.region.fields import Field, joined_shape
from custom.region.identity import identity_of
from custom.region.record import Region, Volume
from custom.region.stretch import check_stretch
from custom.stack import Stack

LEAST = 128  # voxels along y and x: the window that networks see
_SLACK = 0.02  # share of an axis by which a corner may lie outside, as clicks do; at least a voxel


def matched(region: Region, stacks: Sequence[Stack]) -> tuple[Region, tuple[Stack, ...]]:
    """A region with shape, volume and fields of the stacks, and these in the order of its fields.

    Args:
        region: as it was read.
        stacks: opened, in any order.

    Raises:
        BadInput: the stacks are others than the record's, or not of one scan; corners outside the volume; a region
            of under 128 voxels along y or x; a map that stretches any voxel by more than a factor of 2.
    """
    check_alike(stacks)
    fields, ordered = _fields(region, stacks)
    shape = joined_shape(fields)
    if region.volume is not None and region.volume.shape != shape:
        raise BadInput(
            f"{region.name}: is of a volume of {_sizes(region.volume.shape)} voxels (z, y, x), and "
            f"{_names(stacks)} has {_sizes(shape)}; give the region.json of this volume, or run without --region."
        )
    first = ordered[0]
    region = replace(region, fields=fields, volume=Volume(shape, first.dtype.name, first.voxel_size_um))
    check_inside(region)
    if region.shape is None:
        region = replace(region, shape=lengths(corners_of(region.corners, shape[0])))
    assert region.shape is not None
    if min(region.shape[1:]) < LEAST:
        raise BadInput(
            f"{region.name}: the region has {_sizes(region.shape)} voxels (z, y, x), and networks need at least {LEAST} along y "
            "and x; set its corners farther apart."
        )
    check_stretch(region.map(), region.name)
    return region, ordered


def check_alike(stacks: Sequence[Stack]) -> None:
    """Refuse stacks that are no fields of view of one scan.

    Raises:
        BadInput: slices of different shape, voxels of different size or type.
    """
    first = stacks[0]
    for other in stacks[1:]:
        for what, one, two in (
            ("slices (y, x) of", first.shape[1:], other.shape[1:]),
            ("voxels (z, y, x) in um of", first.voxel_size_um, other.voxel_size_um),
            ("voxels of type", first.dtype.name, other.dtype.name),
        ):
            same = (
                one == two if isinstance(one, str) or one is None or two is None else np.allclose(one, two, rtol=1e-4)
            )
            if not same:
                raise BadInput(
                    f"{other.path}: has {what} {_said(two)}, and {first.path} has {_said(one)}; give fields of view of one "
                    "scan, reconstructed alike."
                )


def lengths(corners_3d: np.ndarray) -> tuple[int, int, int]:
    """The shape of a region whose voxels are as large as the raw ones, from its eight corners (2, 2, 2, 3)."""
    edges = [np.linalg.norm(np.diff(corners_3d, axis=axis), axis=-1).mean() for axis in range(3)]
    z, y, x = (int(round(float(edge))) + 1 for edge in edges)
    return z, y, x


def check_inside(region: Region) -> None:
    """Refuse corners that lie outside the volume.

    Raises:
        BadInput: names the first one.
    """
    assert region.volume is not None
    for key, quad in region.corners.quads().items():
        for point in quad:
            for axis, value in zip(AXES[key], point, strict=True):
                last = region.volume.shape[axis] - 1
                slack = max(1.0, _SLACK * last)
                if not -slack <= value <= last + slack:
                    raise BadInput(
                        f"{region.name}: the corner [{point[0]:.6g}, {point[1]:.6g}] of {key} lies outside the volume, whose "
                        f"{'zyx'[axis]} goes from 0 to {last}; move it inside."
                    )


def _fields(region: Region, stacks: Sequence[Stack]) -> tuple[tuple[Field, ...], tuple[Stack, ...]]:
    if not region.fields:
        if len(stacks) > 1:
            raise BadInput(
                f"{region.name}: says nothing of how {len(stacks)} stacks are joined; add their fields to it (a run without "
                "--region writes them), or give one stack."
            )
        return (Field(stacks[0].path.name, stacks[0].shape, identity_of(stacks[0])),), (stacks[0],)
    if len(region.fields) != len(stacks):
        raise BadInput(
            f"{region.name}: is of {len(region.fields)} stacks ({', '.join(one.stack for one in region.fields)}), and "
            f"{len(stacks)} {'is' if len(stacks) == 1 else 'are'} given; give all of them with --stack."
        )
    identities = {id(stack): identity_of(stack) for stack in stacks}
    left, ordered = list(stacks), []
    for one in region.fields:
        found = min(left, key=lambda stack: _distance(one, stack, identities[id(stack)]))
        left.remove(found)
        _check_same(region, one, found, identities[id(found)])
        ordered.append(found)
    told = zip(region.fields, ordered, strict=True)
    fields = tuple(replace(one, stack=stack.path.name, identity=identities[id(stack)]) for one, stack in told)
    return fields, tuple(ordered)


def _distance(one: Field, stack: Stack, identity: str) -> tuple[bool, bool, bool]:
    return one.identity != identity, one.stack != stack.path.name, one.shape != stack.shape


def _check_same(region: Region, one: Field, stack: Stack, identity: str) -> None:
    if one.shape != stack.shape:
        raise BadInput(
            f"{region.name}: is of {one.stack} with {_sizes(one.shape)} voxels (z, y, x), and {stack.path} has "
            f"{_sizes(stack.shape)}; give the region.json of this volume, or run without --region."
        )
    if one.identity not in (None, identity):
        raise BadInput(
            f"{region.name}: is of another volume than {stack.path}, though of the same size; give the region.json of this one, "
            'or take "identity" out of the file if the region is meant for both.'
        )


def _names(stacks: Sequence[Stack]) -> str:
    return str(stacks[0].path) if len(stacks) == 1 else f"the volume joined of {', '.join(s.path.name for s in stacks)}"


def _said(value: object) -> str:
    return _sizes(value) if isinstance(value, tuple) else "unknown size" if value is None else str(value)


def _sizes(shape: Sequence[float]) -> str:
    return " x ".join(f"{size:.6g}" for size in shape)

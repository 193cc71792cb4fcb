"""The one way to open a stack: the suffix decides the reader, or what a folder holds."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from custom.base.errors import BadInput
from custom.stack.folder import FORMAT as FOLDER
from custom.stack.format import Format
from custom.stack.formats import format_of_folder, format_of_name, parts_of, suffixes
from custom.stack.planning import plan_reading
from custom.stack.selection import selection
from custom.stack.stack import Stack
from custom.stack.stack_axes import with_axes
from custom.stack.units import VoxelSize, given_voxel_size, in_um
from custom.stack.warn import warn_once


def open_stack(
    path: str | os.PathLike[str],
    voxel_size_um: float | Sequence[float] | None = None,
    stack_key: str | int | None = None,
    stack_index: int | Sequence[int] | None = None,
    labels: bool = False,
    stack_axes: str | Sequence[str] | None = None,
    scratch_dir: str | os.PathLike[str] | None = None,
    raw_shape: Sequence[int] | None = None,
    raw_dtype: str | None = None,
) -> Stack:
    """Open a stack lazily: headers are read, voxels are not.

    Args:
        path: a folder of 2-D TIFF slices, a Zarr folder, or one file with a suffix of `formats` (in any case).
        voxel_size_um: replaces what the file states; one number for cubes, or three for (z, y, x), in micrometres.
        stack_key: path of the array within an HDF5 file or a Zarr hierarchy; default: /exchange/data in HDF5, in Zarr
            level 0 of an OME-Zarr or the only array.
        stack_index: where a file holds several volumes along further axes (channels, time): position along that axis, or
            one along each of them in the order of the file, counted from 0.
        labels: whether the file holds labels, so that whole slices may be empty.
        stack_axes: what the axes are that would be read as z, y and x, such as "yxz" where the last axis is z.
        scratch_dir: where the voxels of a stack of very tall chunks are kept decoded once slices are read (see
            `Scratch`); None: among the system's temporary files.
        raw_shape: (Z, Y, X) of a file of bare voxels, x the fastest, where nothing beside it says so.
        raw_dtype: its type as numpy calls it, little-endian unless it begins with ">".

    Returns:
        The stack with axes (Z, Y, X), the same for the same volume in every format.

    Raises:
        BadInput: missing, empty, of an unknown suffix, damaged, or not one grey volume; an unusable `voxel_size_um` or
            `stack_axes`; a `stack_key` or `stack_index` that the file has no use for.
    """
    path = Path(path)
    known = _format(path)
    if stack_key is not None and not known.keyed:
        raise BadInput(f"{path}: is of a format without keys; leave --stack_key {stack_key} away.")
    chosen = selection(path, stack_key, stack_index, labels, stack_axes is not None)
    if raw_shape is not None or raw_dtype is not None:
        if not known.bare:
            raise BadInput(f"{path}: says itself how its voxels lie; leave --raw_shape and --raw_dtype away.")
        chosen = replace(chosen, raw_shape=raw_shape, raw_dtype=raw_dtype)
    stack = known.open(path, chosen)
    if stack_axes is not None:
        stack = with_axes(stack, stack_axes)
    stack.selected = {
        "stack_key": stack_key,
        "stack_index": stack_index,
        "stack_axes": stack_axes,
        "raw_shape": raw_shape,
        "raw_dtype": raw_dtype,
    }
    plan_reading(stack, None if scratch_dir is None else Path(scratch_dir), f"{chosen} {stack_axes}")
    if voxel_size_um is not None:
        _resize(stack, given_voxel_size(path, voxel_size_um))
    elif stack.voxel_size is not None and stack.voxel_size.contradicted_by is not None:
        warn_once(f"{path}: {stack.voxel_size.contradiction()}")
    return stack


def takes_key(path: Path) -> bool:
    """Whether the file's format can hold several arrays, of which a `stack_key` names one.

    Raises:
        BadInput: missing, empty or of an unknown suffix.
    """
    return _format(path).keyed


def _resize(stack: Stack, size: VoxelSize) -> None:
    """Replace the size that the file states; direction and origin stay."""
    stack.voxel_size = size
    if stack.place is None:
        return
    before, stack.place = stack.place, stack.place.resized(size.um)
    seen = [before.seen_mm * 1000 * edge for edge in before.spacing[::-1]]
    unset = all(edge == 1 for edge in before.spacing)  # what a writer puts when it knows nothing
    if before is not stack.place and before.stated and not unset and not np.allclose(seen, size.um, rtol=1e-4, atol=0):
        warn_once(
            f"{stack.path}: other programs read its voxels as {in_um(seen)} um, and --voxel_size_um makes them "
            f"{in_um(size.um)} um; results keep the file's direction and origin but have the given size, so that they lie "
            "over it in such programs only once it states that size too."
        )


def _format(path: Path) -> Format:
    if path.is_dir():
        return format_of_folder(path) or FOLDER
    parts = parts_of(path)
    if not path.exists() and not parts:
        raise BadInput(f"{path}: does not exist; check the path.")
    known = format_of_name(path)
    if known is None:
        raise BadInput(
            f"{path}: its format is not known by its suffix; give a folder of slices or a file of "
            f"{', '.join(suffixes())}."
        )
    if not parts and not path.stat().st_size:
        raise BadInput(f"{path}: is empty (0 bytes); copy it again from its source.")
    return known

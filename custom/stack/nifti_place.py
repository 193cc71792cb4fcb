"""Where a NIfTI header says that the voxels lie: in its sform, its qform, both or neither."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.affines import voxel_sizes

from custom.stack.axes import Axes
from custom.stack.place import Place, displacement, place_of, plain_affine
from custom.stack.warn import warn_once

FIELDS = (
    *("qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    *("srow_x", "srow_y", "srow_z"),
)
_APART = 0.1  # voxels; float32 and quaternions stay far below


def nifti_place(path: Path, header: nibabel.Nifti1Header, axes: Axes) -> Place | None:
    """The sform, else the qform, as nibabel and MONAI have it; with neither, what ITK takes for the voxel size.

    Voxels have the size of the zooms, as in ITK, where a form says another.

    Args:
        path: of the file, for the warning where both forms are there and differ.
        header: of the file.
        axes: which of its axes are x, y and z.
    """
    order = [2 if axis is None else len(axes.lengths) - 1 - axis for axis in (axes.x, axes.y, axes.z)]
    if sorted(order) != [0, 1, 2]:
        return None
    zooms = _decimal(header["pixdim"][1:4], header)
    zooms = np.where(zooms > 0, zooms, 1.0)
    forms = [form for name in ("sform", "qform") if (form := _form(header, name, zooms, order)) is not None]
    affine = forms[0] if forms else plain_affine(zooms[order].tolist())
    second = next((form for form in forms[1:] if displacement(affine, form, axes.shape) > _APART), None)
    if second is not None:
        warn_once(
            f"{path}: states two places, the last voxels of its sform and its qform lie "
            f"{displacement(affine, second, axes.shape):.3g} voxels apart; the sform is taken, as nibabel and MONAI do but "
            "ITK and 3D Slicer may not, so write one of the two over the other if programs disagree."
        )
    unit = header.get_xyzt_units()[0]
    place = Place(affine, None if unit == "unknown" else unit, bool(forms), second=second)
    copied = {name: np.array(header[name]) for name in FIELDS} | {"pixdim": np.array(header["pixdim"][:4])}
    return replace(place, seen_mm=place.mm, nifti=copied if order == [0, 1, 2] else None)


def _form(header: nibabel.Nifti1Header, name: str, zooms: np.ndarray, order: list[int]) -> np.ndarray | None:
    """The matrix of a form, its columns in the order of x, y and z; None where it is not set or spans no space."""
    get: Any = getattr(header, f"get_{name}")
    try:
        form, code = get(coded=True)
    except ValueError:  # no quaternion
        return None
    if not code or form is None:
        return None
    form = _decimal(form, header)
    columns = [column if np.any(column) else None for column in form[:3, order].T]
    place = place_of(columns, form[:3, 3], (1, 1, 1), None)
    if place is None:
        return None
    affine = place.affine
    sizes, wanted = voxel_sizes(affine), zooms[order]
    if not np.allclose(sizes, wanted, rtol=0.01, atol=0):
        affine[:3, :3] *= wanted / sizes
    return affine


def _decimal(values: np.ndarray, header: nibabel.Nifti1Header) -> np.ndarray:
    """The shortest decimal forms of numbers that are stored as float32: what was meant (0.00133, not 0.00132999995)."""
    stored = np.asarray(values, header["srow_x"].dtype)
    return np.array([float(str(number)) for number in stored.ravel()]).reshape(stored.shape)

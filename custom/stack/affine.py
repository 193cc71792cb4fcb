"""Where a stack's voxels lie, as programs that lay a mask over its image want to know it."""

from __future__ import annotations

from typing import Any, cast

import nibabel
import nrrd
import numpy as np

from custom.stack.faults import refusing_damage
from custom.stack.stack import Stack
from custom.stack.units import to_um

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def affine_mm(stack: Stack) -> np.ndarray:
    """The 4 x 4 matrix from voxel numbers (x, y, z) to mm, x to the right, y to the front, z up (RAS, as in NIfTI).

    NIfTI and NRRD state it. Elsewhere it is what ITK takes for such a file: the voxel size (1 mm where it is unknown),
    x to the left, y to the back.

    Raises:
        BadInput: the header is damaged.
    """
    name = stack.path.name.lower()
    with refusing_damage(stack.path):
        if name.endswith((".nii", ".nii.gz")):
            return _of_nifti(cast(nibabel.Nifti1Image, nibabel.load(stack.path)))
        if name.endswith((".nrrd", ".nhdr")):
            header = nrrd.read_header(str(stack.path))
            directions = np.asarray(header.get("space directions", []), float)
            if directions.shape == (3, 3):
                return _of_nrrd(header, directions)
    return _plain(stack)


def _of_nifti(image: nibabel.Nifti1Image) -> np.ndarray:
    scale = _mm(image.header.get_xyzt_units()[0])
    return np.diag([scale, scale, scale, 1.0]) @ np.asarray(image.affine, float)


def _of_nrrd(header: dict[str, Any], directions: np.ndarray) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = directions.T
    affine[:3, 3] = header.get("space origin", np.zeros(3))
    affine[:3] *= _mm(header.get("space units", ["mm"])[0])
    lps = str(header.get("space", "left-posterior-superior")).lower() in ("left-posterior-superior", "lps")
    return _LPS_TO_RAS @ affine if lps else affine


def _mm(unit: str) -> float:
    """Millimetres in a unit; one that is no unit of length, such as NIfTI's "unknown", counts as mm, as in ITK."""
    try:
        return to_um(1.0, unit) / 1000
    except ValueError:
        return 1.0


def _plain(stack: Stack) -> np.ndarray:
    z, y, x = (size / 1000 for size in stack.voxel_size_um or (1000.0, 1000.0, 1000.0))
    return _LPS_TO_RAS @ np.diag([x, y, z, 1.0])

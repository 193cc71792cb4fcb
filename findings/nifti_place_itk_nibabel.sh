#!/usr/bin/env bash
# SimpleITK 2.5.7 and nibabel 5.4.2 put one NIfTI file into two places.
# sform of code 2 (aligned) beside another qform of code 1 (scanner): nibabel takes the sform, ITK the qform.
# Both codes 0: nibabel mirrors x and centres the volume, ITK begins at 0.
# Seen: first voxel (RAS, mm) 10 for nibabel and 20 for ITK; with codes 0, 1.5 and 0.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check SimpleITK==2.5.7 nibabel==5.4.2 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import nibabel
import numpy as np
import SimpleITK


def first_x(name):
    """x to the right of the first voxel, in mm: as nibabel and as ITK have it, which counts to the left."""
    return float(nibabel.load(name).affine[0, 3]), -SimpleITK.ReadImage(name).GetOrigin()[0] + 0.0


def moved(x):
    affine = np.eye(4)
    affine[0, 3] = x
    return affine


image = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.uint8), None)
image.set_sform(moved(10), code=2)
image.set_qform(moved(20), code=1)
nibabel.save(image, "both.nii")
image.header["sform_code"] = image.header["qform_code"] = 0
plain = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.uint8), None)
plain.header["sform_code"] = plain.header["qform_code"] = 0
plain.to_filename("none.nii")
print(first_x("both.nii"), first_x("none.nii"))
assert first_x("both.nii") == (10.0, 20.0)
assert first_x("none.nii") == (1.5, 0.0)
PYTHON

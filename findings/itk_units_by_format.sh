#!/usr/bin/env bash
# SimpleITK 2.5.7: the unit that a file states counts in NIfTI and is passed over in NRRD and MetaImage.
# One volume with voxels of 0.65 um; spacing in ITK, which counts in mm: NIfTI 0.00065, NRRD 0.65, MetaImage 0.65.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check SimpleITK==2.5.7 nibabel==5.4.2 pynrrd==1.1.3 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import nibabel
import nrrd
import numpy as np
import SimpleITK

voxels = np.zeros((4, 5, 6), np.uint8)
image = nibabel.Nifti1Image(voxels, np.diag([0.65, 0.65, 0.65, 1]))
image.header.set_xyzt_units("micron")
nibabel.save(image, "a.nii")
nrrd.write("a.nrrd", voxels, {"space": "left-posterior-superior", "space directions": np.eye(3) * 0.65,
                             "space origin": [0, 0, 0], "space units": ["um"] * 3})
with open("a.mha", "wb") as file:
    file.write(b"ObjectType = Image\nNDims = 3\nDimSize = 4 5 6\nElementSpacing = 0.65 0.65 0.65\nDistanceUnits = um\n"
               b"ElementType = MET_UCHAR\nElementDataFile = LOCAL\n" + bytes(120))
spacing = {name: round(SimpleITK.ReadImage(name).GetSpacing()[0], 8) for name in ("a.nii", "a.nrrd", "a.mha")}
print(spacing)
assert spacing == {"a.nii": 0.00065, "a.nrrd": 0.65, "a.mha": 0.65}
PYTHON

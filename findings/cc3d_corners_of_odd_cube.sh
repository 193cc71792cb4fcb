#!/usr/bin/env bash
# connected-components-3d 4.1.1: eight single voxels in the corners of 3 x 3 x 3, which are eight pieces, are refused with a
# RuntimeError about a length; in 4 x 4 x 4 they are counted. Room for labels seems to be made for an eighth of the voxels,
# and of odd lengths more pieces fit in. SciPy and scikit-image count eight in both.
# Seen: 3 x 3 x 3: "RuntimeError: maximum length exception"; 4 x 4 x 4: 8; scipy.ndimage.label: 8 and 8.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check connected-components-3d==4.1.1 numpy==2.4.6 scipy==1.17.1
cd "$folder"
venv/bin/python - <<'PYTHON'
import cc3d
import numpy as np
from scipy import ndimage


def corners(length):
    """A cube whose eight corners are set."""
    cube = np.zeros((length, length, length), bool)
    cube[np.ix_(*[(0, length - 1)] * 3)] = True
    return cube


def counted(cube):
    try:
        return cc3d.connected_components(cube, connectivity=26, return_N=True)[1]
    except RuntimeError as error:
        return f"RuntimeError: {error}"


found = {length: (counted(corners(length)), ndimage.label(corners(length), np.ones((3, 3, 3)))[1]) for length in (3, 4)}
for length, (theirs, scipy) in found.items():
    print(f"{length} x {length} x {length}: cc3d {theirs}, SciPy {scipy}")
assert str(found[3][0]).startswith("RuntimeError") and found[4][0] == 8
assert found[3][1] == found[4][1] == 8
PYTHON

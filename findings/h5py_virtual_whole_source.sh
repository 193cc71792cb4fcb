#!/usr/bin/env bash
# h5py 3.16.0 (HDF5 2.0.0): a virtual dataset whose source was declared with the wrong shape is readable, and scrambled.
# The source declares (2, 3, 4), the file holds (2, 4, 4). Voxels come in the file's flattened order: rows slip, no error.
# Seen: row 0 of the second slice is [12, 13, 14, 15], the last row of the file's first slice.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check h5py==3.16.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import h5py
import numpy as np

with h5py.File("source.h5", "w") as file:
    file["d"] = np.arange(32).reshape(2, 4, 4)
layout = h5py.VirtualLayout((2, 3, 4), "i8")
layout[:] = h5py.VirtualSource("source.h5", "d", (2, 3, 4))
with h5py.File("virtual.h5", "w") as file:
    file.create_virtual_dataset("v", layout)
with h5py.File("virtual.h5") as file:
    read = file["v"][:]
print(read[1, 0].tolist(), "where the source has", np.arange(32).reshape(2, 4, 4)[1, 0].tolist())
assert read.ravel().tolist() == list(range(24))
PYTHON

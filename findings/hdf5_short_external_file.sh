#!/usr/bin/env bash
# h5py 3.16.0 (HDF5 2.0.0): a dataset in external raw storage whose file ends too soon reads as zeros from there on.
# Seen: 6 slices of 4 x 4 declared, a file of 3 slices: the sum of each is [16, 16, 16, 0, 0, 0], without an error.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check h5py==3.16.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import h5py
import numpy as np

np.ones((3, 4, 4), "u2").tofile("scan.raw")
with h5py.File("scan.h5", "w") as file:
    file.create_dataset("d", (6, 4, 4), "u2", external=[("scan.raw", 0, 6 * 16 * 2)])
with h5py.File("scan.h5") as file:
    sums = file["d"][:].sum(axis=(1, 2)).tolist()
print(sums)
assert sums == [16, 16, 16, 0, 0, 0]
PYTHON

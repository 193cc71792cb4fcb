#!/usr/bin/env bash
# pynrrd 1.1.3: of a header's lines all that is not ASCII is dropped, so that a unit of "µm" becomes "m", a million times as long.
# SimpleITK 2.5.7 writes a detached data file's name as it is, in UTF-8: pynrrd then looks for one without its umlaut.
# Seen: units ['m', 'm', 'm'] for a file that says µm three times; data file 'Zelle_.raw' for Zelle_ä.raw.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pynrrd==1.1.3 numpy==2.4.6 SimpleITK==2.5.7
cd "$folder"
venv/bin/python -X utf8 - <<'PYTHON'
import nrrd
import numpy as np
import SimpleITK

voxels = np.zeros((4, 3, 2), np.uint8)
nrrd.write("a.nrrd", voxels, {"spacings": [1.3] * 3, "units": ["um"] * 3})
with open("a.nrrd", "rb") as file:
    written = file.read().replace(b'"um"', '"µm"'.encode())
with open("a.nrrd", "wb") as file:
    file.write(written)
units = nrrd.read_header("a.nrrd")["units"]
SimpleITK.WriteImage(SimpleITK.GetImageFromArray(voxels), "Zelle_ä.nhdr")
data_file = nrrd.read_header("Zelle_ä.nhdr")["data file"]
print("units", units, "data file", repr(data_file), "beside", SimpleITK.ReadImage("Zelle_ä.nhdr").GetSize())
assert list(units) == ["m"] * 3 and data_file == "Zelle_.raw"
PYTHON

#!/usr/bin/env bash
# napari 0.9.2 saves a Labels layer of 8-bit integers as a TIFF of 32 bits and one of numpy's usual integers as one of 64,
# which SimpleITK 2.5.7 (ITK's TIFF reader) refuses: "can not handle images with 64-bit samples".
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check napari==0.9.2 SimpleITK==2.5.7 tifffile==2026.3.3
cd "$folder"
venv/bin/python - 2> /dev/null <<'PYTHON'
import numpy as np
import SimpleITK
import tifffile
from napari.layers import Labels
from napari_builtins.io import napari_write_labels

found = {}
for dtype in (np.uint8, int):
    layer = Labels(np.arange(12).reshape(3, 4).astype(dtype) % 3)
    napari_write_labels("drawn.tif", layer.data, {})
    try:
        read = SimpleITK.ReadImage("drawn.tif").GetPixelIDTypeAsString()
    except RuntimeError as error:
        read = str(error).rpartition("Sorry, ")[2].strip()
    found[np.dtype(dtype).name] = (tifffile.imread("drawn.tif").dtype.name, read)
print(found)
assert found["uint8"] == ("uint32", "32-bit unsigned integer")
assert found["int64"] == ("int64", "can not handle images with 64-bit samples")
PYTHON

#!/usr/bin/env bash
# tifffile 2026.3.3 and Pillow 13.0.0 read one 1-bit mask (WhiteIsZero, as fax and ImageMagick's -monochrome write it) as
# each other's negative: tifffile gives the stored bits, Pillow what viewers show.
# Seen: of 64 voxels 10 for tifffile, 54 for Pillow.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tifffile==2026.3.3 pillow==13.0.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import numpy as np
import tifffile
from PIL import Image

stored = np.zeros((8, 8), bool)
stored.ravel()[:10] = True
tifffile.imwrite("mask.tif", stored, photometric="miniswhite")
with Image.open("mask.tif") as image:
    shown = int((np.asarray(image) > 0).sum())
read = int((tifffile.imread("mask.tif") > 0).sum())
print("tifffile", read, "Pillow", shown)
assert (read, shown) == (10, 54)
PYTHON

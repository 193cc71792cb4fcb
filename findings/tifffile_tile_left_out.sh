#!/usr/bin/env bash
# tifffile 2026.3.3: a tile that is left out (None among the tiles that it is given) on one page of a stack is lost on
# every page behind it too: its bytes are written, the byte count and offset of its place stay 0, and it reads as zeros.
# Seen: of 6 pages, written in one call with the first tile of page 3 left out, pages 3, 4 and 5 have byte counts (0, 256).
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tifffile==2026.3.3 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import numpy as np
import tifffile

volume = np.full((6, 16, 32), 7, np.uint8)
tiles = (None if (z, k) == (3, 0) else volume[z, :, 16 * k : 16 * k + 16] for z in range(6) for k in (0, 1))
tifffile.imwrite("a.tif", tiles, shape=volume.shape, dtype=np.uint8, tile=(16, 16))
with tifffile.TiffFile("a.tif") as tiff:
    counts = [tuple(map(int, page.databytecounts)) for page in tiff.pages]
lost = [int((page == 0).sum()) for page in tifffile.imread("a.tif")]
print("byte counts", counts, "zeros a page", lost)
assert counts == [(256, 256)] * 3 + [(0, 256)] * 3 and lost[4] > 0
PYTHON

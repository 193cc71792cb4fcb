#!/usr/bin/env bash
# tifffile 2026.3.3: a volume (z, y, x) written as OME-TIFF without naming its axes is described as channels of one slice.
# Programs that go by the description then show 40 slices of a tomogram as 40 channels at one z.
# Seen: SizeZ 1 and SizeC 40 in the OME-XML, axes CYX on reading; with metadata={"axes": "ZYX"} SizeZ 40 and ZYX.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tifffile==2026.3.3 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import re

import numpy as np
import tifffile

volume = np.zeros((40, 16, 16), np.uint16)
seen = {}
for name, options in (("unnamed", {}), ("named", {"metadata": {"axes": "ZYX"}})):
    tifffile.imwrite(f"{name}.ome.tif", volume, ome=True, photometric="minisblack", **options)
    with tifffile.TiffFile(f"{name}.ome.tif") as file:
        sizes = {axis: int(re.search(f'Size{axis}="([0-9]+)"', file.ome_metadata).group(1)) for axis in "ZC"}
        seen[name] = file.series[0].axes, sizes
    print(name, *seen[name])
assert seen == {"unnamed": ("CYX", {"Z": 1, "C": 40}), "named": ("ZYX", {"Z": 40, "C": 1})}
PYTHON

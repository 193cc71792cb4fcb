#!/usr/bin/env bash
# mrcfile 1.5.4: bytes that IMOD wrote without a sign (its stamp at byte 152 of the header, bit 1 of the flags behind it not set,
# https://bio3d.colorado.edu/imod/doc/mrc_format.txt) come as int8, without a word: 200 is -56, and the brightest half of an
# 8-bit reconstruction is darker than the rest.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mrcfile==1.5.4 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import struct

import mrcfile
import numpy as np

grey = np.array([[[0, 100], [127, 128], [200, 255]]], np.uint8)
with mrcfile.new("signed.mrc") as file:
    file.set_data(grey.view(np.int8))
    file.header.dmin, file.header.dmax = 0, 255
header = bytearray(open("signed.mrc", "rb").read())
header[152:160] = struct.pack("<2i", 1146047817, 0)
open("imod.mrc", "wb").write(header)
with mrcfile.open("imod.mrc") as file:
    found = file.data.ravel().tolist()
    print("written", grey.ravel().tolist(), "read", found, file.data.dtype, "header says", file.header.dmin, file.header.dmax)
assert found == [0, 100, 127, -128, -56, -1], found
PYTHON

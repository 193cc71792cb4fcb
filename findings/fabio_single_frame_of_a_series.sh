#!/usr/bin/env bash
# fabio 2026.6.0: of an EDF file of one frame, getframe(0) is not its frame: it opens the file of its series that has the number 0.
# Beside slice_0000.edf, slice_0003.edf gives the voxels of slice_0000.edf, without a word; where there is no such file it raises
# FileNotFoundError. frames() gives the file's own frame. Of a file of several frames both are its own.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check fabio==2026.6.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - 2> /dev/null <<'PYTHON'
import fabio
import numpy as np
from fabio.edfimage import EdfImage

for number in (0, 3):
    EdfImage(data=np.full((4, 5), number, np.uint16)).write(f"slice_{number:04d}.edf")
several = EdfImage(data=np.full((4, 5), 7, np.uint16))
several.append_frame(data=np.full((4, 5), 8, np.uint16))
several.write("frames_0003.edf")

image = fabio.open("slice_0003.edf")
found = [int(image.data[0, 0]), int(image.getframe(0).data[0, 0]), int(next(iter(image.frames())).data[0, 0])]
print("slice_0003.edf: data, getframe(0), first of frames():", found)
assert found == [3, 0, 3], found
image = fabio.open("frames_0003.edf")
found = [int(image.getframe(number).data[0, 0]) for number in (0, 1)]
print("two frames: getframe(0), getframe(1):", found)
assert found == [7, 8], found
EdfImage(data=np.zeros((4, 5), np.uint16)).write("alone_0009.edf")
try:
    fabio.open("alone_0009.edf").getframe(0)
except FileNotFoundError as error:
    print("alone_0009.edf: FileNotFoundError", error)
else:
    raise AssertionError("alone_0009.edf: no error")
PYTHON

#!/usr/bin/env bash
# MONAI 1.6.1 on torch 2.13.0: RandZoomd with the modes "bilinear" for an image and "nearest" for its label, which suit its
# other spatial transforms, moves the two apart: a disc zoomed by .7 by .36 voxel of the result along each axis, by 1.4 by .53,
# since torch's interpolation rounds the places of "nearest" down. With "nearest-exact" they stay together to .02 voxel, and with
# RandAffined's "nearest" to .07.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 monai==1.6.1
"$folder/venv/bin/python" - 2> /dev/null <<'PYTHON'
import numpy as np
from monai.transforms import RandAffined, RandZoomd

y, x = np.mgrid[:128, :128]
disc = ((y - 60) ** 2 + (x - 70) ** 2 < 30**2).astype(np.float32)[None]
both = ["image", "label"]


def apart(transform):
    moved = transform({"image": disc.copy(), "label": disc.copy()})
    middles = [np.argwhere(np.asarray(moved[name][0]) > 0.5).mean(axis=0) for name in both]
    return (middles[1] - middles[0]).round(2).tolist()


found = {}
for zoom in (0.7, 1.4):
    for mode in ("nearest", "nearest-exact"):
        found[zoom, mode] = apart(RandZoomd(both, prob=1, min_zoom=zoom, max_zoom=zoom, mode=["bilinear", mode]))
    by = 1 / zoom - 1
    found[zoom, "affine"] = apart(RandAffined(both, prob=1, scale_range=[[by, by]] * 2, mode=["bilinear", "nearest"]))
for case, by in found.items():
    print(*case, by)
    low, high = (0.3, 0.6) if case[1] == "nearest" else (-0.1, 0.1)
    assert all(low < along < high for along in by), (case, by)
PYTHON

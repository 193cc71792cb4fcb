#!/usr/bin/env bash
# MONAI 1.6.1 on torch 2.13.0: with meta data switched off by set_track_meta(False), which takes a third off the time of small
# random transforms, RandLambdad raises "empty 'applied_operations'" on a plain tensor: it makes a MetaTensor of it and takes back a
# record that nothing has written. Lambdad, RandFlipd and RandScaleIntensityd do what they do otherwise.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 monai==1.6.1
"$folder/venv/bin/python" - 2> /dev/null <<'PYTHON'
import torch
from monai.data import set_track_meta
from monai.transforms import Lambdad, RandFlipd, RandLambdad, RandScaleIntensityd

each = {
    "Lambdad": Lambdad("image", torch.neg),
    "RandFlipd": RandFlipd("image", prob=1),
    "RandScaleIntensityd": RandScaleIntensityd("image", factors=0.1, prob=1),
    "RandLambdad": RandLambdad("image", torch.neg, prob=1),
}
found = {}
for track in (True, False):
    set_track_meta(track)
    for name, transform in each.items():
        try:
            transform({"image": torch.ones(1, 8, 8)})
            found[name, track] = "done"
        except Exception as error:
            found[name, track] = f"{type(error).__name__}: {str(error)[-40:]}"
        print(name, "tracked" if track else "not tracked", found[name, track])
assert all(told == "done" for (name, track), told in found.items() if track or name != "RandLambdad")
assert "empty 'applied_operations'" in found["RandLambdad", False]
PYTHON

"""A bundle's network as a program that torch alone runs, and a batch of patches with their logits to try it with."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from custom.base.errors import BadInput
from custom.sharing.exporting import export, patch_batch
from custom.sharing.fitting import build_network
from custom.sharing.naming import own_package
from custom.sharing.running import LIMIT
from custom.sharing.staging import renamed_values
from custom.weights import load_weights

PROGRAM = "models/model.pt2"
INPUT, OUTPUT = "selftest/input.npy", "selftest/output.npy"
# another processor sums in another order; of the largest logit
MOST_DIFFERENCE = 1e-3
# with -I it sees neither this project nor the directory that it is called from
_TRY = """
import sys
import numpy, torch
program, patches, logits = sys.argv[1:]
wanted = torch.from_numpy(numpy.load(logits))
with torch.no_grad():
    found = torch.export.load(program).module()(torch.from_numpy(numpy.load(patches)))
assert "monai" not in sys.modules
print(found.shape == wanted.shape and float((found - wanted).abs().max() / wanted.abs().max()))
"""


def write_program(folder: Path, classes: Sequence[str]) -> torch.nn.Module:
    """Export the network of a bundle's folder into it, with patches (2, 1, side, side) in [0, 1] and their logits.

    Args:
        folder: of the bundle, with its configs and weights.
        classes: what the weights find.

    Returns:
        the network, with its weights, in eval mode.
    """
    config = json.loads((folder / "configs/inference.json").read_text(encoding="utf-8"))
    network = build_network(renamed_values(config, folder.name, own_package()), classes).eval()
    load_weights(network, folder / "models/model.pt")
    side = int(config["default_patch_size"])
    export(network, folder / PROGRAM, side)
    patches = patch_batch(2, side)
    with torch.no_grad():
        logits = network(patches)
    np.save(folder / INPUT, patches.numpy())
    np.save(folder / OUTPUT, logits.numpy())
    return network


def try_program(path: Path, name: str) -> str:
    """Run a bundle's program on its own patches, in a process that has torch and no MONAI.

    Args:
        path: the zip; its program is torch's to read, which evaluates expressions of it.
        name: of its folder.

    Returns:
        one line that says how far its logits are from those that travel with it.

    Raises:
        BadInput: there is no program in the bundle, it fails, or it finds something else.
    """
    with tempfile.TemporaryDirectory(prefix="program_") as aside:
        with zipfile.ZipFile(path) as archive:
            held = set(archive.namelist())
            wanted = [f"{name}/{part}" for part in (PROGRAM, INPUT, OUTPUT)]
            if missing := [part for part in wanted if part not in held]:
                raise BadInput(
                    f"{path}: has no {missing[0]}, as bundles have that were packed before; give --selftest true, or pack it anew"
                )
            archive.extractall(aside, wanted)
        command = [sys.executable, "-I", "-B", "-c", _TRY, *(str(Path(aside) / part) for part in wanted)]
        try:
            ended = subprocess.run(command, cwd=aside, capture_output=True, text=True, timeout=LIMIT)
        except subprocess.TimeoutExpired as error:
            raise BadInput(f"{path}: {PROGRAM} does not end; try on an idle machine") from error
    if ended.returncode:
        said = (ended.stderr.strip().splitlines() or ["no message"])[-1][:300]
        raise BadInput(f"{path}: {PROGRAM} does not run here ({said}); install the torch of its requirements.txt")
    share = float("inf") if ended.stdout.strip() == "False" else float(ended.stdout)
    if not share <= MOST_DIFFERENCE:
        raise BadInput(
            f"{path}: {PROGRAM} finds other logits here (by {share:.2g} of the largest); ask for a mended bundle"
        )
    return f"{PROGRAM} works here without MONAI: its logits differ by {share:.2g} of the largest"

"""A packed bundle as a model of bioimage.io too: rdf.yaml, ONNX beside the state dict, and tensors to test them with.

Specification: bioimage.io model description 0.5.14, https://github.com/bioimage-io/spec-bioimage-io. It is written here as plain
YAML and validated with `bioimageio.spec` in the tests alone, which brings a great deal along.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import yaml

from custom.base.digest import sha256_of
from custom.base.errors import BadInput
from custom.sharing.execution import steps
from custom.sharing.exporting import export
from custom.sharing.fitting import alone
from custom.sharing.program import INPUT, OUTPUT
from custom.sharing.trust import full_name

DESCRIPTION = "rdf.yaml"
_FORMAT = "0.5.14"
_ONNX, _STATE = "models/model.onnx", "models/model.pt"
_OF_A_CONFIG = ("_target_", "_requires_", "_desc_", "_disabled_", "_mode_")
# no processing of a patch can know the window, so that none is described
_GREY = "grey values scaled to [0, 1] by one window of the whole stack (grey_window in models/model.json)"


def describe(folder: Path, classes: Sequence[str], network: torch.nn.Module) -> None:
    """Write the description into a bundle's folder, and the ONNX that it names.

    Args:
        folder: that has all else already, `write_program`'s tensors too.
        classes: what the weights find.
        network: of the bundle, with its weights, in eval mode.

    Raises:
        BadInput: the packages that write ONNX are not installed, or the network's arguments are no plain values.
    """
    config = json.loads((folder / "configs/inference.json").read_text(encoding="utf-8"))
    meta = json.loads((folder / "configs/metadata.json").read_text(encoding="utf-8"))
    side = int(config["default_patch_size"])
    export(network, folder / _ONNX, side)
    said = {
        **_about(meta, folder.name),
        "inputs": [_tensor(folder, "image", INPUT, ["grey value"], side, _GREY)],
        "outputs": [_tensor(folder, "logits", OUTPUT, _channels(classes), side, _meaning(classes))],
        "weights": {
            "onnx": {**_file(folder, _ONNX), "opset_version": _opset(folder / _ONNX), "parent": "pytorch_state_dict"},
            "pytorch_state_dict": {
                **_file(folder, _STATE),
                "architecture": architecture(config["network_def"], side, len(_channels(classes))),
                "pytorch_version": meta["pytorch_version"],
            },
        },
    }
    text = yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=120)
    (folder / DESCRIPTION).write_text(text, encoding="utf-8", newline="\n")


def architecture(network_def: Mapping[str, Any], side: int, channels: int) -> dict[str, Any]:
    """The class of a config's network, where it is imported from, and its arguments, without references.

    The bundle's own are imported from its package, which lies in its folder.

    Raises:
        BadInput: an argument is what MONAI alone can read, other than the patch size and the number of channels.
    """
    dotted = str(network_def["_target_"])
    module, _, name = (dotted if "." in dotted else full_name(dotted) or dotted).rpartition(".")
    known = {"@patch_size": side, "@channels": channels}
    given = {key: value for key, value in alone(network_def).items() if key not in _OF_A_CONFIG}
    kwargs = {key: known.get(value, value) if isinstance(value, str) else value for key, value in given.items()}
    for key, value in kwargs.items():
        if any(step.kind != "calls" for step in steps("", value)) or '"@' in json.dumps(value):
            raise BadInput(
                f"network_def#{key}: {value} is for MONAI alone to read, and a model of bioimage.io needs the value; write it "
                "there in the network_*.json, or leave --bioimageio away"
            )
    return {"callable": name, "import_from": module, "kwargs": kwargs}


def _about(meta: Mapping[str, Any], package: str) -> dict[str, Any]:
    return {
        "format_version": _FORMAT,
        "type": "model",
        "name": str(meta["name"]),
        "description": str(meta["description"]),
        "authors": [{"name": str(meta["authors"])}],
        "cite": [{"text": reference, "doi": "10.3390/jimaging9060111"} for reference in meta["references"]],
        "license": "Apache-2.0",
        "documentation": {"source": "docs/README.md"},
        "tags": ["lithium", "battery", "x-ray-ct", "segmentation", "semantic-segmentation", "pytorch", "monai", "2d"],
        "version": str(meta["version"]),
        "config": {"monai": {"bundle": package, "metadata": "configs/metadata.json"}},
    }


def _tensor(folder: Path, name: str, test: str, channels: list[str], side: int, meaning: str) -> dict[str, Any]:
    space = [{"type": "space", "id": axis, "size": side} for axis in "yx"]
    return {
        "id": name,
        "description": meaning,
        "axes": [{"type": "batch"}, {"type": "channel", "channel_names": channels}, *space],
        "test_tensor": _file(folder, test),
        "data": {"type": "float32"},
    }


def _channels(classes: Sequence[str]) -> list[str]:
    return list(classes) if len(classes) == 1 else ["background", *classes]


def _meaning(classes: Sequence[str]) -> str:
    if len(classes) == 1:
        return f"logits: 1 / (1 + exp(-logit)) is the probability of {classes[0]:.40}"
    return "logits: their softmax over the channels is the probability of each class"


def _file(folder: Path, name: str) -> dict[str, str]:
    return {"source": name, "sha256": sha256_of(folder / name)}


def _opset(path: Path) -> int:
    import onnx

    return int(onnx.load(str(path), load_external_data=False).opset_import[0].version)

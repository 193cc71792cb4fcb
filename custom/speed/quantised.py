"""A network in 8 bits, as it lies beside the weights that it was made of, with the record of how far its masks differ."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from custom.base.errors import BadInput
from custom.speed.openvino import Engine, core

LEAST_DICE = 0.999  # of its masks, to those of the network in fp32
_CURE = "make it by quantise.json, or give --engine openvino"


@dataclass(frozen=True)
class Quantised:
    """Two files of OpenVINO, and their record.

    Attributes:
        path: of the ``.xml``; the ``.bin`` lies beside it.
        record: what `quantise` noted.
    """

    path: Path
    record: dict[str, Any]

    @property
    def sha256(self) -> str:
        """Digest of both files, as noted; `quantised_beside` has compared it with them."""
        return str(self.record["sha256"])

    @property
    def told(self) -> dict[str, Any]:
        """What summary.json says of it."""
        return {"file": str(self.path), "sha256": self.sha256, "dice_to_fp32": self.record["dice_to_fp32"]}


def digest(path: Path) -> str:
    """SHA-256 of a ``.xml`` and the ``.bin`` beside it, one after the other."""
    found = hashlib.sha256(path.read_bytes())
    found.update(path.with_suffix(".bin").read_bytes())
    return found.hexdigest()


def place_of(weights: Any) -> Path:
    """Where the 8 bits of weights lie: ``model.int8.xml`` beside ``model.pt``.

    Raises:
        BadInput: the weights are those of several networks.
    """
    if not isinstance(weights, (str, os.PathLike)):
        raise BadInput("--engine int8: runs one network, and an E-Net has several; give --engine openvino")
    return Path(weights).with_suffix(".int8.xml")


def quantised_beside(weights: Any, sha256: Any) -> Quantised:
    """What lies beside weights.

    Args:
        weights: path of their file.
        sha256: their digest.

    Raises:
        BadInput: there is none, it was made of other weights, or it is not what was recorded.
    """
    path = place_of(weights)
    record = path.with_suffix(".json")
    try:
        told: Any = json.loads(record.read_text(encoding="utf-8"))
        found = Quantised(path, told)
        made_of, noted, dice, now = (
            told["weights_sha256"],
            told["sha256"],
            min(told["dice_to_fp32"].values()),
            digest(path),
        )
    except FileNotFoundError as error:
        raise BadInput(f"{error.filename}: is not there, which --engine int8 runs; {_CURE}") from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadInput(f"{record}: cannot be read as the record of a network in 8 bits; {_CURE}") from error
    if made_of != sha256:
        raise BadInput(f"{path}: was made of other weights than {weights}; {_CURE}")
    if noted != now:
        raise BadInput(f"{path}: is not the file that {record.name} describes, or its .bin is not; {_CURE}")
    if not dice >= LEAST_DICE:
        raise BadInput(f"{record}: tells of a Dice of {dice} to the masks of fp32, below {LEAST_DICE}; {_CURE}")
    return found


def run_quantised(network: nn.Module, quantised: Quantised, shape: Sequence[int], precision: str) -> nn.Module:
    """Let the 8 bits run in place of a network from now on, in place, and return it.

    Args:
        network: that they were made of.
        quantised: of it.
        shape: of the batches (B, C, Y, X) that it is going to take.
        precision: of the layers that stay as they are.

    Raises:
        BadInput: they were made for other windows, or OpenVINO cannot read them.
    """
    made_for = list(quantised.record.get("window") or ())
    if made_for != list(shape[1:]):
        raise BadInput(f"{quantised.path}: was made for windows of {made_for}, not {list(shape[1:])}; {_CURE}")
    try:
        model = core().read_model(str(quantised.path))
        model.reshape(list(shape))
        network.forward = Engine(model, shape[0], precision)
    except Exception as error:  # of whichever of its parts
        raise BadInput(
            f"{quantised.path}: OpenVINO cannot run it ({str(error).strip().splitlines()[0][:200]}); {_CURE}"
        ) from error
    return network

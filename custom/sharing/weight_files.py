"""A bundle's weights, read from the zip as tensors only and laid on the network that its config declares."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load

from custom.base.errors import BadInput
from custom.sharing.fitting import build_network
from custom.sharing.naming import own_package
from custom.sharing.staging import renamed_values
from custom.weights import first_difference, first_not_finite


def tensors(path: Path, name: str, content: bytes) -> dict[str, torch.Tensor]:
    """A state dict, never unpickled further than tensors.

    Args:
        path: the bundle, for the refusal.
        name: the file's name in it, .pt or .safetensors.

    Raises:
        BadInput: the file holds anything else, or numbers that are none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the refusal says all there is to say
            found = (
                load(content)
                if name.endswith(".safetensors")
                else torch.load(io.BytesIO(content), "cpu", weights_only=True)
            )
        if not isinstance(found, Mapping) or not all(isinstance(value, torch.Tensor) for value in found.values()):
            raise TypeError("not a flat state dict")
    except Exception as error:
        raise BadInput(
            f"{path}: {name} holds more than tensors and is not opened further; do not use this file"
        ) from error
    if fault := first_not_finite(found):
        raise BadInput(f"{path}: {name} is of a training that diverged ({fault}); ask for a mended bundle")
    return dict(found)


def check_same(path: Path, pickled: Mapping[str, torch.Tensor], plain: Mapping[str, torch.Tensor]) -> None:
    """Refuse a bundle whose two weights files differ.

    Raises:
        BadInput: names the first key in which they do.
    """
    fault = first_difference(pickled, plain) or next(
        (f"{key!r} has other values" for key, value in pickled.items() if not torch.equal(value, plain[key])), None
    )
    if fault:
        raise BadInput(f"{path}: model.pt and model.safetensors differ ({fault}); ask for a mended bundle")


def check_fit(
    path: Path, name: str, config: Mapping[str, Any], state: Mapping[str, torch.Tensor], classes: Sequence[str]
) -> None:
    """Build the network of a config that was found harmless, from this installation's classes, and compare strictly.

    Args:
        path: the bundle, for the refusal.
        name: the bundle's package, for which this one stands in.
        config: its inference.json.
        state: its weights.
        classes: what they were trained for.

    Raises:
        BadInput: the network cannot be built, or the weights are another's.
    """
    try:
        network = build_network(renamed_values(config, name, own_package()), classes)
    except Exception as error:
        said = " ".join(str(error.__cause__ or error).split())[:160]
        raise BadInput(
            f"{path}: network_def of inference.json cannot be built ({said}); ask for a mended bundle"
        ) from error
    if fault := first_difference(network.state_dict(), state):
        raise BadInput(f"{path}: model.pt holds the weights of another network ({fault}); ask for a mended bundle")

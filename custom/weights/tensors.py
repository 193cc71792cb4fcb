"""Network weights in and out of files: tensors only, strict, never unpickled."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load

from custom.base.digest import sha256_of
from custom.base.errors import BadInput
from custom.weights.channels import other_classes

WeightsPath = str | os.PathLike[str]


def read_state(path: WeightsPath) -> dict[str, torch.Tensor]:
    """A flat state dict of tensors from a .pt or .safetensors file.

    Raises:
        BadInput: a missing file, one that is not tensors only (it is not unpickled), a training checkpoint, or weights
            that are not numbers.
    """
    file = _existing(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the refusal says all there is to say
            # from bytes: its own reader takes UTF-8 names alone
            packed = file.suffix == ".safetensors"
            state = load(file.read_bytes()) if packed else torch.load(file, "cpu", weights_only=True)
    except Exception as error:
        raise BadInput(
            f"{file}: is not a file of tensors only and is not opened further; give --weights a model.pt "
            "(a flat state dict) or a .safetensors file"
        ) from error
    if isinstance(state, Mapping) and "trainer" in state:
        raise BadInput(f"{file}: is a training checkpoint; give --weights the model.pt beside it")
    if not isinstance(state, Mapping) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise BadInput(f"{file}: holds more than named tensors; give --weights a flat state dict such as model.pt")
    if fault := first_not_finite(state):
        raise BadInput(
            f"{file}: is of a training that diverged ({fault}), so that nothing can be found with it; give --weights the "
            "model.pt of another one"
        )
    return dict(state)


def load_weights(
    network: torch.nn.Module, path: WeightsPath | Sequence[WeightsPath] | None, classes: Sequence[str] | None = None
) -> torch.nn.Module:
    """Load weights strictly, and return the network.

    Args:
        network: takes the weights as they are; with several paths its `members` take one file each, in order.
        path: a .pt or .safetensors file, or one per member of an ensemble.
        classes: what the network was built for.

    Raises:
        BadInput: whatever `read_state` refuses, weights of other classes (says how many), or of another network (names
            the first differing key).
    """
    if path is None:
        raise BadInput("--weights null: names no weights; give a model.pt that a training wrote")
    if not isinstance(path, (str, os.PathLike)):
        members = getattr(network, "members", None)
        if members is None or len(members) != len(path):
            raise BadInput(
                f"--weights {list(path)}: several files need an ensemble with as many members; give one file"
            )
        for member, file in zip(members, path, strict=True):
            load_weights(member, file, classes)
        return network
    state = read_state(path)
    wanted = network.state_dict()
    if fault := other_classes(wanted, state, classes) if classes else None:
        raise BadInput(f"{path}: {fault}")
    if fault := first_difference(wanted, state):
        raise BadInput(
            f"{path}: are the weights of another network ({fault}); give the network_*.json that they were trained with"
        )
    network.load_state_dict(state)
    return network


def start_from(
    network: torch.nn.Module, path: WeightsPath | Sequence[WeightsPath] | None, classes: Sequence[str] | None = None
) -> torch.nn.Module:
    """The network with the weights of `path`, or as it was initialised where `path` is None."""
    return network if path is None else load_weights(network, path, classes)


def first_difference(wanted: Mapping[str, torch.Tensor], given: Mapping[str, torch.Tensor]) -> str | None:
    """The first key in which two state dicts differ by name or shape, in words; None where they fit."""
    for key, tensor in wanted.items():
        if key not in given:
            return f"{key!r} is missing"
        if given[key].shape != tensor.shape:
            return f"{key!r} is {tuple(given[key].shape)} and should be {tuple(tensor.shape)}"
    return next((f"{key!r} is unknown" for key in given if key not in wanted), None)


def first_not_finite(state: Mapping[str, torch.Tensor]) -> str | None:
    """The first key that holds NaN or an infinite number, in words; None where all numbers are finite.

    A mask of attention, two axes or more of 0 and minus infinity alone, is no fault.
    """
    for key, stored in state.items():
        if not (stored.is_floating_point() or stored.is_complex()):
            continue
        tensor = stored.float() if stored.element_size() == 1 else stored  # torch compares no float8
        if bool(torch.isfinite(tensor).all()):
            continue
        nan = int(torch.isnan(tensor).sum())
        if nan or tensor.is_complex() or tensor.ndim < 2 or not bool(((tensor == 0) | torch.isneginf(tensor)).all()):
            what = "NaN" if nan else "infinite"
            return f"{nan or int(torch.isinf(tensor).sum())} of the {tensor.numel()} numbers of {key!r} are {what}"
    return None


def tensors_in(state: Any, name: str) -> dict[str, torch.Tensor]:
    """All tensors of a nested state, such as an optimizer's, by a name that says where they are."""
    if isinstance(state, torch.Tensor):
        return {name: state}
    parts = (
        state.items() if isinstance(state, Mapping) else enumerate(state) if isinstance(state, (list, tuple)) else ()
    )
    return {key: found for part, inner in parts for key, found in tensors_in(inner, f"{name}.{part}").items()}


def sha256(path: WeightsPath | Sequence[WeightsPath]) -> str | list[str]:
    """The file's SHA-256 as hexadecimal digits; a list of them for several files.

    Raises:
        BadInput: a missing file.
    """
    if not isinstance(path, (str, os.PathLike)):
        return [str(sha256(file)) for file in path]
    return sha256_of(_existing(path))


def origin(path: WeightsPath | Sequence[WeightsPath] | None) -> str | list[str] | None:
    """The SHA-256 of the weights that a training starts from; None where it starts from none.

    None for a missing file too: `start_from` refuses that, and clients that look at a training's parts do not start it.
    """
    files = [path] if isinstance(path, (str, os.PathLike)) else path or []
    return sha256(path) if path is not None and all(Path(file).is_file() for file in files) else None


def _existing(path: WeightsPath) -> Path:
    file = Path(path)
    if not file.is_file():
        raise BadInput(f"{file}: there is no such weights file; give --weights a model.pt that a training wrote")
    return file

"""Networks run by OpenVINO, a library for inference that is kept by others, as faster CPUs come out too."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from custom.base.errors import BadInput
from custom.speed.precision import resolved

# root mean square of the logits' differences on noise, as a share of their spread: 1e-6 and .01 of the shipped networks
_TOLERANCES = {"fp32": 1e-4, "bf16": 0.1}
_HINTS = {"fp32": "f32", "bf16": "bf16"}


def has_openvino() -> bool:
    """Whether it is installed; nothing is imported."""
    return find_spec("openvino") is not None


@torch.no_grad()
def run_by_openvino(network: nn.Module, shape: Sequence[int], precision: str) -> nn.Module:
    """Let OpenVINO run a network from now on, in place, and return it; of an E-Net each member with a weight, torch blends.

    Args:
        network: on the CPU, in evaluation mode, with its weights.
        shape: of the batches (B, C, Y, X) that it is going to take; of fewer windows the rest is filled up.
        precision: "auto", "fp32" or "bf16", as the inferer's.

    Raises:
        BadInput: it cannot, or its logits are not the network's own within what rounding explains.
    """
    chosen = resolved("cpu", precision)
    windows = torch.rand(tuple(shape), generator=torch.Generator().manual_seed(0))
    members: Any = getattr(network, "members", None)
    weights: Any = getattr(network, "weights", ())
    parts = [network] if members is None else [part for part, weight in zip(members, weights, strict=True) if weight]
    for part in parts:
        wanted = part(windows).float()
        try:
            engine = Engine(converted(part, shape), shape[0], precision)
            off = float((engine(windows) - wanted).square().mean().sqrt())
        except Exception as error:  # of whichever of its parts
            reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
            raise BadInput(f"--engine openvino: cannot run this network ({reason}); give --engine torch") from error
        if not off <= _TOLERANCES[chosen] * float(wanted.std()):
            raise BadInput(
                f"--engine openvino: computes other logits than this network (by {off:.3g}, of a spread of {float(wanted.std()):.3g}); "
                "give --engine torch"
            )
        part.forward = engine  # hooks of the module stay
    return network


def library() -> Any:
    """OpenVINO, kept from telling its maker that it is used: importing it does, and leaves an identifier in ~/intel."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # it has a stand-in for where this is missing
    import openvino

    return openvino


@cache
def core() -> Any:
    """The one Core of this process, kept to its end.

    Each Core, when it first compiles, puts a stack of its own for signals in place of what was there, and at its end puts
    that back. Of two that end in the order in which they came, the second puts back the first one's, which is gone: the
    next signal that Python handles, such as Ctrl-C, then ends the process without a word.
    """
    return library().Core()


@torch.no_grad()
def converted(network: nn.Module, shape: Sequence[int]) -> Any:
    """A network as OpenVINO's model, for batches (B, C, Y, X) of one shape."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch.export, of its own future
        model = library().convert_model(torch.export.export(network, (torch.zeros(tuple(shape)),)))
    model.reshape(list(shape))
    return model


class Engine:
    """OpenVINO's model, compiled for batches of one size. Two streams of half the threads each gained 1 % to 3 %: there is one.

    Args:
        model: of `converted`, or read from a file.
        batch: windows that it takes at once.
        precision: "auto", "fp32" or "bf16", as the inferer's, of what has no other in the model.
    """

    def __init__(self, model: Any, batch: int, precision: str) -> None:
        self.batch = batch
        hint = _HINTS[resolved("cpu", precision)]
        how = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": torch.get_num_threads(), "NUM_STREAMS": 1}
        self.request = core().compile_model(model, "CPU", how).create_infer_request()

    def __call__(self, windows: Tensor) -> Tensor:
        """(n, C, Y, X) -> logits (n, K, Y, X), float32."""
        given = windows.float().contiguous().numpy()
        # by numpy: torch's threads go on spinning for a while after what they shared, and U-Net then takes 1.2 times as long
        found = [self._run(given[start : start + self.batch]) for start in range(0, len(given), self.batch)]
        return torch.from_numpy(found[0] if len(found) == 1 else np.concatenate(found))

    def _run(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        missing = self.batch - len(windows)
        whole = np.pad(windows, [(0, missing), *[(0, 0)] * (windows.ndim - 1)]) if missing else windows
        self.request.infer([whole], share_inputs=True)
        made: NDArray[np.float32] = self.request.get_output_tensor().data
        return made[: len(windows)].copy()  # the next call writes into this memory

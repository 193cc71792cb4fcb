"""What runs a network over the windows of a stack: torch, or a library that does nothing else."""

from __future__ import annotations

import torch

from custom.base.errors import BadInput
from custom.speed.openvino import has_openvino

ENGINES = ("auto", "torch", "openvino", "int8")
# Voxels of a stack: getting OpenVINO ready takes 2 s (U-Net) to 3.5 s (TransforCNN), and saves .4 ms to 3 ms of each window of
# 128 x 128 (2 cores of an AMD EPYC, bfloat16), of which 57 slices of 340 x 2071 have 5,000.
PAYS_FROM = 40_000_000


def resolved_engine(engine: str, device: str | torch.device, voxels: int, compiles: bool = False) -> str:
    """What `engine` comes to: "torch", "openvino" or "int8". It depends on the whole stack, so that a run that goes on has the same.

    Args:
        engine: "auto" takes OpenVINO where it is installed and saves more time than it costs to get ready; "int8" is what
            `quantise` made, run by OpenVINO.
        device: on which the network is.
        voxels: of the whole stack.
        compiles: whether torch compiles the network.

    Raises:
        BadInput: another engine, or one that is not at hand.
    """
    if engine not in ENGINES:
        raise BadInput(f"--engine {engine}: is unknown; give one of {', '.join(ENGINES)}")
    on_cpu = torch.device(device).type == "cpu"
    if engine in ("openvino", "int8"):
        if not on_cpu:
            raise BadInput(f"--engine {engine}: runs on the CPU, not on {device}; give --device cpu, or --engine torch")
        if compiles:
            raise BadInput(f"--engine {engine}: has nothing for torch to compile; leave --compile or --engine away")
        if not has_openvino():
            raise BadInput(
                f"--engine {engine}: OpenVINO is not installed; pip install openvino, or give --engine torch"
            )
        return engine
    pays = engine == "auto" and on_cpu and not compiles and voxels >= PAYS_FROM
    return "openvino" if pays and has_openvino() else "torch"

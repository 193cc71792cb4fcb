"""What a network costs: parameters, arithmetic and time, as it is when it segments."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode


@torch.inference_mode()
def measure_cost(
    network: torch.nn.Module,
    parameters: int,
    gflop: float,
    inferer: Callable[[torch.Tensor, torch.nn.Module], torch.Tensor],
    device: torch.device | str,
    patch_size: int = 128,
    bulk_size: Sequence[int] = (340, 2071),
    repeats: int = 20,
) -> dict[str, Any]:
    """Count and time a network, as in the cost columns of the study's Table 1.

    Args:
        network: (B, 1, Y, X) -> logits, on `device`, made ready for segmenting.
        parameters, gflop: of the network before it was made ready; handed on.
        inferer: the sliding window over slices; its precision and batch size are those of segmenting.
        patch_size: side of a patch in voxels.
        bulk_size: (Y, X) of the slice that the time in bulk is measured on; the study's is 340 x 2071.
        repeats: timed patches, of which the median counts, after one that does not count; a fifth of it in bulk.

    Returns:
        parameters; gflop_per_patch; ms_per_patch at batch 1; s_per_mvoxel in bulk; what these were measured on.
    """
    where = torch.device(device)
    patch = torch.rand(1, 1, patch_size, patch_size, device=where)
    bulk = torch.rand(1, 1, 1, *bulk_size, device=where)
    single = _median_seconds(lambda: inferer(patch, network), where, repeats)
    whole = _median_seconds(lambda: inferer(bulk, network), where, max(1, repeats // 5))
    return {
        "parameters": parameters,
        "gflop_per_patch": gflop,
        "ms_per_patch": 1e3 * single,
        "s_per_mvoxel": whole / (bulk.numel() / 1e6),
        "device": torch.cuda.get_device_name(where) if where.type == "cuda" else "CPU",
        "threads": torch.get_num_threads(),
        "bulk_size": list(bulk_size),
    }


@torch.inference_mode()
def count_gflop(network: torch.nn.Module, patch_size: int = 128) -> float:
    """10^9 floating-point operations of one patch, a multiply-add counting 2, in convolutions and matrix products.

    Args:
        network: (B, 1, Y, X) -> logits, of PyTorch's own operators.
        patch_size: side of the patch in voxels.
    """
    device = next(network.parameters()).device
    network.eval()
    with FlopCounterMode(display=False) as counter:
        network(torch.rand(1, 1, patch_size, patch_size, device=device))
    return float(counter.get_total_flops()) / 1e9


def _median_seconds(run: Callable[[], object], device: torch.device, repeats: int) -> float:
    taken = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])

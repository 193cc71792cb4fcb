"""Voxels per second of the sliding window, beside MONAI's own and the network alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.inferers import SlidingWindowInferer

from benchmarking.measuring import alternate, machine, read_config, working
from custom.inferers import SliceInferer
from custom.inferers.grid import window_grid
from custom.metrics.masks import dice_of
from custom.phantom import make_cell
from custom.speed import prepare
from custom.speed.allocation import keep_freed_memory
from custom.speed.openvino import has_openvino
from custom.speed.precision import autocast
from custom.speed.quantised import Quantised, quantised_beside
from custom.weights import load_weights, sha256

MODE = "gaussian"  # how inference.json weighs windows
STUDY = 3849 * 340 * 2071  # voxels of the study's region of interest

WHAT = {
    "monai": "(1) MONAI's SlidingWindowInferer, a slice at a time, 4 windows a call, fp32, network as built",
    "ours_fp32": "(2) this project's inferer, fp32, batch norm folded, convolutions packed",
    "ours_auto": "(3) the same with --precision auto",
    "torch_network": "(4) the network of (3) alone on ready-made batches: the limit",
    "openvino": "(5) as (3), run by OpenVINO (--engine openvino)",
    "openvino_network": "(6) the network of (5) alone on ready-made batches: its limit",
    "int8": "(7) as (3), in 8 bits (--engine int8)",
    "int8_network": "(8) the network of (7) alone on ready-made batches: its limit",
}


def synthetic_slices(count: int, size: tuple[int, int]) -> torch.Tensor:
    """(count, Y, X) in [0, 1]: slices of one phantom cell, mirrored until they fill the size."""
    cell = make_cell(seed=7, slices=count).image.astype(np.float32)
    low, high = np.percentile(cell, (0.5, 99.5))
    pads = [(0, max(0, wanted - there)) for wanted, there in zip(size, cell.shape[1:], strict=True)]
    scaled = ((cell - low) / (high - low)).clip(0, 1).astype(np.float32)
    filled = np.pad(scaled, [(0, 0), *pads], mode="symmetric")
    return torch.from_numpy(np.ascontiguousarray(filled[:, : size[0], : size[1]]))


def built_network(name: str, device: torch.device) -> tuple[torch.nn.Module, Any]:
    """The bundle's network with its shipped weights, in evaluation mode, and their digest; None: there are no such weights."""
    torch.manual_seed(0)
    parser = read_config("inference", name)
    network: torch.nn.Module = parser.get_parsed_content("network_def")
    weights = parser.get_parsed_content("weights")
    shipped = all(Path(file).is_file() for file in ([weights] if isinstance(weights, str) else weights))
    if shipped:
        load_weights(network, weights)
    return network.eval().to(device), sha256(weights) if shipped else None


def batches(volume: torch.Tensor, batch_size: int, overlap: float) -> list[torch.Tensor]:
    """All windows of (1, 1, Z, Y, X) as the batches that (3) makes of them, channels_last."""
    size = (int(volume.shape[3]), int(volume.shape[4]))
    grid = window_grid(size, (128, 128), overlap, MODE, 0.125, volume.device)
    count = volume.shape[2] * len(grid.corners)
    windows = torch.zeros(-(-count // batch_size) * batch_size, 1, 128, 128, device=volume.device)
    places = ((z, corner) for z in range(volume.shape[2]) for corner in grid.corners)
    for row, (z, corner) in zip(windows[:count], places, strict=True):
        grid.window_part(row).copy_(grid.slice_part(volume[0, :, z], corner))
    parts = windows.split(batch_size)
    return [torch.empty_like(part, memory_format=torch.channels_last).copy_(part) for part in parts]


def row(
    name: str,
    network: str,
    device: torch.device,
    slices: int,
    size: tuple[int, int],
    overlap: float,
    batch_size: int,
    quantised: Quantised | None,
) -> Callable[[], np.ndarray | None]:
    """What a row of `WHAT` does: returns its mask (1, 1, Z, Y, X), the network alone nothing."""
    plain, _ = built_network(network, device)
    volume = synthetic_slices(slices, size)[None, None].to(device)
    if name == "monai":
        documented: Any = SlidingWindowInferer((128, 128), sw_batch_size=4, overlap=overlap, mode=MODE)
        return masked(lambda: torch.stack([documented(volume[:, :, z], plain) for z in range(slices)], dim=2))
    keep_freed_memory(one_heap=True)
    precision = "fp32" if name == "ours_fp32" else "auto"
    inferer = SliceInferer(128, batch_size, overlap, MODE, precision)
    engine = engine_of(name)
    plain = plain.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    fast = prepare(plain, inferer, engine=engine, quantised=quantised if engine == "int8" else None)
    if not name.endswith("network"):
        return masked(lambda: inferer(volume, fast))
    ready = batches(volume, batch_size, overlap)

    @torch.inference_mode()
    def alone() -> None:
        with autocast(device, precision):
            for batch in ready:
                fast(batch)

    return alone


def engine_of(name: str) -> str:
    """What runs the network of a row of `WHAT`; ``..._network`` is its limit."""
    return next((engine for engine in ("openvino", "int8") if name.startswith(engine)), "torch")


def masked(logits: Callable[[], torch.Tensor]) -> Callable[[], np.ndarray]:
    """The mask of what `logits` returns."""

    @torch.inference_mode()
    def mask() -> np.ndarray:
        found: np.ndarray = (logits() >= 0).cpu().numpy()
        return found

    return mask


def measure(
    network: str,
    device: torch.device,
    threads: int | None,
    slices: int,
    size: tuple[int, int],
    overlap: float,
    batch_size: int,
    repeats: int,
    int8: Path | None = None,
) -> dict[str, Any]:
    """Time all rows on the same slices, weights and overlap, taking turns; see `WHAT` for the rows.

    Args:
        int8: a copy of the shipped weights with their 8 bits beside it; None: there are no such rows.

    Raises:
        BadInput: what lies beside `int8` cannot be used, or a row failed.
    """
    shipped = built_network(network, torch.device("cpu"))[1]
    quantised = None if int8 is None else quantised_beside(int8, shipped)
    given = (network, device, slices, size, overlap, batch_size, quantised)
    on_cpu = device.type == "cpu"
    here = {"torch": True, "openvino": on_cpu and has_openvino(), "int8": on_cpu and quantised is not None}
    names = [name for name in WHAT if here[engine_of(name)]]
    with working({name: (row, (name, *given)) for name in names}, device, threads) as workers:
        masks = {name: worker.ask("result") for name, worker in workers.items() if not name.endswith("network")}
        memory = {name: worker.ask("peak_mb") for name, worker in workers.items()}
        seconds = alternate(workers, repeats)
    grid = window_grid(size, (128, 128), overlap, MODE, 0.125, torch.device("cpu"))
    voxels = slices * size[0] * size[1]
    return {
        "network": network,
        "weights": "shipped" if shipped else "random",
        "lithium_share": float(masks["monai"].mean()),
        **machine(device, threads),
        "slices": slices,
        "size": list(size),
        "overlap": overlap,
        "windows": slices * len(grid.corners),
        "windows_per_call": batch_size,
        "repeats": repeats,
        "rows": [
            {
                "row": WHAT[name],
                "seconds": taken,
                "Mvoxel/s": voxels / taken / 1e6,
                "x (1)": seconds["monai"] / taken,
                "x (2)": seconds["ours_fp32"] / taken,
                "share of its limit": seconds[f"{engine_of(name)}_network"] / taken,
                "peak MB": memory[name],
                "Dice to (1)": dice_of(masks[name], masks["monai"]) if name in masks else None,
                "hours for 3849 x 340 x 2071": STUDY / voxels * taken / 3600,
            }
            for name, taken in seconds.items()
        ],
    }

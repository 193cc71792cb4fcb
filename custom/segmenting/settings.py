"""What decides a mask: what finished slabs must agree in, and what summary.json tells of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch

from custom.speed.precision import resolved
from custom.stack import GreyWindow


class Windows(Protocol):
    """An inferer that runs a network over windows, as `SliceInferer` does."""

    roi_size: Sequence[int]
    sw_batch_size: int
    overlap: Any
    precision: str


def settings_of(
    network: torch.nn.Module,
    window: GreyWindow,
    inferer: Windows,
    device: str | torch.device,
    others: Mapping[str, Any],
) -> dict[str, Any]:
    """All that decides the mask of a stack, by the names that a refusal calls them by.

    Args:
        network, inferer: what finds it.
        window: the stack's grey window.
        device: where that is done.
        others: what no object knows, such as the digest of the weights and the classes.
    """
    return {
        "network": str(network),
        "grey_window": [window.lower, window.upper],
        "surround": [str(value) for value in window.surround],
        "patch_size": int(inferer.roi_size[0]),
        "overlap": inferer.overlap,
        "precision": resolved(device, inferer.precision),
        "batch_size": inferer.sw_batch_size,
        "device": torch.device(device).type,
        **others,
    }


def told_of(
    network: torch.nn.Module, inferer: Windows, settings: Mapping[str, Any], weights: Any, version: str | None
) -> dict[str, Any]:
    """What summary.json says of how a mask came about, by the names of the command line's keys.

    Args:
        network, inferer: what found it.
        settings: those of `settings_of`.
        weights: the path, or paths, of the network's.
        version: the bundle's.
    """
    several = len(settings["classes"]) > 1
    return {
        "network": type(network).__name__,
        "weights": weights,
        "weights_sha256": settings["weights"],
        "class_names": settings["classes"],
        "threshold": None if several else settings["threshold"],
        "overlap": settings["overlap"],
        "precision": inferer.precision,
        "grey_window": settings["grey_window"],
        "bundle_version": version,
    }

"""What decides a mask: what finished slabs must agree in, and what summary.json tells of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from monai.engines import SupervisedEvaluator

from custom.quantities.quantity import Quantity
from custom.segmenting.result import Result
from custom.speed import Windows
from custom.speed.precision import resolved
from custom.speed.preparing import description
from custom.stack import GreyWindow, Stack


def windows_of(evaluator: SupervisedEvaluator) -> Windows:
    """The evaluator's inferer, which runs its network over windows."""
    inferer: Any = evaluator.inferer
    return cast(Windows, inferer)


def settings_of(
    evaluator: SupervisedEvaluator,
    stack: Stack,
    window: GreyWindow,
    weights: str | list[str],
    results: Sequence[Result],
    quantities: Sequence[Quantity],
    others: Mapping[str, Any],
) -> dict[str, Any]:
    """All that decides what is found in a stack, by the names that a refusal calls them by.

    Args:
        evaluator: knows the network, the windows that it takes, and the device.
        stack: knows what was chosen of its file.
        window: its grey window.
        weights: digest of the network's, or of each member's.
        results: the mask first, which knows the classes.
        quantities: know their own settings.
        others: what no object knows.
    """
    inferer: Windows = windows_of(evaluator)
    device = evaluator.state.device
    return {
        "network": description(evaluator.network),
        "grey_window": [window.lower, window.upper],
        "surround": [str(value) for value in window.surround],
        "patch_size": int(inferer.roi_size[0]),
        "overlap": inferer.overlap,
        "precision": resolved(device, inferer.precision),
        "batch_size": inferer.sw_batch_size,
        "device": torch.device(device).type,
        **stack.selected,
        "weights": weights,
        "classes": list(results[0].values),
        **others,
        **{result.name: result.wanted for result in results[1:]},
        **{name: value for quantity in quantities for name, value in quantity.settings.items()},
    }


def told_of(
    evaluator: SupervisedEvaluator, settings: Mapping[str, Any], weights: Any, version: str | None
) -> dict[str, Any]:
    """What summary.json says of how a mask came about, by the names of the command line's keys.

    Args:
        evaluator: what found it.
        settings: those of `settings_of`.
        weights: the path, or paths, of the network's.
        version: the bundle's.
    """
    several = len(settings["classes"]) > 1
    return {
        "network": type(evaluator.network).__name__,
        "weights": weights,
        "weights_sha256": settings["weights"],
        "class_names": settings["classes"],
        "threshold": None if several else settings["threshold"],
        "overlap": settings["overlap"],
        "precision": windows_of(evaluator).precision,
        "engine": settings["engine"],
        "grey_window": settings["grey_window"],
        "bundle_version": version,
    }

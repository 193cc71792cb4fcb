"""Table 1: scores with intervals, latency, size and arithmetic of each network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from custom.base.classes import LITHIUM
from custom.metrics import block_ratios, class_tile_counts, intervals, score_intervals, scores_of, tile_counts, z_blocks
from custom.study.page import Table
from custom.study.plan import NETWORKS, Network, Study
from custom.study.reading import read_json
from custom.study.slices import LabelledSlice


def measured(study: Study, network: Network, slices: list[LabelledSlice]) -> dict[str, Any]:
    """Scores on the test side, their bootstrap 95 % intervals over blocks of z, and the network's cost."""
    return scored(study, network, slices) | read_json(study.folder(network, "cost") / "cost.json")


def scored(study: Study, network: Network, slices: list[LabelledSlice]) -> dict[str, Any]:
    """Scores on the test side, and their intervals."""
    folder = study.folder(network, "test")
    found = score(slices, (piece.prediction(folder) for piece in slices), study.reading.classes)
    for name, row in found.get("classes", {}).items():
        row["best_grey_window"] = read_json(folder / "metrics.json")["classes"][name]["best_grey_window"]
    return found


def score(
    slices: list[LabelledSlice], masks: Iterable[NDArray[Any]], classes: Sequence[str] = LITHIUM
) -> dict[str, Any]:
    """Scores of masks (Y, X), taken one at a time, with bootstrap 95 % intervals over blocks of 8 neighbouring slices.

    Of several classes they are means over them, and `classes` has those of each.
    """
    several = len(classes) > 1
    per_slice = [
        class_tile_counts(mask, piece.label, len(classes)) if several else tile_counts(mask, piece.label)
        for piece, mask in zip(slices, masks, strict=True)
    ]
    places = [piece.place for piece, counts in zip(slices, per_slice, strict=True) for _ in counts]
    together, blocks = torch.cat(per_slice), z_blocks(places)
    found = _scored(together, blocks) | {"blocks": int(blocks.max()) + 1}
    if several:
        found["classes"] = {name: _scored(together[:, place], blocks) for place, name in enumerate(classes)}
    return found


def _scored(counts: torch.Tensor, blocks: NDArray[np.int64]) -> dict[str, Any]:
    one = counts.ndim == 2
    ends = intervals(block_ratios(counts, blocks)) if one else score_intervals(counts, blocks)
    return {
        "scores": scores_of(counts),
        "interval_95": {name: [float(low), float(high)] for name, (low, high) in ends.items()},
    }


def score_table(rows: dict[str, dict[str, Any]], kind: str) -> Table:
    """DSC (`kind` dsc) or IoU (iou) in the four averaging conventions."""
    head = ["network", *(f"{kind_title(kind)} ({convention})" for convention in "abcd")]
    body = [[n.title, *(score_text(rows[n.name], f"{kind}_{c}") for c in "abcd")] for n in NETWORKS]
    return Table(head, body)


def class_table(rows: dict[str, dict[str, Any]], score: str) -> Table:
    """One score of each class, the networks below each other, and the best that one grey window does for the pooled DSC."""
    names = list(rows[NETWORKS[0].name]["classes"])
    body = [[n.title, *(score_text(rows[n.name]["classes"][name], score) for name in names)] for n in NETWORKS]
    if score == "dsc_d":
        windows = [rows[NETWORKS[0].name]["classes"][name]["best_grey_window"] for name in names]
        body.append(["best grey window", *("–" if window is None else f"{window['dsc_d']:.4f}" for window in windows)])
    title = f"{kind_title(score[:3])} ({score[-1]})"
    return Table(["network", *(f"{title}: {name}" for name in names)], body)


def kind_title(kind: str) -> str:
    """As the study names it."""
    return {"dsc": "mDSC", "iou": "mIoU"}[kind]


def score_text(row: dict[str, Any], name: str) -> str:
    """A score with its interval."""
    value, (low, high) = row["scores"][name], row["interval_95"][name]
    return "–" if value is None else f"{value:.4f} [{low:.4f}, {high:.4f}]"


def cost_table(rows: dict[str, dict[str, Any]]) -> Table:
    """Latency, parameters and arithmetic."""
    head = ["network", "ms per patch, batch 1", "s per Mvoxel, in bulk", "parameters", "GFLOP per patch"]
    body = [
        [
            network.title,
            f"{rows[network.name]['ms_per_patch']:.1f}",
            f"{rows[network.name]['s_per_mvoxel']:.2f}",
            f"{rows[network.name]['parameters']:,}",
            f"{rows[network.name]['gflop_per_patch']:.2f}",
        ]
        for network in NETWORKS
    ]
    return Table(head, body)

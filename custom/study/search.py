"""E-Net's blend: searched on the validation side, written as the config that evaluation and inference use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from custom.metrics import blend_counts, choose, full_cube, scores_of, search_report, simplex, z_blocks
from custom.report import write_json
from custom.study.plan import CONFIGS, ENET, TRAINED, Study
from custom.study.reading import read_json
from custom.study.slices import LabelledSlice, pairs

CRITERIA = ("iou_a", "dsc_a")  # the study's mIoU, by which its E-Net is chosen, and mDSC


def search_blend(study: Study, root: Path, slices: list[LabelledSlice]) -> dict[str, Any]:
    """Find the best blends on `slices`, and write the one of highest mIoU as `network_enet.json`.

    Blended is what the members found in whole slices, as the evaluation scores them. E-Net blends window by window, and
    windows are averaged as logits where they overlap: there alone its probability differs a little from the one here.

    Args:
        study: its networks are scored on the validation side already, with their probabilities kept.
        root: the repository root.
        slices: the validation side.

    Returns:
        what `enet_search.json` holds: the best blend by mIoU and by mDSC, how flat either optimum is, and the scores of
        all blends.

    Raises:
        BadInput: nothing is labelled on the validation side.
    """
    weights, tried = full_cube() if study.full_cube else (simplex(), len(simplex()))
    threshold = (
        read_json(study.folder(TRAINED[0], "val") / "metrics.json")["threshold"] or 0.5
    )  # several classes have none
    per_slice = [blend_counts([pair], weights, float(threshold)) for pair in pairs(slices, study, TRAINED, "val")]
    places = [p.place for p, found in zip(slices, per_slice, strict=True) for _ in range(found.shape[1])]
    counts, blocks = torch.cat(per_slice, dim=1), z_blocks(places)
    names = [network.title for network in TRAINED]
    chosen = {score: choose(counts, weights, blocks, score) for score in CRITERIA}
    scores = [scores_of(row) for row in counts]
    found = {
        "side": "val",
        "combinations": tried,
        "distinct": len(weights),
        "patches": int(counts.shape[1]),
        "blocks": int(blocks.max()) + 1,
        **{f"best_{score}": search_report(choice, names) for score, choice in chosen.items()},
        "all": [
            {"blend": np.round(row, 4).tolist(), **{score: scored[score] for score in CRITERIA}}
            for row, scored in zip(weights, scores, strict=True)
        ],
    }
    write_json(study.output_dir / "enet_search.json", found)
    write_overlay(study, root, chosen[CRITERIA[0]].weights)
    return found


def write_overlay(study: Study, root: Path, blend: list[float]) -> None:
    """The bundle's network_enet.json with this blend and the weights that the study trained."""
    overlay = read_json(root / CONFIGS / "network_enet.json")
    overlay |= {
        "_desc_": "E-Net: the blend of highest mIoU on the validation side. Stacked after inference.json or evaluate.json.",
        "output_dir": str(study.folder(ENET)),
        "blend": blend,
        "weights": [str(path) for path in study.weights(ENET)],
    }
    if not study.enet_overlay.is_file() or read_json(study.enet_overlay) != overlay:
        write_json(study.enet_overlay, overlay)

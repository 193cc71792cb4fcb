"""Table 2: how much lithium each network finds in the test stack, beside the ground truth."""

from __future__ import annotations

from typing import Any

import numpy as np

from custom.quantities.amount import lithium_summary
from custom.study.page import Table
from custom.study.plan import NETWORKS, Study
from custom.study.reading import read_json
from custom.study.stack import StudyStack, masks

UNLABELLED = 255


def counted(study: Study, stack: StudyStack) -> dict[str, Any]:
    """Voxels and share of the stack for each network, and of the labelled part where there are labels.

    Returns:
        ``networks``: for each its summary's lithium_voxels, voxels, volume_fraction and, where the voxel size is known,
        lithium_mm3; with labels also ``labelled`` (lithium voxels among the labelled ones) and ``error``, that number
        over the true one minus 1. ``truth``: the same of the labels, over the labelled voxels; None without any.
    """
    rows: dict[str, dict[str, Any]] = {}
    for network in NETWORKS:
        summary = read_json(study.folder(network, "stack") / "summary.json")
        names = ("lithium_voxels", "voxels", "volume_fraction", "lithium_mm3", "voxel_size_um", "mask")
        rows[network.name] = {name: summary[name] for name in names if name in summary}
    if stack.labels is None:
        return {"networks": rows, "truth": None}
    true, labelled = 0, 0
    found = dict.fromkeys(rows, 0)
    for z in range(len(stack.labels)):
        label = stack.label(z)
        known = label != UNLABELLED
        labelled += int(known.sum())
        true += int((label == 1).sum())
        for network in NETWORKS:
            mask = masks(study.folder(network, "stack"), rows[network.name], z, z + 1)[0]
            found[network.name] += int(np.count_nonzero((mask == 1) & known))
    for name, row in rows.items():
        row |= {"labelled": found[name], "error": found[name] / true - 1 if true else None}
    truth = lithium_summary(true, labelled, stack.image.open().voxel_size_um) if labelled else None
    return {"networks": rows, "truth": truth}


def table(found: dict[str, Any]) -> Table:
    """Voxels, share, volume and the volume's error."""
    truth = found["truth"]
    volumes = [row["lithium_mm3"] for row in (*found["networks"].values(), truth or {}) if "lithium_mm3" in row]
    unit = None if not volumes else "mm³" if max(volumes) >= 0.01 else "µm³"
    head = ["", "lithium voxels", "% of the stack", *([unit] if unit else []), "error of the volume"]
    body = []
    for network in NETWORKS:
        row = found["networks"][network.name]
        body.append([network.title, *_amount(row, unit), _signed(row.get("error"))])
    if truth:
        body.append(["ground truth", *_amount(truth, unit), ""])
    return Table(head, body)


def _amount(row: dict[str, Any], unit: str | None) -> list[str]:
    amount = [f"{row['lithium_voxels']:,}", f"{100 * row['volume_fraction']:.3f}"]
    match unit:
        case "mm³":
            amount.append(f"{row['lithium_mm3']:.4f}")
        case "µm³":
            amount.append(f"{1e9 * row['lithium_mm3']:,.0f}")
    return amount


def _signed(error: float | None) -> str:
    return "–" if error is None else f"{100 * error:+.1f} %"

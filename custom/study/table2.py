"""Table 2: how much lithium, or how much of each class, the networks find in the test stack, beside the ground truth."""

from __future__ import annotations

from typing import Any

import numpy as np

from custom.base.classes import UNLABELLED
from custom.quantities.amount import class_amount, lithium_summary
from custom.study.page import Table
from custom.study.plan import NETWORKS, Study
from custom.study.reading import read_json
from custom.study.stack import StudyStack, masks


def counted(study: Study, stack: StudyStack) -> dict[str, Any]:
    """Voxels and share of the stack for each network, and of the labelled part where there are labels.

    Returns:
        ``networks``: for each its summary's lithium_voxels, voxels, volume_fraction and, where the voxel size is known,
        lithium_mm3; with labels also ``labelled`` (lithium voxels among the labelled ones) and ``error``, that number
        over the true one minus 1. ``truth``: the same of the labels, over the labelled voxels; None without any.
        Of several classes ``classes``, in each of these by the name of the class: its voxels, volume_fraction, mm3 and so on.
    """
    if len(study.reading.classes) > 1:
        return _counted_by_class(study, stack)
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


def _counted_by_class(study: Study, stack: StudyStack) -> dict[str, Any]:
    names = study.reading.classes
    rows: dict[str, dict[str, Any]] = {}
    for network in NETWORKS:
        summary = read_json(study.folder(network, "stack") / "summary.json")
        told = {
            name: {key: value for key, value in summary["classes"][name].items() if key != "by_threshold"}
            for name in names
        }
        rows[network.name] = {key: summary[key] for key in ("voxels", "voxel_size_um", "mask") if key in summary}
        rows[network.name]["classes"] = told
    if stack.labels is None:
        return {"networks": rows, "truth": None}
    side = 1 + len(names)
    true, found = np.zeros(side, np.int64), {name: np.zeros(side, np.int64) for name in rows}
    for z in range(len(stack.labels)):
        label = stack.label(z)
        known = label != UNLABELLED
        true += np.bincount(label[known], minlength=side)
        for network in NETWORKS:
            mask = masks(study.folder(network, "stack"), rows[network.name], z, z + 1)[0]
            found[network.name] += np.bincount(mask[known], minlength=side)
    for name, row in rows.items():
        for value, one in enumerate(row["classes"].values(), 1):
            number, of = int(found[name][value]), int(true[value])
            one |= {"labelled": number, "error": number / of - 1 if of else None}
    if not true.sum():
        return {"networks": rows, "truth": None}
    size = stack.image.open().voxel_size_um
    amounts = {name: class_amount(int(true[value]), int(true.sum()), size) for value, name in enumerate(names, 1)}
    return {"networks": rows, "truth": {"voxels": int(true.sum()), "classes": amounts}}


def class_table(found: dict[str, Any]) -> Table:
    """The share of each class in the stack with the error of its volume, the networks below each other."""
    truth = found["truth"]
    names = list(found["networks"][NETWORKS[0].name]["classes"])
    body = []
    for network in NETWORKS:
        row = found["networks"][network.name]["classes"]
        errors = [f" ({_signed(row[name]['error'])})" if "error" in row[name] else "" for name in names]
        shares = [f"{100 * row[name]['volume_fraction']:.3f}" for name in names]
        body.append([network.title, *(share + error for share, error in zip(shares, errors, strict=True))])
    if truth:
        shares = [f"{100 * truth['classes'][name]['volume_fraction']:.3f}" for name in names]
        body.append(["ground truth", *shares])
    return Table(["% of the stack (error of the volume)", *names], body)


def table(found: dict[str, Any]) -> Table:
    """Voxels, share, volume and the volume's error."""
    if "classes" in found["networks"][NETWORKS[0].name]:
        return class_table(found)
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

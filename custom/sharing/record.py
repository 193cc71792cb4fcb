"""How weights came about, as their training noted it, and the metadata that a bundle gets from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from custom.base.classes import BACKGROUND, LITHIUM, UNLABELLED, channels, class_names
from custom.base.errors import BadInput
from custom.weights import sha256

Record = dict[str, Any]


def read_record(weights: Path) -> Record:
    """The JSON file beside weights that says how they came about.

    Raises:
        BadInput: it is missing, damaged, or describes other weights.
    """
    digest = sha256(weights)
    beside = weights.with_suffix(".json")
    try:
        record = json.loads(beside.read_text(encoding="utf-8"))
        described = record["weights_sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{beside}: does not say how {weights.name} came about; give --weights the model.pt in the folder of its "
            "training"
        ) from error
    if described != digest:
        raise BadInput(f"{beside}: describes other weights than {weights.name}; give --weights as its training left it")
    return dict(record)


def classes_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """What weights were trained for: lithium alone where their record says nothing.

    Raises:
        BadInput: names that cannot be.
    """
    told = record.get("classes")
    return class_names(LITHIUM if told is None else told)


def stated_classes(meta: Mapping[str, Any]) -> tuple[str, ...]:
    """The classes that a metadata.json tells MONAI Label and other clients, in the order of their label values."""
    try:
        stated = meta["network_data_format"]["outputs"]["pred"]["channel_def"]
        return tuple(str(stated[key]) for key in sorted(stated, key=int) if int(key) != BACKGROUND)
    except (LookupError, TypeError, ValueError):
        return ()


def with_classes(meta: Mapping[str, Any], classes: Sequence[str]) -> dict[str, Any]:
    """A metadata.json that tells of these classes, the same one where it does so already."""
    if stated_classes(meta) == tuple(classes):
        return dict(meta)
    names = {str(value): name for value, name in enumerate(("background", *classes))}
    told = ", ".join(f"{value} {name}" for value, name in names.items())
    formats = meta["network_data_format"]
    pred = {**formats["outputs"]["pred"], "num_channels": channels(classes), "channel_def": names}
    return {
        **meta,
        "task": f"Segmentation of {', '.join(classes)} in X-ray CT stacks",
        "label_classes": f"{told}, {UNLABELLED} unlabelled",
        "pred_classes": told,
        "network_data_format": {**formats, "outputs": {**formats["outputs"], "pred": pred}},
    }


def fine_tuned_version(base: str, record: Mapping[str, Any]) -> str:
    """The version of weights that are not the project's own: that of the code, and the weights' first digits."""
    return f"{base.partition('+')[0]}+weights.{record['weights_sha256'][:8]}"


def weights_section(record: Mapping[str, Any], trained_on: str | None = None) -> dict[str, Any]:
    """What metadata.json says of the weights: classes, data, scores, grey window, voxel size, and what they descend from."""
    data = trained_on or record.get("data") or Path(str(record.get("dataset_dir", "unknown"))).name
    started = record.get("started_from_sha256")
    return {
        "sha256": record["weights_sha256"],
        "network": record.get("network"),
        "classes": list(classes_of(record)),
        "trained_on": {"data": data, **{side: record.get(side) for side in ("train", "val")}},
        "epochs": record.get("epoch"),
        "scores": {kind: record[kind] for kind in ("validation", "held_out") if kind in record},
        "grey_window": record.get("grey_window"),
        "voxel_size_um": record.get("voxel_size_um"),
        "descends_from": {"weights_sha256": started} if started else None,
    }


def metadata_of(
    base: Mapping[str, Any],
    record: Mapping[str, Any],
    own_weights: bool,
    version: str | None = None,
    trained_on: str | None = None,
    authors: str | None = None,
) -> dict[str, Any]:
    """The metadata.json of a bundle.

    Args:
        base: the metadata of the bundle that it is packed from.
        record: how its weights came about.
        own_weights: whether they are the weights that `base` describes.
        version, trained_on, authors: replace what would be stated otherwise.
    """
    section = weights_section(record, trained_on)
    meta = {**with_classes(base, classes_of(record)), "weights": section}
    meta["version"] = version or (base["version"] if own_weights else fine_tuned_version(base["version"], record))
    if meta["version"] not in base["changelog"]:
        told = f"{section['network']} trained on {section['trained_on']['data']}"
        meta["changelog"] = {meta["version"]: told, **base["changelog"]}
    if not own_weights:
        meta["data_source"] = str(section["trained_on"]["data"])
    if authors:
        meta["authors"] = authors
    meta["eval_metrics"] = section["scores"].get("held_out") or section["scores"].get("validation") or {}
    return meta

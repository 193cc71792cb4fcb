"""The records that trainings leave: in the JSON file beside weights, and in a checkpoint."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from custom.data.known import Known
from custom.weights.tensors import WeightsPath, sha256
from custom.weights.trained import Record, Trained

logger = logging.getLogger("weights")


class Folder(Protocol):
    """Where a command writes, as `OutputFolder` tells it."""

    @property
    def path(self) -> WeightsPath: ...
    @property
    def resume(self) -> bool: ...
    @property
    def writes(self) -> bool: ...


def trained(
    weights: WeightsPath | Sequence[WeightsPath] | None,
    folder: Folder | None = None,
    shares: Sequence[float] | None = None,
) -> Trained:
    """What is known of the training that goes on, or of those that gave the weights; weights without a record are told.

    Args:
        weights: a file, one for each member of an ensemble, or None.
        folder: where a training's checkpoint.pt lies, and whether that training goes on, which goes before `weights`.
        shares: of the members; one of share 0 is not run and does not count.
    """
    if folder is not None and folder.resume and (checkpoint := Path(folder.path) / "checkpoint.pt").is_file():
        record = _of_checkpoint(checkpoint)
        return Trained(((str(checkpoint), record),) if record else (), True, weights)
    files = [weights] if isinstance(weights, (str, os.PathLike)) else list(weights or ())
    used = [file for i, file in enumerate(files) if not shares or len(shares) != len(files) or shares[i] > 0]
    found = []
    for file in (Path(file) for file in used):
        if not file.is_file():
            continue  # refused where they are loaded; a federated client gets its weights elsewhere
        record, fault = record_beside(file)
        if record is not None:
            found.append((str(file), record))
        elif folder is None or folder.writes:
            logger.warning(
                "%s: %s, so that nothing tells which slices these weights were trained on, nor with which grey window and "
                "patch size; keep the JSON file of their training beside them, and of weights that were saved anew also the model.pt "
                "that it describes, all under one name.",
                file,
                fault,
            )
    return Trained(tuple(found), weights=weights)


def record_beside(weights: Path) -> tuple[Record | None, str]:
    """The record in the JSON file of the same name, or None and why there is none.

    It counts if its SHA-256 is that of the weights, or of the same weights in the other form, model.pt beside
    model.safetensors.
    """
    beside = weights.with_suffix(".json")
    try:
        record: Any = json.loads(beside.read_text(encoding="utf-8"))
        described = record["weights_sha256"]
        check_form(record)
    except FileNotFoundError:
        return None, f"no {beside.name} is beside it"
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None, f"{beside.name} beside it cannot be read as the record of a training"
    forms = [weights.with_suffix(suffix) for suffix in (weights.suffix, ".pt", ".safetensors")]
    if described not in (sha256(form) for form in forms if form.is_file()):
        return None, f"{beside.name} beside it describes other weights"
    return dict(record), ""


def check_form(record: Record) -> None:
    """Look at all that is used of a record.

    Raises:
        ValueError, LookupError, TypeError, AttributeError: it is of another form.
    """
    Known([record]).told_scans()
    int(record.get("patch_size", 1))
    if window := record.get("grey_window"):
        lower, upper = window["percentiles"] if window["fixed"] is None else window["fixed"]
        float(lower), float(upper)


def _of_checkpoint(checkpoint: Path) -> Record | None:
    """The record in a checkpoint; of an older one, which has none, the one beside it. One that is damaged is refused later."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            state: Any = torch.load(checkpoint, map_location="cpu", weights_only=True, mmap=True)
        found = state.get("record")
    except Exception:
        return None
    if found is None and (checkpoint.parent / "model.pt").is_file():
        found, _ = record_beside(checkpoint.parent / "model.pt")
    if found is None:
        logger.warning(
            "%s: does not say which slices it was trained on; the split by --seed is taken for its own.", checkpoint
        )
    return found

"""The label map of a training, for its evaluation and for the training that goes on."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from custom.base.classes import LITHIUM
from custom.base.errors import BadInput
from custom.base.readable import quoted
from custom.data.label_map import LabelValues, as_numbered, contradiction, label_values

logger = logging.getLogger("weights")
Record = Mapping[str, Any]
Noted = Sequence[tuple[str, Record]]  # files, and what each notes


def map_of_training(by_file: Noted) -> Mapping[str, Any] | None:
    """The map by which the labels of a training, or of all members of an ensemble, were read; None: without one.

    Raises:
        BadInput: members whose maps send a value to different classes.
    """
    noted = [(file, (record.get("reading") or {}).get("label_map"), record) for file, record in by_file]
    found = [(file, label_map, record) for file, label_map, record in noted if label_map]
    for file, label_map, record in found[1:]:
        first, before, _ = found[0]
        value = contradiction(_values(before, record), _values(label_map, record))
        if value is not None:
            raise BadInput(
                f"{file}: was trained with --label_map {label_map} and {first} with {before}, which differ in {value}; give "
                "--label_map to say how these labels are to be read"
            )
    if not found:
        return None
    file, label_map, _ = max(found, key=lambda one: len(one[1]))
    logger.info("%s: labels are read by the --label_map of its training, %s.", file, label_map)
    return dict(label_map)


def check_goes_on(file: str, record: Record, given: Mapping[str, Any]) -> None:
    """Check that a training goes on with labels that mean what they did; new labels may need a map that lists more.

    Args:
        file, record: of the checkpoint.
        given: the keys of `custom.data.Reading` of this run.

    Raises:
        BadInput: a value stands for another class now.
    """
    noted = record.get("reading") or {}
    before, now = noted.get("label_map"), given.get("label_map")
    if now is None:
        return
    value = contradiction(_values(before, record, str(noted.get("label_255"))), _values(now, record))
    if value is None:
        return
    begun, cure = "without --label_map", "leave --label_map away"
    if before is not None:
        begun = f"with --label_map {before}"
        cure = f"give --label_map {quoted(str(dict(before)))} again"
    raise BadInput(
        f"{file}: this training was begun {begun}, and now --label_map {dict(now)} sends {value} to another class; {cure}, or "
        "give another --output_dir"
    )


def _values(label_map: Mapping[str, Any] | None, record: Record, label_255: str = "auto") -> LabelValues:
    """What a map says; without one labels are themselves, and 255 is what was said of it, if anything was."""
    if label_map is not None:
        return label_values(label_map, record.get("classes") or LITHIUM)
    if len(classes := record.get("classes") or LITHIUM) > 1:
        return as_numbered(len(classes))
    meant = {"lithium": ((255, 1),), "unlabelled": ((255, 255),)}.get(label_255, ())
    return ((0, 0), (1, 1), *meant)

"""How a data set's files are read, where the training that gave the weights, or goes on, has a say in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from custom.data import Reading
from custom.weights.trained import Trained


def reading_of(
    trained: Trained,
    classes: Any = None,
    label_map: Mapping[Any, Any] | None = None,
    label_folder: str | None = None,
    evaluating: bool = False,
    **keys: Any,
) -> Reading:
    """The reading that was given, and for what was not given that of the training.

    Args:
        trained: what is known of that training.
        classes, label_map, label_folder: None: as `Trained` finds them.
        evaluating: whether the labels are those that the training is scored with.
        keys: the others of `Reading`.

    Raises:
        BadInput: keys that cannot be, or that contradict a training that goes on.
    """
    reading = Reading(
        **keys,
        label_map=trained.label_map(label_map, evaluating),
        label_folder=trained.label_folder(label_folder, evaluating),
        classes=trained.classes(classes),
    )
    trained.check_reading(reading.given())
    return reading

"""Classes that are judged as one, after a training that told them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from custom.base.classes import BACKGROUND, UNLABELLED, class_names
from custom.base.errors import BadInput

_EXAMPLE = "--merge \"{'lithium': ['dendrite', 'redeposited']}\""


class Merging:
    """What `merge` makes of the classes of a training: new names, each for one or more of them.

    Args:
        classes: those of the training, in the order of their label values 1, 2, ...
        merge: from a new name to the names that it stands for, or to a single one. What is listed nowhere, or under
            "background", is background. None: all stay as they are.

    Attributes:
        names: of what is left, in the order of `merge`: the label values 1, 2, ...
        values: the new value of each old one, 0 included.

    Raises:
        BadInput: no mapping, one without a class, an unknown class, one that is listed twice, or one class alone.
    """

    def __init__(self, classes: Sequence[str], merge: Any = None) -> None:
        self.merge: dict[str, list[str]] | None = None
        self.names, self.values = tuple(classes), tuple(range(1 + len(classes)))
        if merge is None:
            return
        self.merge = _as_lists(merge, classes)
        self.names = class_names([name for name in self.merge if name != "background"], key="merge")
        places = {part: 1 + i for i, name in enumerate(self.names) for part in self.merge[name]}
        self.values = (BACKGROUND, *(places.get(name, BACKGROUND) for name in classes))

    @property
    def parts(self) -> list[list[int]]:
        """The old values of each new one, background's first."""
        return [[old for old, new in enumerate(self.values) if new == value] for value in range(1 + len(self.names))]

    @property
    def of_labels(self) -> list[int]:
        """The new value of each of the 256 that a label may hold; 255 stays unlabelled."""
        return [self.values[old] if old < len(self.values) else UNLABELLED for old in range(256)]


def _as_lists(merge: Any, classes: Sequence[str]) -> dict[str, list[str]]:
    known = ", ".join(classes)
    if len(classes) == 1:
        raise BadInput(
            f"--merge: these weights look for {known} alone, and there is nothing to merge; leave --merge away"
        )
    if not isinstance(merge, Mapping) or not merge:
        raise BadInput(f"--merge {merge}: is no mapping of new names to classes; give it such as {_EXAMPLE}")
    lists = {name: [parts] if isinstance(parts, str) else parts for name, parts in merge.items()}
    listed: dict[str, str] = {}
    for name, parts in lists.items():
        if not isinstance(parts, Sequence) or not parts:
            raise BadInput(f"--merge: {name} stands for {parts}, which is no list of classes; give some of {known}")
        for part in parts:
            if part not in classes:
                raise BadInput(f"--merge: {part!r} is none of the classes of these weights; they know {known}")
            if part in listed:
                raise BadInput(
                    f"--merge: {part!r} stands both under {listed[part]} and under {name}; keep one of the two"
                )
            listed[part] = name
    return {name: list(parts) for name, parts in lists.items()}

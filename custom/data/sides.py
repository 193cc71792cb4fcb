"""The sides of a split, which remember what weights know of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from custom.base.errors import BadInput
from custom.data.splits_json import SIDES

Item = dict[str, Any]
Place = tuple[str, int]


def place_of(item: Mapping[str, Any]) -> Place:
    """Stem of a slice's file and index in it."""
    return str(item["stem"]), int(item["z"])


class Side(list[Item]):
    """The slices of one side.

    Attributes:
        split: all sides.
    """

    split: Split

    def __init__(self, items: Sequence[Item], split: Split) -> None:
        super().__init__(items)
        self.split = split


class Split(dict[str, Side]):
    """The sides ``train``, ``val`` and ``test``.

    Args:
        sides: the slices of each side.
        seen: the side of an earlier training, that of the weights or of the checkpoint, for each slice that it knew; None
            where that cannot be told.
        origin: what decided, in words.
        new: how many slices were added since that training.
        hold_out: what is kept off the other sides: "blocks" of z, or every "scan" as a whole.
    """

    def __init__(
        self,
        sides: Mapping[str, Sequence[Item]],
        seen: Mapping[Place, str] | None = None,
        origin: str = "the seed",
        new: int = 0,
        hold_out: str = "blocks",
    ) -> None:
        super().__init__({side: Side(sides[side], self) for side in SIDES})
        self.seen = seen
        self.origin = origin
        self.new = new
        self.hold_out = hold_out

    def count(self, items: Sequence[Item], side: str) -> int | None:
        """How many of the items the earlier training had on a side; None where that cannot be told."""
        return None if self.seen is None else sum(self.seen.get(place_of(item)) == side for item in items)


def side_to_score(split: Split, section: str, dataset_dir: str, allow_seen: bool = False) -> Side:
    """The side that is scored.

    Args:
        split: of the data set, under the record of the weights.
        section: ``train``, ``val`` or ``test``.
        dataset_dir: for the refusal.
        allow_seen: whether slices may be scored that the weights were trained on.

    Raises:
        BadInput: they were trained on, or the side is empty.
    """
    side = split[section]
    trained = split.count(side, "train")
    if trained and not allow_seen:
        raise BadInput(
            f"{dataset_dir}: {trained} of the {len(side)} slices of its {section} side were trained on by these weights; "
            "give --section test, or --allow_seen true to score them all the same, which metrics.json then says"
        )
    every = [item for part in split.values() for item in part]
    if not side and (known := split.count(every, "train")):
        validated = split.count(every, "val")
        raise BadInput(
            f"{dataset_dir}: the {section} side is empty, of its {len(every)} slices {known} were trained on and "
            f"{validated} validated on by these weights; label further ones and list them in splits.json if there is one, or "
            f"give --section {'val' if split['val'] and section != 'val' else 'train --allow_seen true'}"
        )
    return side


def about_side(items: Sequence[Item], allow_seen: bool = False) -> dict[str, Any]:
    """What metrics.json says of the slices that are scored; None where the weights' training cannot be told."""
    split = items.split if isinstance(items, Side) else None
    return {
        "scored": len(items),
        "trained_on": split.count(items, "train") if split else None,
        "validated_on": split.count(items, "val") if split else None,
        "new_since_training": split.new if split and split.seen else None,
        "sides": split.origin if split else "the caller",
        "allow_seen": allow_seen,
    }

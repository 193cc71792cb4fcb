"""What is left of the stacks that labelled slices come from: the slices that nobody labelled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from custom.data.hold_out import scan_names
from custom.data.listing import list_pairs
from custom.data.scans_json import Scan, find_scans, read_scans
from custom.data.sides import Item, Split
from custom.data.sides_of_stack import Labelled, labelled_in, on_training_side, use_of
from custom.data.splits_json import SIDES
from custom.stack import GreyWindow, Source, source, warn_once


@dataclass(frozen=True)
class Rest:
    """Slices of a stack.

    Attributes:
        source: of the stack.
        slices: their numbers.
        like: a labelled training slice of the same scan, where one is known.
    """

    source: Source
    slices: list[int]
    like: Item | None = None

    @property
    def window(self) -> GreyWindow | None:
        """The window of a labelled slice, which is that of all its stack."""
        if self.like is None:
            return None
        lower, upper = self.like["grey_window"]
        return GreyWindow(lower, upper, "of its labelled slices", tuple(self.like["surround"]))

    @property
    def scan(self) -> str | None:
        """The name of the scan, where it is that of labelled slices."""
        return None if self.like is None else scan_names([self.like])[0]


def given_rest(image: Source, split: Split) -> Rest:
    """What is to be learned from of a stack that was named.

    One that holds labelled training slices is seen through their window, so that a slice has one look, labelled or not.

    Raises:
        BadInput: it cannot be read, or all that is known of it is scored.
    """
    stack = image.open()
    known = labelled_in(stack, split)
    train = next((one.item for one in known.values() if one.side == "train"), None)
    return Rest(image, use_of(stack, known), train)


def rest_of(split: Split, dataset_dir: str, label_folder: str = "labels") -> list[Rest]:
    """The unlabelled slices on the training side, of 3-D files and of the stacks that `scans.json` names.

    Args:
        split: of the labelled data set.
        dataset_dir, label_folder: where its files lie.

    Raises:
        BadInput: a stack that `scans.json` names cannot be read.
    """
    found = _of_files(split)
    for scan in _scans(dataset_dir, label_folder):
        train = next((item for item in split["train"] if item.get("scan") == scan.name), None)
        if scan.stack is None or train is None:
            continue
        stack = scan.open()
        known = labelled_in(stack, split)
        if not known and any(item.get("scan") == scan.name for side in ("val", "test") for item in split[side]):
            warn_once(
                f"{scan.stack}: holds no slice with the grey values of the labelled ones of the scan {scan.name!r}, so that nothing tells "
                "which of its slices are near those that are scored; it is left out of what is learned from without labels."
            )
            continue
        if rest := [z for z in on_training_side(stack.shape[0], known) if z not in known]:
            index = (scan.stack_index,) if isinstance(scan.stack_index, int) else scan.stack_index
            key = None if scan.stack_key is None else str(scan.stack_key)
            found.append(Rest(Source(str(scan.stack), "image", key, index), rest, train))
    return found


def _of_files(split: Split) -> list[Rest]:
    by_source: dict[Source, dict[int, Labelled]] = {}
    for side in SIDES:
        for item in split[side]:
            by_source.setdefault(source(item, "image"), {})[int(item["z"])] = Labelled(side, item)
    found = []
    for image, own in by_source.items():
        train = next((one.item for one in own.values() if one.side == "train"), None)
        if train is None or (stack := image.open()).shape[0] == 1:
            continue
        known = labelled_in(stack, split) | own  # a copy of the file may have slices of other sides
        if rest := [z for z in on_training_side(stack.shape[0], known) if z not in known]:
            found.append(Rest(image, rest, train))
    return found


def _scans(dataset_dir: str, label_folder: str) -> list[Scan]:
    listing = find_scans(Path(dataset_dir))
    if listing is None:
        return []
    told = read_scans(listing, list_pairs(dataset_dir, label_folder))
    return list({scan.name: scan for scan in told.values()}.values())

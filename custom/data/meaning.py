"""What 255 in a set of labels stands for: nothing (unlabelled), or lithium, as in the masks of 0 and 255 of ImageJ."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from custom.base.errors import BadInput

logger = logging.getLogger("data")


@dataclass(frozen=True)
class SliceCounts:
    """Voxels of a slice that hold 0, a class (1 where lithium alone is looked for), and 255.

    Attributes:
        background, unlabelled: of 0 and of 255.
        lithium: of all classes together.
        classes: of each, in the order of their labels, where there are several.
    """

    background: int
    lithium: int
    unlabelled: int
    classes: tuple[int, ...] = ()

    @property
    def voxels(self) -> int:
        """All of the slice."""
        return self.background + self.lithium + self.unlabelled

    @property
    def labelled(self) -> int:
        """Voxels that hold 0 or a class."""
        return self.background + self.lithium

    @property
    def proves(self) -> bool:
        """1 beside 255 in one slice: lithium is 1 there, so that 255 is something else."""
        return bool(self.lithium and self.unlabelled)

    @property
    def doubtful(self) -> bool:
        """0 and 255 alone: a slice labelled in part, without lithium, or a mask of 0 and 255."""
        return bool(self.background and self.unlabelled and not self.lithium)


Counted = Mapping[Path, Sequence[SliceCounts]]

# voxels of 1 up to which they may be strays in a mask of 0 and 255, and for how many of 255; nobody learns from so few
_MOST_STRAY, _FOR_EACH = 100, 500


def lithium_is_255(counted: Counted, folder: Path, label_255: str = "auto") -> bool:
    """Decide what 255 stands for in all the labels of a set.

    Without a word from the user it is lithium where no label holds a 1 and no slice is 255 all over, in at most half of
    the voxels: unlabelled, it would leave nothing to learn. It is unlabelled where 1 and 255 meet in a slice, unless the
    voxels of 1 are so few that they may be strays in a mask of 0 and 255.

    Args:
        counted: for each label file the counts of its slices.
        folder: of the labels, for warnings and refusals.
        label_255: "lithium", "unlabelled" or "auto".

    Raises:
        BadInput: some slices hold 0 and 1, others 0 and 255, and nothing tells what 255 is; nearly all is 0 and 255; no
            slice shows lithium.
    """
    slices = [(path, z, counts) for path, several in counted.items() for z, counts in enumerate(several)]
    proofs = [(path, z) for path, z, counts in slices if counts.proves]
    doubts = [(path, z) for path, z, counts in slices if counts.doubtful]
    if label_255 == "unlabelled":
        return False
    strays = _strays([counts for _, _, counts in slices])
    if label_255 == "lithium":
        if strays:
            logger.warning("%s: %d voxels hold 1 and count as lithium, as their 255 does.", folder, strays)
        elif proofs:
            path, z = proofs[0]
            raise BadInput(
                f"{path}: holds both 1 and 255 in slice {z}, so that 255 is not lithium alone as --label_255 lithium says; "
                "leave that key away, or write lithium as 1 in all labels"
            )
        return True
    if strays:
        path, z = next((path, z) for path, z, counts in slices if counts.lithium)
        raise BadInput(
            f"{path}: holds 1 in slice {z}, and the set has only {strays} voxels of 1 beside "
            f"{sum(counts.unlabelled for _, _, counts in slices)} of 255, as a mask of 0 and 255 with strays has; give "
            "--label_255 lithium if 255 is lithium, or --label_255 unlabelled if it marks what nobody labelled"
        )
    if not any(counts.lithium for _, _, counts in slices):
        return bool(doubts) and _mask_of_0_and_255([counts for _, _, counts in slices], folder)
    if not doubts:
        return False
    if not proofs:
        path, z = doubts[0]
        raise BadInput(
            f"{path}: holds 255 but no 1 in slice {z}{_others(doubts)}, while other labels hold lithium as 1; give "
            "--label_255 lithium if 255 is lithium, or --label_255 unlabelled if it marks what nobody labelled"
        )
    logger.warning(
        "%s: %d slices hold 0 and 255 but no 1 (%s); their 255 counts as unlabelled, as it does in the slices that hold 1 "
        "too: write lithium as 1 if it is meant.",
        folder,
        len(doubts),
        _names(doubts),
    )
    return False


def warn_of_doubts(counted: Counted) -> None:
    """Say that 255 is taken for unlabelled where nothing tells what it is, for a part of a set that decides nothing."""
    slices = [(path, z, counts) for path, several in counted.items() for z, counts in enumerate(several)]
    doubts = [(path, z) for path, z, counts in slices if counts.doubtful]
    if doubts and not any(counts.proves for _, _, counts in slices):
        logger.warning(
            "%s: %d slices hold 0 and 255 but no 1 (%s); their 255 counts as unlabelled: write lithium as 1, or give the "
            "items lithium_255.",
            doubts[0][0].parent,
            len(doubts),
            _names(doubts),
        )


def _strays(slices: Sequence[SliceCounts]) -> int:
    """How many voxels of 1 there are where they may be strays; 0 where they are none."""
    ones, marked = (sum(counts) for counts in zip(*((one.lithium, one.unlabelled) for one in slices), strict=True))
    few = ones <= min(_MOST_STRAY, marked / _FOR_EACH)
    return ones if few and 2 * marked <= sum(one.voxels for one in slices) else 0


def _mask_of_0_and_255(slices: Sequence[SliceCounts], folder: Path) -> bool:
    marked = sum(counts.unlabelled for counts in slices)
    share = marked / sum(one.voxels for one in slices)
    full = sum(not counts.background for counts in slices)
    if full or share > 0.5:
        raise BadInput(
            f"{folder}: no voxel is labelled 1 (lithium) in any of the {len(slices)} slices, and 255 is {share:.1%} of the "
            f"voxels{f' and all of {full} slices' if full else ''}, as unlabelled voxels are; label a slice that shows "
            "lithium, or give --label_255 lithium if 255 is lithium"
        )
    logger.warning(
        "%s: no label holds a 1; their 255 is read as lithium, as in the masks of 0 and 255 that ImageJ writes: %d voxels, "
        "%.2f %% (--label_255 lithium says so for good).",
        folder,
        marked,
        100 * share,
    )
    return True


def _others(doubts: Sequence[tuple[Path, int]]) -> str:
    count = len(doubts) - 1
    files = list(dict.fromkeys(path for path, _ in doubts))
    if not count:
        return ""
    if len(files) == 1:
        return f" and in {count} more"
    return f", as do {count} more slices ({_names(doubts[1:])})"


def _names(doubts: Sequence[tuple[Path, int]]) -> str:
    names = list(dict.fromkeys(path.name for path, _ in doubts))
    more = f" and {len(names) - 3} more files" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"

"""What speaks against labels that are paired with their images all the same, told once for all of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from custom.stack import Stack

logger = logging.getLogger("data")


def tell_doubts(labels: Sequence[Stack]) -> None:
    """One warning for all labels whose place in space, or whose order of axes, is in doubt, with the first one's."""
    doubted = [label for label in labels if label.doubt]
    if not doubted:
        return
    others = f" (and {len(doubted) - 1} more in this set likewise)" if len(doubted) > 1 else ""
    cure = "give the label its image's place (SimpleITK: label.CopyInformation(image))"
    if doubted[0].place is None:
        cure = "save the label with the names of its axes (h5py: label.dims[0].label = 'z' and so on)"
    logger.warning(
        "%s%s: %s; as the shapes agree they are paired voxel by voxel, so look at an overlay, and %s to leave no doubt.",
        doubted[0].path,
        others,
        doubted[0].doubt,
        cure,
    )

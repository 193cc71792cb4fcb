"""The random crop of a training patch around one of the listed centres."""

from __future__ import annotations

from collections.abc import Sequence

from monai.config import KeysCollection
from monai.transforms import MapTransform, RandCropByLabelClassesd, RandCropByPosNegLabeld


def crop_to_patch(
    keys: KeysCollection,
    label_key: str,
    spatial_size: Sequence[int],
    pos: float,
    neg: float = 1,
    num_samples: int = 1,
    classes: int = 1,
) -> MapTransform:
    """MONAI's crop around the centres that `CandidateCentresd` lists.

    Args:
        keys, label_key, spatial_size, num_samples: as MONAI's crops take them.
        pos, neg: `pos` of pos + neg patches are centred on lithium, or in equal parts on the classes.
        classes: how many are looked for; `PatchDataset` gives the rare ones more than their equal part in their slices.

    Returns:
        `RandCropByPosNegLabeld`, or of several classes `RandCropByLabelClassesd`.
    """
    if classes > 1:
        key = f"{label_key}_classes"
        return RandCropByLabelClassesd(
            keys,
            label_key,
            spatial_size,
            [neg, *[pos / classes] * classes],
            num_samples=num_samples,
            indices_key=key,
            warn=False,
        )
    rich, poor = f"{label_key}_lithium", f"{label_key}_background"
    return RandCropByPosNegLabeld(
        keys, label_key, spatial_size, pos, neg, num_samples, fg_indices_key=rich, bg_indices_key=poor
    )

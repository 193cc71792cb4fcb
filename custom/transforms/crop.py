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
    neg: float,
    num_samples: int = 1,
    shares: Sequence[float] | None = None,
) -> MapTransform:
    """MONAI's crop around the centres that `CandidateCentresd` lists.

    Args:
        keys, label_key, spatial_size, num_samples: as MONAI's crops take them.
        pos, neg: `pos` of pos + neg patches are centred on lithium.
        shares: of background and of each of several classes among the patches, in their place.

    Returns:
        `RandCropByPosNegLabeld`, or of several classes `RandCropByLabelClassesd`.
    """
    if shares is not None:
        key = f"{label_key}_classes"
        return RandCropByLabelClassesd(
            keys, label_key, spatial_size, list(shares), num_samples=num_samples, indices_key=key, warn=False
        )
    rich, poor = f"{label_key}_lithium", f"{label_key}_background"
    return RandCropByPosNegLabeld(
        keys, label_key, spatial_size, pos, neg, num_samples, fg_indices_key=rich, bg_indices_key=poor
    )

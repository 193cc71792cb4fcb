"""Image, label and prediction side by side, for TensorBoard."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from monai.config import NdarrayOrTensor
from numpy.typing import NDArray

from custom.base.classes import LITHIUM, UNLABELLED
from custom.base.colours import class_colour, class_colours
from custom.report.legend import strip
from custom.report.planes import grey, planes

GAP = 2  # white columns between the panels, which may both be black
UNLABELLED_GREY = 0.5


def triple(
    image: NdarrayOrTensor, label: NdarrayOrTensor, pred: NdarrayOrTensor, classes: Sequence[str] = LITHIUM
) -> NDArray[np.float32]:
    """Set image, label and prediction side by side as one RGB picture, several classes in colour over their names.

    Args:
        image: (Y, X) or (1, Y, X) grey values in [0, 1].
        label: same size, {0 black, 1 white, 255 grey}; of several classes each in its colour.
        pred: same size, a mask {0, 1} or a probability in [0, 1]; of several classes the value of each voxel's.
        classes: what is looked for.

    Returns:
        (3, Y, 3 X + 4) float32 in [0, 1], as `SummaryWriter.add_image` takes it; with several classes Y and the legend.

    Raises:
        ValueError: shapes that are not slices of one size.
    """
    image_, label_, pred_ = planes(image, label, pred)
    gap = np.ones((image_.shape[0], GAP), dtype=np.float32)
    if len(classes) == 1:
        shown = np.where(label_ == UNLABELLED, UNLABELLED_GREY, label_)
        row = np.hstack([grey(image_), gap, grey(shown), gap, grey(pred_)])
        return np.repeat(row[np.newaxis], 3, axis=0)
    white = np.repeat(gap[..., np.newaxis], 3, axis=-1)
    panels = [np.repeat(grey(image_)[..., np.newaxis], 3, axis=-1), white, _coloured(label_), white, _coloured(pred_)]
    picture = np.hstack(panels)
    below = np.asarray(strip(picture.shape[1], class_colours(classes)), dtype=np.float32) / 255
    return np.moveaxis(np.vstack([picture, below]), -1, 0)


def _coloured(values: NDArray) -> NDArray[np.float32]:
    """(Y, X, 3): classes in their colours, background black, unlabelled grey."""
    rgb = np.zeros((*values.shape, 3), dtype=np.float32)
    for value in np.unique(values[values > 0]):
        unlabelled = value == UNLABELLED
        rgb[values == value] = UNLABELLED_GREY if unlabelled else np.array(class_colour(int(value))) / 255
    return rgb

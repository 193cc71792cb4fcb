"""Image, label and prediction side by side, for TensorBoard."""

from __future__ import annotations

import numpy as np
from monai.config import NdarrayOrTensor
from numpy.typing import NDArray

from custom.report.planes import grey, planes

GAP = 2  # white columns between the panels, which may both be black
UNLABELLED_GREY = 0.5


def triple(image: NdarrayOrTensor, label: NdarrayOrTensor, pred: NdarrayOrTensor) -> NDArray[np.float32]:
    """Set image, label and prediction side by side as one RGB picture.

    Args:
        image: (Y, X) or (1, Y, X) grey values in [0, 1].
        label: same size, {0 black, 1 white, 255 grey}.
        pred: same size, a mask {0, 1} or a probability in [0, 1].

    Returns:
        (3, Y, 3 X + 4) float32 in [0, 1], as `SummaryWriter.add_image` takes it.

    Raises:
        ValueError: shapes that are not slices of one size.
    """
    image_, label_, pred_ = planes(image, label, pred)
    gap = np.ones((image_.shape[0], GAP), dtype=np.float32)
    shown = np.where(label_ == 255, UNLABELLED_GREY, label_)
    row = np.hstack([grey(image_), gap, grey(shown), gap, grey(pred_)])
    return np.repeat(row[np.newaxis], 3, axis=0)

"""Grey slices with what was found in colour, as RGB arrays and as PNG files with a legend."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
from monai.config import NdarrayOrTensor
from numpy.typing import NDArray
from PIL import Image

from custom.base.classes import UNLABELLED
from custom.base.colours import Colour, class_colour
from custom.base.files import complete_file
from custom.report.legend import strip
from custom.report.planes import grey, planes

# Okabe and Ito's palette, told apart with every common colour blindness (jfly.uni-koeln.de/color).
TRUTH_COLOURS: Mapping[str, Colour] = {
    "true positive": (0, 158, 115),  # bluish green
    "false positive": (213, 94, 0),  # vermillion
    "false negative": (86, 180, 233),  # sky blue
}

OPACITY = 0.7  # the structure of the slice stays visible below the colour
DIMMED = 0.35
SHRINK_ABOVE, MAGNIFY_TO = 1600, 480  # longer side in pixels: fits a screen; leaves room for the legend
PNG_EFFORT = 3  # zlib's level: on noisy slices 4 times as fast as Pillow's own 6, and the file is smaller


def overlay_truth(image: NdarrayOrTensor, pred: NdarrayOrTensor, label: NdarrayOrTensor) -> NDArray[np.uint8]:
    """Colour true positives, false positives and false negatives; unlabelled voxels are dimmed and uncoloured.

    Args:
        image: (Y, X) or (1, Y, X) grey values in [0, 1].
        pred: same size, {0, 1}.
        label: same size, {0, 1, 255}.

    Returns:
        (Y, X, 3) uint8 in the colours of `TRUTH_COLOURS`.

    Raises:
        ValueError: shapes that are not slices of one size.
    """
    image_, pred_, label_ = planes(image, pred, label)
    found, true, false = pred_ == 1, label_ == 1, label_ == 0
    dimmed = grey(image_) * np.where(label_ == UNLABELLED, DIMMED, 1.0)
    outcomes = (found & true, found & false, ~found & true)
    return _paint(dimmed, dict(zip(TRUTH_COLOURS.values(), outcomes, strict=True)))


def overlay_mask(image: NdarrayOrTensor, mask: NdarrayOrTensor) -> NDArray[np.uint8]:
    """Colour the voxels of `mask`, 0 or a class's value, on the grey slice `image` in [0, 1], both (Y, X) or (1, Y, X).

    Returns (Y, X, 3) uint8 in the colours of `class_colour`; refuses as :func:`overlay_truth`.
    """
    image_, mask_ = planes(image, mask)
    return _paint(grey(image_), {class_colour(int(v)): mask_ == v for v in np.unique(mask_) if v})


def save_overlay(
    path: str | os.PathLike[str], rgb: NDArray[np.uint8], legend: Mapping[str, Colour], title: str = ""
) -> None:
    """Write (Y, X, 3) uint8 as PNG over a strip with title and legend.

    Slices above 1600 pixels on the longer side are shrunk by a whole factor (mean of blocks), those below 480 are
    magnified by a whole factor.

    Raises:
        BadInput: the file cannot be written; nothing is left under its name.
    """
    picture = _resized(Image.fromarray(rgb))
    below = strip(picture.width, legend, title)
    page = Image.new("RGB", (picture.width, picture.height + below.height))
    page.paste(picture, (0, 0))
    page.paste(below, (0, picture.height))
    with complete_file(path) as part:
        page.save(part, format="PNG", compress_level=PNG_EFFORT)


def _paint(image: NDArray, areas: Mapping[Colour, NDArray[np.bool_]]) -> NDArray[np.uint8]:
    rgb = np.repeat(image[..., np.newaxis] * 255.0, 3, axis=-1)
    for colour, area in areas.items():
        rgb[area] = (1 - OPACITY) * rgb[area] + OPACITY * np.array(colour)
    return np.rint(rgb).astype(np.uint8)


def _resized(picture: Image.Image) -> Image.Image:
    longer = max(picture.size)
    if longer > SHRINK_ABOVE:
        return picture.reduce(-(-longer // SHRINK_ABOVE))
    factor = max(1, MAGNIFY_TO // longer)
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)

"""The TensorBoard triple, as TensorBoard stores it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from custom.report import triple


def test_panels_side_by_side(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    image, probability = rng.random((2, 1, 40, 50), dtype=np.float32)
    label = rng.choice(np.array([0, 1, 255], dtype=np.uint8), (1, 40, 50))
    picture = triple(torch.from_numpy(image), torch.from_numpy(label), probability)
    assert picture.shape == (3, 40, 154)
    assert picture.dtype == np.float32
    for channel in picture:
        left, middle, right = channel[:, :50], channel[:, 52:102], channel[:, 104:]
        np.testing.assert_array_equal(left, image[0])
        np.testing.assert_array_equal(right, probability[0])
        for value, shown in ((0, 0.0), (1, 1.0), (255, 0.5)):
            assert set(middle[label[0] == value]) == {shown}

    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_image("triple", picture, 1)
    events = EventAccumulator(str(tmp_path), size_guidance={"images": 1}).Reload()
    stored = np.asarray(Image.open(io.BytesIO(events.Images("triple")[0].encoded_image_string)))
    np.testing.assert_allclose(stored, picture.transpose(1, 2, 0) * 255, atol=1)


def test_differing_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(4, 4\), \(4, 4\), \(5, 4\)"):
        triple(np.zeros((4, 4)), np.zeros((4, 4)), np.zeros((5, 4)))

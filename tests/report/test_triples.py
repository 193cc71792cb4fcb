"""The TensorBoard triple, as TensorBoard stores it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from custom.base.colours import PALETTE
from custom.handlers import SliceTriples
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


def test_classes_are_in_their_colours_over_their_names() -> None:
    classes = ["pit", "dendrite", "cell"]
    rng = np.random.default_rng(0)
    image = rng.random((1, 40, 50), dtype=np.float32)
    label, pred = rng.choice(np.array([0, 1, 2, 3, 255], dtype=np.uint8), (2, 1, 40, 50))
    picture = triple(image, label, pred, classes)
    left, middle, right = picture[:, :40, :50], picture[:, :40, 52:102], picture[:, :40, 104:]
    np.testing.assert_array_equal(left, image.repeat(3, axis=0))
    colours = {0: (0, 0, 0), 255: (0.5, 0.5, 0.5)}
    colours |= {i: tuple(part / 255 for part in colour) for i, colour in enumerate(PALETTE[:3], 1)}
    for panel, values in ((middle, label), (right, pred)):
        for value in np.unique(values):
            np.testing.assert_allclose(panel[:, values[0] == value].T, [colours[int(value)]] * (values == value).sum())
    legend = picture[:, 40:].reshape(3, -1).T
    assert all(np.isclose(legend, colours[i]).all(axis=1).sum() >= 15 * 15 for i in (1, 2, 3))
    longer = triple(image, label, pred, [*classes[:2], "a much longer name"])
    assert longer.shape != picture.shape or not np.array_equal(longer, picture)


def test_the_slices_that_are_shown_hold_most_classes(tmp_path: Path) -> None:
    evaluator = Engine(lambda engine, item: [item])
    with SummaryWriter(str(tmp_path)) as writer:
        triples = SliceTriples(writer, count=2, classes=["a", "b"])
        triples.attach(evaluator)
        labels = [[0, 0, 0, 0], [1, 1, 1, 1], [2, 1, 0, 0], [2, 2, 2, 255]]
        items = [torch.tensor(values).reshape(1, 2, 2) for values in labels]
        evaluator.run([{"image": torch.rand(1, 2, 2), "label": item, "pred": item} for item in items])
    assert sorted(triples.kept) == [2, 3]
    tags = EventAccumulator(str(tmp_path), size_guidance={"images": 1}).Reload().Tags()["images"]
    assert tags == ["image, label, prediction/slice 2", "image, label, prediction/slice 3"]


def test_differing_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(4, 4\), \(4, 4\), \(5, 4\)"):
        triple(np.zeros((4, 4)), np.zeros((4, 4)), np.zeros((5, 4)))

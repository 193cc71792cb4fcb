"""Merged classes have the sum of their probabilities."""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import expit, softmax

from custom.base.merging import Merging
from custom.transforms import MergeClassesd

CLASSES = ("electrode", "pit", "dendrite", "redeposited")


def item() -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(0)
    label = np.where(rng.random((1, 6, 7)) < 0.2, 255, rng.integers(0, 5, (1, 6, 7))).astype(np.uint8)
    return {"pred": torch.tensor(rng.normal(0, 4, (5, 6, 7)), dtype=torch.float32), "label": torch.as_tensor(label)}


def test_of_one_class_that_is_left_the_sigmoid_is_the_sum() -> None:
    before = item()
    after = MergeClassesd("pred", Merging(CLASSES, {"lithium": ["dendrite", "redeposited"]}))(before)
    expected = softmax(before["pred"].double().numpy(), axis=0)[3:].sum(0)
    np.testing.assert_allclose(expit(after["pred"].double().numpy()), expected[None], atol=1e-6)
    truth = np.where(before["label"] == 255, 255, np.isin(before["label"], (3, 4)))
    np.testing.assert_array_equal(after["label"], truth)
    assert after["label"].dtype == torch.uint8


def test_of_several_the_softmax_is_the_sum_in_the_new_order() -> None:
    before = item()
    merge = {"lithium": ["redeposited", "dendrite"], "holes": ["pit"]}
    after = MergeClassesd("pred", Merging(CLASSES, merge))({"pred": before["pred"]})
    old = softmax(before["pred"].double().numpy(), axis=0)
    expected = np.stack([old[0] + old[1], old[3] + old[4], old[2]])
    np.testing.assert_allclose(softmax(after["pred"].double().numpy(), axis=0), expected, atol=1e-6)
    labelled = MergeClassesd("pred", Merging(CLASSES, merge))(before)["label"].numpy()
    assert [set(labelled[before["label"] == old]) for old in (0, 1, 2, 3, 4, 255)] == [{0}, {0}, {2}, {1}, {1}, {255}]


def test_without_a_merge_all_stays() -> None:
    before = item()
    after = MergeClassesd("pred", Merging(CLASSES))(before)
    assert after["pred"] is before["pred"] and after["label"] is before["label"]

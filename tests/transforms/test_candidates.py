"""Where training patches may be centred."""

from __future__ import annotations

import numpy as np
import torch

from custom.transforms import CandidateCentresd


def labels() -> torch.Tensor:
    return torch.from_numpy(
        np.random.default_rng(0).choice([0, 1, 255], (1, 40, 50), p=[0.6, 0.1, 0.3]).astype(np.uint8)
    )


def test_lithium_and_background_without_the_unlabelled() -> None:
    label = labels()
    found = CandidateCentresd("label")({"label": label})
    flat = label.numpy().ravel()
    np.testing.assert_array_equal(found["label_lithium"], np.nonzero(flat == 1)[0])
    np.testing.assert_array_equal(found["label_background"], np.nonzero(flat == 0)[0])


def test_thinned_evenly_and_always_alike() -> None:
    label = labels()
    full = CandidateCentresd("label")({"label": label})
    found = CandidateCentresd("label", limit=100)({"label": label})
    again = CandidateCentresd("label", limit=100)({"label": label})
    for key in ("label_lithium", "label_background"):
        assert len(found[key]) == 100
        assert set(found[key]) <= set(full[key])
        np.testing.assert_array_equal(found[key], again[key])
        steps = np.diff(np.searchsorted(full[key], found[key]))
        assert steps.max() - steps.min() <= 1
        assert (found[key][0], found[key][-1]) == (full[key][0], full[key][-1])


def test_every_slice_can_be_cropped() -> None:
    for value in (0, 1, 255):
        found = CandidateCentresd("label")({"label": torch.full((1, 4, 5), value)})
        assert len(found["label_background"]) == 20
        assert len(found["label_lithium"]) == 20


def test_a_crop_around_a_candidate_holds_a_label_wherever_there_is_one() -> None:
    label = torch.full((1, 40, 50), 255)
    label[0, 7, 9:12] = 1
    found = CandidateCentresd("label")({"label": label})
    for key in ("label_lithium", "label_background"):
        np.testing.assert_array_equal(found[key], 7 * 50 + np.arange(9, 12))


def test_centres_of_several_classes() -> None:
    label = torch.tensor([[[0, 1, 2], [255, 2, 0]]], dtype=torch.uint8)
    found = CandidateCentresd("label", classes=3)({"label": label})["label_classes"]
    assert [centres.tolist() for centres in found] == [[0, 5], [1], [2, 4], []]
    nothing = CandidateCentresd("label", classes=3)({"label": torch.full((1, 2, 3), 255)})["label_classes"]
    assert [len(centres) for centres in nothing] == [6, 0, 0, 0]

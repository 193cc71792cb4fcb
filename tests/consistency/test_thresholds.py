"""How sure a teacher has to be, beside what is reckoned by hand."""

from __future__ import annotations

import pytest
import torch

from custom.consistency import ClassThresholds


def logit(*probabilities: float) -> torch.Tensor:
    return torch.logit(torch.tensor(probabilities, dtype=torch.float64)).float().reshape(1, 1, 1, -1)


def known(*values: int) -> torch.Tensor:
    return torch.tensor(values).reshape(1, 1, 1, -1)


def test_each_class_is_measured_by_itself() -> None:
    """Lithium at 0.7 counts though background is at 0.9 and more: its mean is 0.65, that of background 0.94."""
    thresholds = ClassThresholds()
    found = thresholds(logit(0.02, 0.06, 0.1, 0.6, 0.7), known(0, 0, 0, 0, 0))
    assert found.flatten().tolist() == [0, 0, 255, 255, 1]
    assert thresholds.threshold(1) == pytest.approx(0.65) and thresholds.threshold(0) == pytest.approx(0.94)


def test_the_means_follow_and_what_lies_outside_has_no_part() -> None:
    thresholds = ClassThresholds(momentum=0.75)
    thresholds(logit(0.4, 0.8, 0.999), known(0, 0, 255))
    assert thresholds.means == pytest.approx([0.6, 0.8])
    found = thresholds(logit(0.2, 0.3, 0.9), known(0, 255, 0))
    assert thresholds.means == pytest.approx([0.75 * 0.6 + 0.25 * 0.8, 0.75 * 0.8 + 0.25 * 0.9])
    assert found.flatten().tolist() == [0, 255, 1]
    thresholds(logit(0.2), known(0))  # without lithium its mean stays
    assert thresholds.means[1] == pytest.approx(0.825)


def test_a_network_that_is_always_sure_is_held_to_no_more_than_the_highest() -> None:
    thresholds = ClassThresholds(highest=0.9)
    found = thresholds(logit(0.05, 0.0001), known(0, 0))
    assert found.flatten().tolist() == [0, 0] and thresholds.threshold(0) == 0.9 == thresholds.threshold(1)


def test_several_classes_by_their_softmax() -> None:
    shares = torch.tensor([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.1, 0.5, 0.4], [0.2, 0.1, 0.7]])
    logits = shares.log().T.reshape(1, 3, 1, 4)
    thresholds = ClassThresholds()
    assert thresholds(logits, known(0, 0, 0, 0)).flatten().tolist() == [0, 255, 1, 2]
    assert thresholds.means == pytest.approx([0.7, 0.5, 0.7])


def test_it_goes_on_from_its_state() -> None:
    first, second = ClassThresholds(), ClassThresholds()
    first(logit(0.1, 0.8), known(0, 0))
    second.load_state_dict(first.state_dict())
    values = logit(0.3, 0.2, 0.65, 0.9), known(0, 0, 0, 0)
    assert torch.equal(first(*values), second(*values)) and first.means == second.means

"""Allowed ranges against draws of what they speak of."""

from __future__ import annotations

import numpy as np
import pytest

from custom.guard.ranges import allowed, excess


@pytest.mark.parametrize(("known", "level"), [(4, 0.1), (20, 0.02)])
def test_as_many_further_values_lie_outside_as_was_said(known: int, level: float) -> None:
    draws = np.random.default_rng(0).normal(3, 2, (4000, known + 1))
    outside = 0
    for *values, further in draws:
        centre, lower, upper = allowed(values, 0.0, level)
        outside += not lower <= further <= upper
        assert centre == pytest.approx(np.mean(values))
    assert outside / len(draws) == pytest.approx(level, rel=0.25)


def test_values_that_are_alike_leave_the_least_range() -> None:
    assert allowed([2.0, 2.0, 2.0], 0.5, 0.1) == (2.0, 1.5, 2.5) == allowed([2.0], 0.5, 0.1)


def test_the_excess_is_counted_to_the_end_on_its_side() -> None:
    assert excess(4, 1, 0, 3) == 1.5 and excess(-2, 1, 0, 3) == 3 and excess(1, 1, 0, 3) == 0

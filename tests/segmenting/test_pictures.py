"""The slices that pictures show: known without reading the stack again, however its slabs were shared out."""

import numpy as np
import pytest
import torch

from custom.segmenting.pictures import Richest, richness, shown


def test_the_first_slice_with_most_lithium_of_each_part() -> None:
    assert shown([0, 3, 3, 0, 0, 0, 1, 0, 9, 2]) == [1, 2, 4, 6, 8]
    assert shown([4, 5]) == [0, 1]


def test_a_common_class_does_not_hide_a_rare_one() -> None:
    full, both, none = (np.zeros((4, 4), np.uint8) for _ in range(3))
    full[:] = 1
    both[:2], both[2, 0] = 1, 2
    assert richness(none, 2) < richness(full, 2) < richness(both, 2)
    assert richness(full, 1) == 17


@pytest.mark.parametrize("seed", range(5))
def test_whoever_has_a_slab_keeps_what_is_shown_of_it(seed: int) -> None:
    draw = np.random.default_rng(seed)
    mask = draw.integers(0, 2, (23, 3, 4), np.uint8) * draw.integers(0, 2, (23, 1, 1), np.uint8)
    grey = draw.random((23, 3, 4), np.float32)
    outside = torch.zeros(23, 3, 4, dtype=torch.bool)
    outside[:, 0] = True
    starts = list(range(0, 23, 4))
    kept: dict[int, np.ndarray] = {}
    first = draw.permutation(6)[:2]  # done before a kill
    for mine in (sorted(first), *([n for n in range(rank, 6, 2) if n not in first] for rank in (0, 1))):
        richest = Richest(23)
        for start in (starts[n] for n in mine):
            part = slice(start, start + 4)
            kept |= richest.of_slab(start, mask[part], torch.as_tensor(grey[part]), outside[part])
    for z in shown(mask.sum(axis=(1, 2)).tolist()):
        expected = np.rint(grey[z] * 255)
        expected[0] = 0
        np.testing.assert_array_equal(kept[z], expected)

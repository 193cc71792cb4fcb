"""Labels as a person draws them, beside the exact ones."""

import numpy as np
from skimage.measure import perimeter

from custom.phantom.drawn import drawn_label


def blocks(*sizes: int) -> np.ndarray:
    """(8, 64, 64 per size) label: a cube of each size, far apart."""
    label = np.zeros((8, 64, 64 * len(sizes)), np.uint8)
    for i, size in enumerate(sizes):
        label[2 : 2 + min(size, 5), 20 : 20 + size, 64 * i + 20 : 64 * i + 20 + size] = 1
    return label


def test_large_pieces_are_found_and_small_ones_missed_by_chance() -> None:
    label = blocks(30, *[4] * 40)  # 5 x 30 x 30 = 4500 voxels; 64 voxels are missed with a chance of 0.65
    drawn = drawn_label(label, np.random.default_rng(0))
    assert drawn.dtype == np.uint8 and set(np.unique(drawn)) == {0, 1}
    found = [drawn[:, :, 64 * i : 64 * i + 64].any() for i in range(41)]
    assert found[0] and 5 <= sum(found[1:]) <= 23


def test_outlines_are_smooth_and_near_the_true_ones() -> None:
    rng = np.random.default_rng(0)
    z, y, x = np.indices((4, 80, 80))
    rough = 25 + 1.5 * rng.standard_normal((4, 80, 80))
    label = (np.hypot(y - 40, x - 40) < rough).astype(np.uint8)
    drawn = drawn_label(label, rng)
    assert 0.93 < 2 * (drawn & label).sum() / (drawn.sum() + label.sum()) < 1
    around = [np.mean([perimeter(part) for part in stack]) / (2 * np.pi * 25) for stack in (drawn, label)]
    assert around[0] < 1.13 and around[1] > 1.5
    radius = np.hypot(y - 40, x - 40)
    assert not drawn[radius > 28].any() and drawn[radius < 22].all()


def test_a_hair_is_left_out_and_pores_are_painted_over() -> None:
    label = blocks(30)
    label[:, 5:60, 8] = 1
    label[:, 30:32, 30:32] = 0
    drawn = drawn_label(label, np.random.default_rng(0))
    assert not drawn[:, :, :14].any() and drawn[4, 30:32, 30:32].all()


def test_an_empty_label_stays_empty() -> None:
    assert not drawn_label(np.zeros((2, 9, 9), np.uint8), np.random.default_rng(0)).any()

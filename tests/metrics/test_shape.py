"""Boundary, centreline and components of one class, beside brute force."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from monai.metrics import compute_hausdorff_distance, compute_surface_dice
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from skimage.measure import label as components
from skimage.morphology import skeletonize

from custom.metrics import shape_scores

Mask = NDArray[np.bool_]
SIZES = [(17, 23), (6, 9, 8)]
SPACINGS = [None, (3.0, 1.33, 0.7)]


def blobs(rng: np.random.Generator, shape: tuple[int, ...], share: float) -> Mask:
    """Blocks of two voxels a side: pieces with an inside, thin parts and single gaps."""
    coarse = rng.random([-(-n // 2) for n in shape]) < share
    whole = coarse.repeat(2, 0).repeat(2, 1)
    whole = whole.repeat(2, 2) if len(shape) == 3 else whole
    return (whole[tuple(slice(n) for n in shape)] ^ (rng.random(shape) < 0.03)).astype(bool)


def boundary(mask: Mask, known: Mask) -> NDArray[np.int64]:
    """Voxels with a face neighbour that is known to be outside, one voxel at a time."""
    found = []
    for place in product(*map(range, mask.shape)):
        if not (mask[place] and known[place]):
            continue
        for axis, step in product(range(mask.ndim), (-1, 1)):
            near = tuple(p + step * (a == axis) for a, p in enumerate(place))
            inside = all(0 <= p < n for p, n in zip(near, mask.shape, strict=True))
            if not inside or (known[near] and not mask[near]):
                found.append(place)
                break
    return np.array(found, dtype=np.int64).reshape(-1, mask.ndim)


def reference(
    pred: Mask, label: Mask, known: Mask, tolerance: float, spacing: Sequence[float] | None
) -> tuple[float, float, float]:
    """Surface Dice, HD95 and clDice of masks that both have a boundary."""
    scale = np.ones(pred.ndim) if spacing is None else np.array(spacing)
    distances = cdist(boundary(pred, known) * scale, boundary(label, known) * scale)
    forth, back = distances.min(axis=1), distances.min(axis=0)
    within = (forth <= tolerance).sum() + (back <= tolerance).sum()
    pred, label = pred & known, label & known
    precision, sensitivity = (s[m].mean() for s, m in ((label, skeletonize(pred)), (pred, skeletonize(label))))
    cldice = 2 * precision * sensitivity / (precision + sensitivity)
    hd95 = max(np.quantile(forth, 0.95), np.quantile(back, 0.95))
    return within / (len(forth) + len(back)), hd95, cldice


@pytest.mark.parametrize("unlabelled", [0.0, 0.2])
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("shape", SIZES)
def test_as_by_brute_force(shape: tuple[int, ...], spacing: tuple[float, ...] | None, unlabelled: float) -> None:
    spacing = None if spacing is None else spacing[-len(shape) :]
    for seed in range(3):
        rng = np.random.default_rng(seed)
        pred, label = blobs(rng, shape, 0.3), blobs(rng, shape, 0.35)
        pred, known = np.where(rng.random(shape) < 0.5, label, pred), ~blobs(rng, shape, unlabelled)
        known = known if unlabelled else np.ones(shape, dtype=bool)
        found = shape_scores(pred, label, known, 1.1, spacing)
        expected = reference(pred, label, known, 1.1, spacing)
        assert (found.surface_dice, found.hd95, found.cldice) == pytest.approx(expected, abs=1e-9)
        assert shape_scores(label, pred, known, 1.1, spacing).hd95 == found.hd95
        counts = tuple(components(mask & known, connectivity=len(shape)).max() for mask in (label, pred))
        assert (found.components_true, found.components_predicted) == counts
        assert found.component_error == abs(counts[0] - counts[1])
        # what is predicted where nothing is labelled makes no difference
        assert shape_scores(pred ^ (~known & (rng.random(shape) < 0.5)), label, known, 1.1, spacing) == found


@pytest.mark.parametrize("tolerance", [0.0, 1.0, 1.5])
def test_as_monai_where_all_is_labelled(tolerance: float) -> None:
    rng = np.random.default_rng(5)
    pred, label = blobs(rng, (40, 50), 0.3), blobs(rng, (40, 50), 0.3)
    tensors = [torch.from_numpy(mask)[None, None].float() for mask in (pred, label)]
    found = shape_scores(pred, label, None, tolerance)
    assert found.surface_dice == pytest.approx(
        compute_surface_dice(*tensors, class_thresholds=[tolerance], include_background=True).item(), abs=1e-6
    )
    hausdorff = compute_hausdorff_distance(*tensors, include_background=True, percentile=95)
    assert found.hd95 == pytest.approx(hausdorff.item(), abs=1e-5)


def drawn(rows: str) -> tuple[Mask, Mask]:
    """A mask and what is labelled of it, from characters: # class, . background, ? unlabelled."""
    letters = np.array([list(row) for row in rows.split()])
    return letters == "#", letters != "?"


NOTHING = drawn("... ... ...")[0]
POINT = drawn("... .#. ...")[0]
BEST = (1.0, 0.0, 1.0)
WORST = (0.0, np.sqrt(18), 0.0)


@pytest.mark.parametrize(
    ("pred", "label", "expected", "missed", "error"),
    [
        (NOTHING, POINT, WORST, True, 1),
        (POINT, NOTHING, WORST, False, 1),
        (NOTHING, NOTHING, BEST, False, 0),
        (POINT, POINT, BEST, False, 0),
        (np.roll(POINT, 1, 0), POINT, (1.0, 1.0, 0.0), False, 0),
    ],
    ids=["missed", "invented", "both empty", "one voxel", "one voxel beside it"],
)
def test_a_voxel_or_none(pred: Mask, label: Mask, expected: Any, missed: bool, error: int) -> None:
    found = shape_scores(pred, label)
    assert (found.surface_dice, found.hd95, found.cldice) == pytest.approx(expected)
    assert (found.present, found.missed) == (label.any(), missed)
    assert found.component_error == error


def test_the_worst_distance_is_the_diagonal_in_the_unit_of_the_spacing() -> None:
    volume = np.zeros((4, 5, 6), dtype=bool)
    volume[1, 2, 3] = True
    found = shape_scores(~volume & False, volume, spacing=(2, 1, 0.5))
    assert found.hd95 == pytest.approx(np.sqrt(8**2 + 5**2 + 3**2))


@pytest.mark.parametrize(
    ("label", "pred", "expected"),
    [
        # the label ends at ?, the prediction goes on: its end there is no error, and where both end is right
        (".##??? .##???", ".##### .#####", BEST),
        (".####. ??????", ".####. .####.", BEST),
        # nothing but the class and unlabelled voxels: no boundary to be judged, however good
        ("???? ?##? ????", ".... .#.. ....", (None, None, 2 / 3)),
        ("???? ?##? ????", ".... .#.. ....", (None, None, 2 / 3)),
        # missed it is all the same
        ("???? ?##? ????", "#### #..# ####", (0.0, 5.0, 0.0)),
    ],
)
def test_beside_unlabelled_voxels(label: str, pred: str, expected: tuple[float | None, ...]) -> None:
    mask, known = drawn(label)
    found = shape_scores(drawn(pred)[0], mask, known)
    assert (found.surface_dice, found.hd95, found.cldice) == pytest.approx(expected)


def test_a_distance_that_equals_the_tolerance_is_within_it() -> None:
    pred, label = drawn(".......#.")[0], drawn("....#....")[0]
    found = shape_scores(pred, label, tolerance=0.3, spacing=(0.1, 0.1))
    assert 3 * 0.1 > 0.3
    assert found.surface_dice == 1.0


def test_a_branch_twice_as_thick_has_the_same_centreline() -> None:
    label = np.zeros((20, 60), dtype=bool)
    label[9:12, 5:55] = True
    thick = np.zeros_like(label)
    thick[8:13, 4:56] = True
    broken = label.copy()
    broken[:, 25:35] = False
    assert shape_scores(thick, label).cldice > 0.97
    assert shape_scores(broken, label).cldice == pytest.approx(2 * 0.8 / 1.8, abs=0.02)
    assert shape_scores(broken, label).component_error == 1


def test_thinning_that_leaves_nothing() -> None:
    cube = np.zeros((6, 6, 6), dtype=bool)
    cube[2:4, 2:4, 2:4] = True
    assert not skeletonize(cube).any()
    assert shape_scores(cube, cube).cldice == 1.0
    assert shape_scores(~cube & False, cube).cldice == shape_scores(np.roll(cube, 2, 0), cube).cldice == 0.0


@pytest.mark.parametrize(
    "arguments",
    [
        {"label": np.zeros((3, 4), dtype=bool)},
        {"labelled": np.ones((1, 3), dtype=bool)},
        {"spacing": (1.0,)},
        {"spacing": (1.0, 0.0)},
    ],
)
def test_what_does_not_fit(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="share one shape|lengths above 0"):
        shape_scores(**({"pred": POINT, "label": POINT} | arguments))

"""Expected Dice and its interval, by their formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage

from custom.guard.border import border_steps
from custom.guard.expected_dice import ERROR, ExpectedDice
from custom.guard.ranges import allowed
from custom.guard.reference import Reference
from custom.guard.told import beside_verdict, expected_text, rests_on
from custom.quantities.quantity import FoundSlab
from custom.transforms import ToMaskd

WINDOW = (100.0, 300.0)
RNG = np.random.default_rng(0)
P = ndimage.gaussian_filter(RNG.uniform(0, 1, (20, 40, 48)), (0, 2, 2))
P = ((P - P.min()) / np.ptp(P)).astype(np.float32)
GREY = 240 - 80 * (P >= 0.5) + 10 * RNG.standard_normal(P.shape)


def record(border: str = "-0.9 -0.8 -0.95 -0.85", shares: str = "", missed: Any = 0.02) -> dict[str, Any]:
    edges, known = ([float(one) for one in line.split()] for line in (border, shares))
    told = Reference("scans", 4, {"noise": [1.0] * 4}, np.ones((4, 2)) / 2, [edges], [known]).told()
    return {"guard": told, "validation": {ERROR: missed}}


def added(quantity: ExpectedDice, probability: np.ndarray = P, height: int = 6, **counts: np.ndarray) -> dict[str, Any]:
    for start in range(0, len(P), height):
        item: Any = ToMaskd("pred")({"pred": torch.as_tensor(probability[start : start + height])[None].clone()})
        found = {"mask": item["pred"][0].numpy().astype(np.uint8)}
        slab = FoundSlab(
            found, GREY[start : start + height], None, 0, {"pred_sums": item["pred_sums"].numpy(), **counts}, WINDOW
        )
        quantity.add(start, quantity.of_slab(slab))
    told: dict[str, Any] = quantity.result(None)["expected_dice"]
    return told


def test_by_the_formulas() -> None:
    """Those of all voxels at once, whatever the slabs."""
    mask = P >= 0.5
    dice = 2 * P[mask].sum() / (P.sum() + mask.sum())
    steps = np.sum(
        [border_steps(m.astype(np.uint8), grey, WINDOW, 1)[0] for m, grey in zip(mask, GREY, strict=True)], axis=0
    )
    edge, least = -steps[0] / steps[1], -allowed([-0.9, -0.8, -0.95, -0.85], 0, 0.05)[2]
    pairs = [np.delete(np.arange(20), [z, z + 1]) for z in range(0, 20, 2)]
    left = [2 * P[rest][mask[rest]].sum() / (P[rest].sum() + mask[rest].sum()) for rest in pairs]
    spread = np.sqrt(9 * np.var(left))
    assert 0 < edge < least
    for height in (1, 6, 20):
        told = added(ExpectedDice(records=[record()]), height=height)
        assert told["from_probabilities"] == pytest.approx(dice, rel=1e-6)
        assert (told["edge"], told["least_edge"]) == pytest.approx((edge, least), rel=1e-4)
        assert told["value"] == pytest.approx(dice * edge / least, rel=1e-4) and told["spread"] == pytest.approx(
            spread, rel=1e-3
        )
        half = 3 * np.hypot(spread, 0.02)
        assert told["interval"] == pytest.approx([told["value"] - half, min(1, dice + half)], rel=1e-4)


def test_an_edge_as_strong_as_the_labels_changes_nothing_and_one_of_the_other_sign_leaves_nothing() -> None:
    plain = added(ExpectedDice())
    assert plain["value"] == plain["from_probabilities"] and plain["edge"] is plain["error_at_validation"] is None
    assert added(ExpectedDice(records=[record("-0.2 -0.21 -0.19")]))["value"] == plain["value"]
    assert added(ExpectedDice(records=[record("0.2 0.21 0.19")]))["value"] == 0
    # labels whose edges may be of either sign say nothing
    assert added(ExpectedDice(records=[record("0.2 -0.21 0.19")]))["value"] == plain["value"]


def test_a_share_that_no_label_has_had_bounds_it() -> None:
    """The Dice of a mask of 47 % against a truth of at most so much: all of it in the mask."""
    share = float((P >= 0.5).mean())
    for known, true in (("0.05 0.05 0.05", 0.1), ("0.9 0.9 0.9 0.9", None), ("0.5 0.4 0.45", share)):
        told = added(ExpectedDice(records=[record("", known)]))
        lower, upper = told["allowed_share"]
        assert (lower, upper) == pytest.approx(
            [float(known.split()[0]) / 2, min(2 * float(known.split()[0]), 1)], rel=0.35
        )
        bound = told["value"] / told["from_probabilities"]
        possible = [2 * min(share, one) / (share + one) for one in np.linspace(lower, upper, 2001)]
        assert bound == pytest.approx(max(possible), abs=1e-3)
        assert told["share"] == pytest.approx(share) and (
            true is None or bound == pytest.approx(2 * true / (share + true), abs=0.01)
        )


def test_members_that_agree_less_than_their_probabilities_say() -> None:
    for common, value in ((20, 0.4), (49.9, None)):
        told = added(ExpectedDice(), members=np.array([[[common, 100]]]))
        assert told["agreement_of_members"] == pytest.approx(2 * common / 100)
        assert told["value"] == pytest.approx(value or told["from_probabilities"])


def test_nothing_found_has_no_dice() -> None:
    told = added(ExpectedDice(records=[record()]), P * 0.1)
    assert told["value"] is told["interval"] is None and expected_text({"expected_dice": told}, ["lithium"]) == ""


def test_each_of_several_classes_has_its_own() -> None:
    names = ["pit", "dendrite"]
    logits = torch.as_tensor(np.stack([0.5 * P, P, 1 - P]))[:, :4] * 8
    probability = logits.softmax(0)
    item: Any = ToMaskd("pred")({"pred": probability.clone()})
    found = item["pred"][0].numpy()
    quantity = ExpectedDice(names, [record(missed=None)])
    slab = FoundSlab({"mask": found}, GREY[:4], None, 0, {"pred_sums": item["pred_sums"].numpy()}, WINDOW)
    quantity.add(0, quantity.of_slab(slab))
    told = quantity.result(None)["expected_dice"]
    for value, name in enumerate(names, 1):
        of_class = probability[value].double().numpy()
        expected = 2 * of_class[found == value].sum() / (of_class.sum() + (found == value).sum())
        assert told[name]["from_probabilities"] == pytest.approx(expected, rel=1e-6)
    assert "pit 0." in expected_text({"expected_dice": told}, names) and told["dendrite"]["least_edge"] is None


def test_what_is_unlike_is_promised_nothing() -> None:
    told = added(ExpectedDice(records=[record()]))
    summary = {"expected_dice": told, "guard": {"verdict": "unlike"}}
    assert beside_verdict(summary)["expected_dice"]["interval"] == [0.0, told["interval"][1]]
    assert (
        beside_verdict({"expected_dice": {"pit": told}, "guard": {"verdict": "unlike"}})["expected_dice"]["pit"][
            "interval"
        ][0]
        == 0
    )
    assert beside_verdict(summary | {"guard": {"verdict": "like"}})["expected_dice"] == told
    assert "missed by 0.020" in rests_on(told) and "no validation" in rests_on(added(ExpectedDice()))

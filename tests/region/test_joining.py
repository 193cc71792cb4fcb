"""Fields of view are put in order and joined to a tenth of a voxel, or refused; the places were given to scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from views import Held, as_uint16, seen, world

from custom.base.errors import BadInput
from custom.region.joining import join
from custom.region.looking import FieldLook, look_at
from custom.region.overlap import LEAST_ALIKE, Ends, overlaps

SHIFTS = ((0.0, 0.0, 0.0), (29.3, 1.6, -2.2), (58.8, -1.3, 2.7))
ROTATIONS = (0.0, 0.4, -0.3)
GREY = ((1.0, 0.0), (0.9, 0.2), (1.2, -0.1))
DEPTH = 40


@pytest.fixture(scope="module")
def looks() -> list[FieldLook]:
    made = world(104)
    fields = [seen(made, shift, turn, DEPTH) for shift, turn in zip(SHIFTS, ROTATIONS, strict=True)]
    return [
        look_at(Held(f"field {number}", as_uint16(field, *grey, seed=number)), 2)
        for number, (field, grey) in enumerate(zip(fields, GREY, strict=True))
    ]


def test_joined_whatever_their_order(looks: list[FieldLook]) -> None:
    found, joints = join([looks[1], looks[2], looks[0]])
    assert [str(look.stack.path) for look in found] == ["field 0", "field 1", "field 2"]
    for one, shift, turn, grey in zip(joints, SHIFTS, ROTATIONS, GREY, strict=True):
        np.testing.assert_allclose(one.move.shift, shift, atol=0.1)
        assert one.move.rotation_deg == pytest.approx(turn, abs=0.03)
        assert one.scale == pytest.approx(1 / grey[0], rel=0.03)


def test_fields_without_overlap_are_refused_with_the_correlation(looks: list[FieldLook]) -> None:
    with pytest.raises(BadInput, match=r"field \d: does not match field \d .* the correlation is -?0\.[01]\d at best"):
        join([looks[0], looks[2]])


def test_another_cell_is_refused(looks: list[FieldLook]) -> None:
    other = look_at(Held("other", as_uint16(world(DEPTH, seed=7))), 2)
    with pytest.raises(BadInput, match="does not match"):
        join([looks[0], other])


def leaning_cell(depth: int, ends: int, seed: int = 0) -> np.ndarray:
    """(depth, 80, 80): a cell that begins and ends within the volume and leans, its grain weak beside the air around it."""
    rng = np.random.default_rng(seed)
    z, y, x = np.mgrid[:depth, :80, :80]
    share = np.clip(9.5 - abs(y - 28 - 24 * z / depth), 0, 1) * np.clip(28.5 - abs(x - 40), 0, 1)
    share *= (z >= ends) & (z < depth - ends)
    grain = ndimage.gaussian_filter(rng.normal(size=share.shape), 0.7)
    return (share * (3 + 0.3 * grain / grain.std()) + rng.normal(0, 0.02, share.shape)).astype(np.float32)


def test_the_ends_of_a_cell_are_no_overlap() -> None:
    whole, depth = leaning_cell(240, 4), 88
    low, middle, high = (whole[start : start + depth] for start in (0, 76, 152))
    for lower, upper in ((low, middle), (middle, high)):
        found = overlaps(Ends(lower), Ends(upper))
        assert (76, 0, 0) in [one.shift for one in found] and all(one.alike > 0.9 for one in found)
    (ends,) = overlaps(Ends(high), Ends(low))
    # they match well enough to be joined, but one lies on the other's air
    assert ends.correlation > 0.2 and ends.alike < LEAST_ALIKE

"""One reading of a field tells what numpy tells of the whole array."""

from __future__ import annotations

import numpy as np
import pytest
from views import Held

from custom.base.errors import BadInput
from custom.region import Field, projections
from custom.region.looking import PERCENTILES, coarse_factor, look_at
from custom.region.projections import joined_projections

SHAPE = (21, 60, 50)


def volume(dtype: str, surround: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Grey values with a circle around them, and the circle's mask."""
    grey = np.random.default_rng(0).normal(30000, 500, SHAPE).astype(dtype)
    y, x = np.mgrid[: SHAPE[1], : SHAPE[2]]
    inside = (y - 29.0) ** 2 + (x - 25.0) ** 2 <= 24.0**2
    if surround is not None:
        grey[:, ~inside] = surround
    return grey, inside if surround is not None else np.ones_like(inside)


@pytest.mark.parametrize(("dtype", "surround"), [("uint16", 0), ("float32", np.nan), ("float32", 0), ("uint16", None)])
def test_projections_and_coarse_copy(dtype: str, surround: float | None) -> None:
    grey, inside = volume(dtype, surround)
    stack = Held("raw", grey)
    seen = look_at(stack, 2)
    assert stack.reads == list(range(SHAPE[0])), "every slice is read once, in order"
    np.testing.assert_array_equal(seen.inside, inside)
    known = np.where(inside, grey.astype(np.float64), np.nan)
    for axis, name in enumerate("zyx"):
        with np.errstate(invalid="ignore"), pytest.warns(RuntimeWarning) if surround is not None else _nothing():
            largest, mean = np.nanmax(known, axis=axis), np.nanmean(known, axis=axis)
        np.testing.assert_array_equal(seen.projections.largest[name], largest.astype(np.float32))
        np.testing.assert_allclose(seen.projections.mean[name], mean, rtol=1e-5)
    blocks = known[:20].reshape(10, 2, 30, 2, 25, 2).mean(axis=(1, 3, 5))
    whole = np.isfinite(blocks)
    np.testing.assert_allclose(seen.coarse[whole], blocks[whole], rtol=1e-5)
    values = known[np.isfinite(known)]
    np.testing.assert_allclose(seen.percentiles, np.percentile(values, PERCENTILES), rtol=1e-6)
    assert seen.ends == (values.min(), values.max())
    if surround is None:
        assert seen.circle is None
    else:
        assert seen.circle is not None
        np.testing.assert_allclose((seen.circle.y, seen.circle.x, seen.circle.radius), (29, 25, 24), atol=0.6)


def _nothing() -> np.errstate:
    return np.errstate()


def test_a_volume_that_is_mostly_not_finite_is_refused() -> None:
    grey = np.full(SHAPE, np.nan, np.float32)
    grey[:, :, 30:] = np.random.default_rng(0).normal(size=(21, 60, 20))
    with pytest.raises(BadInput, match="not finite numbers; reconstruct it anew"):
        look_at(Held("raw", grey), 2)


def test_the_coarse_copy_of_a_large_volume_is_by_eight() -> None:
    assert [coarse_factor((9, side, side)) for side in (256, 500, 2575)] == [2, 4, 8]


def test_rows_of_a_tall_field_stand_for_several_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projections, "_ROWS", 8)
    grey, _ = volume("uint16", None)
    stack = Held("raw", grey)
    seen = look_at(stack, 2).projections
    assert seen.thick == 2 and seen.largest["y"].shape == (11, 50) and seen.largest["x"].shape == (11, 60)
    for row in range(11):
        part = grey[2 * row : 2 * row + 2].astype(float)
        np.testing.assert_array_equal(seen.largest["y"][row], part.max(axis=(0, 1)))
        np.testing.assert_allclose(seen.mean["x"][row], part.mean(axis=(0, 2)), rtol=1e-5)
    joined = joined_projections([seen], [Field("raw", SHAPE)])
    assert joined.mean["y"].shape == (21, 50)
    np.testing.assert_array_equal(joined.largest["y"][::2], seen.largest["y"])
    np.testing.assert_array_equal(joined.largest["y"][1::2], seen.largest["y"][:10])

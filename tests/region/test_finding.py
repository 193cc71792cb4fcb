"""A flat cell that was drawn from formulas is found where it was drawn, whatever surrounds it; other things are refused."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from flat_cell import Drawn
from views import Held

from custom.region import RegionMap, corners_of, finding
from custom.region.finding import NoCell, find_region

DRAWN = Drawn(sides=(100, 110, 120), shape=(84, 48, 84), turns=(3.0, 2.0, -2.0), bend=2.5, film=4.0, electrode=11.0)
CASES = {
    "in film": DRAWN,
    "without film": replace(DRAWN, film=0.0),
    "turned by a third": replace(DRAWN, turns=(32.0, 1.0, 1.0), sides=(100, 120, 120)),
    "straight": replace(DRAWN, bend=0.0, turns=(0.0, 0.0, 0.0)),
    "tilted most": replace(DRAWN, turns=(9.0, 5.0, -5.0), sides=(110, 110, 120)),
    # by nearly as much as it is thick
    "tall and leaning": replace(DRAWN, turns=(2.0, 3.0, 5.0), sides=(300, 100, 124), shape=(270, 34, 84), bend=1.5),
}


@pytest.fixture(autouse=True)
def small_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "LEAST", 32)


def expected(drawn: Drawn) -> np.ndarray:
    """Its corners, a tenth of a voxel within them along z."""
    inward = np.stack(np.meshgrid([0.1, -0.1], [0.0, 0.0], [0.0, 0.0], indexing="ij"), axis=-1)
    return np.asarray(drawn.corners() + inward @ drawn.rotation.T)


@pytest.mark.parametrize("name", CASES)
def test_corners_and_bend_are_found(name: str) -> None:
    drawn = CASES[name]
    stack = drawn.stack()
    region, look = find_region([stack])
    assert region.shape == drawn.shape
    found = corners_of(region.corners, look.shape[0])
    np.testing.assert_allclose(found, expected(drawn), atol=0.2)
    face = RegionMap(region.shape, found, region.bend).forward(np.array([(drawn.shape[0] - 1) / 2, 0, 41.5]))
    middle = (np.array(drawn.sides) - 1) / 2
    bent = drawn.rotation @ [0, drawn.bend - (drawn.shape[1] - 1) / 2, 0] + middle
    np.testing.assert_allclose(face, bent, atol=0.3)
    assert region.fill == pytest.approx(9000, abs=100)
    assert len(stack.reads) <= 2.6 * len(stack.values), "once, and some slices again"


def test_dark_cells_in_bright_air_are_found_as_well() -> None:
    stack = DRAWN.stack()
    stack.values = 60000 - stack.values
    region, look = find_region([stack])
    np.testing.assert_allclose(corners_of(region.corners, look.shape[0]), expected(DRAWN), atol=0.2)


def test_a_cell_that_goes_on_beyond_the_volume_is_cut_off_there() -> None:
    stack = DRAWN.stack()
    cut = Held("cut", stack.values[30:75])
    region, look = find_region([cut])
    assert region.found["faces_found"] == ["first", "last", "left", "right"]
    corners = corners_of(region.corners, look.shape[0])
    assert -0.5 <= corners[..., 0].min() < 3
    assert 41 < corners[..., 0].max() <= 44.5
    normal = np.array(region.found["planes"]["first"]["normal"])
    np.testing.assert_allclose(normal, DRAWN.rotation[:, 1], atol=0.01)


@pytest.mark.parametrize("kind", ["noise", "ball", "everywhere"])
def test_what_is_no_flat_cell_is_refused(kind: str) -> None:
    z, y, x = np.mgrid[:60, :80, :80]
    grey = np.random.default_rng(0).normal(20000, 500, z.shape)
    if kind == "ball":
        grey[(z - 30) ** 2 + (y - 40) ** 2 + (x - 40) ** 2 < 400] += 15000
    if kind == "everywhere":
        grey += 8000 * (np.sin(z / 3) * np.sin(y / 4) * np.sin(x / 5) > 0)
    with pytest.raises(NoCell, match=re.escape("look at the projections in region_look.png")) as refused:
        find_region([Held("raw", grey.astype(np.uint16))])
    assert refused.value.look.shape == z.shape

"""A refusal leaves the projections of what was seen; with a region they show its corners in the palette's first colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from custom.base.colours import PALETTE
from custom.rectifying.finding import FOUND, LOOK, found_region
from custom.rectifying.picture import draw_region
from custom.region import Corners, Field, Region, Volume
from custom.region.finding import Look, NoCell, look_at_all
from custom.stack import open_stack

SHAPE = (40, 60, 80)


@pytest.fixture
def look(tmp_path: Path) -> Look:
    grey = np.random.default_rng(0).normal(20000, 500, SHAPE).astype(np.uint16)
    np.save(tmp_path / "raw.npy", grey)
    return look_at_all([open_stack(tmp_path / "raw.npy")])


def orange(path: Path) -> int:
    with Image.open(path) as page:
        pixels = np.asarray(page)
    return int((pixels == PALETTE[0]).all(axis=-1).sum())


def test_what_holds_no_cell_is_refused_beside_its_projections(look: Look, tmp_path: Path) -> None:
    with pytest.raises(NoCell, match="raw.npy: no flat cell was found"):
        found_region([look.looks[0].stack], tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [LOOK]
    assert orange(tmp_path / "out" / LOOK) == 0


def test_the_corners_are_drawn_in(look: Look, tmp_path: Path) -> None:
    corners = Corners(((10.0, 10.0), (10.0, 70.0), (50.0, 70.0), (50.0, 10.0)))
    region = Region(corners, (40, 41, 61), Volume(SHAPE, "uint16"), (Field("raw.npy", SHAPE),))
    draw_region(look, region, tmp_path / FOUND)
    # two panels along z, 620 pixels wide for 80 voxels, with an outline of 2 x (60 + 40) voxels, two pixels thick
    assert orange(tmp_path / FOUND) > 2 * 2 * 200 * 620 / 80

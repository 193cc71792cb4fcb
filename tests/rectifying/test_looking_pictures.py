"""A refusal leaves the projections of what was seen; with a region they show its corners in the palette's first colour."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from custom.base.colours import PALETTE
from custom.rectifying.finding import FOUND, LOOK, PAGE, found_region
from custom.rectifying.page import write_page
from custom.rectifying.picture import draw_region
from custom.region import Corners, Field, Region, Volume, read_region
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
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [PAGE, LOOK]
    assert orange(tmp_path / "out" / LOOK) == 0
    begun, planes = held(tmp_path / "out" / PAGE)
    assert begun.corners == Corners(((12.0, 16.0), (12.0, 64.0), (48.0, 64.0), (48.0, 16.0)))
    assert begun.fields == look.fields and begun.volume == Volume(SHAPE, "uint16")
    assert [planes[name]["sides"] for name in ("yx", "zx", "zy")] == [[60, 80], [40, 80], [40, 60]]


def held(page: Path) -> tuple[Region, dict[str, Any]]:
    """The record that a page begins with, as reading it from a file gives it, and its projections."""
    (text,) = re.findall(r'<script id="data" type="application/json">(.*)</script>', page.read_text(encoding="utf-8"))
    data = json.loads(text)
    (page.parent / "saved.json").write_text(json.dumps(data["record"]), encoding="utf-8")
    return read_region(page.parent / "saved.json"), data["planes"]


def test_the_page_begins_with_the_region_and_shows_its_projections(look: Look, tmp_path: Path) -> None:
    quad = ((10.0, 10.0), (10.0, 70.0), (50.0, 70.0), (50.0, 10.0))
    region = Region(Corners(quad), (40, 41, 61), Volume(SHAPE, "uint16"), look.fields, found={"</script>": "<b>"})
    write_page(look, region, tmp_path / PAGE)
    record, planes = held(tmp_path / PAGE)
    assert record == region and planes["yx"]["corners"] == [list(point) for point in quad]
    kind, _, text = planes["zx"]["mean"].partition(",")
    with Image.open(io.BytesIO(base64.b64decode(text))) as picture:
        assert kind == "data:image/png;base64" and picture.size == (80, 40)


def test_the_corners_are_drawn_in(look: Look, tmp_path: Path) -> None:
    corners = Corners(((10.0, 10.0), (10.0, 70.0), (50.0, 70.0), (50.0, 10.0)))
    region = Region(corners, (40, 41, 61), Volume(SHAPE, "uint16"), (Field("raw.npy", SHAPE),))
    draw_region(look, region, tmp_path / FOUND)
    # two panels along z, 620 pixels wide for 80 voxels, with an outline of 2 x (60 + 40) voxels, two pixels thick
    assert orange(tmp_path / FOUND) > 2 * 2 * 200 * 620 / 80

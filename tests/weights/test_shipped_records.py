"""The records of the weights that are shipped tell which slices they know, also when these come back under other names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from custom.data.known import Known, known_slices
from custom.guard import Guard
from custom.phantom.cell import make_cell
from custom.stack import grey_window, open_stack

MODELS = Path(__file__).parents[2] / "bundle" / "models"


@pytest.mark.parametrize("record", sorted(MODELS.glob("*.json")), ids=lambda path: path.stem)
def test_every_slice_is_known_by_its_grey_values(record: Path) -> None:
    told = json.loads(record.read_text(encoding="utf-8"))
    slices = list(known_slices(told))
    assert {side: sorted({stem for s, stem, _, _ in slices if s == side}) for side in ("train", "val")} == {
        side: told[side] for side in ("train", "val")
    }
    digests = [digest for side, _, _, digest in slices if side != "test"]
    assert len(digests) == len(set(digests)) == 24 * len(told["train"] + told["val"]) and all(map(len, digests))
    known = Known([told])
    assert all(known.contents[digest] == side for side, _, _, digest in slices)


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    return make_cell(4321).image


@pytest.mark.parametrize("record", sorted(MODELS.glob("*.json")), ids=lambda path: path.stem)
def test_further_cells_look_like_those_of_the_training_and_blurred_ones_do_not(
    record: Path, grey: np.ndarray, tmp_path: Path
) -> None:
    guard = Guard("warn", [json.loads(record.read_text(encoding="utf-8"))])
    for image, verdict in ((grey, "like"), (ndimage.gaussian_filter(grey, (0, 1, 1)), "unlike")):
        tifffile.imwrite(tmp_path / "s.tif", image, photometric="minisblack")
        stack = open_stack(tmp_path / "s.tif", 1.33)
        found = guard.judge(stack, grey_window(stack))
        assert found is not None and found["verdict"] == verdict, found["sentence"]
        assert len(found["figures"]) == 9

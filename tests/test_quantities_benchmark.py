"""The tables of figures beside their truth, on a small phantom and on rows made up."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cli
import numpy as np
import pytest

sys.path.insert(0, str(cli.ROOT / "scripts"))

from benchmarking.pieces import side_by_side
from benchmarking.quantities import error, of_electrodes, table, within
from benchmarking.true_figures import true_figures, true_surfaces

from custom.phantom import make_dataset
from custom.phantom.classes import CLASSES


def test_a_phantom_measured_from_its_classes_has_its_true_figures(tmp_path: Path) -> None:
    folder, stem = make_dataset(tmp_path / "cells", 3, 6, 20), "cell_0021"
    mask = folder / "classes" / f"{stem}.tif"
    given = {"mask": mask, "classes": json.dumps(list(CLASSES)), "output_dir": tmp_path / "out"}
    result = cli.run("measure", **given)
    assert result.code == 0, result.error
    told, truth = json.loads((tmp_path / "out/quantities.json").read_text()), true_figures(folder, stem)
    for name in ("lithium_um3", "agglomerates", "largest_agglomerate_voxels", "dead_agglomerates", "bridged_26"):
        assert told[name] == pytest.approx(truth[name]), name
    assert told["dead_lithium_fraction"] == pytest.approx(truth["dead_lithium_fraction"])
    assert told["areal_capacity_mAh_cm2"] == pytest.approx(truth["areal_capacity_mAh_cm2"], rel=5e-3)
    for name in ("penetration_depth_um", "penetration_depth_95_um", "electrodes_apart_um", "smallest_gap_um"):
        assert told[name] == pytest.approx(truth[name], abs=1.33), name
    surfaces = true_surfaces(folder, stem)
    apart = of_electrodes({"mask": mask, "classes": tuple(CLASSES)}, surfaces)
    assert all(value is not None and value < 0.6 for value in apart.values()), apart


def test_errors_and_ranges() -> None:
    assert error("lithium_um3", 90, 100, 2) == pytest.approx(-10) and error("smallest_gap_um", 5, 3, 2) == 1
    assert error("bridged_6", True, False, 1) == 1 and error("agglomerates", None, 3, 1) is None
    told = {
        "ranges": {"agglomerates": [3, 5], "lithium_um3": [90, 110]},
        "areal_capacity_mAh_cm2": 2,
        "lithium_um3": 100,
    }
    truth = {"agglomerates": 6, "lithium_um3": 91, "areal_capacity_mAh_cm2": 1.7}
    hits = within(told, truth)
    assert hits == {"agglomerates": False, "lithium_um3": True, "areal_capacity_mAh_cm2": False}
    one = {"errors": {"agglomerates": -4.0, "bridged_6": 1.0}, "within": {"agglomerates": True}}
    other = {"errors": {"agglomerates": 1.0, "bridged_6": 0.0}, "within": {"agglomerates": False}}
    made = table([{"phantom": "cells", "predicted": row} for row in (one, other)], "predicted")
    assert "| agglomerates |  | 2.5 | 4 | 1 of 2 |" in made and "| bridged_6 | wrong | 1 of 2 |  |  |" in made


def test_cells_lie_side_by_side_mirrored_where_they_meet() -> None:
    cells = [np.random.default_rng(seed).integers(0, 255, (2, 3, 4), np.uint8) for seed in range(3)]
    laid = np.concatenate(list(side_by_side(cells, 5, (5, 9))))
    assert laid.shape == (5, 5, 9)
    # three in a row, two rows a block, the second one upside down: six, and the next block begins with the first again
    np.testing.assert_array_equal(laid[:2, :3, :4], cells[0])
    np.testing.assert_array_equal(laid[:2, :3, 4:8], cells[1][:, :, ::-1])
    np.testing.assert_array_equal(laid[2:4, :3, 8:], cells[2][:, :, :1])
    np.testing.assert_array_equal(laid[:2, 3:, :4], cells[0][:, :0:-1])

"""The measure command on a small cell whose figures are known, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import cli
import numpy as np
import pytest
import tifffile
from cells import SHAPE, SIZE, saved_cell


@pytest.mark.parametrize("electrodes", ["given", "grey"])
def test_figures(electrodes: str, tmp_path: Path) -> None:
    files = saved_cell(tmp_path)
    how = {"electrodes": "[10,50]"} if electrodes == "given" else {"stack": files["stack"]}
    result = cli.run(
        "measure",
        mask=files["mask"],
        probability=files["probability"],
        labels="false",
        output_dir=tmp_path / "out",
        **how,
    )
    assert result.code == 0, result.error
    told = json.loads((tmp_path / "out/quantities.json").read_text())
    assert not (tmp_path / "out/agglomerates.zarr").exists()
    mask = tifffile.imread(files["mask"])
    assert told["lithium_voxels"] == mask.sum() and told["lithium_um3"] == mask.sum() * SIZE**3
    assert told["agglomerates"] == 2 and told["dead_agglomerates"] == 1
    assert told["dead_lithium_voxels"] == mask[:, :, 15:].sum()
    assert told["effective_thickness_um"] == pytest.approx(mask.sum() * SIZE / (SHAPE[0] * SHAPE[2]), rel=1e-3)
    assert told["areal_capacity_mAh_cm2"] == pytest.approx(told["effective_thickness_um"] / 4.85, rel=1e-3)
    assert told["smallest_gap_um"] == pytest.approx(20 * SIZE, abs=0 if electrodes == "given" else 0.5 * SIZE)
    assert told["penetration_depth_um"] == pytest.approx(19.5 * SIZE, abs=0.6 * SIZE)
    assert told["bridged_26"] is told["bridged_6"] is False
    assert told["bridging_threshold_26"] == told["bridging_threshold_6"] == pytest.approx(0.2)
    assert [row["lithium_voxels"] for row in told["by_threshold"]] == [mask.sum()] * 5
    assert told["electrodes_apart_um"] == pytest.approx(40 * SIZE, abs=0 if electrodes == "given" else 0.3)
    assert told["smallest_gap_agglomerates"] == [1, 0] and told["geodesic_tortuosity"] == pytest.approx(1, abs=0.1)
    assert told["local_thickness_largest_um"] == pytest.approx(8 * SIZE, abs=SIZE)
    assert told["lithium_sampling_error_fraction"] > 0.1
    covered = tifffile.imread(tmp_path / "out/map_thickness.tif")
    np.testing.assert_allclose(covered, mask.sum(axis=1) * SIZE)
    assert tifffile.imread(tmp_path / "out/map_depth.tif").max() == pytest.approx(19.5 * SIZE, abs=0.6 * SIZE)
    rows = (tmp_path / "out/agglomerates.csv").read_text().splitlines()
    assert len(rows) == 3 and rows[0].startswith("agglomerate,voxels,volume_um3")


def test_a_mask_without_lithium(tmp_path: Path) -> None:
    files = saved_cell(tmp_path)
    tifffile.imwrite(files["mask"], np.zeros(SHAPE, np.uint8))
    result = cli.run("measure", mask=files["mask"], electrodes="[10,50]", output_dir=tmp_path / "out")
    told = json.loads((tmp_path / "out/quantities.json").read_text())
    assert result.code == 0 and told["lithium_voxels"] == told["agglomerates"] == 0
    assert (
        told["voxel_size_um"] is None
        and told["smallest_gap_voxels"] == 40
        and not [name for name in told if "um2" in name or "um3" in name]
    )


def test_members_of_an_enet(tmp_path: Path) -> None:
    files = saved_cell(tmp_path)
    rng = np.random.default_rng(0)
    likely, apart = (rng.integers(0, high, SHAPE).astype(np.uint8) for high in (256, 128))
    likely[tifffile.imread(files["mask"]) > 0] = 200
    for name, voxels in (("probability", likely), ("deviation", apart)):
        tifffile.imwrite(files.setdefault(name, tmp_path / f"{name}.tif"), voxels)
    out, names = tmp_path / "out", ("mask", "probability", "deviation")
    assert cli.run("measure", electrodes="[10,50]", output_dir=out, **{name: files[name] for name in names}).code == 0
    told = json.loads((out / "quantities.json").read_text())
    p, u = likely.astype(int), apart.astype(int)
    assert [row["lithium_voxels"] for row in told["by_members"]] == [(p - u >= 128).sum(), (p + u >= 128).sum()]
    assert [row["members_deviation"] for row in told["by_members"]] == [-1, 1]
    assert told["ranges"]["lithium_voxels"] == [(p - u >= 128).sum(), (p + u >= 128).sum()]
    assert len((out / "by_threshold.csv").read_text().splitlines()) == 8
    assert "by threshold and member" in (out / "report.html").read_text()


def strange(files: dict[str, Path]) -> None:
    tifffile.imwrite(files["probability"], (1 - tifffile.imread(files["probability"])) / 2)


def smaller(files: dict[str, Path], name: str) -> None:
    tifffile.imwrite(files[name], tifffile.imread(files[name])[:-1])


@pytest.mark.parametrize(
    ("change", "keys", "words"),
    [
        (
            lambda files: smaller(files, "probability"),
            {},
            "probability.tif: has 19 x 60 x 30 voxels (z, y, x) and the mask mask.tif 20 x 60 x 30; give",
        ),
        (
            strange,
            {},
            "gives 100% of the lithium in mask.tif a probability below 0.1, so that it is not that of this mask",
        ),
        (
            lambda files: smaller(files, "stack"),
            {},
            "stack.tif: has 19 x 60 x 30 voxels (z, y, x) and the mask mask.tif 20 x 60 x 30; give",
        ),
        (
            None,
            {"electrodes": "[20,22]"},
            "its electrodes (given: 20 and 22 along y) are 2 voxels apart, less than 4; give them with --electrodes",
        ),
        (
            None,
            {"electrodes": "[70,90]"},
            "has 60 voxels along y, and the electrodes (given: 70 and 90 along y) lie outside; give",
        ),
        (None, {"electrodes": "here"}, "here: cannot be read"),
        (None, {"electrodes": "[1,2,3]"}, "is not usable; give two positions along the axis through the thickness"),
        (None, {"labels": "perhaps"}, "--labels perhaps: is unknown; give true or false"),
        (None, {"thickness_axis": "w"}, "--thickness_axis w is no axis of a stack; give z, y or x"),
        (
            None,
            {"classes": "['pit','electrode']"},
            "none of its classes (pit, electrode) is lithium; name those that are with --lithium",
        ),
        (lambda files: files["mask"].unlink(), {}, "mask.tif"),
    ],
)
def test_refusals(change, keys: dict[str, str], words: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    files = saved_cell(tmp_path)
    if change is not None:
        change(files)
    result = cli.run("measure", **files, **keys, output_dir=tmp_path / "out")
    assert result.code == 2 and words in result.error, (result.error, result.output)
    assert result.error.count("\n") <= 1 and not (tmp_path / "out").exists()

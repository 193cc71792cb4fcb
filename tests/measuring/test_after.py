"""A segmentation that measures its mask: the same figures as measuring it by a command of its own."""

from __future__ import annotations

import json
from pathlib import Path

import cli
import pytest

STACK = cli.ROOT / "data/phantom/images/cell_0008.tif"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out: Path = tmp_path_factory.mktemp("segmented") / "out"
    how = {"stack": STACK, "probability": "true", "measure": "true", "electrodes": "[20,170]"}
    result = cli.run("inference", "network_unet", output_dir=out, **how)
    assert result.code == 0, result.error
    return out


def test_the_figures_are_those_of_the_command(measured: Path, tmp_path: Path) -> None:
    how = {"mask": measured / "mask.zarr", "probability": measured / "probability.zarr", "stack": STACK}
    assert cli.run("measure", output_dir=tmp_path, electrodes="[20,170]", **how).code == 0
    found, alone = (json.loads((one / "quantities.json").read_text()) for one in (measured / "measured", tmp_path))
    assert found["lithium_voxels"] == json.loads((measured / "summary.json").read_text())["lithium_voxels"] > 0
    clock = {"command", "finished"}
    assert {k: v for k, v in found.items() if k not in clock} == {k: v for k, v in alone.items() if k not in clock}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"electrodes": "[20,170]"}, "--electrodes [20, 170]: is for measuring; give --measure true too"),
        ({"measure": "true", "electrodes": "[20,22]"}, "are 2 voxels apart, less than 4; give them with --electrodes"),
        ({"measure": "true", "lithium": "['moss']"}, "none of its classes (lithium) is lithium; name those that are"),
    ],
)
def test_what_cannot_be_measured_is_not_segmented(keys: dict[str, str], words: str, tmp_path: Path) -> None:
    result = cli.run("inference", "network_unet", stack=STACK, output_dir=tmp_path / "out", **keys)
    assert result.code == 2 and words in result.error, result.error
    assert not list((tmp_path / "out").glob("*"))

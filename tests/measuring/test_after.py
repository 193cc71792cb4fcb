"""A segmentation that measures its mask: the same figures as measuring it by a command of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cli
import numpy as np
import pytest

GREY = np.random.default_rng(0).normal(20000, 3000, (20, 60, 40)).clip(0).astype(np.uint16)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cli.saved(tmp_path_factory.mktemp("stack"), GREY)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cli.tiny_weights(tmp_path_factory.mktemp("weights") / "model.pt", GREY)


@pytest.fixture(scope="module")
def measured(stack: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out: Path = tmp_path_factory.mktemp("segmented") / "out"
    result = cli.segment(stack, out, weights, probability="true", measure="true", electrodes="[10,50]")
    assert result.code == 0, result.error
    return out


def test_the_figures_are_those_of_the_command(measured: Path, stack: Path, tmp_path: Path) -> None:
    how = {"mask": measured / "mask.zarr", "probability": measured / "probability.zarr", "stack": stack}
    assert cli.run("measure", output_dir=tmp_path, electrodes="[10,50]", **how).code == 0
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
def test_what_cannot_be_measured_is_not_segmented(
    keys: dict[str, str], words: str, stack: Path, weights: Path, tmp_path: Path
) -> None:
    result = cli.segment(stack, tmp_path / "out", weights, **keys)
    assert result.code == 2 and words in result.error, result.error
    assert not list((tmp_path / "out").glob("*"))


def test_what_measures_is_not_imported_by_a_segmentation_that_does_not() -> None:
    """Nor is what reads DICOM: both take a tenth of a second of every command."""
    program = "import custom.measuring.after, custom.several, custom.segmenting, custom.stack, sys; "
    program += "print(sorted({'numba', 'SimpleITK', 'custom.measuring.run'} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", program], cwd=cli.ROOT, capture_output=True, text=True, timeout=60)
    assert ended.stdout.strip() == "[]", ended.stderr

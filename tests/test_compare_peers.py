"""The comparison with other libraries: every method scored alike, a finished one not run again, a missing one named."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest
import tifffile
from scipy.ndimage import median_filter
from skimage.filters import threshold_otsu
from sklearn.metrics import f1_score

from custom.base.errors import BadInput
from custom.data import split_dataset
from custom.running.lock import FolderLock
from custom.study.slices import LabelledSlice

pytestmark = pytest.mark.slow
SECONDS = "2s"


def compare(dataset: Path, out: Path, *methods: str, budget: str = SECONDS) -> subprocess.CompletedProcess[str]:
    words = ["--dataset_dir", str(dataset), "--output_dir", str(out), "--budget", budget, "--device", "cpu"]
    words += ["--patches_per_epoch", "16"]
    command = [sys.executable, "scripts/compare_peers.py", *words, "--methods", *methods]
    return subprocess.run(command, cwd=cli.ROOT, env=cli.ENVIRONMENT, capture_output=True, text=True)


def rows_of(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "peers.json").read_text())
    return {name: runs[0] for name, runs in content.items()}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One stack whose bright blobs are lithium, its slices split by hand."""
    folder = cli.labelled_stack(tmp_path_factory.mktemp("peers") / "cells")
    grey, label = (tifffile.imread(next((folder / side).iterdir())) for side in ("images", "labels"))
    for path in (*folder.glob("images/*"), *folder.glob("labels/*")):
        path.unlink()
    for name, planes in (("a", slice(0, 3)), ("b", slice(3, 4)), ("c", slice(4, 6))):
        tifffile.imwrite(folder / f"images/{name}.tif", grey[planes], photometric="minisblack")
        tifffile.imwrite(folder / f"labels/{name}.tif", label[planes], photometric="minisblack")
    (folder / "splits.json").write_text(json.dumps({"train": ["a"], "val": ["b"], "test": ["c"]}))
    return folder


@pytest.fixture(scope="module")
def out(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    ended = compare(dataset, folder, "unet", "monai", "grey_window", "otsu")
    assert ended.returncode == 0, ended.stderr
    assert "| median filter + Otsu | 0 | – |" in ended.stdout
    return folder


def test_thresholds_are_those_of_scipy_and_scikit_image(out: Path, dataset: Path) -> None:
    found = rows_of(out)
    grey, label = (tifffile.imread(dataset / f"{side}/c.tif") for side in ("images", "labels"))
    smooth = np.stack([median_filter(plane, size=3) for plane in grey])
    otsu = smooth > threshold_otsu(smooth)
    expected = f1_score((label == 1).ravel()[(label != 255).ravel()], otsu.ravel()[(label != 255).ravel()])
    # the median and Otsu's cut do not mind the grey window, but for its clipping and the histogram's bins
    assert found["median filter + Otsu"]["scores"]["dsc_d"] == pytest.approx(expected, abs=0.02)
    assert found["median filter + best grey window"]["scores"]["dsc_d"] > 0.5


def test_networks_are_trained_for_the_time_and_scored(out: Path) -> None:
    found = rows_of(out)
    plain, ours = found["MONAI BasicUNet, Dice + cross-entropy"], found["ours: U-Net"]
    assert 2 / 60 <= plain["minutes"] < 0.3 and plain["steps"] >= 1 and plain["patches"] == 8 * plain["steps"]
    assert ours["steps"] >= 1 and ours["parameters"] == 1_948_129
    own = json.loads((out / "unet/seed_0/metrics.json").read_text())
    assert ours["scores"]["dsc_d"] == own["dsc_d"]  # the same scoring as the evaluate command's
    low, high = ours["interval_95"]["dsc_d"]
    assert low <= ours["scores"]["dsc_d"] <= high


def test_probabilities_are_judged_as_evaluate_does(
    out: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its metrics.json, a network's probabilities come to what stood there."""
    monkeypatch.syspath_prepend(str(cli.ROOT / "scripts"))
    judged = importlib.import_module("comparing.scoring").judged
    (tmp_path / "probability").symlink_to(out / "unet/seed_0/probability")
    found = judged(tmp_path, [LabelledSlice(item) for item in split_dataset(dataset)["test"]])
    own = json.loads((out / "unet/seed_0/metrics.json").read_text())
    for name in ("dsc_a", "dsc_b", "dsc_c", "dsc_d", "lithium_volume_error", "n_patches"):
        assert found[name] == own[name], name
    assert found["calibration_error"] == pytest.approx(own["calibration_error"], abs=1e-5)
    assert json.loads(json.dumps(found["shape"])) == own["shape"]


def test_what_is_finished_is_not_run_again(out: Path, dataset: Path) -> None:
    before = rows_of(out)
    weights = (out / "unet/seed_0/training/model.pt").stat().st_mtime_ns
    assert compare(dataset, out, "unet", "monai", "grey_window", "otsu").returncode == 0
    assert rows_of(out) == before
    assert (out / "unet/seed_0/training/model.pt").stat().st_mtime_ns == weights


@pytest.mark.parametrize(("method", "package"), [("smp", "segmentation_models_pytorch"), ("nnunet", "nnunetv2")])
def test_other_libraries(method: str, package: str, dataset: Path, tmp_path: Path) -> None:
    ended = compare(dataset, tmp_path, method)
    if importlib.util.find_spec(package) is None:
        assert ended.returncode == 2
        assert ended.stderr.count("\n") == 1 and f"error: {package}: is not installed; run pip install" in ended.stderr
        return
    assert ended.returncode == 0, ended.stderr
    (run,) = rows_of(tmp_path).values()
    assert run["steps"] >= 1 and 0 <= run["scores"]["dsc_d"] <= 1


def test_a_folder_in_use_is_refused(dataset: Path, tmp_path: Path) -> None:
    held = FolderLock(tmp_path)
    ended = compare(dataset, tmp_path, "otsu")
    held.release()
    assert ended.returncode == 2 and ended.stderr.startswith(f"error: {tmp_path}: another run is writing here")
    assert not list(tmp_path.iterdir())


def test_several_classes_are_refused_for_what_looks_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(cli.ROOT / "scripts"))
    check = importlib.import_module("compare_peers").check_classes
    check(["lithium"], ["unet", "monai"])
    check(["pit", "dendrite"], ["unet", "ynet"])
    with pytest.raises(
        BadInput, match="monai, otsu look for one class.*--methods unet ynet.*'1': 'lithium', '2': 'lithium'"
    ):
        check(["pit", "dendrite"], ["unet", "monai", "otsu"])

"""The comparison with other libraries: every method scored alike, a finished one not run again, a missing one named."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch

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
from custom.running.taken import release_folders
from custom.study import running
from custom.study.slices import LabelledSlice

pytestmark = pytest.mark.slow
SECONDS = "2s"


def in_this_process(words: Sequence[str], folder: Path, output: IO[str]) -> int:
    """Stands for `run_bundle`; what the command ends with goes to its log as well."""
    ended = cli.bundle_words(list(words), folder)
    output.write(ended.output + ended.error)
    return ended.code


def compare(dataset: Path, out: Path, *methods: str, budget: str = SECONDS) -> cli.Outcome:
    """`python scripts/compare_peers.py`, with its commands in this process; README's own runs in one of its own."""
    words = ["--dataset_dir", str(dataset), "--output_dir", str(out), "--budget", budget, "--device", "cpu"]
    words += ["--patches_per_epoch", "16", "--methods", *methods]
    printed, refused = io.StringIO(), io.StringIO()
    with (
        cli.own_process(words),
        patch.object(running, "run_bundle", in_this_process),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(refused),
    ):
        try:
            code = cli.script_of("compare_peers").main()
        finally:
            release_folders()
    return cli.Outcome(code, printed.getvalue(), refused.getvalue())


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
    assert ended.code == 0, ended.error
    assert "| median filter + Otsu | 0 | – |" in ended.output
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
    assert compare(dataset, out, "unet", "monai", "grey_window", "otsu").code == 0
    assert rows_of(out) == before
    assert (out / "unet/seed_0/training/model.pt").stat().st_mtime_ns == weights


@pytest.mark.parametrize(("method", "package"), [("smp", "segmentation_models_pytorch"), ("nnunet", "nnunetv2")])
def test_other_libraries(method: str, package: str, dataset: Path, tmp_path: Path) -> None:
    ended = compare(dataset, tmp_path, method)
    if importlib.util.find_spec(package) is None:
        assert ended.code == 2
        assert ended.error.count("\n") == 1 and f"error: {package}: is not installed; run pip install" in ended.error
        return
    assert ended.code == 0, ended.error
    (run,) = rows_of(tmp_path).values()
    assert run["steps"] >= 1 and 0 <= run["scores"]["dsc_d"] <= 1


def test_a_folder_in_use_is_refused(dataset: Path, tmp_path: Path) -> None:
    held = FolderLock(tmp_path)
    ended = compare(dataset, tmp_path, "otsu")
    held.release()
    assert ended.code == 2 and ended.error.startswith(f"error: {tmp_path}: another run is writing here")
    assert not list(tmp_path.iterdir())


def test_several_classes_are_refused_for_what_looks_for_one() -> None:
    check = cli.script_of("compare_peers").check_classes
    check(["lithium"], ["unet", "monai"])
    check(["pit", "dendrite"], ["unet", "ynet"])
    with pytest.raises(
        BadInput, match="monai, otsu look for one class.*--methods unet ynet.*'1': 'lithium', '2': 'lithium'"
    ):
        check(["pit", "dendrite"], ["unet", "monai", "otsu"])

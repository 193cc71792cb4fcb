"""A whole study on next to nothing, cut off twice on the way: its numbers against the commands' own and against counts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest
import tifffile
from conftest import write_labelled_set
from PIL import Image

from custom.stack import open_stack

pytestmark = pytest.mark.slow

NETWORKS = ("unet", "ynet", "transforcnn", "enet")
QUICK = ["--budget", "1s", "--patches_per_epoch", "2", "--device", "cpu", "--compare_losses"]


class Killed(BaseException):
    """What ends the study on the way."""


@dataclass
class Run:
    """A finished study and the commands that each of its attempts ran to the end."""

    dataset: Path
    folder: Path
    attempts: list[list[str]] = field(default_factory=list)
    curves: str = ""  # of Y-Net's training at the end of the first attempt

    def read(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / name).read_text())
        return content

    def attempt(self, end: tuple[str, bool] | None = None) -> None:
        """Run the study; `end`: die in the command that writes into this folder, after it has done its work or before."""
        done: list[str] = []
        self.attempts.append(done)

        def execute(words: list[str]) -> None:
            target = str(Path(words[words.index("--output_dir") + 1]).relative_to(self.folder))
            if end == (target, False):
                raise Killed
            cli.study_command(words)
            if end == (target, True):
                raise Killed
            done.append(target)

        words = ["--dataset_dir", str(self.dataset), "--output_dir", str(self.folder), *QUICK]
        if end is None:
            assert cli.study(words, execute=execute) == 0
            return
        with pytest.raises(Killed):
            cli.study(words, execute=execute)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("study")
    dataset = write_labelled_set(folder / "cells", stacks=(3, 2, 9), size=(120, 126))
    (dataset / "splits.json").write_text(json.dumps({"train": ["stack_0"], "val": ["stack_1"], "test": ["stack_2"]}))
    label = tifffile.imread(dataset / "labels/stack_2.tif")
    label[3, :, :50] = 255
    tifffile.imwrite(dataset / "labels/stack_2.tif", label, photometric="minisblack")
    study = Run(dataset, folder / "out")
    study.attempt(end=("ynet", True))  # trained, but nobody knows
    study.curves = (study.folder / "ynet/metrics.csv").read_text()
    study.attempt(end=("transforcnn/stack", False))
    study.attempt()
    return study


def test_a_study_that_was_cut_off_goes_on_with_what_is_left(run: Run) -> None:
    first, second, third = run.attempts[:3]
    assert first == ["unet"]
    assert second[0] == "ynet" and "enet/val" in second and second[-1] == "transforcnn/cost"
    losses = [f"losses/{name}" for name in ("balanced_bce", "tversky", "focal_tversky", "dice_bce")]
    assert second[1 : len(losses) + 2] == ["transforcnn", *losses]
    assert third == [
        *("transforcnn/stack", "enet/test", "enet/cost", "enet/stack"),
        *(f"{name}/test" for name in losses),
    ]
    # the training that had ended, unknown to the study, was not given another epoch
    assert (run.folder / "ynet/metrics.csv").read_text() == run.curves


def test_a_finished_study_runs_no_command_and_ends_the_same(run: Run) -> None:
    before = {name: (run.folder / name).read_bytes() for name in ("study.json", "study.md", "network_enet.json")}
    run.attempt()
    assert run.attempts[-1] == []
    assert before == {name: (run.folder / name).read_bytes() for name in before}


def test_scores_are_those_of_the_evaluate_command_inside_their_intervals(run: Run) -> None:
    found = run.read("study.json")["table1"]
    for name in NETWORKS:
        metrics = run.read(f"{name}/test/metrics.json")
        for score, value in found[name]["scores"].items():
            assert metrics[score] == value
            if not score.startswith("n_"):
                low, high = found[name]["interval_95"][score]
                assert low - 1e-9 <= value <= high + 1e-9
    assert found["unet"]["blocks"] == 2  # 9 slices
    assert [found[name]["parameters"] for name in NETWORKS] == [1_948_129, 2_260_329, 5_889_057, 10_097_515]


def test_the_blend_is_as_good_as_its_best_member_and_is_used_as_it_was_written(run: Run) -> None:
    search, overlay = run.read("enet_search.json"), run.read("network_enet.json")
    assert search["combinations"] == len(search["all"]) == 66 and search["side"] == "val"
    alone = {tuple(row["blend"]): row for row in search["all"] if max(row["blend"]) == 1}
    for i, name in enumerate(NETWORKS[:3]):
        metrics = run.read(f"{name}/val/metrics.json")
        row = alone[tuple(float(i == j) for j in range(3))]
        for score in ("iou_a", "dsc_a"):
            assert row[score] == pytest.approx(metrics[score], abs=1e-12)
            assert search[f"best_{score}"]["value"] >= metrics[score] - 1e-12
    assert overlay["blend"] == list(search["best_iou_a"]["blend"].values())
    used = run.read("study.json")["enet_on_val"]["iou_a"]
    assert used == run.read("enet/val/metrics.json")["iou_a"] == pytest.approx(search["best_iou_a"]["value"], abs=1e-3)
    summary = run.read("enet/stack/summary.json")
    assert summary["weights"] == overlay["weights"] == [str(run.folder / n / "model.pt") for n in NETWORKS[:3]]
    options = {"stack": run.dataset / "images/stack_2.tif", "output_dir": run.folder / "again", "device": "cpu"}
    files = f"['bundle/configs/inference.json','{run.folder / 'network_enet.json'}']"
    assert cli.bundle("run", config_file=files, **options).code == 0
    assert run.read("again/summary.json")["lithium_voxels"] == summary["lithium_voxels"]


def test_calibration_is_that_of_the_evaluate_command(run: Run) -> None:
    found = run.read("study.json")["calibration"]
    text = (run.folder / "study.md").read_text()
    for name in NETWORKS:
        metrics = run.read(f"{name}/test/metrics.json")
        for key in ("calibration_error", "lithium_volume_error", "reliability"):
            assert found[name][key] == metrics[key]
        assert f"| {metrics['calibration_error']:.4f} |" in text
    assert found["unet"]["temperature"] == run.read("unet/model.json")["temperature"] > 0


def test_the_losses_are_trained_with_and_compared(run: Run) -> None:
    found = run.read("study.json")["losses"]
    folders = {"balanced cross-entropy": "balanced_bce", "Tversky": "tversky", "focal Tversky": "focal_tversky"}
    folders["Dice + cross-entropy (not of the study)"] = "dice_bce"
    assert list(found) == ["cross-entropy", *folders]
    for name, folder in folders.items():
        assert run.read(f"losses/{folder}/model.json")["loss"] == folder
        assert found[name]["scores"]["dsc_d"] == run.read(f"losses/{folder}/test/metrics.json")["dsc_d"]
    assert found["cross-entropy"]["scores"] == run.read("study.json")["table1"]["unet"]["scores"]


def test_table_2_counts_the_masks_and_compares_where_voxels_are_labelled(run: Run) -> None:
    found = run.read("study.json")["table2"]
    label = tifffile.imread(run.dataset / "labels/stack_2.tif")
    true = np.count_nonzero(label == 1)
    expected = {"lithium_voxels": true, "voxels": np.count_nonzero(label != 255)}
    assert found["truth"] == expected | {"volume_fraction": true / expected["voxels"]}
    for name in NETWORKS:
        mask = open_stack(run.folder / name / "stack/mask.zarr").read(0, 9)
        row = found["networks"][name]
        assert row["lithium_voxels"] == np.count_nonzero(mask) and row["voxels"] == mask.size
        labelled = np.count_nonzero(mask[label != 255])
        assert row["labelled"] == labelled and row["error"] == pytest.approx(labelled / true - 1)


def test_the_report_is_whole_and_stands_alone(run: Run) -> None:
    page, text = (run.folder / "study.html").read_text(), (run.folder / "study.md").read_text()
    figures = ("calibration", "figure_06", "figure_10", "figure_11", "figure_12")
    for name in figures:
        picture = Image.open(run.folder / f"{name}.png")
        assert min(picture.size) > 400 and np.asarray(picture.convert("L")).std() > 10, name
        assert f"]({name}.png)" in text
    assert page.count("data:image/png;base64,") == len(figures)
    assert not re.search(r'(src|href)="(?!data:)', page)
    for title in ("U-Net", "Y-Net", "TransforCNN", "E-Net", "ground truth"):
        assert f"| {title} |" in text and f"<td>{title}</td>" in page
    dice = run.read("study.json")["table1"]["ynet"]["scores"]["dsc_a"]
    assert f"{dice:.4f} [" in text and f"{dice:.4f} [" in page


def test_another_seed_or_epoch_is_refused_in_the_same_folder(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--dataset_dir", str(run.dataset), "--output_dir", str(run.folder), *QUICK]
    for changed in (["--seed", "1"], ["--patches_per_epoch", "4"]):
        assert cli.study([*words, *changed], execute=lambda words: pytest.fail("ran a command")) == 2
        assert re.fullmatch(rf"error: {run.folder}: holds a study with .*; give another .*\n", capsys.readouterr().err)

"""The smaller handlers: curves, epoch seeds, pictures, the evaluation's files, the progress bar."""

from __future__ import annotations

import csv
import json
import logging
import time
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from ignite.engine import Engine, Events
from monai.engines import SupervisedEvaluator
from monai.handlers import IgniteMetricHandler, from_engine
from monai.transforms import CopyItemsd
from PIL import Image
from sklearn.metrics import f1_score, jaccard_score

from custom.base.errors import BadInput
from custom.handlers import EpochSeed, Evaluation, Progress, SliceTriples, TrainingBudget, TrainingCurves
from custom.metrics import PatchOverlap, ShapeScores, shape_scores
from custom.report import training_done
from custom.running import OutputFolder


class Loader(list[int]):
    """What an engine runs over, with a data set."""

    dataset: Any = range(6)


def curves(folder: Path, writer: Any = None, rank: int = 0) -> tuple[Engine, TrainingCurves]:
    """An engine of 2 iterations an epoch with loss 10 epoch + iteration, validated in every second epoch."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    evaluator = Engine(lambda engine, batch: None)
    budget = TrainingBudget(optimizer)

    def step(engine: Engine, batch: int) -> dict[str, torch.Tensor]:
        time.sleep(0.001)
        return {"loss": torch.tensor(10.0 * engine.state.epoch + batch)}

    def validate(engine: Engine) -> None:
        evaluator.state.epoch = engine.state.epoch
        evaluator.state.metrics = {"val_mdsc": torch.tensor(0.1 * engine.state.epoch)}

    engine = Engine(step)
    engine.add_event_handler(Events.EPOCH_COMPLETED(every=2), validate)
    budget.attach(engine)
    recorder = TrainingCurves(evaluator, budget, OutputFolder(folder, rank=rank), writer)
    recorder.attach(engine)
    return engine, recorder


def read(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as handle:
        return list(csv.DictReader(handle))


def test_curves(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    writer = Mock()
    engine, recorder = curves(tmp_path, writer)
    rates: list[float] = []
    engine.add_event_handler(
        Events.EPOCH_COMPLETED, lambda _: rates.append(recorder.budget.optimizer.param_groups[0]["lr"])
    )
    with caplog.at_level(logging.INFO):
        engine.run(Loader([1, 3]), max_epochs=3)
    rows = read(tmp_path / "metrics.csv")
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [float(row["train_loss"]) for row in rows] == [12, 22, 32]
    # an epoch that is not validated has no score, least of all that of the epoch before
    assert [row["val_mdsc"] for row in rows] == ["", str(recorder.rows[1]["val_mdsc"]), ""]
    assert recorder.rows[1]["val_mdsc"] == pytest.approx(0.2)
    assert all(0 < float(row["patches_per_s"]) < 6 / 0.002 for row in rows)
    assert [float(row["learning_rate"]) for row in rows] == rates
    assert len(set(rates)) == 3
    written = {(call.args[0], call.args[2]): call.args[1] for call in writer.add_scalar.call_args_list}
    assert written["train_loss", 3] == 32
    assert ("val_mdsc", 3) not in written
    assert "epoch 2: loss 22.0000  val_mdsc 0.2000" in caplog.text
    assert "1 epochs and about" in caplog.text


def test_curves_go_on_after_a_restart(tmp_path: Path) -> None:
    engine, first = curves(tmp_path)
    engine.run(Loader([1, 3]), max_epochs=2)
    engine, second = curves(tmp_path)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    engine.add_event_handler(Events.STARTED, lambda e: setattr(e.state, "epoch", 2))
    engine.run(Loader([1, 3]), max_epochs=4)
    assert [row["epoch"] for row in read(tmp_path / "metrics.csv")] == ["1", "2", "3", "4"]


def test_curves_of_other_ranks_write_nothing(tmp_path: Path) -> None:
    engine, recorder = curves(tmp_path, rank=1)
    engine.run(Loader([1]), max_epochs=2)
    assert len(recorder.rows) == 2
    assert not list(tmp_path.iterdir())


def test_epoch_seed_repeats_an_epoch() -> None:
    def drawn(epochs: range, seed: int = 3, rank: int = 0) -> list[float]:
        loader, found = Loader([0, 1]), []
        loader.dataset = dataset = Mock(seed=seed)
        engine = Engine(lambda engine, batch: found.append(torch.rand(1).item()))
        EpochSeed().attach(engine)
        engine.state.rank = rank  # type: ignore[attr-defined]
        engine.add_event_handler(Events.STARTED, lambda e: setattr(e.state, "epoch", epochs.start - 1))
        engine.run(loader, max_epochs=epochs.stop - 1)
        assert [call.args[0] for call in dataset.set_epoch.call_args_list] == list(epochs)
        return found

    torch.manual_seed(0)
    whole = drawn(range(1, 5))
    torch.rand(17)
    assert drawn(range(3, 5)) == whole[4:]
    assert len(set(whole) | set(drawn(range(1, 5), seed=4)) | set(drawn(range(1, 5), rank=1))) == 24


def evaluator(
    items: list[dict[str, Any]], handlers: list[Any], metric: PatchOverlap | None = None
) -> SupervisedEvaluator:
    """MONAI's evaluator over slices whose image is the prediction."""
    key_metric = IgniteMetricHandler(
        metric_fn=metric or PatchOverlap(16), output_transform=from_engine(["pred", "label"])
    )
    return SupervisedEvaluator(
        device="cpu",
        val_data_loader=torch.utils.data.DataLoader(items, batch_size=1),  # type: ignore[arg-type]
        network=torch.nn.Identity(),
        postprocessing=CopyItemsd(keys="pred", names="logits"),
        key_val_metric={"val_mdsc": key_metric},
        val_handlers=handlers,
    )


def slices(count: int = 5) -> list[dict[str, Any]]:
    """Slices with more lithium from one to the next, predicted with errors."""
    rng = np.random.default_rng(0)
    items = []
    for z in range(count):
        label = (rng.random((1, 32, 48)) < 0.1 * z).astype(np.float32)
        image = np.where(rng.random(label.shape) < 0.1, 1 - label, label).astype(np.float32)
        label[0, 0, :5] = 255
        items.append({"image": torch.from_numpy(image), "label": torch.from_numpy(label), "stem": "cell", "z": z})
    return items


def test_triples_show_the_slices_with_most_lithium() -> None:
    writer = Mock()
    engine = evaluator(slices(), [SliceTriples(writer, count=2)])
    for epoch in (3, 4):
        engine.run(epoch)
    shown = [(call.args[0].split()[-1], call.args[2]) for call in writer.add_image.call_args_list]
    assert shown == [("4", 3), ("5", 3), ("4", 4), ("5", 4)]
    picture = writer.add_image.call_args.args[1]
    assert tuple(picture.shape) == (3, 32, 3 * 48 + 4)
    torch.testing.assert_close(picture[0, :, :48], slices()[4]["image"][0])


def test_triples_without_a_writer() -> None:
    handler = SliceTriples(None)
    evaluator(slices(), [handler]).run()
    assert not handler.kept


def test_evaluation_files(tmp_path: Path) -> None:
    metric = PatchOverlap(16)
    record = {"dataset_dir": "cells", "section": "test"}
    (tmp_path / "overlays").mkdir()
    for name in ("cell_z0001.png", "slice_00001.png"):  # an earlier evaluation's, a segmentation's
        (tmp_path / "overlays" / name).touch()
    handler = Evaluation(metric, tmp_path, record, pictures=2, shape=ShapeScores(tolerance=0))
    for _ in range(2):  # the second run forgets the first one's slices
        evaluator(slices(), [handler], metric).run()
    scores = json.loads((tmp_path / "metrics.json").read_text())
    assert scores["section"] == "test"
    truth, found = (np.concatenate([item[key].numpy().ravel() for item in slices()]) for key in ("label", "image"))
    known = truth != 255
    assert scores["dsc_d"] == pytest.approx(f1_score(truth[known], found[known]))
    lithium, labelled = int(found[known].sum()), int(truth[known].sum())
    assert (scores["lithium_voxels_predicted"], scores["lithium_voxels_true"]) == (lithium, labelled)
    assert scores["lithium_volume_error"] == pytest.approx(lithium / labelled - 1)
    # the logits are 0 and 1: all have more than 0.3, and 1 / (1 + 1/e) = 0.73 more than 0.7
    assert (scores["lithium_voxels_low"], scores["lithium_voxels_high"]) == (lithium, int(known.sum()))
    assert scores["true_volume_in_range"] is bool(lithium <= labelled)
    # the logits are 0 and 1, so that two bins hold all voxels
    low, high = scores["reliability"]
    assert low["lithium_share"] == pytest.approx(truth[known & (found == 0)].mean())
    gaps = [abs(0.5 - low["lithium_share"]), abs(1 / (1 + np.exp(-1)) - high["lithium_share"])]
    expected = np.average(gaps, weights=[low["voxels"], high["voxels"]])
    assert scores["calibration_error"] == pytest.approx(expected, abs=1e-5)
    masks = [(item["image"][0].numpy() == 1, item["label"][0].numpy()) for item in slices()]
    shapes = [shape_scores(mask, label == 1, label != 255, tolerance=0) for mask, label in masks]
    assert scores["shape"]["surface_dice_a"] == pytest.approx(np.mean([shape.surface_dice for shape in shapes]))
    assert (scores["shape"]["n_slices"], scores["shape"]["boundary_tolerance"]) == (5, 0)
    rows = read(tmp_path / "per_slice.csv")
    assert [float(row["cldice"]) for row in rows] == [shape.cldice for shape in shapes]
    assert [(row["stack"], row["z"]) for row in rows] == [("cell", str(z)) for z in range(5)]
    for row, item in zip(rows[1:], slices()[1:], strict=True):
        truth, found = item["label"].numpy().ravel(), item["image"].numpy().ravel()
        assert float(row["dsc"]) == pytest.approx(f1_score(truth[truth != 255], found[truth != 255]))
    pictures = sorted(path.name for path in (tmp_path / "overlays").iterdir())
    assert pictures == ["cell_z0003.png", "cell_z0004.png", "slice_00001.png"]
    assert Image.open(tmp_path / "overlays" / pictures[0]).width >= 48


def test_scores_of_each_scan(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    items = [item | {"stem": f"slice_{z}"} for z, item in enumerate(slices())]
    metric, scans = PatchOverlap(16), {f"slice_{z}": "far" if z > 2 else "near" for z in range(5)}
    with caplog.at_level("INFO"):
        evaluator(items, [Evaluation(metric, tmp_path, {}, scans=scans)], metric).run()
    found = json.loads((tmp_path / "metrics.json").read_text())["scans"]
    assert list(found) == ["near", "far"]
    for scan, some in (("near", items[:3]), ("far", items[3:])):
        truth, mask = (np.concatenate([item[key].numpy().ravel() for item in some]) for key in ("label", "image"))
        known = truth != 255
        labelled, lithium = int(truth[known].sum()), int(mask[known].sum())
        assert found[scan] == {
            "slices": len(some),
            "dsc_d": pytest.approx(f1_score(truth[known], mask[known])),
            "iou_d": pytest.approx(jaccard_score(truth[known], mask[known])),
            "lithium_voxels_true": labelled,
            "lithium_voxels_predicted": lithium,
            "lithium_volume_error": pytest.approx(lithium / labelled - 1),
            "lithium_voxels_low": lithium,  # the logits are 0 and 1
            "lithium_voxels_high": int(known.sum()),
            "true_volume_in_range": bool(lithium <= labelled),
        }
    worst, best = sorted(found, key=lambda scan: found[scan]["dsc_d"])
    assert (
        f"DSC (d) by scan: {found[worst]['dsc_d']:.4f} ({worst}) to {found[best]['dsc_d']:.4f} ({best})" in caplog.text
    )


def test_one_scan_is_told_once(tmp_path: Path) -> None:
    metric = PatchOverlap(16)
    evaluator(slices(), [Evaluation(metric, tmp_path, {}, scans={"cell": "cell"})], metric).run()
    assert "scans" not in json.loads((tmp_path / "metrics.json").read_text())


def test_what_has_no_value_is_null_with_the_reason(tmp_path: Path) -> None:
    items = slices(1)
    items[0]["label"][:] = 0
    metric = PatchOverlap(16)
    evaluator(items, [Evaluation(metric, tmp_path, {})], metric).run()
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert [name for name, value in found.items() if value is None] == ["dsc_b", "iou_b", "lithium_volume_error"]
    assert found["undefined"] == "dsc_b, iou_b, lithium_volume_error: no voxel of this side is labelled lithium"


def test_an_empty_side_is_refused(tmp_path: Path) -> None:
    record = {"dataset_dir": "cells", "section": "test"}
    with pytest.raises(BadInput, match="cells: the test side is empty.*--section val"):
        evaluator([], [Evaluation(PatchOverlap(16), tmp_path, record)])


def test_progress_is_quiet_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    engine = Engine(lambda engine, batch: None)
    Progress("training", "batch").attach(engine)
    engine.run(range(3))
    assert "training" not in "".join(capsys.readouterr())


def test_progress_is_the_first_ranks() -> None:
    shown = []
    for rank in (0, 1):
        engine, bar = Engine(lambda engine, batch: None), Progress("training")
        engine.state.rank = rank  # type: ignore[attr-defined]
        bar.attach(engine)
        shown.append(bar.tqdm_kwargs["disable"])
    assert shown == [None, True]


def test_last_words(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [
        {"epoch": 1, "minutes": 0.5, "val_mdsc": 0.25},
        {"epoch": 2, "minutes": 1.0, "val_mdsc": 0.75},
        {"epoch": 3, "minutes": 1.5, "val_mdsc": 0.5},
        {"epoch": 4, "minutes": 2.0},
    ]
    kept = {"epoch": 2, "validation": {"val_mdsc": 0.75}}
    (tmp_path / "model.json").write_text(json.dumps(kept))
    with caplog.at_level(logging.INFO):
        training_done(tmp_path, {"segment": "do this"}, rows)
        said = caplog.text
        training_done(tmp_path, {}, [])
        assert caplog.text == said
    for words in (
        "4 epochs in 2.0 minutes",
        "last 0.5000, of model.pt, epoch 2, 0.7500",
        f"tensorboard --logdir {tmp_path}",
        "  segment:   do this",
    ):
        assert words in said
    training_done(tmp_path, {}, [{"epoch": 1, "minutes": 0.5}])

"""A stack segmented into several classes, against MONAI's inferer and softmax, and how its results follow their names."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest
import torch
import zarr
from monai.inferers import SlidingWindowInferer
from monai.networks.nets import BasicUNet

from custom.base.errors import BadInput
from custom.running.slab_store import SlabStore
from custom.segmenting.result import Result, file_names, volumes
from custom.segmenting.results import earlier_volumes

GREY = cli.volume((5, 150, 140))
CLASSES = ["pit", "dead lithium", "Pit"]
NETWORK = cli.TINY | {"out_channels": 4}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cli.class_weights(tmp_path_factory.mktemp("weights") / "model.pt", GREY, CLASSES)


@pytest.fixture(scope="module")
def out(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several")
    stack = cli.saved(folder, GREY)
    ended = segment(stack, folder / "out", weights, probability=True, voxel_size_um=0.5)
    assert ended.code == 0, ended.error
    lines = [line.split() for line in ended.output.splitlines() if line.startswith("  ") and "voxels," in line]
    assert [line[0] for line in lines] == ["pit", "dead", "Pit"]
    return folder / "out"


def segment(stack: Path, out: Path, weights: Path, **options: Any) -> cli.Outcome:
    return cli.segment(stack, out, weights, **{"network_def": NETWORK, "slab_height": 2, **options})


def volume_of(path: Path) -> np.ndarray:
    return np.asarray(zarr.open_group(path, mode="r")["0"])


@pytest.fixture(scope="module")
def reference(weights: Path) -> np.ndarray:
    """(4, Z, Y, X) probabilities by MONAI's inferer alone, slice by slice."""
    network = BasicUNet(2, 1, 4, cli.FEATURES).eval()
    network.load_state_dict(torch.load(weights, weights_only=True))
    inferer: Any = SlidingWindowInferer((128, 128), sw_batch_size=1, overlap=0.25, mode="gaussian")
    low, high = np.percentile(GREY, (0.5, 99.5))
    scaled = torch.as_tensor(((GREY - low) / (high - low)).clip(0, 1), dtype=torch.float32)
    with torch.no_grad():
        return torch.stack([inferer(plane[None, None], network).softmax(1)[0] for plane in scaled], 1).numpy()


def test_the_mask_is_the_most_probable_class(out: Path, reference: np.ndarray) -> None:
    mask = volume_of(out / "mask.zarr")
    assert mask.dtype == np.uint8 and np.mean(mask == reference.argmax(0)) > 0.9999
    assert min(np.bincount(mask.ravel(), minlength=4)) > 100, "else this shows nothing"


def test_each_class_has_its_probability(out: Path, reference: np.ndarray) -> None:
    for name, expected in zip(("pit", "dead_lithium", "Pit_3"), reference[1:], strict=True):
        np.testing.assert_allclose(volume_of(out / f"probability_{name}.zarr"), 255 * expected, atol=0.6)
    assert not (out / "probability.zarr").exists()


def test_the_summary_and_tables_tell_of_each_class(out: Path, reference: np.ndarray) -> None:
    summary, mask = json.loads((out / "summary.json").read_text()), volume_of(out / "mask.zarr")
    assert list(summary["classes"]) == summary["class_names"] == CLASSES and summary["threshold"] is None
    assert not [key for key in summary if "lithium" in key and not key.startswith("probability")]
    for value, (name, told) in enumerate(summary["classes"].items(), 1):
        found = int(np.count_nonzero(mask == value))
        assert told["voxels"] == found and told["volume_fraction"] == found / mask.size
        assert told["um3"] == pytest.approx(found / 8)
        assert summary["grey_values"][name]["mean"] == pytest.approx(GREY[mask == value].mean())
        at_half = next(row for row in told["by_threshold"] if row["threshold"] == 0.5)
        assert at_half["voxels"] == pytest.approx(np.count_nonzero(reference[value] >= 0.5), abs=3)
    with open(out / "profile_y.csv", newline="") as file:
        assert [int(row["dead lithium_voxels"]) for row in csv.DictReader(file)] == (mask == 2).sum((0, 2)).tolist()


def test_a_client_gets_the_same_mask(out: Path, weights: Path) -> None:
    """Through preprocessing, inferer, postprocessing and network_def alone, with a volume in memory."""
    parser = cli.parser_of("inference")
    parser["network_def"], parser["precision"], parser["weights"] = NETWORK, "fp32", str(weights)
    network = parser.get_parsed_content("network_def").eval()
    network.load_state_dict(torch.load(weights, weights_only=True))
    item = parser.get_parsed_content("preprocessing")({"image": GREY})
    with torch.no_grad():
        (pred,) = parser.get_parsed_content("inferer")(item["image"][None], network)
    done = parser.get_parsed_content("postprocessing")({"image": item["image"], "pred": pred})
    np.testing.assert_array_equal(done["pred"][0].numpy(), volume_of(out / "mask.zarr"), strict=True)


def test_it_goes_on_with_its_classes(out: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And shows the same slices as a run that was never cut off."""
    stack, write = cli.saved(tmp_path, GREY), SlabStore.write

    def break_off(store: SlabStore, start: int, content: Any) -> None:
        if start:
            raise BadInput(f"{store.folder}: broke; wait")
        write(store, start, content)

    with monkeypatch.context() as patching:
        patching.setattr(SlabStore, "write", break_off)
        assert segment(stack, tmp_path / "out", weights, probability=True, voxel_size_um=0.5).code == 2
    ended = segment(stack, tmp_path / "out", weights, probability=True, voxel_size_um=0.5)
    assert ended.code == 0 and "1 of 3 slabs are done" in ended.output, ended.error
    for name in ("mask.zarr", "probability_dead_lithium.zarr"):
        np.testing.assert_array_equal(volume_of(tmp_path / "out" / name), volume_of(out / name))
    pictures = [
        {file.name: file.read_bytes() for file in (run / "overlays").iterdir()} for run in (out, tmp_path / "out")
    ]
    assert pictures[0] == pictures[1] and len(pictures[0]) == 5
    assert (tmp_path / "out/profile_x.csv").read_bytes() == (out / "profile_x.csv").read_bytes()


def test_outside_the_reconstruction_is_background(weights: Path, tmp_path: Path) -> None:
    grey = GREY.copy()
    grey[:, :, 100:] = 0
    assert segment(cli.saved(tmp_path, grey), tmp_path / "out", weights, probability=True).code == 0
    assert not volume_of(tmp_path / "out/mask.zarr")[:, :, 100:].any()
    assert not volume_of(tmp_path / "out/probability_pit.zarr")[:, :, 100:].any()
    assert json.loads((tmp_path / "out/summary.json").read_text())["outside_voxels"] == 5 * 150 * 40


def test_a_threshold_is_refused(weights: Path, tmp_path: Path) -> None:
    ended = segment(cli.saved(tmp_path, GREY), tmp_path / "out", weights, threshold=0.4)
    assert ended.code == 2 and "--threshold 0.4: several classes (pit, dead lithium, Pit)" in ended.error
    assert not (tmp_path / "out").exists()


def test_volumes_of_other_classes_go_with_the_earlier_result(out: Path, tmp_path: Path) -> None:
    """And nothing else that is called so."""
    stack, folder = cli.saved(tmp_path, GREY[:2]), tmp_path / "out"
    told = {"mask": "mask.tif", "probability_a": "probability_a.tif", "probability_b": "../probability_b.tif"}
    folder.mkdir()
    (folder / "summary.json").write_text(json.dumps(told))
    for name in ("probability_a.tif", "probability_c.tif", "mask.tif"):
        (folder / name).write_bytes(b"")
    (tmp_path / "probability_b.tif").write_bytes(b"")
    assert earlier_volumes(folder, [Result("probability", "probability")]) == ("probability_a.tif",)
    one = cli.tiny_weights(tmp_path / "one.pt", GREY)
    assert cli.segment(stack, folder, one, overwrite=True).code == 0
    left = {path.name for path in tmp_path.rglob("*.tif")}
    assert left == {"probability_c.tif", "probability_b.tif"}


def test_names_become_file_names() -> None:
    assert file_names(["pit", "Pit", "a/b", "a b", "a_b_4", "µ-crack", "x" * 99]) == [
        *("pit", "Pit_2", "a_b", "a_b_4", "a_b_4_5", "µ-crack"),
        "x" * 60,
    ]
    probability = Result("probability", "probability", each=["pit", "void"])
    assert [(volume.name, volume.channel) for volume in volumes([probability])] == [
        ("probability_pit", 0),
        ("probability_void", 1),
    ]
    assert volumes([Result("probability", "probability", each=["pit"])])[0].name == "probability"

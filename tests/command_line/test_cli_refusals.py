"""Bad input on the command line: one sentence that names the file, the fault and the cure; exit code 2; nothing left."""

from __future__ import annotations

import errno
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest
import tifffile
import torch
from tensorboard.compat.tensorflow_stub.io import gfile

from custom.base.errors import BadInput
from custom.command_line import edge as command_line
from custom.command_line.config_keys import check_keys
from custom.quantities.profile import Profile
from custom.stack.writers import OUTPUT_FORMATS, gzip_stream

GREY = cli.volume((5, 60, 90))


def refused(outcome: cli.Outcome, *words: str) -> None:
    """The outcome is a refusal whose sentence holds all the words."""
    assert outcome.code == 2, outcome
    assert outcome.error.startswith("error: ") and "\n" not in outcome.error, outcome.error
    missing = [word for word in words if word not in outcome.error]
    assert not missing, f"{missing} not in {outcome.error!r}"


def files(folder: Path) -> list[str]:
    """Every file and folder below `folder`, hidden ones too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) if folder.is_dir() else []


def slabs_alone(folder: Path) -> int:
    """How many finished slabs are in `folder`, which holds nothing else."""
    assert {name.split("/")[0] for name in files(folder)} == {".slabs"}
    assert not list(folder.rglob("*.part"))
    return len(list(folder.glob(".slabs/0*.npz")))


def results(folder: Path) -> list[str]:
    """`files` without the log and TensorBoard's events, which every training begins with."""
    return [name for name in files(folder) if name != "train.log" and not name.startswith("events.out")]


def write(path: Path, voxels: np.ndarray, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, voxels, photometric="minisblack", **options)
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cli.tiny_weights(tmp_path_factory.mktemp("weights") / "model.pt", GREY)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("stack") / "recon.tif", GREY)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A labelled data set that the test may spoil."""
    return cli.labelled_stack(tmp_path / "cell_set", depth=4)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A data set and the folder of a training on it; never written into."""
    folder = tmp_path_factory.mktemp("trained")
    data = cli.labelled_stack(folder / "data", depth=4)
    assert cli.train(data, folder / "run", network_def=cli.TINY).code == 0
    return data, folder / "run"


# --- the stack to be segmented --------------------------------------------------------------------------------------


def slices_of_two_sizes(folder: Path) -> Path:
    for z in range(3):
        write(folder / f"s_{z}.tif", GREY[z, : 60 - 4 * (z == 2)])
    return folder


def slices_of_two_types(folder: Path) -> Path:
    for z in range(3):
        write(folder / f"s_{z}.tif", GREY[z].astype(np.uint8 if z == 2 else np.uint16))
    return folder


def empty_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder


def cut_short(path: Path) -> Path:
    whole = write(path.with_suffix(".tif"), GREY)
    whole.write_bytes(whole.read_bytes()[:9000])
    return whole


def damaged_in_the_last_slice(path: Path) -> Path:
    whole = write(path.with_suffix(".tif"), GREY, compression="zlib")
    with tifffile.TiffFile(whole) as tiff:
        at = tiff.pages[-1].dataoffsets[0]
    content = bytearray(whole.read_bytes())
    content[at : at + 40] = bytes(40)
    whole.write_bytes(content)
    return whole


def colour(path: Path) -> Path:
    tifffile.imwrite(path.with_suffix(".tif"), np.zeros((60, 90, 3), np.uint8), photometric="rgb")
    return path.with_suffix(".tif")


def saved(voxels: np.ndarray) -> Callable[[Path], Path]:
    def save(path: Path) -> Path:
        np.save(path.with_suffix(".npy"), voxels)
        return path.with_suffix(".npy")

    return save


STACKS: dict[str, tuple[Callable[[Path], Path], tuple[str, ...]]] = {
    "missing path": (lambda path: path, ("recon: does not exist", "check the path")),
    "empty folder": (empty_folder, ("recon: holds no TIFF slices", "give a folder")),
    "sizes differ": (slices_of_two_sizes, ("s_2.tif: is 90 x 56 pixels", "s_0.tif is 90 x 60", "keep the slices")),
    "types differ": (slices_of_two_types, ("s_2.tif", "uint8 but s_0.tif", "uint16", "keep the slices")),
    "cut short": (cut_short, ("recon.tif: is cut short", "copy it again")),
    "damaged": (damaged_in_the_last_slice, ("recon.tif: cannot read", "copy it again")),
    "colour": (colour, ("recon.tif: is a colour image", "save it as a grey image")),
    "constant": (saved(np.full((5, 60, 90), 7, np.uint8)), ("recon.npy: has no contrast", "check that it is the")),
    "all NaN": (saved(np.full((5, 60, 90), np.nan)), ("recon.npy: holds no finite grey value", "export it anew")),
    "too many axes": (
        saved(np.stack([[GREY, GREY]] * 2)),
        ("recon.npy: ", "(axis 0, axis 1, z, y, x)", "--stack_index"),
    ),
}


@pytest.mark.parametrize("case", STACKS)
def test_a_stack_that_is_refused(case: str, tmp_path: Path, weights: Path) -> None:
    make, words = STACKS[case]
    refused(cli.segment(make(tmp_path / "recon"), tmp_path / "out", weights), *words)
    assert files(tmp_path / "out") == []


@pytest.mark.parametrize("output_format", OUTPUT_FORMATS)
def test_a_slice_that_turns_out_damaged_half_way(output_format: str, tmp_path: Path, weights: Path) -> None:
    """With a fixed grey window no slice is read before its slab comes up: four slices are written by then."""
    path = damaged_in_the_last_slice(tmp_path / "recon")
    options = {"grey_window#fixed": [0, 40000], "slab_height": 1, "output_format": output_format}
    outcome = cli.segment(path, tmp_path / "out", weights, **options)
    refused(outcome, "recon.tif: cannot read slice 4", "copy it again")
    kept = f"4 of 5 slabs are finished and kept in {tmp_path / 'out'}: the same command goes on."
    assert outcome.output.count(kept) == 1
    assert slabs_alone(tmp_path / "out") == 4


def test_nan_and_infinite_values_are_counted_and_told(tmp_path: Path, weights: Path) -> None:
    voxels = GREY.astype(np.float32)
    voxels[1, 2, 3:9], voxels[4, 5, 6] = np.nan, -np.inf
    path = saved(voxels)(tmp_path / "recon")
    outcome = cli.segment(path, tmp_path / "out", weights)
    assert outcome.code == 0 and "recon.npy: 7 grey values were NaN or infinite" in outcome.output
    assert '"nonfinite_voxels": 7' in (tmp_path / "out/summary.json").read_text()


# --- the options of a segmentation ----------------------------------------------------------------------------------

OPTIONS: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "format": ({"output_format": "png"}, ("output format 'png'", "zarr, tiff, tiff_folder, nii.gz, nrrd")),
    "precision": ({"precision": "fp16"}, ("--precision fp16", "auto, fp32, bf16")),
    "device": ({"device": "gpu"}, ("--device gpu", "cpu, cuda")),
    "voxel size": ({"voxel_size_um": "[1,2]"}, ("recon.tif: the voxel size", "in micrometres")),
    "slab height": ({"slab_height": 0}, ("--slab_height 0: cannot be", "a whole number from 1")),
    "half a slab": ({"slab_height": 2.5}, ("--slab_height 2.5: cannot be", "a whole number from 1")),
    "batch": ({"batch_size": "many"}, ("--batch_size many: cannot be", "a whole number from 1")),
    "overlap": ({"overlap": 1.5}, ("--overlap 1.5: cannot be", "a number from 0.0 to 0.99")),
    "threshold": ({"threshold": 50}, ("--threshold 50: cannot be", "a number from 0.0 to 1.0")),
    "a word for a switch": ({"overwrite": "no"}, ("--overwrite no: is unknown", "true or false")),
    "an empty path": ({"output_dir": ""}, ("--output_dir '': is empty", "give a value after it")),
    "grey window": ({"grey_window#fixed": "[9,3]"}, ("grey window", "the lower one first")),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_an_option_that_is_refused(case: str, tmp_path: Path, stack: Path, weights: Path) -> None:
    options, words = OPTIONS[case]
    refused(cli.segment(stack, tmp_path / "out", weights, **options), *words)
    assert files(tmp_path / "out") == []


TRAINING_OPTIONS: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "loss": ({"loss": "dice"}, ("--loss dice: is unknown", "dice_bce, bce, balanced_bce, tversky, focal_tversky")),
    "epochs": ({"max_epochs": 0}, ("--max_epochs 0: cannot be", "a whole number from 1")),
    "minutes": ({"max_minutes": -1}, ("--max_minutes -1: cannot be", "a number from 0.0")),
    "patches": ({"patches_per_epoch": 0}, ("--patches_per_epoch 0: cannot be", "from 1")),
    "rate": ({"learning_rate": "1e-3x"}, ("--learning_rate 1e-3x: cannot be", "a number from 0.0")),
    "seed": ({"seed": -1}, ("--seed -1: cannot be", "a whole number from 0")),
    "switch": ({"resume": "yes"}, ("--resume yes: is unknown", "true or false")),
    "precision": ({"precision": "fp16"}, ("--precision fp16", "auto, fp32, bf16")),
}


@pytest.mark.parametrize("case", TRAINING_OPTIONS)
def test_an_option_of_a_training_that_is_refused(case: str, tmp_path: Path, dataset: Path) -> None:
    options, words = TRAINING_OPTIONS[case]
    refused(cli.train(dataset, tmp_path / "run", **({"network_def": cli.TINY} | options)), *words)
    assert results(tmp_path / "run") == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_cuda_where_there_is_none(device: str, tmp_path: Path, stack: Path, weights: Path, dataset: Path) -> None:
    words = (f"--device {device}", "torch sees 0 CUDA devices", "leave --device away")
    refused(cli.segment(stack, tmp_path / "out", weights, device=device), *words)
    refused(cli.train(dataset, tmp_path / "out", device=device), *words)
    assert files(tmp_path / "out") == []


MISSPELT = [
    ("inference", "--treshold", "--threshold"),
    ("inference", "--grey_window#percentile", "--grey_window#percentiles"),
    ("train", "--max-epoch", "--max_epochs"),
    ("train", "-max_epoch", "--max_epochs"),
    ("train", "--train::dataloadr", "--train#dataloader"),
]


@pytest.mark.parametrize(("config", "given", "nearest"), MISSPELT)
def test_a_misspelt_key_names_the_nearest(config: str, given: str, nearest: str) -> None:
    words = ["run", "--config_file", cli.config_file(config), given, "1"]
    with pytest.raises(BadInput, match=rf"is not a key .* did you mean {nearest}\?$"):
        check_keys(words)


def test_misspelt_keys_end_the_commands(tmp_path: Path, stack: Path, weights: Path, dataset: Path) -> None:
    refused(cli.segment(stack, tmp_path / "out", weights, treshold=0.4), "--treshold is not a key", "--threshold")
    refused(cli.train(dataset, tmp_path / "out", maxepochs=4), "--maxepochs is not a key", "--max_epochs")
    known = {"overlap": 0.5, "grey_window#percentiles": "[1,99]", "inferer::mode": "gaussian"}
    assert cli.segment(stack, tmp_path / "out", weights, **known).code == 0


# --- weights --------------------------------------------------------------------------------------------------------


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def other_network(path: Path) -> None:
    torch.save(torch.nn.Linear(2, 3).state_dict(), path)


def wider_network(path: Path) -> None:
    wider = cli.TINY | {"features": [8, 4, 4, 4, 4, 4]}
    torch.save(cli.BasicUNet(**{k: v for k, v in wider.items() if k != "_target_"}).state_dict(), path)


def pickled_network(path: Path) -> None:
    torch.save(torch.nn.Linear(2, 3), path)


def checkpoint(path: Path) -> None:
    torch.save({"network": {}, "trainer": {"epoch": 3}}, path)


WEIGHTS: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "missing": (lambda path: None, ("given.pt: there is no such weights file", "give --weights")),
    "another network": (other_network, ("given.pt: are the weights of another network", "'conv_0.", "is missing")),
    "another width": (wider_network, ("given.pt", "'conv_0.conv_0.conv.weight' is (8, 1, 3, 3) and should be (4")),
    "a module": (pickled_network, ("given.pt: is not a file of tensors only", "give --weights")),
    "a checkpoint": (checkpoint, ("given.pt: is a training checkpoint", "model.pt beside it")),
    "a picture": (lambda path: path.write_bytes(b"\x89PNG" * 99), ("given.pt: is not a file of tensors",)),
}


@pytest.mark.parametrize("case", WEIGHTS)
def test_weights_that_are_refused(case: str, tmp_path: Path, stack: Path, dataset: Path) -> None:
    make, words = WEIGHTS[case]
    make(tmp_path / "given.pt")
    refused(cli.segment(stack, tmp_path / "out", tmp_path / "given.pt"), *words)
    assert files(tmp_path / "out") == []
    options = {"network_def": cli.TINY, "weights": tmp_path / "given.pt"}
    refused(cli.train(dataset, tmp_path / "run", **options), *words)
    assert results(tmp_path / "run") == []
    refused(cli.run("train", "evaluate", dataset_dir=dataset, output_dir=tmp_path / "run", **options), *words)
    assert results(tmp_path / "run") == []


def test_pickled_code_is_never_run(tmp_path: Path, stack: Path, dataset: Path) -> None:
    hit = tmp_path / "unpickled"
    torch.save({"weight": Trap(hit)}, tmp_path / "zip.pt")
    (tmp_path / "bare.pt").write_bytes(pickle.dumps(Trap(hit)))
    (tmp_path / "run").mkdir()
    torch.save({"network": Trap(hit)}, tmp_path / "run/checkpoint.pt")
    for name in ("zip.pt", "bare.pt"):
        refused(cli.segment(stack, tmp_path / "out", tmp_path / name), f"{name}: is not a file of tensors only")
    outcome = cli.train(dataset, tmp_path / "run", resume=True, network_def=cli.TINY)
    refused(outcome, "checkpoint.pt: is damaged or no checkpoint")
    assert not hit.exists()


# --- the output folder ----------------------------------------------------------------------------------------------


def test_an_output_folder_that_cannot_be_written_to(
    tmp_path: Path, stack: Path, weights: Path, dataset: Path, trained: tuple[Path, Path]
) -> None:
    (tmp_path / "taken").write_text("mine")
    for folder in (tmp_path / "taken", tmp_path / "taken" / "below"):
        refused(cli.segment(stack, folder, weights), str(folder), "give another --output_dir")
        refused(cli.train(dataset, folder, network_def=cli.TINY), str(folder), "give another --output_dir")
        scoring = {"dataset_dir": trained[0], "weights": trained[1] / "model.pt", "network_def": cli.TINY}
        refused(cli.run("train", "evaluate", output_dir=folder, **scoring), str(folder), "give another --output_dir")
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_folder_without_permission(tmp_path: Path, stack: Path, weights: Path, dataset: Path) -> None:
    tmp_path.chmod(0o555)
    refused(cli.segment(stack, tmp_path / "out", weights), "Permission denied", "give another --output_dir")
    refused(cli.train(dataset, tmp_path / "out"), "Permission denied", "give another --output_dir")


@pytest.mark.parametrize("output_format", ["zarr", "nrrd"])
def test_a_folder_that_holds_a_segmentation(output_format: str, tmp_path: Path, stack: Path, weights: Path) -> None:
    """Also one of another format; asked to, the new result takes the place of the old one, whole."""
    out = tmp_path / "out"
    assert cli.segment(stack, out, weights, output_format="nrrd").code == 0
    before = {name: (out / name).read_bytes() for name in files(out) if (out / name).is_file()}
    for no in ({}, {"overwrite": "false"}, {"overwrite": False}):
        again = cli.segment(stack, out, weights, output_format=output_format, **no)
        refused(again, "is there already", "--overwrite true")
    assert before == {name: (out / name).read_bytes() for name in files(out) if (out / name).is_file()}

    other = write(tmp_path / "short.tif", GREY[:1, :, ::-1])
    done = cli.segment(other, out, weights, output_format=output_format, overwrite="true")
    assert done.code == 0
    mask = "mask.nrrd" if output_format == "nrrd" else "mask.zarr"
    assert {path.name for path in out.iterdir()} == {mask, "summary.json", "report.html", "overlays", *Profile.files}
    assert files(out / "overlays") == ["slice_00000.png"]
    assert "short.tif" in (out / "summary.json").read_text()


def test_a_failed_replacement_keeps_the_old_result(tmp_path: Path, stack: Path, weights: Path) -> None:
    out = tmp_path / "out"
    assert cli.segment(stack, out, weights, output_format="tiff").code == 0
    before = {name: (out / name).read_bytes() for name in files(out) if (out / name).is_file()}
    damaged = damaged_in_the_last_slice(tmp_path / "recon")
    options = {"grey_window#fixed": [0, 40000], "slab_height": 1, "output_format": "tiff", "overwrite": True}
    refused(cli.segment(damaged, out, weights, **options), "cannot read")
    assert before == {name: (out / name).read_bytes() for name in before}
    assert len(list((out / ".slabs").glob("0*.npz"))) == 4 and "mask.tif" in before


def test_a_stack_is_never_replaced_by_its_mask(tmp_path: Path, weights: Path) -> None:
    path = write(tmp_path / "mask.tif", GREY)
    refused(
        cli.segment(path, tmp_path, weights, overwrite=True), "mask.tif: is the stack itself", "another --output_dir"
    )
    np.testing.assert_array_equal(tifffile.imread(path), GREY)


@pytest.mark.parametrize("stack", ["mask_tiff", "mask_tiff/slice.tif"])
def test_a_folder_of_slices_is_never_replaced_by_its_mask(stack: str, tmp_path: Path, weights: Path) -> None:
    (tmp_path / "mask_tiff").mkdir()
    path = write(tmp_path / "mask_tiff" / "slice.tif", GREY[0])
    ended = cli.segment(tmp_path / stack, tmp_path, weights, output_format="nrrd", overwrite=True)
    refused(ended, f"{stack}: is the stack itself", "another --output_dir")
    np.testing.assert_array_equal(tifffile.imread(path), GREY[0])


def test_a_folder_that_holds_a_training(tmp_path: Path, trained: tuple[Path, Path], dataset: Path) -> None:
    data, run = trained
    before = (run / "model.pt").read_bytes()
    for no in ({}, {"resume": "false", "overwrite": "false"}):
        refused(cli.train(data, run, network_def=cli.TINY, **no), "checkpoint.pt", "--resume true", "--overwrite true")
    assert (run / "model.pt").read_bytes() == before
    refused(cli.train(data, run, resume=True), "checkpoint.pt: does not fit this training", "the network that began")
    assert cli.train(data, tmp_path / "new", network_def=cli.TINY).code == 0
    assert cli.train(data, tmp_path / "new", network_def=cli.TINY, overwrite=True).code == 0


def test_a_folder_that_holds_an_evaluation(tmp_path: Path, trained: tuple[Path, Path]) -> None:
    data, run = trained
    options = {"dataset_dir": data, "weights": run / "model.pt", "network_def": cli.TINY, "output_dir": tmp_path}
    assert cli.run("train", "evaluate", **options).code == 0
    before = (tmp_path / "metrics.json").read_bytes()
    refused(cli.run("train", "evaluate", **options, section="validate"), "--section validate: is unknown", "val, test")
    again = options | {"section": "val"}
    refused(cli.run("train", "evaluate", **again), "metrics.json: is there already", "--overwrite true")
    assert (tmp_path / "metrics.json").read_bytes() == before
    assert cli.run("train", "evaluate", overwrite=True, **again).code == 0
    assert '"section": "val"' in (tmp_path / "metrics.json").read_text()


# --- a labelled data set --------------------------------------------------------------------------------------------


def voxels_of(path: Path) -> np.ndarray:
    return tifffile.imread(path)


def respell(path: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    write(path, change(voxels_of(path)))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20_000])


def to_colour(path: Path) -> None:
    tifffile.imwrite(path, np.zeros((140, 140, 3), np.uint8), photometric="rgb")


def move_away(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


SETS: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "missing path": (lambda d: d.rename(d.with_name("other")), ("cell_set: there is no such folder", "give")),
    "no labels folder": (lambda d: (d / "labels").rename(d / "masks"), ("labels: there is no such folder", "holds")),
    "empty folder": (lambda d: move_away(d / "images"), ("images: the folder is empty", "put the slices")),
    "image alone": (lambda d: write(d / "images/b.tif", GREY), ("b.tif: this image has no file", "labels", "add it")),
    "label alone": (lambda d: write(d / "labels/b.tif", GREY), ("b.tif: this label has no file", "images", "add it")),
    "two of a stem": (lambda d: np.save(d / "images/cell.npy", GREY), ("has the same stem", "keep one")),
    "sizes differ": (
        lambda d: respell(d / "labels/cell.tif", lambda v: v[:, 1:]),
        ("cell.tif: the label is 4 x 139 x 140 and its image cell.tif is 4 x 140 x 140", "export both"),
    ),
    "label values": (
        lambda d: respell(d / "labels/cell.tif", lambda v: v * 2),
        ("labels/cell.tif: holds the value 2 in slice 0", "map the values"),
    ),
    "no lithium": (
        lambda d: respell(d / "labels/cell.tif", lambda v: v * 0),
        ("labels: no voxel is labelled 1", "label at least one"),
    ),
    "cut short": (lambda d: truncate(d / "images/cell.tif"), ("images/cell.tif: is cut short", "copy it again")),
    "label cut short": (lambda d: truncate(d / "labels/cell.tif"), ("labels/cell.tif: is cut short", "copy it")),
    "colour": (lambda d: to_colour(d / "images/cell.tif"), ("images/cell.tif: is a colour image", "save it as")),
    "constant": (
        lambda d: respell(d / "images/cell.tif", lambda v: v * 0),
        ("images/cell.tif: has no contrast", "check that"),
    ),
    "all NaN": (
        lambda d: respell(d / "images/cell.tif", lambda v: np.full(v.shape, np.nan, np.float32)),
        ("images/cell.tif: holds no finite grey value", "export it anew"),
    ),
    "split": (
        lambda d: (d / "splits.json").write_text('{"train": ["cell"], "val": ["cel"]}'),
        ("splits.json: lists 'cel'", "did you mean 'cell'?"),
    ),
    "split is no JSON": (lambda d: (d / "splits.json").write_text("train: all"), ("splits.json: is not JSON",)),
}


@pytest.mark.parametrize("case", SETS)
def test_a_labelled_set_that_is_refused(case: str, dataset: Path, tmp_path: Path, trained: tuple[Path, Path]) -> None:
    spoil, words = SETS[case]
    spoil(dataset)
    refused(cli.train(dataset, tmp_path / "run", network_def=cli.TINY), *words)
    assert results(tmp_path / "run") == []
    scoring = {"weights": trained[1] / "model.pt", "network_def": cli.TINY, "output_dir": tmp_path / "run"}
    refused(cli.run("train", "evaluate", dataset_dir=dataset, **scoring), *words)
    assert results(tmp_path / "run") == []


def test_a_side_without_slices_is_not_evaluated(dataset: Path, tmp_path: Path, trained: tuple[Path, Path]) -> None:
    for kind in ("images", "labels"):
        voxels = voxels_of(dataset / kind / "cell.tif")[:, ::-1]  # another data set than the weights know
        (dataset / kind / "cell.tif").unlink()
        for name, part in (("a", voxels[:3]), ("b", voxels[3:])):
            write(dataset / kind / f"{name}.tif", part)
    (dataset / "splits.json").write_text('{"train": ["a"], "val": ["b"]}')
    scoring = {"weights": trained[1] / "model.pt", "network_def": cli.TINY, "output_dir": tmp_path / "run"}
    refused(cli.run("train", "evaluate", dataset_dir=dataset, **scoring), "the test side is empty", "--section val")
    assert results(tmp_path / "run") == []


def test_nan_in_a_training_image_is_counted_and_told(dataset: Path, tmp_path: Path) -> None:
    def with_nan(voxels: np.ndarray) -> np.ndarray:
        voxels = voxels.astype(np.float32)
        voxels[0, 3, :5], voxels[3, 0, 0] = np.nan, np.inf
        return voxels

    respell(dataset / "images/cell.tif", with_nan)
    outcome = cli.train(dataset, tmp_path / "run", network_def=cli.TINY)
    assert outcome.code == 0 and "images/cell.tif: 6 grey values are NaN or infinite" in outcome.output
    state = torch.load(tmp_path / "run/model.pt", weights_only=True)
    assert all(tensor.isfinite().all() for tensor in state.values())


def test_what_a_loading_process_refuses_arrives_as_one_sentence() -> None:
    """A worker's exception reaches the main process as text with a traceback in it."""

    class Broken(torch.utils.data.Dataset[Any]):
        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: int) -> Any:
            try:
                raise BadInput("cell.tif: is damaged; copy it again")
            except BadInput as error:
                raise RuntimeError("applying transform") from error

    with pytest.raises(RuntimeError, match="Traceback") as told:
        next(iter(torch.utils.data.DataLoader(Broken(), num_workers=1)))
    assert str(command_line.find_bad_input(told.value)) == "cell.tif: is damaged; copy it again"


# --- a disk that fills up -------------------------------------------------------------------------------------------


def no_space(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def no_space_for(victim: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk refuses files with `victim` in their path."""
    fsync = os.fsync

    def full_for(descriptor: int) -> None:
        if victim in os.readlink(f"/proc/self/fd/{descriptor}"):
            no_space()
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full_for)


def test_no_space_for_the_mask(tmp_path: Path, stack: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gzip_stream.GzipStream, "write_slices", no_space)
    outcome = cli.segment(stack, tmp_path / "out", weights, output_format="nrrd")
    refused(outcome, f"{tmp_path / 'out'} is full", "mask.nrrd takes up to", "make room")
    assert slabs_alone(tmp_path / "out") == 1


@pytest.mark.parametrize("victim", ["summary.json", "report.html", "profile_y.csv", "slice_00000.png", "mask.nrrd"])
def test_no_space_at_the_end_of_a_segmentation(
    victim: str, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = write(tmp_path / "one.tif", GREY[0])
    no_space_for(victim, monkeypatch)
    outcome = cli.segment(one, tmp_path / "out", weights, output_format="nrrd")
    refused(outcome, "mask.nrrd" if victim.startswith("mask") else victim, "--output_dir")
    assert slabs_alone(tmp_path / "out") == 1


@pytest.mark.parametrize("victim", ["model.pt", "checkpoint.pt", "metrics.csv"])
def test_no_space_for_a_training(victim: str, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_space_for(victim, monkeypatch)
    outcome = cli.train(dataset, tmp_path / "run", network_def=cli.TINY)
    refused(outcome, f"{victim} cannot be written (No space left on device)", "free some space")
    assert not [name for name in files(tmp_path / "run") if victim in name or "part" in name]


def test_no_space_for_the_curves(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """TensorBoard writes in a thread of its own, whose traceback does not reach the terminal either."""

    def late(failure: threading.ExceptHookArgs) -> None:
        """For the thread that fails when the command has ended; a process would be gone with it."""
        command_line._thread_excepthook(failure)

    monkeypatch.setattr(threading, "excepthook", late)
    monkeypatch.setattr(gfile.LocalFileSystem, "_write", no_space)
    refused(cli.train(dataset, tmp_path / "run", network_def=cli.TINY), "the disk is full", "--output_dir")
    assert "Traceback" not in capsys.readouterr().err and results(tmp_path / "run") == []
    assert threading.excepthook is late


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 100 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(mounting, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"no mount here: {error}")
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_is_really_full(small_disk: Path, tmp_path: Path, dataset: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 60_000, (12, 300, 300)).astype(np.uint16)
    path, weights = write(tmp_path / "noise.tif", noise), cli.tiny_weights(tmp_path / "model.pt", noise[:1])
    options = {"batch_size": 64, "overlap": 0}
    for output_format in OUTPUT_FORMATS:
        outcome = cli.segment(path, small_disk / "out", weights, output_format=output_format, **options)
        refused(outcome, f"{small_disk / 'out'}/.slabs", "No space left", "free some space")
        assert files(small_disk / "out") == []
    refused(cli.train(dataset, small_disk / "run", network_def=cli.TINY), "No space left", "free some space")
    assert not [name for name in files(small_disk / "run") if name.endswith(("checkpoint.pt", ".part"))]


# --- the process ----------------------------------------------------------------------------------------------------


def terminal(*words: object) -> subprocess.CompletedProcess[str]:
    """`python -m monai.bundle` as a user types it."""
    command = [sys.executable, "-m", "monai.bundle", *map(str, words)]
    return subprocess.run(command, cwd=cli.ROOT, env=cli.ENVIRONMENT, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["expression", "constructor", "engine"])
def test_the_process_ends_with_code_2_and_one_line(
    place: str, tmp_path: Path, weights: Path, trained: tuple[Path, Path]
) -> None:
    """Whether the refusal comes from a `$` expression of a config, from a component's constructor or out of Ignite."""
    (tmp_path / "taken").write_text("mine")
    options: dict[str, dict[str, object]] = {
        "expression": {"phantom_dir": tmp_path / "taken/phantom"},
        "constructor": {"stack": tmp_path / "recon.tif"},
        "engine": {"stack": damaged_in_the_last_slice(tmp_path / "damaged"), "grey_window#fixed": [0, 40000]},
    }
    words = [word for key, value in options[place].items() for word in (f"--{key}", value)]
    ended = terminal(
        *("run", "--config_file", "bundle/configs/inference.json", "--device", "cpu", "--weights", weights),
        *("--output_dir", tmp_path / "out", "--network_def", cli.TINY, *words),
    )
    told = {"expression": "phantom cannot be written", "constructor": "does not exist", "engine": "cannot read slice"}
    assert ended.returncode == 2, ended.stderr
    # MONAI itself warns at every start that a config is code
    *_, last = ended.stderr.splitlines()
    assert last.startswith("error: ") and told[place] in last, ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout and ended.stderr.count("\n") <= 3, ended.stderr
    assert files(tmp_path / "out") == []

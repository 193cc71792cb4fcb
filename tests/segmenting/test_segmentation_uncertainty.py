"""Where the members of an E-Net disagree, written beside the mask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest
import torch
import zarr
from monai.networks.nets import BasicUNet

from custom.weights import sha256

GREY = cli.volume((3, 128, 128))
BLEND = (0.25, 0.75)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cli.saved(tmp_path_factory.mktemp("stack"), GREY)


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two networks: one finds lithium, the other does not know."""
    folder = tmp_path_factory.mktemp("weights")
    first = cli.tiny_weights(folder / "first.pt", GREY)
    state = torch.load(first, weights_only=True)
    torch.save(
        {key: value * 0.3 if key.startswith("final_conv") else value for key, value in state.items()},
        folder / "second.pt",
    )
    return [first, folder / "second.pt"]


def enet(members: list[Path], folder: Path, blend: tuple[float, float] = BLEND) -> dict[str, Any]:
    """The shipped overlay with two small members, as options of the command."""
    overlay = json.loads((cli.ROOT / "bundle/configs/network_enet.json").read_text())
    overlay |= {"blend": blend, "weights": list(map(str, members))}
    member = cli.TINY | {"out_channels": "@channels"}
    overlay["network_def"]["members"] = [member, member]
    path = folder / "enet.json"
    path.write_text(json.dumps(overlay))
    return {"config_file": str(["bundle/configs/inference.json", str(path)])}


def segment(stack: Path, members: list[Path], folder: Path, **options: object) -> cli.Outcome:
    files = enet(members, folder, **({"blend": options.pop("blend")} if "blend" in options else {}))  # type: ignore[arg-type]
    return cli.bundle("run", **files, stack=stack, output_dir=folder / "out", precision="fp32", **options)


def test_the_standard_deviation_is_written(stack: Path, members: list[Path], tmp_path: Path) -> None:
    ended = segment(stack, members, tmp_path, uncertainty=True, slab_height=2)
    assert ended.code == 0, ended.error
    low, high = np.percentile(GREY, (0.5, 99.5))
    planes = torch.as_tensor(((GREY - low) / (high - low)).clip(0, 1), dtype=torch.float32)[:, None]
    found = []
    for path in members:
        network = BasicUNet(2, 1, 1, cli.FEATURES).eval()
        network.load_state_dict(torch.load(path, weights_only=True))
        with torch.no_grad():
            found.append(network(planes).sigmoid().double().numpy()[:, 0])
    mean = np.average(found, axis=0, weights=BLEND)
    expected = np.sqrt(np.average((np.stack(found) - mean) ** 2, axis=0, weights=BLEND))
    written = np.asarray(zarr.open_group(tmp_path / "out/uncertainty.zarr", mode="r")["0"])
    assert written.dtype == np.uint8 and written.max() > 10
    one, other = (probability >= 0.5 for probability in found)
    told = json.loads((tmp_path / "out/summary.json").read_text())["expected_dice"]
    # 3 windows a batch of 8, the rest of which is empty
    agreement = 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))
    assert (
        told["agreement_of_members"] == pytest.approx(agreement, abs=0.1)
        and told["value"] <= told["agreement_of_members"]
    )
    np.testing.assert_allclose(written, 255 * expected, atol=0.6)
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert summary["uncertainty"] == "uncertainty.zarr"
    mask = np.asarray(zarr.open_group(tmp_path / "out/mask.zarr", mode="r")["0"])
    assert np.mean(mask == (mean >= 0.5)) > 0.9999


def test_the_mask_is_the_same_without(stack: Path, members: list[Path], tmp_path: Path) -> None:
    masks = []
    for uncertainty in (True, False):
        assert segment(stack, members, tmp_path, uncertainty=uncertainty, overwrite=True).code == 0
        masks.append(np.asarray(zarr.open_group(tmp_path / "out/mask.zarr", mode="r")["0"]))
    np.testing.assert_array_equal(*masks)
    assert not (tmp_path / "out/uncertainty.zarr").exists()


def test_a_single_network_has_none(stack: Path, members: list[Path], tmp_path: Path) -> None:
    ended = cli.segment(stack, tmp_path / "out", members[0], uncertainty=True)
    assert ended.code == 2 and "BasicUNet runs one network; stack network_enet.json" in ended.error
    assert not (tmp_path / "out").exists()


def test_a_blend_of_one_has_none(stack: Path, members: list[Path], tmp_path: Path) -> None:
    ended = segment(stack, members, tmp_path, uncertainty=True, blend=(0.0, 1.0))
    assert ended.code == 2 and "--uncertainty true" in ended.error and "a blend of two or more" in ended.error


def test_of_several_classes_it_is_that_of_the_class_that_is_least_agreed_on(stack: Path, tmp_path: Path) -> None:
    names = ["pit", "void"]
    first = cli.class_weights(tmp_path / "first.pt", GREY, names)
    state = torch.load(first, weights_only=True)
    second = tmp_path / "second.pt"
    torch.save({key: value * 0.3 if key.startswith("final_conv") else value for key, value in state.items()}, second)
    record = {"classes": names, "weights_sha256": sha256(second)}
    second.with_suffix(".json").write_text(json.dumps(record))
    ended = segment(stack, [first, second], tmp_path, uncertainty=True)
    assert ended.code == 0, ended.error
    low, high = np.percentile(GREY, (0.5, 99.5))
    planes = torch.as_tensor(((GREY - low) / (high - low)).clip(0, 1), dtype=torch.float32)[:, None]
    found = []
    for path in (first, second):
        network = BasicUNet(2, 1, 3, cli.FEATURES).eval()
        network.load_state_dict(torch.load(path, weights_only=True))
        with torch.no_grad():
            found.append(network(planes).softmax(1).double().numpy())
    mean = np.average(found, axis=0, weights=BLEND)
    expected = np.sqrt(np.average((np.stack(found) - mean) ** 2, axis=0, weights=BLEND))[:, 1:].max(1)
    written = np.asarray(zarr.open_group(tmp_path / "out/uncertainty.zarr", mode="r")["0"])
    assert written.max() > 10
    np.testing.assert_allclose(written, 255 * expected, atol=0.6)
    mask = np.asarray(zarr.open_group(tmp_path / "out/mask.zarr", mode="r")["0"])
    assert np.mean(mask == mean.argmax(1)) > 0.9999

"""The augmentation that train.json and study.json declare, on slices of several sizes."""

from __future__ import annotations

from typing import Any

import cli
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose

from custom.data import PatchDataset

WHOLE = ("flip_y", "flip_x", "quarter_turn")  # which resample nothing
PARTS = ("flip_y", "flip_x", "quarter_turn", "contrast", "brightness", "surround")


def chain(*overlays: str, **overrides: Any) -> Compose:
    """`train#preprocessing`; overrides are leaves such as ``flip_y__prob``."""
    parser = cli.parser_of("train", *overlays)
    parser.update({key.replace("__", "#"): value for key, value in overrides.items()})
    transform = parser.get_parsed_content("train#preprocessing")
    assert isinstance(transform, Compose)
    return transform


def item(size: tuple[int, int], seed: int = 0) -> dict[str, Any]:
    """One slice in memory: smooth grey in [0, 1] and a label of all three values."""
    rng = np.random.default_rng(seed)
    label = np.kron(
        rng.choice([0, 1, 255], (size[0] // 10 + 1, size[1] // 10 + 1), p=[0.7, 0.2, 0.1]), np.ones((10, 10))
    )
    label = label[: size[0], : size[1]].astype(np.uint8)
    image = (0.2 + 0.6 * (label == 1) + 0.1 * rng.random(size)).astype(np.float32)
    return {"image": image[None], "label": label[None], "grey_window": (0.0, 1.0), "z": 0}


@pytest.mark.parametrize("overlays", [(), ("network_unet",), ("study",), ("network_unet", "study")])
@pytest.mark.parametrize("size", [(300, 260), (140, 150), (60, 90), (20, 400), (5, 6)])
def test_patches_of_any_slice(size: tuple[int, int], overlays: tuple[str, ...]) -> None:
    patches = PatchDataset([item(size)], chain(*overlays), patches_per_epoch=20)
    values = set()
    for i in range(20):
        (patch,) = patches[i]
        assert set(patch) == {"image", "label", "scan"} and patch["scan"] == 0
        assert type(patch["image"]) is type(patch["label"]) is torch.Tensor
        assert patch["image"].shape == patch["label"].shape == (1, 128, 128)
        assert patch["image"].dtype == torch.float32
        assert patch["image"].min() >= -0.1
        assert patch["image"].max() <= 1.1
        values |= set(patch["label"].unique().tolist())
    assert values <= {0, 1, 255}
    if min(size) >= 60:
        assert values == {0, 1, 255}


@pytest.mark.parametrize(
    ("overlays", "given", "bound"),
    [
        # less than one voxel
        ((), {f"{name}__prob": 1.0 for name in WHOLE}, 1 / 128**2),
        # bilinear and nearest sampling of one grid agree but for the voxels around 0.5
        (("network_unet",), {"turned__prob": 1.0}, 0.005),
        (("study",), {"affine__prob": 1.0}, 0.005),
    ],
)
def test_label_moves_with_its_image(overlays: tuple[str, ...], given: dict[str, float], bound: float) -> None:
    piece = item((200, 220))
    piece["image"] = (piece["label"] == 1).astype(np.float32)
    transform = chain(*overlays, contrast__prob=0.0, brightness__prob=0.0, surround__prob=0.0, **given)
    for i in range(10):
        (patch,) = PatchDataset([piece], transform, patches_per_epoch=10, seed=i)[0]
        image, label = patch["image"][0].numpy(), patch["label"][0].numpy()
        disagree = (image > 0.5) != (label == 1)
        assert disagree.mean() < bound
        assert 0.02 < (label == 1).mean()


def test_patches_lie_in_all_eight_ways() -> None:
    square = item((128, 128))
    transform = chain(**{f"{name}__prob": 0.0 for name in PARTS if name not in WHOLE})
    patches = PatchDataset([square], transform, patches_per_epoch=100)
    label = torch.as_tensor(square["label"][0])
    ways = [
        turned.flip(0) if mirrored else turned for turned in (label.rot90(k) for k in range(4)) for mirrored in (0, 1)
    ]
    found = [[torch.equal(patches[i][0]["label"][0], way) for way in ways].index(True) for i in range(100)]
    assert set(found) == set(range(8))


def test_a_third_of_the_patches_is_resampled() -> None:
    """What is not resampled has no grey value that the slice has not."""
    given = item((300, 260))
    greys = np.sort(given["image"], axis=None)
    transform = chain("network_unet", contrast__prob=0.0, brightness__prob=0.0, surround__prob=0.0)
    patches = PatchDataset([given], transform, patches_per_epoch=200)
    new = sum(not np.isin(patches[i][0]["image"].numpy(), greys).all() for i in range(200))
    assert new / 200 == pytest.approx(0.35, abs=0.1)


def test_without_chance_a_patch_is_cut_out_of_the_slice() -> None:
    given = item((300, 260))
    calm = {f"{name}__prob": 0.0 for name in PARTS}
    (patch,) = PatchDataset([given], chain(**calm), patches_per_epoch=1)[0]
    windows = np.lib.stride_tricks.sliding_window_view(given["image"][0], (128, 128))
    corner = patch["image"][0, 0, 0].item()
    places = np.argwhere(np.isclose(windows[:, :, 0, 0], corner, atol=1e-6))
    assert any(np.allclose(windows[y, x], patch["image"][0], atol=1e-5) for y, x in places)


@pytest.mark.parametrize("name", ["brightness", "contrast"])
def test_brightness_and_contrast_stay_within_five_percent(name: str) -> None:
    given = item((184, 184))
    given["image"] = np.linspace(0.2, 0.8, 184 * 184, dtype=np.float32).reshape(1, 184, 184)
    still = {f"{part}__prob": 0.0 for part in PARTS}
    calm, changing = chain(**still), chain(**{**still, f"{name}__prob": 1.0})
    changes = []
    for seed in range(20):
        (plain,), (changed,) = (PatchDataset([given], t, patches_per_epoch=1, seed=seed)[0] for t in (calm, changing))
        if name == "brightness":
            changes += [(changed["image"] - plain["image"]).mean().item()]
        else:
            changes += [changed["image"].std().item() / plain["image"].std().item() - 1]
    assert 0.02 < np.abs(changes).max() <= 0.0501


@pytest.mark.parametrize(("pos", "neg"), [(0, 1), (1, 1), (3, 1)])
def test_share_of_patches_centred_on_lithium(pos: int, neg: int) -> None:
    label = np.zeros((1, 300, 300), np.uint8)
    label[:, 100:104, 100:104] = 1
    given = {**item((300, 300)), "label": label}
    patches = PatchDataset([given], chain(crop__pos=pos, crop__neg=neg), patches_per_epoch=100)
    shown = sum(bool((patches[i][0]["label"] == 1).any()) for i in range(100))
    centred = pos / (pos + neg)
    # of the other centres a share of (168 / 300)^2 = 0.31 shows the lithium by chance; 100 draws scatter by 0.05
    assert shown / 100 == pytest.approx(centred + 0.31 * (1 - centred), abs=0.15)


def test_no_warning_for_slices_without_lithium(recwarn: pytest.WarningsRecorder) -> None:
    given = {**item((140, 150)), "label": np.zeros((1, 140, 150), np.uint8)}
    patches = PatchDataset([given], chain(), patches_per_epoch=3)
    assert not any((patches[i][0]["label"] == 1).any() for i in range(3))
    assert not [w for w in recwarn if "foregrounds" in str(w.message)]


def test_the_kept_slice_stays_as_it_is() -> None:
    patches = PatchDataset([item((140, 150))], chain(), patches_per_epoch=30)
    kept = patches.slices._cache[0]
    before = {key: torch.as_tensor(kept[key]).clone() for key in ("image", "label")}
    assert not isinstance(kept["image"], MetaTensor)  # which would note what is done to it
    for i in range(30):
        patches[i]
    for key, values in before.items():
        assert torch.equal(torch.as_tensor(kept[key]), values)

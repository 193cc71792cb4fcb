"""Patches that do not depend on the order in which they are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cli
import numpy as np
import pytest
import tifffile
import torch
from conftest import MakeSet
from monai.data import DataLoader, get_track_meta, set_track_meta
from monai.transforms import Compose, MapTransform, RandLambdad, RandomizableTransform

from custom.data import PatchDataset, SliceDataset, expand_slices, labelled_slices, thin
from custom.transforms import GreyWindowd, LoadStackd


@pytest.fixture(scope="module")
def chain() -> Compose:
    transform = cli.parser_of("train").get_parsed_content("train#preprocessing")
    assert isinstance(transform, Compose)
    return transform


@pytest.fixture(scope="module")
def items(labelled_set: Path) -> list[dict[str, Any]]:
    return labelled_slices(labelled_set)


def patch(patches: PatchDataset, index: int) -> torch.Tensor:
    (found,) = patches[index]
    return torch.cat([found["image"], found["label"]])


def test_the_same_patch_whatever_the_order(items: list[dict[str, Any]], chain: Compose) -> None:
    patches = PatchDataset(items, chain, patches_per_epoch=12, seed=4)
    patches.set_epoch(5)
    forward = [patch(patches, i) for i in range(12)]
    patches.set_epoch(4)
    other_epoch = [patch(patches, i) for i in range(12)]
    again = PatchDataset(items, chain, patches_per_epoch=12, seed=4)
    again.set_epoch(5)
    for i in reversed(range(12)):
        assert torch.equal(patch(again, i), forward[i])
    assert not any(torch.equal(a, b) for a, b in zip(forward, other_epoch, strict=True))
    assert len({p.numpy().tobytes() for p in forward}) == 12


def test_seeds_differ(items: list[dict[str, Any]], chain: Compose) -> None:
    first, second = (PatchDataset(items, chain, patches_per_epoch=4, seed=seed) for seed in (0, 1))
    assert not any(torch.equal(patch(first, i), patch(second, i)) for i in range(4))


def test_the_cache_does_not_matter(items: list[dict[str, Any]], chain: Compose) -> None:
    kept, read = (PatchDataset(items, chain, patches_per_epoch=6, cache_rate=rate) for rate in (1.0, 0.0))
    for i in range(6):
        assert torch.equal(patch(kept, i), patch(read, i))


def test_global_random_state_does_not_matter(items: list[dict[str, Any]], chain: Compose) -> None:
    patches = PatchDataset(items, chain, patches_per_epoch=4)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    first = [patch(patches, i) for i in range(4)]
    np.random.seed(2)  # noqa: NPY002
    torch.manual_seed(2)
    assert all(torch.equal(patch(patches, i), first[i]) for i in range(4))


def test_worker_processes_do_not_matter(items: list[dict[str, Any]], chain: Compose) -> None:
    patches = PatchDataset(items, chain, patches_per_epoch=6)
    alone, helped = (
        [batch["image"] for batch in DataLoader(patches, batch_size=2, num_workers=workers)] for workers in (0, 2)
    )
    assert [tuple(batch.shape) for batch in alone] == [(2, 1, 128, 128)] * 3
    assert all(torch.equal(a, b) for a, b in zip(alone, helped, strict=True))


def test_half_of_the_patches_are_of_slices_with_lithium(make_labelled_set: Any, chain: Compose) -> None:
    rare = labelled_slices(make_labelled_set(stacks=(20,), size=(40, 40), lithium=[13]))
    patches = PatchDataset(rare, chain, patches_per_epoch=60)
    assert len(patches) == 60
    for epoch in (1, 2):
        patches.set_epoch(epoch)
        drawn = patches.order[:60]
        # 30 of the rich slice alone, and of the other 30, which run through all 20 slices, one or two more
        assert np.count_nonzero(drawn == 13) in (31, 32)
        assert len(set(drawn)) == 20


def test_a_data_set_with_fewer_patches_than_slices_still_sees_all(items: list[dict[str, Any]], chain: Compose) -> None:
    patches = PatchDataset(items, chain, patches_per_epoch=3)
    seen = set()
    for epoch in range(1, 30):
        patches.set_epoch(epoch)
        assert len(patches.order) >= 3
        seen |= set(patches.order[:3].tolist())
    assert seen == set(range(6))


def test_paths_alone_become_all_slices(labelled_set: Path, labelled_set_2d: Path) -> None:
    stack = {"image": labelled_set / "images" / "stack_0.tif", "label": labelled_set / "labels" / "stack_0.tif"}
    flat = {"image": labelled_set_2d / "images" / "slice_2.tif", "label": labelled_set_2d / "labels" / "slice_2.tif"}
    found = expand_slices([stack, flat, {**stack, "z": 4}])
    assert [item["z"] for item in found] == [0, 1, 2, 3, 4, 5, 0, 4]
    assert found[6]["image"] == flat["image"]
    assert "z" not in stack


def test_a_patch_tells_of_its_scan(labelled_set: Path, chain: Compose, tmp_path: Path) -> None:
    """Each 3-D stack is one, and all 2-D files are one together."""
    for part in ("images", "labels"):
        (whole,) = (labelled_set / part).iterdir()
        stack = tifffile.imread(whole)
        (tmp_path / part).mkdir()
        for name, some in {"deep_1": stack[:3], "deep_2": stack[3:], "flat_1": stack[0], "flat_2": stack[1]}.items():
            tifffile.imwrite(tmp_path / part / f"{name}.tif", some, photometric="minisblack")
    patches = PatchDataset(labelled_slices(tmp_path), chain, patches_per_epoch=32)
    seen = {(patches.slices.data[int(patches.order[i])]["stem"], patches[i][0]["scan"]) for i in range(32)}
    assert seen == {("deep_1", 0), ("deep_2", 1), ("flat_1", 2), ("flat_2", 2)}


def test_slices_are_read_once(items: list[dict[str, Any]]) -> None:
    dataset = SliceDataset(items, Compose([LoadStackd(["image", "label"]), GreyWindowd("image")]))
    assert len(dataset) == 6
    assert dataset[2]["image"] is dataset[2]["image"]
    volume = tifffile.imread(items[0]["label"])
    np.testing.assert_array_equal(torch.cat([dataset[i]["label"] for i in range(6)]), volume)


def test_slices_of_paths_alone_share_the_window_of_their_stack(labelled_set: Path) -> None:
    path = labelled_set / "images" / "stack_0.tif"
    chain = Compose([LoadStackd("image"), GreyWindowd("image", {"percentiles": (3, 96)})])
    dataset = SliceDataset([{"image": path}], chain)
    volume = tifffile.imread(path)
    lower, upper = np.percentile(volume, (3, 96))
    found = torch.cat([item["image"] for item in DataLoader(dataset, batch_size=1)], dim=1)[0]
    np.testing.assert_allclose(found, np.clip((volume - lower) / (upper - lower), 0, 1), atol=1e-6)


@pytest.mark.parametrize(("most", "wanted"), [(3, [0, 4, 9]), (1, [0]), (10, list(range(10))), (99, list(range(10)))])
def test_thin(most: int, wanted: list[int]) -> None:
    assert [item["z"] for item in thin([{"z": z} for z in range(10)], most)] == wanted


def test_thin_keeps_the_slice_with_lithium() -> None:
    rare = [{"z": z, "lithium": 9 * (z == 37) + (z == 38)} for z in range(100)]
    assert [item["z"] for item in thin(rare, 5)] == [0, 37, 50, 74, 99]
    assert [item["z"] for item in thin([*rare[:50], {"z": 50, "lithium": 1}, *rare[51:]], 3)] == [0, 50, 99]


class Look(RandomizableTransform, MapTransform):
    """Notes whether meta data are tracked."""

    def __init__(self) -> None:
        RandomizableTransform.__init__(self)
        self.seen: list[bool] = []

    def __call__(self, data: Any) -> Any:
        self.seen.append(get_track_meta())
        return data


@pytest.mark.parametrize("track", [True, False])
@pytest.mark.parametrize("others", [[], [RandLambdad("image", torch.neg)]])
def test_patches_are_drawn_without_meta_data_whose_tracking_stays_as_it_was(
    others: list[Any], track: bool, make_labelled_set: MakeSet
) -> None:
    """Unless MONAI's own transform cannot do without, where it was tracked before."""
    look = Look()
    chain = Compose([LoadStackd(["image", "label"]), look, *(others if track else [])])
    set_track_meta(track)
    try:
        _ = PatchDataset(labelled_slices(make_labelled_set()), chain, 2)[0]
        assert get_track_meta() is track
    finally:
        set_track_meta(True)
    assert look.seen == [bool(others) and track]

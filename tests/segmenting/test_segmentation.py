"""Segmenting a stack: the same mask from every format, in every format, and the one MONAI's own inferer finds."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import cli
import monai
import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK
import tifffile
import torch
import zarr
from monai.data import decollate_batch
from monai.inferers import SlidingWindowInferer
from monai.networks.nets import BasicUNet
from PIL import Image

GREY = cli.volume((7, 150, 140))
SMALL = GREY[:3, :60, :90]
UM = (2.5, 1.25, 1.25)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cli.tiny_weights(tmp_path_factory.mktemp("weights") / "model.pt", GREY)


def network_of(weights: Path) -> torch.nn.Module:
    network = BasicUNet(2, 1, 1, cli.FEATURES).eval()
    network.load_state_dict(torch.load(weights, weights_only=True))
    return network


def reference(grey: np.ndarray, weights: Path) -> np.ndarray:
    """Probability of lithium by MONAI's inferer alone, slice by slice in fp32, window by numpy."""
    network = network_of(weights)
    inferer: Any = SlidingWindowInferer((128, 128), sw_batch_size=1, overlap=0.25, mode="gaussian")
    low, high = np.percentile(grey, (0.5, 99.5))
    scaled = torch.as_tensor(((grey - low) / (high - low)).clip(0, 1), dtype=torch.float32)
    with torch.no_grad():
        return np.stack([inferer(plane[None, None], network).sigmoid()[0, 0].numpy() for plane in scaled])


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


def read_mask(out: Path) -> np.ndarray:
    """The mask as (Z, Y, X), through a foreign reader."""
    (path,) = out.glob("mask*")
    if path.suffix == ".zarr":
        return np.asarray(zarr.open_group(path, mode="r")["0"])
    if path.suffix == ".tif":
        return tifffile.imread(path)
    if path.is_dir():
        return np.stack([np.asarray(Image.open(file)) for file in sorted(path.iterdir())])
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))


def summary_of(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return content


def segmented(path: Path, out: Path, weights: Path, **options: object) -> np.ndarray:
    """The mask after a segmentation that must succeed."""
    outcome = cli.segment(path, out, weights, **options)
    assert outcome.code == 0, outcome.error
    return read_mask(out)


def as_folder(folder: Path) -> Path:
    (folder / "stack").mkdir()
    for z, plane in enumerate(GREY):
        tifffile.imwrite(folder / f"stack/recon_{z:05d}.tiff", plane)
    return folder / "stack"


def as_tiff(folder: Path, **options: Any) -> Path:
    tifffile.imwrite(folder / "stack.tif", GREY, photometric="minisblack", **options)
    return folder / "stack.tif"


def as_nifti(folder: Path) -> Path:
    nibabel.save(nibabel.Nifti1Image(GREY.transpose(2, 1, 0), np.diag([1.0, 1, 1, 1])), folder / "stack.nii.gz")
    return folder / "stack.nii.gz"


def as_nrrd(folder: Path) -> Path:
    nrrd.write(str(folder / "stack.nrrd"), GREY.transpose(2, 1, 0), {"encoding": "gzip"})
    return folder / "stack.nrrd"


def as_mha(folder: Path) -> Path:
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(GREY), str(folder / "stack.mha"))
    return folder / "stack.mha"


def as_npy(folder: Path) -> Path:
    return cli.saved(folder, GREY)


STORED: dict[str, Callable[[Path], Path]] = {
    "folder": as_folder,
    "TIFF": as_tiff,
    "BigTIFF": lambda folder: as_tiff(folder, bigtiff=True, compression="zlib"),
    "NIfTI": as_nifti,
    "NRRD": as_nrrd,
    "MHA": as_mha,
    "npy": as_npy,
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return as_npy(tmp_path_factory.mktemp("stack"))


@pytest.fixture(scope="module")
def mask(stack: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    return segmented(stack, tmp_path_factory.mktemp("out"), weights)


# --- the mask -------------------------------------------------------------------------------------------------------


def test_the_mask_is_that_of_monais_inferer(mask: np.ndarray, weights: Path) -> None:
    expected = reference(GREY, weights) >= 0.5
    assert mask.shape == GREY.shape and mask.dtype == np.uint8 and set(np.unique(mask)) == {0, 1}
    assert 0.2 < expected.mean() < 0.8  # a mask of one value would agree with anything
    assert dice(mask == 1, expected) >= 0.9999


@pytest.mark.parametrize("stored", STORED)
def test_the_mask_is_the_same_from_every_format(stored: str, mask: np.ndarray, weights: Path, tmp_path: Path) -> None:
    np.testing.assert_array_equal(segmented(STORED[stored](tmp_path), tmp_path / "out", weights), mask)


@pytest.mark.parametrize("output_format", ["zarr", "tiff", "tiff_folder", "nii.gz", "nrrd"])
def test_the_mask_is_the_same_in_every_format(
    output_format: str, stack: Path, mask: np.ndarray, weights: Path, tmp_path: Path
) -> None:
    found = segmented(stack, tmp_path, weights, output_format=output_format)
    np.testing.assert_array_equal(found, mask)
    assert summary_of(tmp_path)["mask"] == next(tmp_path.glob("mask*")).name


@pytest.mark.parametrize("slab_height", [1, 3, 7, 100])
def test_the_mask_does_not_depend_on_the_slabs(
    slab_height: int, stack: Path, mask: np.ndarray, weights: Path, tmp_path: Path
) -> None:
    found = segmented(stack, tmp_path, weights, slab_height=slab_height, batch_size=slab_height)
    np.testing.assert_array_equal(found, mask)


def test_a_slice_smaller_than_the_window_is_padded(weights: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "small.npy", SMALL)
    found = segmented(tmp_path / "small.npy", tmp_path / "out", weights)
    assert found.shape == SMALL.shape
    assert dice(found == 1, reference(SMALL, weights) >= 0.5) >= 0.9999


def test_a_single_slice_of_16_bits(weights: Path, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "slice.tif", GREY[4])
    found = segmented(tmp_path / "slice.tif", tmp_path / "out", weights, output_format="nrrd")
    assert found.shape == (1, 150, 140) and summary_of(tmp_path / "out")["shape_zyx"] == [1, 150, 140]
    assert dice(found == 1, reference(GREY[4:5], weights) >= 0.5) >= 0.9999


def test_a_higher_threshold_finds_less(stack: Path, weights: Path, tmp_path: Path) -> None:
    probability = reference(GREY, weights)
    for threshold in (0.45, 0.55):
        out = tmp_path / str(threshold)
        found = segmented(stack, out, weights, threshold=threshold)
        assert dice(found == 1, probability >= threshold) >= 0.9999
        assert summary_of(out)["threshold"] == threshold
    counts = [summary_of(tmp_path / name)["lithium_voxels"] for name in ("0.45", "0.55")]
    assert counts[0] > 1.01 * counts[1] > 0


def test_bf16_finds_nearly_the_same(stack: Path, mask: np.ndarray, weights: Path, tmp_path: Path) -> None:
    found = segmented(stack, tmp_path, weights, precision="bf16")
    assert 0.97 < dice(found == 1, mask == 1) < 1  # equal masks would mean that bf16 was not used


# --- what lies beside the mask --------------------------------------------------------------------------------------


def test_the_summary(stack: Path, mask: np.ndarray, weights: Path, tmp_path: Path) -> None:
    outcome = cli.segment(stack, tmp_path, weights, threshold=0.5)
    found = summary_of(tmp_path)
    lithium = int(np.count_nonzero(mask))
    assert found["voxels"] == 7 * 150 * 140 and found["lithium_voxels"] == lithium
    assert found["volume_fraction"] == pytest.approx(lithium / GREY.size)
    assert found["grey_window"] == pytest.approx(np.percentile(GREY, (0.5, 99.5)))
    assert found["weights"] == str(weights)
    assert found["weights_sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert found["stack"] == str(stack) and found["shape_zyx"] == [7, 150, 140]
    assert (found["network"], found["threshold"], found["overlap"]) == ("BasicUNet", 0.5, 0.25)
    versions = {"python": platform.python_version(), "torch": torch.__version__, "monai": monai.__version__}
    assert found["versions"] == versions
    assert found["bundle_version"] == json.loads((cli.ROOT / "bundle/configs/metadata.json").read_text())["version"]
    assert shlex.split(found["command"])[:4] == ["python", "-m", "monai.bundle", "run"]
    assert str(stack) in shlex.split(found["command"])
    assert 0 < found["seconds"] < 600 and datetime.fromisoformat(found["finished"]).tzinfo is not None
    assert found["nonfinite_voxels"] == 0
    assert f"{lithium:,} voxels, {100 * lithium / GREY.size:.3f} %" in outcome.output


def test_the_amount_is_told_for_several_thresholds(stack: Path, weights: Path, tmp_path: Path) -> None:
    outcome = cli.segment(stack, tmp_path, weights, voxel_size_um=[3, 2, 1], slab_height=2)
    found = summary_of(tmp_path)
    probability = reference(GREY, weights)
    rows = found["lithium_by_threshold"]
    assert [row["threshold"] for row in rows] == [0.3, 0.4, 0.5, 0.6, 0.7]
    for row in rows:
        assert row["lithium_voxels"] == pytest.approx(np.count_nonzero(probability >= row["threshold"]), rel=1e-3)
        assert row["lithium_um3"] == row["lithium_voxels"] * 6
    assert rows[2]["lithium_voxels"] == found["lithium_voxels"]
    assert f"{rows[0]['lithium_voxels']:,} to {rows[-1]['lithium_voxels']:,} voxels" in outcome.output


def test_nothing_in_micrometres_where_the_voxel_size_is_unknown(stack: Path, weights: Path, tmp_path: Path) -> None:
    outcome = cli.segment(stack, tmp_path, weights)
    found = summary_of(tmp_path)
    assert found["voxel_size_um"] is None and not {"lithium_um3", "lithium_mm3"} & set(found)
    assert "voxel size unknown" in outcome.output


def test_volumes_where_the_voxel_size_is_known(mask: np.ndarray, weights: Path, tmp_path: Path) -> None:
    metadata = {"axes": "ZYX", "spacing": UM[0], "unit": "um"}
    tifffile.imwrite(tmp_path / "stack.tif", GREY, imagej=True, resolution=(1 / UM[2], 1 / UM[1]), metadata=metadata)
    outcome = cli.segment(tmp_path / "stack.tif", tmp_path / "out", weights, output_format="nrrd")
    found = summary_of(tmp_path / "out")
    volume = np.count_nonzero(mask) * 2.5 * 1.25 * 1.25
    assert found["voxel_size_um"] == pytest.approx(UM) and "ImageJ" in found["voxel_size_source"]
    assert (found["lithium_um3"], found["lithium_mm3"]) == pytest.approx((volume, volume * 1e-9))
    assert f"{volume * 1e-9:.6g} mm3" in outcome.output
    image = SimpleITK.ReadImage(str(tmp_path / "out/mask.nrrd"))
    assert image.GetSpacing() == pytest.approx((0.00125, 0.00125, 0.0025))


def test_a_given_voxel_size_overrides_the_files(weights: Path, mask: np.ndarray, tmp_path: Path) -> None:
    image = SimpleITK.GetImageFromArray(GREY)
    image.SetSpacing((0.5, 0.5, 0.5))
    SimpleITK.WriteImage(image, str(tmp_path / "stack.mha"))
    out = tmp_path / "out"
    assert cli.segment(tmp_path / "stack.mha", out, weights, voxel_size_um=[3, 2, 1], output_format="nrrd").code == 0
    found = summary_of(out)
    assert (found["voxel_size_um"], found["voxel_size_source"]) == ([3, 2, 1], "given")
    assert found["lithium_um3"] == np.count_nonzero(mask) * 6
    assert SimpleITK.ReadImage(str(out / "mask.nrrd")).GetSpacing() == pytest.approx((0.001, 0.002, 0.003))


def test_mask_and_probability_lie_over_the_image(weights: Path, tmp_path: Path) -> None:
    image = SimpleITK.GetImageFromArray(SMALL)
    image.SetSpacing((0.00133, 0.00133, 0.002))
    image.SetOrigin((5, -6, 7))
    image.SetDirection((0, -1, 0, 1, 0, 0, 0, 0, 1))
    SimpleITK.WriteImage(image, str(tmp_path / "stack.mha"))
    segmented(tmp_path / "stack.mha", tmp_path / "out", weights, output_format="nrrd", probability=True)
    for name in ("mask", "probability"):
        found = SimpleITK.ReadImage(str(tmp_path / "out" / f"{name}.nrrd"))
        assert found.IsSameImageGeometryAs(image)


def test_the_overlays(stack: Path, mask: np.ndarray, weights: Path, tmp_path: Path) -> None:
    """Five parts along z, of each the slice with most lithium; orange lies where the mask does."""
    (tmp_path / "overlays").mkdir()
    for name in ("slice_00099.png", "slice_z0003.png", "my_slice_00099.png"):  # an earlier one's, an evaluation's
        (tmp_path / "overlays" / name).touch()
    assert cli.segment(stack, tmp_path, weights).code == 0
    for name in ("slice_z0003.png", "my_slice_00099.png"):
        (tmp_path / "overlays" / name).unlink()
    parts: dict[int, list[int]] = {}
    for z in range(7):
        parts.setdefault(z * 5 // 7, []).append(z)
    richest = {max(part, key=lambda z: mask[z].sum()) for part in parts.values()}
    pictures = sorted((tmp_path / "overlays").iterdir())
    assert {int(re.sub(r"\D", "", path.stem)) for path in pictures} == richest
    for path in pictures:
        rgb = np.asarray(Image.open(path)).astype(int)[: 150 * 3 : 3, : 140 * 3 : 3]  # 140 pixels are magnified 3 times
        coloured = rgb[..., 0] - rgb[..., 2] > 30
        np.testing.assert_array_equal(coloured, mask[int(re.sub(r"\D", "", path.stem))] == 1)


# --- other ways to the same mask ------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["volume", "tensor", "path"])
def test_a_volume_in_memory_takes_the_same_way(given: str, stack: Path, mask: np.ndarray, weights: Path) -> None:
    """What clients of a bundle use of inference.json: preprocessing, inferer, postprocessing and network_def alone."""
    parser = cli.parser_of("inference")
    parser["network_def"], parser["precision"] = cli.TINY, "fp32"
    network = parser.get_parsed_content("network_def").eval()
    network.load_state_dict(torch.load(weights, weights_only=True))
    sources = {"volume": GREY, "tensor": torch.as_tensor(GREY.astype(np.int32))[None], "path": str(stack)}
    item = parser.get_parsed_content("preprocessing")({"image": sources[given]})
    with torch.no_grad():
        item["pred"] = parser.get_parsed_content("inferer")(item["image"][None], network)
    item["image"] = item["image"][None]
    (done,) = [parser.get_parsed_content("postprocessing")({"pred": pred}) for pred in decollate_batch(item["pred"])]
    np.testing.assert_array_equal(np.asarray(done["pred"][0]), mask)


MEMORY = """
import json, re, sys
from pathlib import Path
import cli, numpy as np
folder, weights = Path(sys.argv[1]), Path(sys.argv[2])
peaks = []
for depth in (64, 64, 512):
    plane = cli.volume((1, 128, 128), dtype="float32")
    header = {"descr": "<f4", "fortran_order": False, "shape": (depth, 128, 128)}
    with open(folder / "stack.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for z in range(depth):
            file.write((plane[0] + z).tobytes())
    assert cli.segment(folder / "stack.npy", folder / "out", weights, overwrite=True).code == 0
    # not getrusage: there a process begins with the peak of the one that started it
    peaks.append(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]))
print(json.dumps(peaks))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_follow_the_stack(weights: Path, tmp_path: Path) -> None:
    """Within 5 %, which is 26 MB: were the slices held as float32, 29 MB and their allocator's share would come on top."""
    command = [sys.executable, "-c", MEMORY, str(tmp_path), str(weights)]
    ended = subprocess.run(
        command, cwd=cli.ROOT, env={**cli.ENVIRONMENT, "PYTHONPATH": "tests:."}, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    _, short, long = json.loads(ended.stdout.splitlines()[-1])
    assert long <= 1.05 * short, f"{short} kB for 64 slices, {long} kB for 512"


# --- real scans -----------------------------------------------------------------------------------------------------

JELLYROLL = cli.SHARED / "jellyroll"
real = pytest.mark.skipif(not JELLYROLL.is_dir(), reason="the real scans are not beside the repository")


@real
@pytest.mark.parametrize(
    ("name", "shape"), [("unlabelled", (7, 728, 728)), ("images/slice_1.tif", (1, 576, 576))], ids=["folder", "slice"]
)
def test_a_real_scan(name: str, shape: tuple[int, int, int], weights: Path, tmp_path: Path) -> None:
    found = segmented(JELLYROLL / name, tmp_path, weights, batch_size=32)
    assert found.shape == shape and set(np.unique(found)) <= {0, 1}
    told = summary_of(tmp_path)
    assert told["lithium_voxels"] == np.count_nonzero(found) and told["voxels"] == found.size
    assert told["voxel_size_um"] is None and 1 <= len(list((tmp_path / "overlays").iterdir())) <= 5
    files = sorted((JELLYROLL / name).glob("*.tif")) if name == "unlabelled" else [JELLYROLL / name]
    grey = np.stack([tifffile.imread(file) for file in files])
    # black corners or borders, dark noise cut off at 0, in 16 bit metal cut off at 65535 too
    material = grey[(grey > 0) & (grey < np.iinfo(grey.dtype).max)]
    lower, upper = told["grey_window"]
    assert upper == pytest.approx(np.percentile(material, 99.5), rel=0.02) and lower <= np.percentile(material, 2)
    assert 0.01 < told["outside_voxels"] / np.count_nonzero(grey == 0) < 1
    assert told["volume_fraction"] == told["lithium_voxels"] / (told["voxels"] - told["outside_voxels"])

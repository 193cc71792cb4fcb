"""Reading a few slices costs the memory of a few slices, and an open stack survives threads, forks and pickling."""

import multiprocessing
import pickle
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import h5py
import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK
import tifffile
import zarr

from custom.stack import grey_window, open_stack, slabs

ROOT = Path(__file__).parents[2]
Z, Y, X = 100, 128, 160
SLICE_BYTES = Y * X * 2


@pytest.fixture(scope="module")
def voxels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 1 << 12, (Z, Y, X), np.uint16)


def write_folder(path: Path, voxels: np.ndarray) -> None:
    path.mkdir()
    for z, voxel_slice in enumerate(voxels):
        tifffile.imwrite(path / f"s_{z}.tif", voxel_slice)


def nifti(path: Path, voxels: np.ndarray) -> None:
    nibabel.save(nibabel.Nifti1Image(voxels.transpose(2, 1, 0), np.eye(4)), path)


def itk(path: Path, voxels: np.ndarray) -> None:
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(voxels), str(path), path.stem == "zip")


def hdf5(path: Path, voxels: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("/exchange/data", data=voxels, chunks=(4, 32, 32), compression="gzip")


def write_zarr(path: Path, voxels: np.ndarray) -> None:
    zarr.create_array(path, data=voxels, chunks=(2, 32, 32), zarr_format=2 if path.stem == "v2" else 3)


FILES: dict[str, Callable[[Path, np.ndarray], object]] = {
    "folder": write_folder,
    "raw.tif": lambda path, voxels: tifffile.imwrite(path, voxels),
    "zip.tif": lambda path, voxels: tifffile.imwrite(path, voxels, compression="zlib"),
    "raw.nii": nifti,
    "zip.nii.gz": nifti,
    "raw.nrrd": lambda path, voxels: nrrd.write(str(path), voxels, {"encoding": "raw"}, index_order="C"),
    "zip.nrrd": lambda path, voxels: nrrd.write(str(path), voxels, {"encoding": "gzip"}, index_order="C"),
    "raw.mha": itk,
    "zip.mha": itk,
    "raw.npy": np.save,
    "zip.h5": hdf5,
    "v2.zarr": write_zarr,
    "v3.zarr": write_zarr,
}


@pytest.fixture(scope="module")
def stacks(voxels: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stacks")
    for name, write in FILES.items():
        write(folder / name, voxels)
    return folder


@pytest.fixture(params=FILES)
def path(request: pytest.FixtureRequest, stacks: Path) -> Path:
    return stacks / request.param


def peak_bytes(action: Callable[[], object]) -> int:
    """The least of three: threads that earlier tests left running allocate too, and can only add."""
    found = []
    for _ in range(3):
        tracemalloc.start()
        try:
            action()
            found.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    return min(found)


def test_memory_follows_what_is_read(path: Path) -> None:
    open_stack(path).read(0, 1)  # imports and caches of the libraries
    assert peak_bytes(lambda: open_stack(path)) < 10 * SLICE_BYTES
    stack = open_stack(path)
    for z in (0, 60, 98):
        assert peak_bytes(partial(stack.read, z, z + 2)) < 10 * SLICE_BYTES
    assert peak_bytes(lambda: stack.read(0, Z)) > Z * SLICE_BYTES  # the measure sees what it should


def test_slabs_in_any_order_give_the_stack(path: Path, voxels: np.ndarray) -> None:
    cut = slabs(open_stack(path), 7)
    assert [(slab.start, slab.stop) for slab in cut] == [(z, min(z + 7, Z)) for z in range(0, Z, 7)]
    np.testing.assert_array_equal(np.concatenate([slab.read() for slab in cut]), voxels)
    for index in (9, 2, 14):
        np.testing.assert_array_equal(cut[index].read(), voxels[cut[index].start : cut[index].stop])


def test_threads_read_at_once(path: Path, voxels: np.ndarray) -> None:
    stack = open_stack(path)
    with ThreadPoolExecutor(4) as pool:
        for z, voxel_slice in enumerate(pool.map(lambda z: stack.read(z, z + 1)[0], range(0, Z, 5))):
            np.testing.assert_array_equal(voxel_slice, voxels[5 * z])


def test_a_pickled_stack_reads_on(path: Path, voxels: np.ndarray) -> None:
    stack = open_stack(path, voxel_size_um=1.5)
    stack.read(50, 51)
    copy = pickle.loads(pickle.dumps(stack))
    assert (copy.shape, copy.dtype, copy.voxel_size_um) == (stack.shape, stack.dtype, stack.voxel_size_um)
    np.testing.assert_array_equal(copy.read(3, 5), voxels[3:5])


# In a process of its own: one that runs tests has threads and libraries of all kinds, which no fork is sure to survive.
FORKS = """
import multiprocessing, sys
from custom.stack import open_stack

def sum_of(stack, z):
    return int(stack.read(z, z + 1).sum())

def read_many(stack, z, expected):
    if any(sum_of(stack, z) != expected for _ in range(20)):
        raise SystemExit(1)

expected = {z: int(word) for z, word in zip((20, 55, 90), sys.argv[1:4])}
for path in sys.argv[4:]:
    stack = open_stack(path)
    stack.read(10, 11)  # open before the fork
    workers = [multiprocessing.get_context("fork").Process(target=read_many, args=(stack, z, expected[z])) for z in (20, 90)]
    for worker in workers:
        worker.start()
    assert all(sum_of(stack, 55) == expected[55] for _ in range(20)), path
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0, path
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
def test_forked_workers_do_not_disturb_one_another(stacks: Path, voxels: np.ndarray) -> None:
    words = [*(int(voxels[z].sum()) for z in (20, 55, 90)), *(stacks / name for name in FILES)]
    ended = subprocess.run([sys.executable, "-c", FORKS, *map(str, words)], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_grey_window_is_that_of_the_volume_whatever_the_format(path: Path, voxels: np.ndarray) -> None:
    assert grey_window(open_stack(path)) == grey_window(voxels)


def test_opening_a_folder_reads_no_voxels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path / "s", np.zeros((3, Y, X), np.uint8))
    monkeypatch.setattr(tifffile.TiffPage, "asarray", lambda *_, **__: pytest.fail("voxels were read"))
    assert open_stack(tmp_path / "s").shape == (3, Y, X)


def test_one_channel_of_a_hyperstack_costs_no_more_than_its_slices(tmp_path: Path, voxels: np.ndarray) -> None:
    both = np.stack([voxels, voxels + 1], axis=1)
    tifffile.imwrite(tmp_path / "raw.tif", both, imagej=True, metadata={"axes": "ZCYX"}, truncate=True)
    tifffile.imwrite(tmp_path / "zip.tif", both, imagej=True, metadata={"axes": "ZCYX"}, compression="zlib")
    for name in ("raw.tif", "zip.tif"):
        stack = open_stack(tmp_path / name, stack_index=1)
        stack.read(0, 1)
        assert peak_bytes(partial(stack.read, 60, 62)) < 10 * SLICE_BYTES
        copy = pickle.loads(pickle.dumps(stack))
        np.testing.assert_array_equal(copy.read(60, 62), voxels[60:62] + 1)

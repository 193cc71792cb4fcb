"""Chunks that are many slices tall are decoded once, whatever their shape, and the slices are those of the volume."""

import multiprocessing
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pytest
import zarr

from custom.stack import Stack, grey_window, open_stack, planning, remove_scratch, scratch, slabs
from custom.stack.boxes import BoxFiles
from custom.stack.layers import KeptLayers
from custom.stack.scratch import Scratch

ROOT = Path(__file__).parents[2]
Z, Y, X = 80, 60, 70


@pytest.fixture(scope="module")
def voxels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 1 << 12, (Z, Y, X), np.uint16)


def hdf5(chunks: Any, **options: Any) -> Callable[[Path, np.ndarray], object]:
    def write(path: Path, voxels: np.ndarray) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset("/exchange/data", data=voxels, chunks=chunks, compression="gzip", **options)

    return write


def write_zarr(chunks: tuple[int, ...], **options: Any) -> Callable[[Path, np.ndarray], object]:
    return lambda path, voxels: zarr.create_array(path, data=voxels, chunks=chunks, **options)


def named_axes(path: Path, voxels: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            "/exchange/data", data=voxels.transpose(1, 2, 0), chunks=(1, X, Z), compression="gzip"
        )
        for dimension, name in zip(data.dims, "yxz", strict=True):
            dimension.label = name


def virtual(chunks: tuple[int, int, int], *parts: tuple[slice, slice]) -> Callable[[Path, np.ndarray], object]:
    """A virtual dataset over others of the same file, each of which holds the slices and rows of one part."""

    def write(path: Path, voxels: np.ndarray) -> None:
        layout = h5py.VirtualLayout(voxels.shape, voxels.dtype)
        with h5py.File(path, "w") as file:
            for number, part in enumerate(parts):
                file.create_dataset(f"d{number}", data=voxels[part], chunks=chunks, compression="gzip")
                layout[part] = h5py.VirtualSource(".", f"d{number}", voxels[part].shape)
            file.create_virtual_dataset("/exchange/data", layout)

    return write


FILES: dict[str, Callable[[Path, np.ndarray], object]] = {
    "sinograms.h5": hdf5((Z, 1, X)),
    "columns.h5": hdf5((Z, 16, 16)),
    "half.h5": hdf5((40, 7, X)),
    "uneven.h5": hdf5((27, 33, 32)),
    "sixteen.h5": hdf5((16, Y, X)),
    "one_chunk.h5": hdf5((Z, Y, X)),
    "turned.h5": named_axes,
    "virtual.h5": virtual((20, 1, X), *((slice(z, z + 20), slice(None)) for z in range(0, Z, 20))),
    "interleaved.h5": virtual((5, 16, X), *((slice(z, None, 4), slice(None)) for z in range(4))),
    "mosaic.h5": virtual((40, 7, X), (slice(None), slice(0, 30)), (slice(None), slice(30, Y))),
    "sinograms.zarr": write_zarr((Z, 1, X)),
    "v2.zarr": write_zarr((50, 16, 70), zarr_format=2),
    "shards.zarr": write_zarr((20, 30, 35), shards=(40, 60, 70)),
    "flat_shards.zarr": write_zarr((2, Y, X), shards=(40, Y, X), compressors=None),
}


@pytest.fixture(scope="module", params=FILES)
def path(request: pytest.FixtureRequest, voxels: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("stacks") / request.param
    FILES[request.param](written, voxels)
    return written


def bytes_read(action: Callable[[], object]) -> int:
    """Bytes that the process takes from files by reading, which maps of files are not."""

    def so_far() -> int:
        with open("/proc/self/io") as told:
            return int(told.readline().split()[1])

    before = so_far()
    action()
    return so_far() - before


counts_reads = pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="this system does not count what is read")


def size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else sum(f.stat().st_size for f in path.rglob("*") if f.is_file())


def read_all(stack: Stack, height: int = 8) -> np.ndarray:
    return np.concatenate([slab.read() for slab in slabs(stack, height)])


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a layer of chunks were too much for memory."""
    monkeypatch.setattr(planning, "KEPT_BYTES", 1)
    monkeypatch.setattr(planning, "KEPT_SLICES", 10)
    monkeypatch.setattr(scratch, "BOX_BYTES", 1 << 16)


@pytest.fixture(autouse=True)
def hdf5_keeps_no_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """These files would fit into its cache, as no real one does."""
    monkeypatch.setattr(h5py, "File", partial(h5py.File, rdcc_nbytes=0))


@counts_reads
def test_a_segmentations_reads_take_each_chunk_once_a_pass(path: Path, voxels: np.ndarray) -> None:
    stack = open_stack(path)
    stack.read(0, 1)
    stack = open_stack(path)
    window = grey_window(voxels)
    assert bytes_read(lambda: grey_window(stack)) < 1.3 * size(path)
    assert bytes_read(lambda: np.testing.assert_array_equal(read_all(stack), voxels)) < 1.3 * size(path)
    assert grey_window(stack) == window


@counts_reads
@pytest.mark.usefixtures("tight")
def test_layers_too_tall_for_memory_are_decoded_once_in_all(path: Path, voxels: np.ndarray, tmp_path: Path) -> None:
    stack = open_stack(path, scratch_dir=tmp_path)

    def segmentation() -> None:
        assert grey_window(stack) == grey_window(voxels)
        np.testing.assert_array_equal(read_all(stack), voxels)
        for z in (3, 20, 77, 41):
            np.testing.assert_array_equal(stack.read(z, z + 1), voxels[z : z + 1])

    assert bytes_read(segmentation) < (1.3 if isinstance(stack.between, Scratch) else 2.7) * size(path)
    again = open_stack(path, scratch_dir=tmp_path)  # as another run, or another process of this one
    if isinstance(again.between, Scratch):
        assert bytes_read(lambda: again.read(1, Z - 1)) < 0.3 * size(path)
    remove_scratch(tmp_path)
    assert not list(tmp_path.iterdir())
    np.testing.assert_array_equal(stack.read(1, 3), voxels[1:3])  # made anew where somebody else has removed it


@pytest.mark.parametrize("height", [1, 5, 16, 27, 33, Z])
def test_slabs_of_any_height(path: Path, height: int, voxels: np.ndarray) -> None:
    np.testing.assert_array_equal(read_all(open_stack(path), height), voxels)


@pytest.fixture
def sinograms(voxels: np.ndarray, tmp_path: Path) -> Path:
    FILES["columns.h5"](tmp_path / "s.h5", voxels)
    return tmp_path / "s.h5"


@pytest.mark.usefixtures("tight")
def test_a_box_that_another_process_makes_comes_last(sinograms: Path, tmp_path: Path) -> None:
    stack = open_stack(sinograms)
    assert stack.grain is not None
    boxes = list(stack.grain.boxes((0, Z), Z * 16 * X))
    files = BoxFiles(tmp_path / "files")
    files.folder.mkdir()
    (files.folder / ".000000_000000_000000.raw.other").touch()
    taken: list[int] = []
    read = stack.read_box
    stack.read_box = lambda z, y, x: (taken.append(y.start), read(z, y, x))[1]  # type: ignore[method-assign]
    files.make(stack, boxes)
    assert taken == [16, 32, 48, 0] and not files.missing(boxes)
    (files.folder / "000000_000032_000000.raw").unlink()
    files.make(stack, boxes)
    assert taken[4:] == [32]


@pytest.mark.usefixtures("tight")
def test_volumes_of_one_file_are_told_apart(voxels: np.ndarray, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "s.h5", "w") as file:
        for name, one in (("a", voxels), ("b", voxels + 1)):
            file.create_dataset(name, data=one, chunks=(Z, 1, X), compression="gzip")
    for name, one in (("a", voxels), ("b", voxels + 1)):
        stack = open_stack(tmp_path / "s.h5", stack_key=name, scratch_dir=tmp_path)
        np.testing.assert_array_equal(read_all(stack), one)


class Disk(NamedTuple):
    free: int


@counts_reads
@pytest.mark.usefixtures("tight")
def test_without_room_bands_are_read_and_the_number_is_told(
    sinograms: Path,
    voxels: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(1000))
    stack = open_stack(sinograms, scratch_dir=tmp_path / "out")
    read = bytes_read(lambda: np.testing.assert_array_equal(read_all(stack), voxels))
    assert 7 * size(sinograms) < read < 8.5 * size(sinograms)  # 80 slices in bands of 10
    assert caplog.messages == [
        (
            f"{sinograms}: its chunks are up to 80 slices tall and cannot be kept decoded in {tmp_path / 'out'} (0.67 MB "
            "are wanted and 0.00 MB free), so that a pass over it reads it up to 8 times; name a folder with more room by "
            "--output_dir, or save the stack in chunks of fewer slices."
        )
    ]
    assert not list((tmp_path / "out").glob(".slices/*"))


@pytest.mark.usefixtures("tight")
def test_a_disk_that_fills_up(
    sinograms: Path, voxels: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    stack = open_stack(sinograms, scratch_dir=tmp_path / "out")
    np.testing.assert_array_equal(read_all(stack), voxels)
    assert not list((tmp_path / "out").glob(".slices/*"))


def test_two_stacks_keep_a_layer_each(voxels: np.ndarray, tmp_path: Path) -> None:
    stacks = []
    for name in "abc":
        FILES["half.h5"](tmp_path / f"{name}.h5", voxels)
        stacks.append(open_stack(tmp_path / f"{name}.h5"))
    tracemalloc.start()
    try:
        for stack in stacks * 2:
            stack.read(0, 1)
        assert 2 < tracemalloc.get_traced_memory()[0] / (40 * Y * X * 2) < 2.5
    finally:
        tracemalloc.stop()


def test_memory_is_that_of_one_layer_and_a_slab(voxels: np.ndarray, tmp_path: Path) -> None:
    FILES["half.h5"](tmp_path / "s.h5", voxels)
    read_all(open_stack(tmp_path / "s.h5"))
    stack = open_stack(tmp_path / "s.h5")
    assert isinstance(stack.between, KeptLayers)
    tracemalloc.start()
    try:
        for slab in slabs(stack, 8):
            slab.read()
        assert 40 < tracemalloc.get_traced_memory()[1] / (Y * X * 2) < 40 + 8 + 8
    finally:
        tracemalloc.stop()


def test_of_a_layer_of_two_slabs_only_what_is_left_stays(voxels: np.ndarray, tmp_path: Path) -> None:
    FILES["half.h5"](tmp_path / "s.h5", voxels)
    stack = open_stack(tmp_path / "s.h5")
    assert isinstance(stack.between, KeptLayers) and stack.grain is not None
    (_, tall), kept = stack.grain.layers(0, 1)[0], stack.between._kept
    halves = [(0, tall // 2), (tall // 2, tall), (tall, tall + tall // 2)]
    for (start, stop), left in zip(halves, [tall - tall // 2, 0, None], strict=True):
        np.testing.assert_array_equal(stack.read(start, stop), voxels[start:stop])
        with kept.lend() as layer:
            assert left is None or len(layer.voxels) == left and (not left or layer.voxels.base is None)
    np.testing.assert_array_equal(stack.read(0, 3), voxels[:3])  # back again, and one by one
    np.testing.assert_array_equal(stack.read(tall - 1, tall), voxels[tall - 1 : tall])


# In a process of its own: one that runs tests has threads and libraries of all kinds, which no fork is sure to survive.
FORKS = """
import multiprocessing, pickle, sys, tempfile
from pathlib import Path
import numpy as np
from custom.stack import open_stack, planning, scratch

def forget(stack):
    stack.read(5, 6)
    stack.between = None

planning.KEPT_BYTES, planning.KEPT_SLICES, scratch.BOX_BYTES = 1, 10, 1 << 16  # as in `tight`
temporary = Path(sys.argv[1])
tempfile.tempdir = str(temporary)
voxels = np.load(sys.argv[3])
stack = open_stack(sys.argv[2])
stack.read(3, 5)
(folder,) = temporary.iterdir()
copy = pickle.loads(pickle.dumps(stack))
np.testing.assert_array_equal(copy.read(3, 5), voxels[3:5])
worker = multiprocessing.get_context("fork").Process(target=forget, args=(stack,))
worker.start()
worker.join(30)
assert worker.exitcode == 0 and folder.exists() and len(list(temporary.iterdir())) == 2
del stack, copy
assert not list(temporary.iterdir())
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
def test_temporary_files_go_with_the_stack_that_made_them(sinograms: Path, voxels: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    np.save(tmp_path / "voxels.npy", voxels)
    words = [sys.executable, "-c", FORKS, str(tmp_path / "t"), str(sinograms), str(tmp_path / "voxels.npy")]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("order", "shape", "tall"),
    [("C", (9, 8, 7), 1), ("F", (9, 8, 7), 9), ("F", (5000, 2, 3), 2048), ("C", (9, 1, 1), 1)],
)
def test_voxels_with_z_running_fastest_are_read_by_pages(
    order: Any, shape: tuple[int, int, int], tall: int, tmp_path: Path
) -> None:
    grey = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    np.save(tmp_path / "s.npy", np.asarray(grey, order=order))
    stack = open_stack(tmp_path / "s.npy")
    assert stack.grain is not None and stack.grain.tallest == tall
    np.testing.assert_array_equal(read_all(stack, 100), grey)

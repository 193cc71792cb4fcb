"""A result is whole under its final name or not there at all, and writing it takes no more memory than a slab."""

import errno
import os
import shutil
import subprocess
import sys
import time
import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import zarr.storage

from custom.base import part
from custom.base.errors import BadInput
from custom.stack.writers import OUTPUT_FORMATS, gzip_stream, open_writer, tiff, tiff_folder

SHAPE = (12, 30, 40)
STACK = np.random.default_rng(3).integers(0, 256, SHAPE, "uint8")

each_format = pytest.mark.parametrize("output_format", OUTPUT_FORMATS)


def write(folder, output_format, stack=STACK, **options):
    with open_writer(folder / "mask", output_format, stack.shape, stack.dtype, None, **options) as writer:
        for start in range(0, len(stack), 5):
            writer.write(start, stack[start : start + 5])
    return writer.path


def content(path):
    return {file: file.read_bytes() for file in [path, *path.rglob("*")] if file.is_file()}


@each_format
def test_missing_slices_abort(tmp_path, output_format):
    writer = open_writer(tmp_path / "mask", output_format, SHAPE, "uint8", None)
    writer.write(0, STACK[:11])
    with pytest.raises(ValueError, match="11 of 12 slices"):
        writer.close()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="closed"):
        writer.write(11, STACK[11:])


@each_format
def test_an_exception_in_the_block_aborts(tmp_path, output_format):
    with (
        pytest.raises(KeyboardInterrupt),
        open_writer(tmp_path / "mask", output_format, SHAPE, "uint8", None) as writer,
    ):
        writer.write(0, STACK)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_abort_after_close_keeps_the_result(tmp_path):
    writer = open_writer(tmp_path / "mask", "nrrd", SHAPE, "uint8", None)
    writer.write(0, STACK)
    writer.close()
    writer.close()
    writer.abort()
    assert list(tmp_path.iterdir()) == [tmp_path / "mask.nrrd"]


def test_a_running_writer_keeps_its_part(tmp_path):
    first = open_writer(tmp_path / "mask", "nrrd", SHAPE, "uint8", None)
    open_writer(tmp_path / "mask", "nrrd", SHAPE, "uint8", None).abort()
    first.write(0, STACK)
    first.close()
    assert list(tmp_path.iterdir()) == [tmp_path / "mask.nrrd"]


@each_format
def test_a_failing_rename_brings_the_old_result_back(tmp_path, output_format, monkeypatch):
    path = write(tmp_path, output_format)
    old = content(path)

    replace = Path.replace

    def fail_at_the_end(source, target):
        if target == path:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", fail_at_the_end)
    with pytest.raises(BadInput, match="Input/output error.*--output_dir"):
        write(tmp_path, output_format, 255 - STACK, overwrite=True)
    assert content(path) == old and list(tmp_path.iterdir()) == [path]


class FullDisk:
    """A file on a disk with room for a few more bytes, `left[0]` of them for all files together."""

    def __init__(self, left, path, mode):
        self._file, self._left = Path(path).open(mode), left  # noqa: SIM115

    def write(self, data):
        self._left[0] -= len(data)
        if self._left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._file.write(data)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)


@each_format
def test_a_disk_that_fills_up(tmp_path, output_format, monkeypatch):
    put, left = zarr.storage._local._put, [5000]

    def put_on_full_disk(path, value, exclusive=False):
        left[0] -= len(value)
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return put(path, value, exclusive)

    for module in (gzip_stream, tiff, tiff_folder):
        monkeypatch.setattr(module, "open", partial(FullDisk, left), raising=False)
    monkeypatch.setattr(zarr.storage._local, "_put", put_on_full_disk)
    with pytest.raises(BadInput, match=rf"{tmp_path} is full: mask.* up to 14.4 kB .* free.*--output_dir"):
        write(tmp_path, output_format)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("shape", "chunk"),
    [((4, 300, 1024), "/0/c/0/0/1"), ((20, 30, 40), "/0/c/0/0/0"), ((20, 300, 40), "/1/c/0/0/0")],
    ids=["beside others", "in a slab across two layers of chunks", "in an overview"],
)
def test_no_chunk_is_still_on_its_way_after_a_failure(tmp_path, monkeypatch, shape, chunk):
    put, written = zarr.storage._local._put, []

    def fail_once(path, value, exclusive=False):
        written.append(path.as_posix())
        if path.as_posix().endswith(chunk):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        time.sleep(0.02)
        return put(path, value, exclusive)

    monkeypatch.setattr(zarr.storage._local, "_put", fail_once)
    with pytest.raises(BadInput, match="is full"):
        write(tmp_path, "zarr", np.ones(shape, "uint8"))
    time.sleep(0.2)
    assert written[-1].endswith(chunk) and list(tmp_path.iterdir()) == []


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 256 kB."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)]
    if not (mount and umount) or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small file system is not permitted here")
    yield tmp_path
    subprocess.run([str(umount), str(tmp_path)], check=True)


@each_format
def test_a_real_disk_that_fills_up(tiny_disk, output_format):
    noise = np.random.default_rng(0).integers(0, 256, (20, 256, 256), "uint8")  # 1.3 MB that do not compress
    with pytest.raises(BadInput, match=r"is full: mask.* up to 1.3 MB and .*kB are free"):
        write(tiny_disk, output_format, noise)
    assert list(tiny_disk.iterdir()) == []


@pytest.mark.parametrize("output_format", ["tiff", "nii.gz", "nrrd"])
def test_a_disk_that_is_full_at_the_last_byte(tmp_path, output_format, monkeypatch):
    writer = open_writer(tmp_path / "mask", output_format, SHAPE, "uint8", None)
    writer.write(0, STACK)

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(part.os, "fsync", full)
    with pytest.raises(BadInput, match="is full"):
        writer.close()
    assert list(tmp_path.iterdir()) == []


def test_another_failure_of_the_disk_is_named(tmp_path, monkeypatch):
    writer = open_writer(tmp_path / "mask", "nrrd", SHAPE, "uint8", None)

    def broken(self, slab):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(gzip_stream.GzipStream, "write_slices", broken)
    with pytest.raises(BadInput, match=rf"mask.nrrd .*{tmp_path} \(Input/output error\).*--output_dir"):
        writer.write(0, STACK)
    assert list(tmp_path.iterdir()) == []


@each_format
def test_memory_follows_the_slab_not_the_stack(tmp_path, output_format):
    slab = np.random.default_rng(0).integers(0, 2, (4, 128, 128), "uint8")

    def peak(depth):
        tracemalloc.start()
        with open_writer(tmp_path / "mask", output_format, (depth, 128, 128), "uint8", None, True) as writer:
            for start in range(0, depth, 4):
                writer.write(start, slab)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(20)  # what is imported and cached on first use does not count
    # The 180 further slices are 45 slabs. The lesser of two, as the interpreter's table of names may grow meanwhile.
    assert min(peak(200), peak(200)) < peak(20) + 4 * slab.nbytes


KILLED = """
import os, sys
import numpy as np
from custom.stack.writers import open_writer
writer = open_writer(sys.argv[1], sys.argv[2], (20, 64, 64), "uint8", None, overwrite=True)
writer.write(0, np.ones((10, 64, 64), "uint8"))
os._exit(9)
"""


@each_format
def test_a_kill_leaves_the_old_result_and_the_next_run_clears_up(tmp_path, output_format):
    root = Path(__file__).parents[2]
    path = write(tmp_path, output_format)
    before = content(path)
    command = [sys.executable, "-c", KILLED, str(tmp_path / "mask"), output_format]
    assert subprocess.run(command, cwd=root, check=False).returncode == 9
    assert content(path) == before and len(list(tmp_path.iterdir())) == 2
    write(tmp_path, output_format, overwrite=True)
    assert content(path) == before and list(tmp_path.iterdir()) == [path]

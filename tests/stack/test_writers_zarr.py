"""OME-Zarr results: valid, their overviews right, each chunk written once. Opened with zarr, dask and ome-zarr alone."""

import math

import numpy as np
import pytest
import zarr
from ome_zarr.format import FormatV05
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader
from ome_zarr_models.v05 import Image as OmeImage
from skimage.measure import block_reduce

from custom.stack.writers import open_writer

UM = (2.5, 0.65, 0.7)
SHAPES = {  # by the name of the case: the stack, then its overviews
    "tiny": [(5, 40, 256)],
    "odd": [(37, 261, 531), (19, 131, 266), (10, 66, 133)],
    "one slice": [(1, 300, 270), (1, 150, 135)],
    "flat": [(3, 2, 1100), (2, 1, 550), (1, 1, 275), (1, 1, 138)],
    "long": [(70, 257, 20), (35, 129, 10)],
}

each_shape = pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)


def speckle(shape, dtype="uint8"):
    """2 % ones, or values below zero for signed types."""
    rng = np.random.default_rng(5)
    return (rng.random(shape) < 0.02).astype(dtype) if dtype == "uint8" else rng.normal(-500, 99, shape).astype(dtype)


def write(folder, stack, height=7, voxel_size_um=UM):
    with open_writer(folder / "mask", "zarr", stack.shape, stack.dtype, voxel_size_um) as writer:
        for start in range(0, len(stack), height):
            writer.write(start, stack[start : start + height])
    return writer.path


def tree(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def overviews(stack, number):
    """Every overview straight from the full stack: blocks of 2, 4, 8, ... voxels, of 1 where the axis has one voxel."""
    longest = [1 << math.ceil(math.log2(n)) for n in stack.shape]
    blocks = [[min(2**level, most) for most in longest] for level in range(number)]
    lowest = np.iinfo(stack.dtype).min if stack.dtype.kind in "ui" else -np.inf
    return [block_reduce(stack, tuple(block), np.max, cval=lowest) for block in blocks], blocks


@each_shape
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("height", [1, 7, 16, 100])
def test_each_level_is_the_maximum_of_blocks_of_the_stack(tmp_path, shapes, dtype, height):
    stack = speckle(shapes[0], dtype)
    nodes = list(Reader(parse_url(write(tmp_path, stack, height)))())  # dask arrays
    expected, _ = overviews(stack, len(shapes))
    assert [level.shape for level in nodes[0].data] == shapes
    for level, right in zip(nodes[0].data, expected, strict=True):
        found = np.asarray(level)
        assert found.dtype == stack.dtype
        np.testing.assert_array_equal(found, right)


@each_shape
@pytest.mark.parametrize("voxel_size_um", [UM, None], ids=["known", "unknown"])
def test_the_metadata_are_valid_and_place_each_level(tmp_path, shapes, voxel_size_um):
    group = zarr.open_group(write(tmp_path, speckle(shapes[0]), voxel_size_um=voxel_size_um), mode="r")
    (multiscale,) = OmeImage.from_zarr(group).ome_attributes.multiscales
    assert multiscale.name == "mask" and multiscale.type == "maximum" and "maximum" in multiscale.metadata["method"]
    unit = "micrometer" if voxel_size_um else None
    assert [(axis.name, axis.type, axis.unit) for axis in multiscale.axes] == [(axis, "space", unit) for axis in "zyx"]

    stated = [dataset["coordinateTransformations"] for dataset in group.attrs["ome"]["multiscales"][0]["datasets"]]
    FormatV05().validate_coordinate_transformations(3, len(shapes), stated)
    size = np.array(voxel_size_um or (1, 1, 1))
    for transformations, block in zip(stated, overviews(speckle(shapes[0]), len(shapes))[1], strict=True):
        np.testing.assert_allclose(transformations[0]["scale"], size * block)
        # the voxels of a block have their centres at 0, 1, ..., block - 1
        middle = [np.arange(length).mean() for length in block]
        shift = transformations[1]["translation"] if len(transformations) > 1 else [0, 0, 0]
        np.testing.assert_allclose(shift, size * middle)


def test_a_dendrite_one_voxel_thick_is_whole_in_every_overview(tmp_path):
    stack = np.zeros((40, 600, 300), "uint8")
    stack[17, :, 133] = 1
    group = zarr.open_group(write(tmp_path, stack), mode="r")
    for level in ("0", "1", "2"):
        assert np.asarray(group[level]).any(axis=(0, 2)).all()


@pytest.mark.parametrize("heights", [(16, 7), (16, 1), (16, 33), (16, 100)])
def test_the_files_do_not_depend_on_the_slabs(tmp_path, heights):
    stack = speckle((53, 261, 531))
    one, other = (tree(write(tmp_path / str(height), stack, height)) for height in heights)
    assert one == other


@pytest.mark.parametrize("height", [3, 8, 53])
def test_each_chunk_is_written_once_and_none_is_read(tmp_path, monkeypatch, height):
    written, read = [], []
    put, get = zarr.storage._local._put, zarr.storage._local._get
    monkeypatch.setattr(
        zarr.storage._local, "_put", lambda path, *rest, **more: written.append(path) or put(path, *rest, **more)
    )
    monkeypatch.setattr(zarr.storage._local, "_get", lambda path, *rest: read.append(path) or get(path, *rest))
    write(tmp_path, speckle((53, 261, 531)), height)
    chunks = [path for path in written if path.name != "zarr.json"]
    assert len(chunks) == len(set(chunks)) == 4 * 2 * 3 + 2 * 1 * 2 + 1 * 1 * 1
    assert not [path for path in read if path.name != "zarr.json"]


def test_every_chunk_has_a_file_also_where_there_is_nothing(tmp_path):
    """A chunk without one would read as zeros: an empty mask could not be told from one that lost its chunks."""
    group = zarr.open_group(write(tmp_path, np.zeros((37, 261, 531), "uint8")), mode="r")
    for level in ("0", "1", "2"):
        assert group[level].nchunks_initialized == group[level].nchunks > 0

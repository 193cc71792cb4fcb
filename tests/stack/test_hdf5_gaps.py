"""HDF5 datasets of which a part is not there: what HDF5 reads as its fill value without an error is never taken silently."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import refusal

from custom.stack import fingerprint, open_stack
from custom.stack.hdf5.coverage import Piece, of_chunks, of_pieces
from custom.stack.hdf5.virtual import VirtualSources
from custom.stack.ranges import in_ranges

VOXELS = np.random.default_rng(0).integers(1, 1 << 16, (6, 11, 13), np.uint16)
SHAPE = VOXELS.shape
ENDLESS = h5py.h5s.UNLIMITED


def plain(path: Path, voxels: np.ndarray, key: str = "d", **options: Any) -> Path:
    with h5py.File(path, "a") as file:
        file.create_dataset(key, data=voxels, **options)
    return path


def virtual(path: Path, parts: Sequence[tuple[Any, str, str, tuple[int, ...]]], shape: tuple[int, ...] = SHAPE) -> Path:
    """A virtual /exchange/data; each part is (where it lies, file, dataset, shape of that)."""
    layout = h5py.VirtualLayout(shape, "uint16")
    for where, source, key, size in parts:
        layout[where] = h5py.VirtualSource(source, key, size)
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("exchange/data", layout)
    return path


def slice_by_slice(folder: Path, numbers: Sequence[int] = range(6)) -> Path:
    for z in numbers:
        plain(folder / f"s{z}.h5", VOXELS[z])
    return virtual(folder / "v.h5", [(z, f"s{z}.h5", "d", SHAPE[1:]) for z in range(6)])


def endless(path: Path, file: str, key: str = "d", announced: int = 6, per_file: bool = True) -> Path:
    """A virtual /exchange/data without end along z, of one file for each slice or of one endless dataset."""
    target = h5py.h5s.create_simple((announced, *SHAPE[1:]), (ENDLESS, *SHAPE[1:]))
    source = h5py.h5s.create_simple((1, *SHAPE[1:]))
    if per_file:
        target.select_hyperslab((0, 0, 0), (ENDLESS, 1, 1), (1, 1, 1), (1, *SHAPE[1:]))
    else:
        source = h5py.h5s.create_simple((announced, *SHAPE[1:]), (ENDLESS, *SHAPE[1:]))
        for space in (target, source):
            space.select_hyperslab((0, 0, 0), (1, 1, 1), (1, 1, 1), (ENDLESS, *SHAPE[1:]))
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_virtual(target, file.encode(), key.encode(), source)
    space = h5py.h5s.create_simple((announced, *SHAPE[1:]), (ENDLESS, *SHAPE[1:]))
    with h5py.File(path, "w") as opened:
        h5py.h5d.create(opened.create_group("exchange").id, b"data", h5py.h5t.STD_U16LE, space, creation)
    return path


def same(path: Path, voxels: np.ndarray = VOXELS, **options: Any) -> None:
    np.testing.assert_array_equal(open_stack(path, **options).read(0, len(voxels)), voxels)


def test_a_whole_virtual_dataset(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = slice_by_slice(tmp_path)
    same(path)
    assert not caplog.records
    stack = open_stack(path)
    assert {file.name for file in stack.files} == {"v.h5", *(f"s{z}.h5" for z in range(6))}
    before = fingerprint(stack)
    plain(tmp_path / "s3.h5", VOXELS[0], "another")
    assert fingerprint(stack) != before


def linked(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["d"] = h5py.ExternalLink("gone.h5", "/d")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda f: f.unlink(),
            "takes its voxels from s2.h5, which is missing; put it back beside the file, or set HDF5_VDS",
        ),
        (lambda f: linked(f), "takes its voxels from s2.h5, whose d is a link to /d in gone.h5, which is missing; put"),
        (lambda f: h5py.File(f, "w").close(), "takes its voxels from s2.h5, which has no dataset d; put"),
        (lambda f: f.unlink() or plain(f, VOXELS[2, :5]), "dataset d is (5, 13) and of another size than is taken"),
        (lambda f: f.unlink() or plain(f, VOXELS[2].T), "dataset d is (13, 11) and of another size than is taken"),
        (lambda f: f.unlink() or plain(f, np.pad(VOXELS[2], 1)), "dataset d is (13, 15) and of another size than is"),
    ],
)
def test_a_source_that_is_not_there(change: Callable[[Path], Any], words: str, tmp_path: Path) -> None:
    path = slice_by_slice(tmp_path)
    change(tmp_path / "s2.h5")
    assert words in refusal(path)


def test_several_sources_are_counted(tmp_path: Path) -> None:
    words = refusal(slice_by_slice(tmp_path, [0, 1, 3]))
    assert "takes its voxels from s2.h5, which is missing, as are 2 more of its 6 sources; put" in words


def never(path: Path, shape: tuple[int, ...] = SHAPE[1:], **options: Any) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("d", shape, "uint16", **options)
    return path


@pytest.mark.parametrize("chunks", [None, (4, 13)])
def test_a_source_that_was_never_written(chunks: tuple[int, ...] | None, tmp_path: Path) -> None:
    path = slice_by_slice(tmp_path)
    never(tmp_path / "s2.h5", chunks=chunks)
    assert "is half-written, no source has voxels for slice 2 of 6 of /exchange/data; write it anew" in refusal(path)


def test_a_source_that_is_written_in_part(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = slice_by_slice(tmp_path)
    never(tmp_path / "s2.h5", chunks=(1, 13))
    with h5py.File(tmp_path / "s2.h5", "a") as file:
        file["d"][:10] = 7
    open_stack(path)
    assert "no source has voxels for 1.5 % of the voxels, in 1 of 6 slices, of /exchange/data, which is" in caplog.text


def test_sources_of_sources(tmp_path: Path) -> None:
    inner = slice_by_slice(tmp_path).rename(tmp_path / "inner.h5")
    path = virtual(tmp_path / "v.h5", [(slice(0, 6), "inner.h5", "exchange/data", SHAPE)])
    same(path)
    assert tmp_path / "s4.h5" in open_stack(path).files
    (tmp_path / "s4.h5").unlink()
    assert f"its source {inner} takes its voxels from s4.h5, which is missing" in refusal(path)
    never(tmp_path / "s4.h5")
    assert "no source has voxels for slice 4 of 6" in refusal(path)
    virtual(tmp_path / "v.h5", [(slice(0, 6), "v.h5", "exchange/data", SHAPE)])
    assert "takes its voxels from itself" in refusal(path)


def test_what_no_source_is_mapped_to(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plain(tmp_path / "a.h5", VOXELS)
    half = virtual(tmp_path / "half.h5", [(slice(0, 3), "a.h5", "d", (3, 11, 13))])
    assert "no source has voxels for slices 3 to 5 of 6 of /exchange/data" in refusal(half)
    modules = virtual(
        tmp_path / "modules.h5",
        [(np.s_[:, :4], "b.h5", "d", (6, 4, 13)), (np.s_[:, 6:], "b.h5", "e", (6, 5, 13))],
    )
    plain(plain(tmp_path / "b.h5", VOXELS[:, :4]), VOXELS[:, 6:], "e")
    np.testing.assert_array_equal(open_stack(modules).read(0, 6)[:, 6:], VOXELS[:, 6:])
    assert "no source has voxels for 18 % of the voxels, in 6 of 6 slices, of /exchange/data" in caplog.text
    one_channel = virtual(tmp_path / "c.h5", [(0, "a.h5", "d", SHAPE)], (2, *SHAPE))
    same(one_channel, stack_index=0)
    assert "was never written" in refusal(one_channel, stack_index=1)


def test_every_other_slice_from_another_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for n in (0, 1):
        plain(tmp_path / f"h{n}.h5", VOXELS[n::2], chunks=(1, 11, 13))
    parts = [(np.s_[n::2], f"h{n}.h5", "d", (3, 11, 13)) for n in (0, 1)]
    same(virtual(tmp_path / "v.h5", parts))
    picked = [(np.s_[[0, 2, 3, 5]], "p.h5", "d", (4, 11, 13)), (np.s_[[1, 4]], "p.h5", "e", (2, 11, 13))]
    plain(plain(tmp_path / "p.h5", VOXELS[[0, 2, 3, 5]]), VOXELS[[1, 4]], "e")
    same(virtual(tmp_path / "w.h5", picked))
    assert not caplog.records
    never(tmp_path / "h1.h5", (3, 11, 13), chunks=(1, 11, 13))
    with h5py.File(tmp_path / "h1.h5", "a") as file:
        file["d"][0], file["d"][2] = VOXELS[1], VOXELS[5]
    assert "no source has voxels for slice 3 of 6" in refusal(tmp_path / "v.h5")


@pytest.mark.parametrize("key", ["d", "d%b"])
def test_a_pattern_of_files(key: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for z in range(6):
        plain(tmp_path / f"frame_{z}.h5", VOXELS[z : z + 1], key.replace("%b", str(z)))
    path = endless(tmp_path / "v.h5", "frame_%b.h5", key)
    same(path)
    assert not caplog.records and len(open_stack(path).files) == 7
    (tmp_path / "frame_5.h5").unlink()
    same(path, VOXELS[:5])
    assert "was made for 6 of the files frame_%b.h5 and 5 are there" in caplog.text
    h5py.File(tmp_path / "frame_2.h5", "w").close()
    assert "takes its voxels from the files frame_%b.h5 and lacks 1 of 6, number 2 the first" in refusal(path)
    for z in (0, 1, 2, 3, 4):
        (tmp_path / f"frame_{z}.h5").unlink()
    assert "takes its voxels from the files frame_%b.h5, which are missing" in refusal(path)


def test_a_source_without_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plain(tmp_path / "a.h5", VOXELS[:4], maxshape=(None, 11, 13))
    same(endless(tmp_path / "v.h5", "a.h5", announced=4, per_file=False), VOXELS[:4])
    assert not caplog.records
    same(endless(tmp_path / "w.h5", "a.h5", announced=6, per_file=False), VOXELS[:4])
    assert "was made for a length of 6 along axis 0 and its sources have 4" in caplog.text


@pytest.mark.parametrize("where", ["beside", "working directory", "absolute", "absolute, moved", "link"])
def test_where_sources_are_looked_for(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("data", "cwd"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    plain(tmp_path / ("cwd" if where == "working directory" else "data") / "a%.h5", VOXELS)
    named = {"absolute": tmp_path / "data/a%%.h5", "absolute, moved": "/gone/a%%.h5"}.get(where, "a%%.h5")
    path = virtual(tmp_path / "data/v.h5", [(slice(0, 6), str(named), "d", SHAPE)])
    if where == "link":
        (tmp_path / "link.h5").symlink_to(path)
        path = tmp_path / "link.h5"
    same(path)


def test_whole_numbers_out_of_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plain(tmp_path / "a.h5", VOXELS / np.float32(1 << 16))
    open_stack(virtual(tmp_path / "v.h5", [(slice(0, 6), "a.h5", "d", SHAPE)]))
    assert "gives the float32 values of a.h5 out as uint16, which may not hold all of them; give a.h5" in caplog.text


def test_nothing_of_hdf5_is_kept_for_thousands_of_sources(tmp_path: Path) -> None:
    """h5py looks at each of its objects whenever it closes a file, so that the time grew with the square."""
    path = slice_by_slice(tmp_path)
    with h5py.File(path) as file:
        kept = [found for part in VirtualSources(path, file["exchange/data"])._parts for found in part]
        assert len(kept) == 24 and not any(isinstance(found, h5py.h5s.SpaceID) for found in kept)


def test_never_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file.create_dataset("/exchange/data", SHAPE, "uint16")
        half = file.create_dataset("half", SHAPE, "uint16", chunks=(1, 11, 13))
        half[0] = half[2] = half[3] = 5
        file.create_dataset("mask", SHAPE, "uint8", chunks=(1, 11, 13), fillvalue=3)[:2] = 1
        file.create_dataset("extended", SHAPE, "float32", chunks=(2, 11, 13), maxshape=(None, 11, 13))[...] = 1
        file["extended"].resize(9, axis=0)
    assert "/exchange/data was never written" in refusal(tmp_path / "s.h5")
    words = refusal(tmp_path / "s.h5", stack_key="half")
    assert "nothing was ever written to slices 1, 4 to 5 of 6 of /half; write it anew, or without the empty" in words
    assert "nothing was ever written to slices 6 to 8 of 9" in refusal(tmp_path / "s.h5", stack_key="extended")
    assert open_stack(tmp_path / "s.h5", stack_key="half", labels=True).read(1, 2).max() == 0
    assert open_stack(tmp_path / "s.h5", stack_key="mask").read(5, 6).max() == 3
    assert "nothing was ever written to slices 2 to 5 of 6 of /mask, which is read as 3" in caplog.text


def test_raw_files_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    halves = [("a.raw", 8, 3 * 11 * 13 * 2), ("b.raw", 0, ENDLESS)]
    (tmp_path / "a.raw").write_bytes(bytes(8) + VOXELS[:3].tobytes())
    (tmp_path / "b.raw").write_bytes(VOXELS[3:].tobytes())
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file.create_dataset("d", SHAPE, "uint16", external=halves)
    same(tmp_path / "s.h5", stack_key="d")  # HDF5 by itself looks in the working directory
    assert tmp_path / "b.raw" in open_stack(tmp_path / "s.h5", stack_key="d").files
    monkeypatch.chdir(tmp_path)
    same(Path("s.h5"), stack_key="d")
    (tmp_path / "b.raw").write_bytes(VOXELS[3:].tobytes()[:-1])
    assert "takes its voxels from b.raw, which is cut short, 858 bytes are wanted and 857" in refusal(
        tmp_path / "s.h5", stack_key="d"
    )
    (tmp_path / "b.raw").unlink()
    assert "takes its voxels from b.raw, which is missing" in refusal(tmp_path / "s.h5", stack_key="d")


def unfiltered(path: Path) -> Path:
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk(SHAPE)
    creation.set_filter(305, h5py.h5z.FLAG_OPTIONAL)  # LZO, which hdf5plugin has not
    with h5py.File(path, "w") as file:
        h5py.h5d.create(file.id, b"d", h5py.h5t.NATIVE_UINT16, h5py.h5s.create_simple(SHAPE), creation)
    return path


def test_a_filter_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    path = unfiltered(tmp_path / "s.h5")
    filtered = "compressed with the HDF5 filter 305 (unnamed), which is not installed;"
    words = refusal(path, stack_key="d")
    assert f"s.h5: is {filtered} pip install hdf5plugin, or set HDF5_PLUGIN_PATH to the folder" in words
    over = virtual(tmp_path / "v.h5", [(slice(0, 6), "s.h5", "d", SHAPE)])
    assert f"v.h5: takes its voxels from {path}, which is {filtered} pip install" in refusal(over)
    monkeypatch.setitem(sys.modules, "hdf5plugin", ModuleType("hdf5plugin"))
    assert f"{filtered} set HDF5_PLUGIN_PATH to the folder that holds it, and give" in refusal(path, stack_key="d")


def spans(piece: Piece, axis: int) -> list[range]:
    """Where a chunk of a piece's source begins before, of rows two high and columns three wide."""
    size = {0: 2, 1: 1, 2: 3}[axis]
    places = {0: piece.source[0], 1: np.array([0]), 2: piece.source[1]}[axis] // size
    lying = [piece.target[axis][places == chunk] for chunk in set(places.tolist())]
    return [range(one[0] + 1, one[-1] + 1) for one in lying]


def test_coverage_against_painting_it() -> None:
    rng = np.random.default_rng(0)
    chunks = of_chunks((7, 5), (2, 3), np.array([[0, 0], [2, 3], [6, 3]]))
    painted = np.zeros((7, 5), bool)
    painted[:2, :3] = painted[2:4, 3:] = painted[6:, 3:] = True
    np.testing.assert_array_equal(np.repeat(np.repeat(chunks.there, [2, 2, 2, 1], 0), [3, 2], 1), painted)
    for _ in range(30):
        pieces, expected = [], np.zeros((9, 1, 8), bool)
        for _ in range(3):
            rows, columns = (np.sort(rng.choice(n, rng.integers(1, 5), replace=False)) for n in (7, 5))
            z, x = (np.sort(rng.choice(n, len(found), replace=False)) for n, found in ((9, rows), (8, columns)))
            pieces.append(Piece((z, np.array([0]), x), (rows, columns), chunks))
            expected[np.ix_(z, [0], x)] |= painted[np.ix_(rows, columns)][:, None]
        found = of_pieces(expected.shape, pieces)
        cells = [found.cells(axis, np.arange(n)) for axis, n in enumerate(expected.shape)]
        np.testing.assert_array_equal(found.there[np.ix_(*cells)], expected)
        for axis, length in enumerate(expected.shape):
            cut = [z for z in range(length) if not any(z in span for piece in pieces for span in spans(piece, axis))]
            assert found.starts[axis].tolist() == cut
    assert in_ranges([1, 2, 3, 5, 7, 8, 9, 11]) == "slices 1 to 3, 5, 7 to 9 and 1 more"

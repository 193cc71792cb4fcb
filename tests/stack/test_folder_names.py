"""What the names of a folder's slices tell, and what else lies in the folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from conftest import refusal

from custom.stack import open_stack
from custom.stack.numbering import first_out_of_step


def write(folder: Path, names: Iterable[str]) -> Path:
    """One slice a name; the n-th is full of n."""
    for value, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(folder / name, np.full((3, 4), value, np.uint8))
    return folder


def values(folder: Path) -> list[int]:
    stack = open_stack(folder)
    return [int(value) for value in stack.read(0, stack.shape[0])[:, 0, 0]]


def numbered(form: str, numbers: Iterable[float]) -> list[str]:
    return [form.format(number) for number in numbers]


@pytest.mark.parametrize(
    "names",
    [
        numbered("s_{:04d}.tif", range(100, 200, 10)),  # every tenth slice
        numbered("s_{}.tif", range(1, 13)),
        numbered("recon_{:05d}.tiff", range(340, 346)),
        numbered("slice ({}).tif", range(1, 12)),  # Windows, several files renamed at once
        numbered("name{:04d}.rec.8bit.tif", range(3)),
        numbered("scan1.{}.tif", range(5, 14)),
        numbered("z{:.2f}um.tif", np.arange(6) * 1.33),
        ["20240101_1200_000.tif", "20240101_1207_001.tif", "20240102_0901_002.tif", "20240102_0908_003.tif"],
        ["A_1.TIF", "A_2.tiff", "a_3.tif"],
        ["bottom.tif", "middle.tif", "top.tif"],
        ["alone.tif"],
    ],
)
def test_ordinary_names(names: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert values(write(tmp_path, names)) == list(range(len(names)))
    assert not caplog.records


@pytest.mark.parametrize(
    ("numbers", "form", "words"),
    [
        ((1, 2, 5), "s_{:04d}.tif", "3 slices, 2 in all: between s_0002.tif and s_0005.tif; what"),
        (
            (10, 20, 40, 50, 80),
            "s{}.tif",
            "5 slices, 3 in all: between s20.tif and s40.tif, between s50.tif and s80.tif;",
        ),
        ((0, 1.33, 2.66, 5.32), "z{:.2f}.tif", "1 in all: between z2.66.tif and z5.32.tif"),
        ((1, 2, 4, 6, 8, 10), "{}.tif", "4 in all: between 2.tif and 4.tif, .* and elsewhere \\(1 more\\)"),
    ],
)
def test_gaps_are_told_once(
    numbers: tuple[float, ...], form: str, words: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, numbered(form, numbers))
    assert [values(tmp_path) for _ in range(2)] == [list(range(len(numbers)))] * 2
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{tmp_path}: ")
    assert re.search(words, record.getMessage())


@pytest.mark.parametrize("form", ["cell1_{:03d}.tif cell2_{:03d}.tif", "c0_z{}.tif c1_z{}.tif"])
def test_several_series_in_one_folder(form: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = [one.format(z) for one in form.split() for z in range(3)]
    assert values(write(tmp_path, names)) == list(range(6))
    assert "of the numbers in the names of its 6 slices none counts them" in caplog.text


@pytest.mark.parametrize("names", [["s_1.tif", "s_0001.tif"], ["s_1.tif", "s_1.tiff"], ["S_01.TIF", "s_01.tif"]])
def test_two_slices_of_one_number(names: list[str], tmp_path: Path) -> None:
    folder = write(tmp_path, [*names, "s_2.tif"])
    sentence = refusal_of_one_in(folder)
    assert "has the same number as" in sentence and all(name in sentence for name in names)
    Path(sentence.split(":")[0]).unlink()  # the cure
    assert open_stack(folder).shape[0] == 2


def refusal_of_one_in(folder: Path) -> str:
    """The refusal of a folder that names one of its files."""
    with pytest.raises(ValueError, match=str(folder)) as refused:
        open_stack(folder)
    return str(refused.value)


@pytest.mark.parametrize(
    "odd",
    ["average.tif", "s_0001 copy.tif", "s_0001 - Copy.tif", "s_0001 (1).tif", "AVG_s.tif", "flat_0001.tif", "s_-1.tif"],
)
def test_other_names_among_the_slices(odd: str, tmp_path: Path) -> None:
    folder = write(tmp_path, [*numbered("s_{:04d}.tif", range(3)), odd])
    assert f"follow 2 patterns (3 like s_0000.tif, 1 like {odd}); keep the slices of one stack alone" in refusal(folder)
    (folder / odd).unlink()
    assert values(folder) == [0, 1, 2]


def test_many_patterns(tmp_path: Path) -> None:
    folder = write(tmp_path, [f"{kind}_{z}.tif" for kind in ("dark", "flat", "post", "proj") for z in range(2)])
    assert "follow 4 patterns (2 like dark_0.tif, 2 like flat_0.tif, 2 like post_0.tif and 1 more)" in refusal(folder)


def test_names_that_do_not_follow_their_number(tmp_path: Path) -> None:
    folder = write(tmp_path, ["z0.5.tif", "z1.tif", "z1.5.tif"])
    assert "by its name z1.5.tif comes before z1.tif" in refusal(folder)
    (folder / "z1.tif").rename(folder / "z1.0.tif")
    assert values(folder) == [0, 1, 2]


LEFT = ("Thumbs.db", ".DS_Store", "._s_0.tif", "desktop.ini", "~$s.tif", ".~lock.s.tif#", "s_0.tif~", "notes.txt")


def test_what_desktops_leave(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, ["s_0.tif", "s_1.tif", "__MACOSX/s_2.tif", "@eaDir/s_3.tif"])
    for name in (*LEFT, "s_1.tif:Zone.Identifier"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "empty/deeper").mkdir(parents=True)
    (tmp_path / "again").symlink_to(tmp_path)
    assert values(tmp_path) == [0, 1]
    assert not caplog.records


@pytest.mark.parametrize(
    ("lose", "words"),
    [
        (lambda path: path.symlink_to("/gone/x.tif"), "is a link to /gone/x.tif, where there is no file"),
        (lambda path: path.symlink_to(path.name), "is a link to s_2.tif, where there is no file"),
        (os.mkfifo, "is no file but a pipe"),
    ],
)
def test_a_slice_that_is_no_file(lose: Callable[[Path], None], words: str, tmp_path: Path) -> None:
    write(tmp_path, ["s_0.tif", "s_1.tif", "s_3.tif"])
    lose(tmp_path / "s_2.tif")
    sentence = refusal_of_one_in(tmp_path)
    assert sentence.startswith(f"{tmp_path / 's_2.tif'}: {words}") and sentence.endswith("out of the folder.")


def test_links_to_slices_are_slices(tmp_path: Path) -> None:
    write(tmp_path / "store", ["p.tif", "q.tif"])
    (tmp_path / "stack").mkdir()
    for name, target in (("s_0.tif", "q.tif"), ("s_1.tif", "p.tif")):
        (tmp_path / "stack" / name).symlink_to(tmp_path / "store" / target)
    assert values(tmp_path / "stack") == [1, 0]


def test_slices_in_folders_of_the_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, ["cell_a/s_0.tif", "cell_b/s_0.tif"])
    assert "but there are some in cell_a, cell_b; give such a folder" in refusal(tmp_path)
    write(tmp_path, ["s_0.tif"])
    assert values(tmp_path) == [0]
    assert "there are TIFF files in cell_a, cell_b too, which are passed over" in caplog.text


@pytest.mark.parametrize("name", ["s_2.jpg", "s_2.tif.gz", "s_2.tif.part"])
def test_slices_that_are_no_tiff(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, ["s_0.tif", "s_1.tif"])
    for other in ("s_1.png", "s.png", "s_7.log", name):  # a picture of a slice, of all, and notes: nothing to say
        (tmp_path / other).write_bytes(b"x")
    assert values(tmp_path) == [0, 1]
    assert f"no TIFF file (1, such as {name})" in caplog.text


@pytest.mark.parametrize("suffix", [".png", ".BMP", ".jp2", ".edf", ".dcm"])
def test_slices_of_several_kinds(suffix: str, tmp_path: Path) -> None:
    """Those that no TIFF slice has the number of: the stack would lack them."""
    write(tmp_path, ["s_0.tif", "s_1.tif"])
    (tmp_path / f"s_1{suffix}").write_bytes(b"x")
    assert values(tmp_path) == [0, 1]
    (tmp_path / f"s_2{suffix}").write_bytes(b"x")
    words = f"holds slices of several kinds, 2 .tif and 1 {suffix} whose numbers no TIFF slice has, such as s_2{suffix}"
    assert words in refusal(tmp_path)


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ([0, 1, 2, 4], [1, 2, 3, 5], None),
        ([340, 341, 342], [10, 20, 30], None),
        ([0, 1, 2, 4], [0, 1, 3, 4], 2),
        ([0, 1, 2], [0, 1, 3], 2),
    ],
)
def test_numbers_of_two_folders(first: list[int], second: list[int], found: int | None) -> None:
    images, labels = (
        [Path(form.format(number)) for number in numbers]
        for form, numbers in (("rec_{:05d}.tif", first), ("mask{}.tif", second))
    )
    assert first_out_of_step(images, labels) == found

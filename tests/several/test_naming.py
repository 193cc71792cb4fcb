"""Which stacks a command line means, and the folders of their results."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from custom.base.errors import BadInput
from custom.several.naming import folder_names, is_pattern, stacks_of


@pytest.fixture
def scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b/cell.tif", "a/cell.tif", "a/cell_2.ome.tif", "a/notes.txt", "a/[x].tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_pattern_is_what_is_there_in_order(scans: Path) -> None:
    assert stacks_of("a/c*.tif") == ["a/cell.tif", "a/cell_2.ome.tif"]
    assert stacks_of("**/cell.tif") == ["a/cell.tif", "b/cell.tif"]
    assert stacks_of(["b/*.tif", "a/cell.tif"]) == ["b/cell.tif", "a/cell.tif"]


def test_a_name_with_brackets_that_is_there_is_no_pattern(scans: Path) -> None:
    assert not is_pattern("a/[x].tif") and is_pattern("a/[xc]*.tif") and not is_pattern("missing.tif")
    assert stacks_of("a/[x].tif") == ["a/[x].tif"]


def test_nothing_of_that_name(scans: Path) -> None:
    with pytest.raises(BadInput, match=r"^--stack a/\*\.h5: nothing is called so; check the folder and the ending"):
        stacks_of("a/*.h5")


def test_a_stack_twice(scans: Path) -> None:
    os.symlink(scans / "a", scans / "link")
    for twice in (["a/cell.tif", "b/cell.tif", "./a/cell.tif"], ["a/cell.tif", "link/cell.tif"]):
        with pytest.raises(BadInput, match=r"cell.tif: is given more than once in --stack"):
            stacks_of(twice)


@pytest.mark.parametrize(
    ("stacks", "folders"),
    [
        (["s/cell_1.tif", "s/cell_2.nii.gz", "s/cell_1.5um"], ["cell_1", "cell_2", "cell_1.5um"]),
        (["a/cell.tif", "b/cell.tif"], ["a/cell", "b/cell"]),
        (["a/cell.tif", "a/cell.h5"], ["cell.tif", "cell.h5"]),
        (["a/cell.tif", "a/cell/slice.tif"], ["cell.tif", "cell/slice.tif"]),
        (["a/.tif", "a/b.tif"], [".tif", "b"]),
    ],
)
def test_folders_tell_the_stacks_apart(
    stacks: list[str], folders: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "s/cell_1.5um").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert folder_names(stacks) == folders


def test_a_stack_in_another(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cell/slice.tif: is given in --stack together with what it lies in"):
        folder_names([f"{tmp_path}/cell", f"{tmp_path}/cell/slice.tif"])

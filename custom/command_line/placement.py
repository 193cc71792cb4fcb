"""Where results must not go: among the data that they come from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from custom.base.errors import BadInput

ZARR = ("zarr.json", ".zarray", ".zgroup")
LABELLED = ("images", "labels")


def check_place(
    output_dir: str | os.PathLike[str],
    dataset_dir: str | os.PathLike[str] | None = None,
    stack: str | os.PathLike[str] | None = None,
    results: Sequence[str] = (),
    label_folder: str = "labels",
) -> None:
    """Refuse an output folder whose files would become part of the input, or whose results would replace it.

    A folder within a folder of slices, or beside images/ and labels/, does no harm: only the slices in the folder
    itself, and images/ and the folders of labels, are the input.

    Args:
        output_dir: it may be missing; links are followed, in all paths.
        dataset_dir: a labelled data set, or the folder where the phantom is going to be made.
        stack: what is segmented.
        results: names in `output_dir` that the command writes or removes.
        label_folder: of the data set's labels, beside images/.

    Raises:
        BadInput: names what `output_dir` lies in, and another place.
    """
    output, sides = Path(output_dir), tuple(dict.fromkeys((*LABELLED, label_folder)))
    for data in _whole_folders(dataset_dir, sides):
        if lies_in(output, data):
            raise _refusal(output, data)
    for data in [*_members(dataset_dir, sides), *([Path(stack)] if stack is not None else [])]:
        # slices lie in the folder itself, a Zarr's arrays at any depth
        if lies_in(output, data) if _is_zarr(data) else _same(output, data):
            raise _refusal(output, data)
    for folder in _parents(output):
        in_set = folder.name in LABELLED and all((folder.parent / name).is_dir() for name in LABELLED)
        if in_set or _is_zarr(folder) or _holds_labels(folder):
            raise _refusal(output, folder)
    for name in results:
        if stack is not None and lies_in(Path(stack), output / name):
            raise BadInput(
                f"{stack}: is the stack itself, and a result of --output_dir {output} would replace it; give another --output_dir"
            )


def _whole_folders(dataset_dir: str | os.PathLike[str] | None, names: Sequence[str]) -> list[Path]:
    """images/ and the folders of labels; of a data set that is not there yet, all of it."""
    if dataset_dir is None:
        return []
    images, *labels = (Path(dataset_dir) / name for name in names)
    there = [folder for folder in labels if folder.is_dir()]
    return [images, *there] if images.is_dir() and there else [Path(dataset_dir)]


def _members(dataset_dir: str | os.PathLike[str] | None, names: Sequence[str]) -> Iterator[Path]:
    """The folders in images/ and among the labels, which may be links to elsewhere."""
    for side in names if dataset_dir is not None else ():
        with suppress(OSError):
            yield from (Path(entry) for entry in os.scandir(Path(str(dataset_dir), side)) if entry.is_dir())


def lies_in(path: Path, folder: Path) -> bool:
    """Whether a path is a folder or lies in it: by what is there, since names may differ in links and case."""
    return any(_same(place, folder) for place in _parents(path))


def _parents(path: Path) -> list[Path]:
    real = Path(os.path.realpath(path))
    return [real, *real.parents]


def _same(first: Path, second: Path) -> bool:
    if os.path.exists(first) and os.path.exists(second):
        return os.path.samefile(first, second)
    return os.path.realpath(first) == os.path.realpath(second)


def _holds_labels(folder: Path) -> bool:
    """Whether a folder beside images/ has files of the same names, as every folder of labels may be called."""
    images = folder.parent / "images"
    if not images.is_dir() or folder == images:
        return False
    with suppress(OSError):
        names = set(os.listdir(images))
        with os.scandir(folder) as entries:
            # a folder of that name may be a result
            return any(entry.name in names and (entry.is_file() or _is_zarr(Path(entry))) for entry in entries)
    return False


def _is_zarr(folder: Path) -> bool:
    return any(os.path.isfile(folder / name) for name in ZARR)


def _refusal(output: Path, data: Path) -> BadInput:
    # out of images/, and out of an array in a group in a Zarr
    top = next((folder for folder in reversed(_parents(data)) if _is_zarr(folder)), Path(os.path.realpath(data)))
    top = top.parent if (top.parent / "images").is_dir() else top
    return BadInput(
        f"--output_dir {output}: lies in the data of {data} and would become part of them; give another one, such as "
        f"{top.with_name(f'{top.name}_results')}"
    )

"""The images and the labels in a data set's two folders: files, Zarr folders and folders of slices."""

from __future__ import annotations

import filecmp
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from custom.base.errors import BadInput
from custom.data.pairing import paired
from custom.stack.clutter import is_clutter, refuse_what_is_no_file
from custom.stack.faults import refusing_damage
from custom.stack.formats import format_of_folder, has_suffix, stem_of, suffixes, without_companions
from custom.stack.numbering import natural_key, number_key
from custom.stack.slice_files import slice_files
from custom.stack.warn import warn_once

_NOTES = (
    *(".txt", ".log", ".md", ".rst", ".json", ".xml", ".info", ".csv", ".tsv"),
    *(".ini", ".cfg", ".toml", ".yaml", ".yml"),
    *(".pdf", ".doc", ".docx", ".odt", ".rtf", ".xls", ".xlsx", ".ods", ".html", ".py", ".ipynb", ".m", ".sh"),
    *("readme", "license", ".md5", ".sha256"),
)
# what a second copy of a file is called: "a copy", "a - Copy (2)", "a (1)", "a 2", "Copy of a"
_COPY = re.compile(r"^(?:copy of|kopie von) |(?:[ _-]+(?:copy|kopie|copie|copia)| ?\(\d+\)| \d+)+$")


def list_pairs(dataset_dir: str | os.PathLike[str], label_folder: str = "labels") -> list[tuple[Path, Path]]:
    """Pair the images with the labels of the same stem (see `paired`), in natural order.

    Raises:
        BadInput: a missing or empty folder, an image without label, a label without image, two files of one stem, or
            something in a folder that may be an image or a label and cannot be read.
    """
    root = Path(dataset_dir)
    if not root.is_dir():
        raise BadInput(f"{root}: there is no such folder; give --dataset_dir a folder that holds images/ and labels/")
    if label_folder != "labels" and (root / "images").is_dir() and not (root / label_folder).is_dir():
        others = ", ".join(sorted(entry.name for entry in root.iterdir() if entry.is_dir() and entry.name != "images"))
        raise BadInput(
            f"{root / label_folder}: there is no such folder, in which the labels are looked for; give --label_folder with the "
            f"one beside images/ that holds them{f' (there are {others})' if others else ''}"
        )
    images, labels = (_by_stem(root / part) for part in ("images", label_folder))
    pairs = paired(images, labels)
    _warn_of_doubles(images)
    return [pairs[stem] for stem in sorted(images, key=lambda stem: natural_key(images[stem]))]


def _by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise BadInput(f"{folder}: there is no such folder; a labelled data set holds images/ and labels/")
    found: dict[str, Path] = {}
    for path in stacks_in(folder):
        stem = stem_of(path)
        if stem in found:
            raise BadInput(f"{path}: has the same stem as {found[stem].name}; keep one of the two")
        found[stem] = path
    if not found:
        raise BadInput(f"{folder}: the folder is empty; put the slices or stacks there")
    return found


def stacks_in(folder: Path) -> list[Path]:
    """The files, Zarr folders and folders of slices in a folder, in the order of their names.

    Raises:
        BadInput: something that may be one and cannot be read.
    """
    with refusing_damage(folder):
        paths = sorted(path for path in folder.iterdir() if not is_clutter(path) and not _is_note(path))
        refuse_what_is_no_file(paths)
        paths = without_companions(paths)
        return [path for path in paths if (_is_stack_folder(path) if path.is_dir() else _is_stack_file(path))]


def _is_stack_file(path: Path) -> bool:
    if not has_suffix(path, suffixes()):
        raise BadInput(
            f"{path}: its format is not known by its suffix; export it as one of {', '.join(suffixes())} or take it out of the "
            "folder"
        )
    return True


def _is_stack_folder(folder: Path) -> bool:
    """Whether it is a stack: a Zarr or slices. One that holds nothing is passed over, and with a word one of pictures."""
    parent = folder.parent.resolve()
    if folder.is_symlink() and folder.resolve() in (parent, *parent.parents):
        raise BadInput(f"{folder}: is a link back to a folder that it lies in; take it away")
    if format_of_folder(folder) or slice_files(folder):
        return True
    inside = list(_inside(folder))
    readable = [path for path in inside if path.is_dir() or has_suffix(path, suffixes())]
    if readable:
        raise BadInput(
            f"{folder}: holds no TIFF slices of its own but {readable[0].relative_to(folder)}; a folder in "
            f"{folder.parent.name}/ is one stack of slices, so move stacks and folders of slices to {folder.parent} itself"
        )
    if inside:
        warn_once(
            f"{folder}: is passed over, it holds no TIFF slices but {len(inside)} other files, such as "
            f"{inside[0].relative_to(folder)}; convert them to TIFF if they are slices."
        )
    return False


def _inside(folder: Path) -> Iterator[Path]:
    """The files and Zarr folders below a folder, without what is surely none of its images."""
    for place, folders, names in os.walk(folder):
        wholes = [name for name in folders if format_of_folder(Path(place, name))]
        folders[:] = sorted(name for name in folders if name not in wholes and not is_clutter(Path(name)))
        found = (Path(place, name) for name in sorted([*wholes, *names]))
        yield from (path for path in found if not is_clutter(path) and not _is_note(path))


def _is_note(path: Path) -> bool:
    return has_suffix(path, _NOTES) and not has_suffix(path, suffixes())


def _warn_of_doubles(images: Mapping[str, Path]) -> None:
    """Tell of images that are there twice by their names; what is the same in them is never on two sides."""
    groups: dict[tuple[str, tuple[int, ...]], list[Path]] = {}
    for stem, path in images.items():
        groups.setdefault(number_key(_COPY.sub("", stem.casefold())), []).append(path)
    pairs = [(first, other) for first, *others in groups.values() for other in others if _is_double(first, other)]
    if pairs:
        names = ", ".join(f"{other.name} beside {first.name}" for first, other in pairs[:3])
        warn_once(
            f"{pairs[0][0].parent}: images that seem to be there twice: {len(pairs)}, {names}{' ...' * (len(pairs) > 3)}; take "
            "one of each two away with its label if they show the same."
        )


def _is_double(first: Path, other: Path) -> bool:
    """Whether both have one number, or one holds what the other does and has the name of a copy."""
    if number_key(stem_of(first)) == number_key(stem_of(other)):
        return True
    return first.is_file() and other.is_file() and filecmp.cmp(first, other, shallow=False)

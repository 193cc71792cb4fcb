"""Which files of a folder are its slices."""

from contextlib import suppress
from pathlib import Path

from custom.base.errors import BadInput
from custom.stack.clutter import is_clutter, refuse_what_is_no_file
from custom.stack.faults import refusing_damage
from custom.stack.formats import has_suffix, suffixes_of_volumes
from custom.stack.numbering import natural_key, number_key
from custom.stack.slice_folder import KINDS
from custom.stack.tiff import FORMAT as TIFF
from custom.stack.warn import warn_once

_OTHER_SLICES = tuple(suffix for kind in KINDS for suffix in kind)
# pictures, and slices that are on their way or packed
_NO_SLICES = (".jpg", ".jpeg", ".gif", ".pgm", ".gz", ".zip", ".part", ".filepart", ".crdownload", ".tmp")


def slice_files(folder: Path) -> list[Path]:
    """The TIFF files of a folder in natural order; what desktops leave there is passed over.

    Raises:
        BadInput: no permission to look, or one of them is a link to nothing.
    """
    with refusing_damage(folder):
        files = [path for path in folder.iterdir() if path.suffix.lower() in TIFF.suffixes and not is_clutter(path)]
        refuse_what_is_no_file(sorted(files, key=natural_key))
        return sorted((file for file in files if file.is_file()), key=natural_key)


def look_at_the_rest(folder: Path, files: list[Path]) -> None:
    """Refuse a folder whose slices lie elsewhere; say where some may lie that are passed over."""
    with refusing_damage(folder):
        others = sorted((path for path in folder.iterdir() if not is_clutter(path)), key=natural_key)
        around = (folder.resolve(), *folder.resolve().parents)
        folders = [path for path in others if path.is_dir() and path.resolve() not in around]
        deeper = [path.name for path in folders if _holds_slices(path)]
    names = f"{', '.join(deeper[:3])}{' and others' if len(deeper) > 3 else ''}"
    if not files:
        raise BadInput(f"{folder}: holds no TIFF slices (.tif, .tiff){_elsewhere(folder, names, others)}.")
    if deeper:
        warn_once(
            f"{folder}: there are TIFF files in {names} too, which are passed over: its own {len(files)} slices are the "
            "stack; give the other folder if that is meant."
        )
    slices = {number_key(file.stem) for file in files}
    patterns = {pattern for pattern, _ in slices if "#" in pattern}
    alike = [
        path
        for path in others
        if path.suffix.lower() in _OTHER_SLICES + _NO_SLICES
        and (key := _number_key(path))[0] in patterns
        and key not in slices
    ]
    mixed = [path for path in alike if path.suffix.lower() in _OTHER_SLICES]
    if mixed:
        raise BadInput(
            f"{folder}: holds slices of several kinds, {len(files)} {files[0].suffix} and {len(mixed)} {mixed[0].suffix} whose "
            f"numbers no TIFF slice has, such as {mixed[0].name}; keep those of one stack alone in a folder."
        )
    if alike:
        warn_once(
            f"{folder}: passed over is what has the name of a slice but is no TIFF file ({len(alike)}, such as "
            f"{alike[0].name}); convert it if it is a slice."
        )


def _elsewhere(folder: Path, deeper: str, others: list[Path]) -> str:
    """Where the stack may be in a folder without slices of its own, for the end of a sentence."""
    if deeper:
        return f" itself, but there are some in {deeper}; give such a folder or a single stack file"
    stacks = [path.name for path in others if has_suffix(path, suffixes_of_volumes())]
    if len(stacks) == 1:
        return f", but the stack {stacks[0]}; give that, as {folder / stacks[0]}"
    more = f"{', '.join(stacks[:3])}{' and others' if len(stacks) > 3 else ''}"
    return (
        f", but the stacks {more}; give one of them" if stacks else "; give a folder of slices or a single stack file"
    )


def _holds_slices(folder: Path) -> bool:
    """Whether there is a TIFF file in it; a folder that cannot be looked into has none."""
    with suppress(OSError):
        return any(path.suffix.lower() in TIFF.suffixes and not is_clutter(path) for path in folder.iterdir())
    return False


def _number_key(path: Path) -> tuple[str, tuple[int, ...]]:
    """That of a name whose TIFF suffix another one follows, too."""
    stem = Path(path.stem)
    return number_key(stem.stem if stem.suffix.lower() in TIFF.suffixes else stem.name)

"""`splits.json`: which files of a labelled data set belong to which side."""

from __future__ import annotations

import difflib
import json
import logging
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from custom.base.errors import BadInput
from custom.base.readable import readable
from custom.stack.formats import stem_of

logger = logging.getLogger("data")

SIDES = ("train", "val", "test")
_SPELT = {"training": "train", "valid": "val", "validation": "val", "testing": "test"}
_FORM = '{"train": ["a", "b"], "val": ["c"], "test": ["d"]}'


def find_splits(dataset_dir: Path) -> Path | None:
    """The data set's `splits.json`, or None; a file that was meant as one and is not named so is told.

    Raises:
        BadInput: it is there but is no file, such as a link to something that is gone.
    """
    listing = dataset_dir / "splits.json"
    if listing.is_file():
        return listing
    if listing.is_symlink() or listing.exists():
        raise BadInput(f"{listing}: is no file, or a link to one that is gone; put the file there or take this away")
    near = [path for path in sorted(dataset_dir.iterdir()) if re.match(r"splits?[._ ]", path.name.lower())]
    near += [path for part in ("images", "labels") if (path := dataset_dir / part / listing.name).is_file()]
    if near:
        logger.warning("%s: is not read, only %s decides on the sides; they are drawn by the seed.", near[0], listing)
    return None


def read_splits(listing: Path, files: Mapping[str, str], training: bool = True) -> dict[str, str]:
    """What `splits.json` says: the side of every stem that it lists, in its order.

    A side may be one name in place of a list, or spelt out (training, validation, testing); a name may have its suffix
    or its folder before it.

    Args:
        listing: the file.
        files: for every name by which a file may be called, its stem; the stems themselves among them.
        training: whether it has to list something to learn from and something to validate on.

    Raises:
        BadInput: no JSON of this form, in another encoding than UTF-8 or UTF-16; a name that is no file's; one on two
            sides; nothing to train on or to validate on.
    """
    owner: dict[str, str] = {}
    for side, names in _sides(listing).items():
        for name in names:
            stem = _stem(listing, name, files)
            if owner.setdefault(stem, side) != side:
                raise BadInput(f"{listing}: {stem!r} stands under both {owner[stem]} and {side}; keep one of the two")
    for side in ("train", "val") if training else ():
        if side not in owner.values():
            raise BadInput(f"{listing}: lists nothing under {side!r}; training needs slices there")
    return owner


def names_of(pairs: Sequence[tuple[Path, Path]]) -> dict[str, str]:
    """For each name by which a file may be called, the stem of its image; given image and label of all files."""
    names: dict[str, str] = {}
    for pair in pairs:
        called = [name for path in pair for name in (stem_of(path), path.name)]
        folders = [path.parent.name for path in pair]
        names |= dict.fromkeys(
            [*called, *(f"{folder}/{name}" for folder in folders for name in called)], stem_of(pair[0])
        )
    return {
        _plain(name): stem for name, stem in (names | {stem_of(image): stem_of(image) for image, _ in pairs}).items()
    }


def _sides(listing: Path) -> dict[str, list[Any]]:
    try:
        # bytes: json finds out itself whether they are UTF-8, with a byte-order mark or without, or UTF-16
        listed = json.loads(listing.read_bytes(), object_pairs_hook=list)
    except ValueError as error:
        raise BadInput(f"{listing}: is not JSON of the form {_FORM}, in UTF-8 ({error})") from error
    if not isinstance(listed, list) or not all(isinstance(entry, tuple) for entry in listed):
        raise BadInput(f"{listing}: is not JSON of the form {_FORM}; put the names under train, val and test")
    sides: dict[str, list[Any]] = {}
    for key, value in listed:
        side = _side(key)
        if side is None:
            _warn_of_no_side(listing, key, value)
        elif side in sides:
            raise BadInput(
                f"{listing}: has {side!r} twice, the second time as {key!r}; put all its names into one list"
            )
        else:
            sides[side] = _names(listing, key, value)
    return sides


def _side(key: str) -> str | None:
    word = key.strip().lower()
    return word if word in SIDES else _SPELT.get(word)


def _warn_of_no_side(listing: Path, key: str, value: Any) -> None:
    """Whatever else a lab notes there may stay, unless it looks like a side misspelt."""
    if near := difflib.get_close_matches(key.strip().lower(), [*SIDES, *_SPELT], n=1, cutoff=0.7):
        raise BadInput(f"{listing}: has {key!r}, which is no side; write {_side(near[0])!r} if it is meant")
    if isinstance(value, (list, str)) and not key.startswith("_"):
        count = len(value) if isinstance(value, list) else 1
        logger.warning(
            "%s: %r is no side, what it lists (%d) is left out; the sides are train, val and test.", listing, key, count
        )


def _names(listing: Path, key: str, value: Any) -> list[Any]:
    names = [] if value is None else value if isinstance(value, list) else [value]
    for name in names:
        if isinstance(name, bool) or not isinstance(name, (str, int)):
            what = "a table" if isinstance(name, tuple) else json.dumps(name)
            raise BadInput(f"{listing}: lists {what} under {key!r} where the name of a file is wanted; write {_FORM}")
    return names


def _stem(listing: Path, name: str | int, files: Mapping[str, str]) -> str:
    if isinstance(name, int):
        fits = {stem for stem in files.values() if stem.isdecimal() and int(stem) == name}
        if len(fits) == 1:
            return fits.pop()
    wanted = _plain(str(name))
    for form in (wanted, "/".join(wanted.split("/")[-2:]), wanted.rpartition("/")[2]):
        if form in files:
            return files[form]
    stems = sorted(set(files.values()))
    folded = [stem for stem in stems if stem.casefold() == wanted.casefold()]
    near = folded or difflib.get_close_matches(wanted, stems, n=1)
    cure = f"did you mean {near[0]!r}?" if near else "use the names without suffix"
    raise BadInput(f"{listing}: lists {name!r}, which is no file in images/; {cure}")


def _plain(name: str) -> str:
    """One spelling: forward slashes, letters with accents in one piece, which macOS takes apart, bytes spelt out."""
    return unicodedata.normalize("NFC", readable(name).strip().replace("\\", "/").removeprefix("./"))

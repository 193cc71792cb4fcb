"""JSON files beside images/ and labels/ that list the files of a data set: found, read, the names understood."""

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

Entry = tuple[str, Any]


def find_beside(dataset_dir: Path, name: str, nearly: str, else_what: str) -> Path | None:
    """A data set's `name`, such as `splits.json`, or None; a file that was meant as it and is not named so is told.

    Args:
        dataset_dir: holds images/ and labels/.
        name: of the file.
        nearly: a pattern of names, in small letters, that were meant as it.
        else_what: what it does, and what happens without it, for what is said.

    Raises:
        BadInput: it is there but is no file, such as a link to something that is gone.
    """
    listing = dataset_dir / name
    if listing.is_file():
        return listing
    if listing.is_symlink() or listing.exists():
        raise BadInput(f"{listing}: is no file, or a link to one that is gone; put the file there or take this away")
    near = [path for path in sorted(dataset_dir.iterdir()) if re.match(nearly, path.name.lower())]
    near += [path for part in ("images", "labels") if (path := dataset_dir / part / name).is_file()]
    if near:
        logger.warning("%s: is not read, only %s %s.", near[0], listing, else_what)
    return None


def read_entries(listing: Path, form: str, cure: str) -> list[Entry]:
    """What the table in a JSON file holds, in its order; tables within are lists of pairs too.

    Raises:
        BadInput: no JSON of the form, in another encoding than UTF-8 or UTF-16.
    """
    try:
        # bytes: json finds out itself whether they are UTF-8, with a byte-order mark or without, or UTF-16
        listed = json.loads(listing.read_bytes(), object_pairs_hook=list)
    except ValueError as error:
        raise BadInput(f"{listing}: is not JSON of the form {form}, in UTF-8 ({error})") from error
    if not isinstance(listed, list) or not all(isinstance(entry, tuple) for entry in listed):
        raise BadInput(f"{listing}: is not JSON of the form {form}; {cure}")
    return listed


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
        plain(name): stem for name, stem in (names | {stem_of(image): stem_of(image) for image, _ in pairs}).items()
    }


def names_listed(listing: Path, key: str, value: Any, form: str) -> list[Any]:
    """The names under a key: a list of them, or one alone.

    Raises:
        BadInput: one of them is neither a text nor a whole number.
    """
    names = [] if value is None else value if isinstance(value, list) else [value]
    for name in names:
        if isinstance(name, bool) or not isinstance(name, (str, int)):
            what = "a table" if isinstance(name, tuple) else json.dumps(name)
            raise BadInput(f"{listing}: lists {what} under {key!r} where the name of a file is wanted; write {form}")
    return names


def stem_named(name: str | int, files: Mapping[str, str]) -> str | None:
    """The stem of the file that a name means, with its suffix or without, with folders before it or none.

    Args:
        name: a whole number means the one file whose name is that number.
        files: see `names_of`.
    """
    if isinstance(name, int):
        fits = {stem for stem in files.values() if stem.isdecimal() and int(stem) == name}
        if len(fits) == 1:
            return fits.pop()
    wanted = plain(str(name))
    forms = (wanted, "/".join(wanted.split("/")[-2:]), wanted.rpartition("/")[2])
    return next((files[form] for form in forms if form in files), None)


def nearest(name: str | int, names: Sequence[str], otherwise: str = "use the names without suffix") -> str:
    """The cure for a name that is none of these: the nearest one, where one is near."""
    wanted = plain(str(name))
    folded = [known for known in names if known.casefold() == wanted.casefold()]
    near = folded or difflib.get_close_matches(wanted, names, n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise


def plain(name: str) -> str:
    """One spelling: forward slashes, letters with accents in one piece, which macOS takes apart, bytes spelt out."""
    return unicodedata.normalize("NFC", readable(name).strip().replace("\\", "/").removeprefix("./"))

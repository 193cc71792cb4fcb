"""`scans.json`: which files of a labelled data set come from which scan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from custom.base.errors import BadInput
from custom.data.json_beside import find_beside, names_listed, names_of, nearest, plain, read_entries, stem_named
from custom.stack import Stack, open_stack
from custom.stack.formats import stem_of

_FORM = '{"cell_a": ["slice_0100", "slice_0150"], "cell_b": {"stack": "cell_b.zarr", "files": ["b_0100"]}}'
_KEYS = ("files", "stack", "stack_key", "stack_index")


@dataclass(frozen=True)
class Scan:
    """A scan that files of a data set were cut from.

    Attributes:
        name: of the scan.
        files: the stems of its files.
        listing: the `scans.json` that tells of it.
        stack: the whole scan, where that is at hand.
        stack_key, stack_index: as `open_stack` takes them.
    """

    name: str
    files: tuple[str, ...]
    listing: Path
    stack: Path | None = None
    stack_key: str | int | None = None
    stack_index: int | tuple[int, ...] | None = None

    def open(self) -> Stack:
        """The whole scan, lazily; only of a scan that has a `stack`.

        Raises:
            BadInput: it is not there, or cannot be read.
        """
        assert self.stack is not None
        if not self.stack.exists():
            raise BadInput(
                f"{self.listing}: the stack of the scan {self.name!r}, {self.stack}, is not there; put it back, give where it "
                'lies (from the folder of scans.json on), or leave "stack" away, for a grey window of the labelled files alone'
            )
        try:
            return open_stack(self.stack, stack_key=self.stack_key, stack_index=self.stack_index)
        except BadInput as refusal:
            raise BadInput(
                f"{self.listing}: the stack of the scan {self.name!r} cannot be read: {str(refusal).replace('--stack_', 'stack_')}"
            ) from refusal


def find_scans(dataset_dir: Path) -> Path | None:
    """The data set's `scans.json`, or None; a file that was meant as one and is not named so is told.

    Raises:
        BadInput: it is there but is no file, such as a link to something that is gone.
    """
    without = "tells scans apart; without it all 2-D files count as one"
    return find_beside(dataset_dir, "scans.json", r"scans?([._ ][^.]*)?\.json", without)


def read_scans(listing: Path, pairs: Sequence[tuple[Path, Path]]) -> dict[str, Scan]:
    """What `scans.json` says: the scan of every stem that it lists.

    A scan is a list of its files, or a table with ``files`` and ``stack``, the path of the whole scan, and what the latter
    needs to be read; without ``files`` it is the file of the scan's own name. A name may have its suffix or its folder
    before it; what begins with ``_`` is a note.

    Args:
        listing: the file; a relative path of a stack leads on from its folder.
        pairs: image and label of all files.

    Raises:
        BadInput: no JSON of this form; a scan twice, without files, or of another file's name; a name that is no file's; a
            file in two scans.
    """
    files, owner, names = names_of(pairs), dict[str, Scan](), set[str]()
    for key, value in read_entries(listing, _FORM, "give every scan a list of its files"):
        if key.startswith("_"):
            continue
        if (name := plain(key)) in names:
            raise BadInput(f"{listing}: has the scan {name!r} twice; put all its files into one list")
        names.add(name)
        scan = _scan(listing, name, value, files)
        for stem in scan.files:
            if owner.setdefault(stem, scan) is not scan:
                raise BadInput(
                    f"{listing}: {stem!r} stands in both {owner[stem].name!r} and {name!r}; keep one of the two"
                )
    if not names:
        raise BadInput(f"{listing}: tells of no scan; write {_FORM}, or take it away")
    _check_scan_names({scan.name: scan for scan in owner.values()}, files, listing)
    return owner


def check_all_told(scans: Mapping[str, Scan], stacks: Iterable[Stack], listing: Path) -> None:
    """Look whether every 2-D file has its scan; a 3-D stack that is not listed is one of its own.

    Raises:
        BadInput: one has none.
    """
    missing = [stem for stack in stacks if stack.shape[0] == 1 and (stem := stem_of(stack.path)) not in scans]
    if missing:
        more = f" and {len(missing) - 1} more 2-D files" if len(missing) > 1 else ""
        raise BadInput(
            f"{listing}: does not tell which scan {missing[0]!r}{more} came from; add what is missing to its scan, or take it "
            "out of images/ and labels/"
        )


def _scan(listing: Path, name: str, value: Any, files: Mapping[str, str]) -> Scan:
    table: dict[str, Any] = {"files": value}
    if isinstance(value, list) and any(isinstance(entry, tuple) for entry in value):
        table = dict(entry for entry in value if isinstance(entry, tuple))
        if unknown := next((key for key in table if key not in _KEYS), None):
            raise BadInput(
                f"{listing}: has {unknown!r} in the scan {name!r}, where {', '.join(_KEYS)} may stand; "
                f"{nearest(unknown, _KEYS, 'take it away')}"
            )
        table.setdefault("files", name)
    found = [_stem(listing, name, one, files) for one in names_listed(listing, name, table["files"], _FORM)]
    if not found:
        raise BadInput(f"{listing}: lists no file of the scan {name!r}; list some, or take the scan away")
    path, index = table.get("stack"), table.get("stack_index")
    if path is not None and not (isinstance(path, str) and path.strip()):
        raise BadInput(f"{listing}: the stack of the scan {name!r} is {path!r} where a path is wanted; write {_FORM}")
    return Scan(
        name,
        tuple(dict.fromkeys(found)),
        listing,
        None if path is None else listing.parent / path,
        table.get("stack_key"),
        tuple(index) if isinstance(index, list) else index,
    )


def _stem(listing: Path, scan: str, name: str | int, files: Mapping[str, str]) -> str:
    stem = stem_named(name, files)
    if stem is None:
        cure = nearest(str(name), sorted(set(files.values())))
        raise BadInput(f"{listing}: lists {name!r} in the scan {scan!r}, which is no file in images/; {cure}")
    return stem


def _check_scan_names(scans: Mapping[str, Scan], files: Mapping[str, str], listing: Path) -> None:
    """A name in splits.json means one thing."""
    for name, scan in scans.items():
        if name in files and scan.files != (files[name],):
            raise BadInput(
                f"{listing}: the scan {name!r} has the name of a file, which is not all of it; give the scan another name"
            )

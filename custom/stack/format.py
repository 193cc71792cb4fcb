"""What a file format says of itself; each states it as `FORMAT` in its own module, and `formats` lists them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from custom.stack.selection import Selection
from custom.stack.stack import Stack


@dataclass(frozen=True)
class Format:
    """A file format and how a stack of it is opened.

    Attributes:
        name: what documents call it.
        suffixes: of its files, in lower case with their dots; they count in any case.
        open: opens a stack lazily; the place in space that the file states is an attribute of the stack from then on.
        keyed: whether a file can hold several arrays, of which `--stack_key` names one.
        shared: those of `suffixes` that files of many other kinds have too, so that no file is taken for a stack by them.
        headers: those of `suffixes` whose files may leave their voxels to a companion.
        companions: suffixes of such voxels, which are no stacks of their own beside a header.
        owns_folder: whether a folder is of this format; None: it has no folders.
        parts: the files that one name stands for which is no file's own; None: there are no such names.
        only_array: the key of a file's only array where it is not found without, see `formats.only_array`.
        slices: whether a file may be one slice of a stack whose others lie beside it.
        bare: whether a file holds nothing but voxels, so that `--raw_shape` and `--raw_dtype` may say how they lie.
    """

    name: str
    suffixes: tuple[str, ...]
    open: Callable[[Path, Selection], Stack]
    keyed: bool = False
    shared: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()
    owns_folder: Callable[[Path], bool] | None = None
    parts: Callable[[Path], list[Path]] | None = None
    only_array: Callable[[Path], str | None] | None = None
    slices: bool = False
    bare: bool = False

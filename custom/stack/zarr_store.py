"""Where a Zarr hierarchy lies: a folder, or a zip of one."""

import zipfile
from pathlib import Path, PurePosixPath

import zarr
from zarr.storage import LocalStore, ZipStore

from custom.base.errors import BadInput
from custom.stack.clutter import is_clutter

MARKERS = ("zarr.json", ".zarray", ".zgroup")
ZIPS = (".zip", ".ozx")  # .ozx: OME-Zarr's name for it (RFC 9)

Store = LocalStore | ZipStore


def open_store(path: Path) -> Store:
    """The store of a folder or a zip; the caller closes it."""
    return ZipStore(path, mode="r") if path.is_file() else LocalStore(path, read_only=True)


def root_of(path: Path, store: Store, top: str) -> zarr.Array | zarr.Group:
    """The outermost node, in the folder `top` of the store.

    Raises:
        BadInput: no metadata.
    """
    try:
        # Consolidated metadata may name arrays that are gone.
        return zarr.open(store, mode="r", path=top, use_consolidated=False)
    except zarr.errors.NodeNotFoundError:
        cure = "half-written perhaps; copy or write it anew, or give the folder that holds it"
        if path.is_file():
            cure = _packed(path) or cure
        raise BadInput(f"{path}: holds no Zarr metadata ({', '.join(MARKERS)}), {cure}.") from None


def _packed(path: Path) -> str | None:
    """What a zip holds in place of Zarr, with the cure; None where that is nothing known."""
    from custom.stack.formats import TIFF, suffixes_of_volumes  # here, as that list holds Zarr too

    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not is_clutter(Path(name))]
    slices = [name for name in names if name.lower().endswith(TIFF.suffixes)]
    stacks = [name for name in names if name.lower().endswith(suffixes_of_volumes())]
    if len(slices) > 1:
        return f"but {len(slices)} TIFF files; unpack it and give their folder"
    return f"but {(slices + stacks)[0]}; unpack it and give that" if slices or stacks else None


def top_folder(path: Path) -> str:
    """The folder of the outermost metadata in a zip, as file managers make it; "" at the root, and for all that is no zip.

    Raises:
        BadInput: several hierarchies side by side.
    """
    if not path.is_file():
        return ""
    with zipfile.ZipFile(path) as archive:
        names = [PurePosixPath(name) for name in archive.namelist()]
    folders = {name.parent for name in names if name.name in MARKERS}
    least = min((len(folder.parts) for folder in folders), default=0)
    tops = sorted(str(folder) for folder in folders if len(folder.parts) == least)
    if len(tops) > 1:
        raise BadInput(
            f"{path}: holds {len(tops)} Zarr folders, {', '.join(tops[:4])}; unpack it and give one of them."
        )
    return "" if not tops or tops == ["."] else tops[0]

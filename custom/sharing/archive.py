"""A folder as a zip of one form only: sorted, uncompressed, without times, so that the same files give the same bytes.

Nothing is compressed: weights hardly shrink, zlib's bytes differ between its versions, and a file that cannot grow when
it is unpacked is no bomb. The check writes the zip again and compares: a changed byte shows even where no reader looks.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO

from custom.base.digest import CHUNK, sha256_of

SUMS = "SHA256SUMS"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can state
FILE_MODE = 0o100644 << 16


def entry(name: str) -> zipfile.ZipInfo:
    """The header of a plain file of this name."""
    info = zipfile.ZipInfo(name, EPOCH)
    info.create_system = 3  # Unix, wherever it is packed
    info.external_attr = FILE_MODE
    return info


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS, which `sha256sum -c` reads, over all other files of a folder."""
    lines = []
    for path in files_below(folder):
        if path.name != SUMS or path.parent != folder:
            lines.append(f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n")
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def files_below(folder: Path) -> list[Path]:
    """All files of a folder and its subfolders, in the order of their names as text."""
    return sorted((p for p in folder.rglob("*") if p.is_file()), key=lambda path: path.relative_to(folder).as_posix())


def write_zip(folder: Path, target: Path) -> None:
    """Write the folder, its own name at the top, as a zip."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in files_below(folder):
            with open(path, "rb") as stream:
                copy_member(archive, f"{folder.name}/{path.relative_to(folder).as_posix()}", stream)


def copy_member(archive: zipfile.ZipFile, name: str, stream: IO[bytes]) -> None:
    """Append a stream as one member."""
    with archive.open(entry(name), "w") as member:
        while chunk := stream.read(CHUNK):
            member.write(chunk)


def rewritten(source: zipfile.ZipFile, target: Path) -> None:
    """Write another zip in this module's one form; a zip of that form comes out as the same bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(source.namelist()):
            with source.open(name) as stream:
                copy_member(archive, name, stream)

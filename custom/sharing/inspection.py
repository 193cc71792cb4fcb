"""A zip from a stranger, looked at without unpacking it."""

from __future__ import annotations

import filecmp
import re
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from custom.base.digest import sha256_of
from custom.base.errors import BadInput
from custom.sharing.archive import SUMS, rewritten
from custom.sharing.layout import REQUIRED
from custom.sharing.signature import SIGNATURE

MOST_FILES = 2000
MOST_BYTES = 4 << 30
SUFFIXES = {
    *(".conf", ".json", ".md", ".py", ".sig", ".txt", ".yaml"),
    *(".npy", ".onnx", ".pt", ".pt2", ".safetensors", ".tif", ".ts"),
}
PLAIN = {"LICENSE", SUMS}  # files that have no suffix
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")
_SUM = re.compile(r"([0-9a-f]{64})  (.+)")


@dataclass(frozen=True)
class Members:
    """The files of a zip whose form and sums were found right.

    Attributes:
        archive: the open zip.
        name: the name of its one folder, which is that of its package too.
        sums: SHA-256 by path relative to that folder.
    """

    archive: zipfile.ZipFile
    name: str
    sums: dict[str, str]

    def read(self, relative: str) -> bytes:
        """The content of one file."""
        return self.archive.read(f"{self.name}/{relative}")


@contextmanager
def opened(path: Path) -> Iterator[Members]:
    """Yield the members of a zip once nothing is wrong with its form; nothing is unpacked.

    Raises:
        BadInput: not a zip, a member that could leave the folder or is not a plain file, one that is there twice, is
            missing, unlisted or changed, or any byte that packing would have written otherwise.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or "it is damaged, cut off or no zip"
        raise BadInput(f"{path}: cannot be opened ({reason}); fetch the file again") from error
    with archive:
        try:
            name = _check_form(path, archive)
            sums = _check_sums(path, archive, name)
            _check_bytes(path, archive)
        except BadInput:
            raise
        except Exception as error:  # a parser of foreign bytes may fail in any way
            raise BadInput(f"{path}: is damaged ({' '.join(str(error).split())[:120]}); fetch it again") from error
        yield Members(archive, name, sums)


def _check_form(path: Path, archive: zipfile.ZipFile) -> str:
    """Names, kinds and sizes as the zip's directory states them; returns the name of the one folder."""
    infos = archive.infolist()
    seen: set[str] = set()
    for info in infos:
        if fault := _fault(info):
            raise BadInput(f"{path}: {info.filename!r:.100} {fault}; do not use this file")
        if info.filename.lower() in seen:
            raise BadInput(f"{path}: {info.filename} is there twice; do not use this file")
        seen.add(info.filename.lower())
    total = sum(info.file_size for info in infos)
    if len(infos) > MOST_FILES or total > min(MOST_BYTES, path.stat().st_size):
        raise BadInput(f"{path}: would unpack to {len(infos)} files of {total:,} bytes; do not use this file")
    folders = {info.filename.partition("/")[0] for info in infos}
    if len(folders) != 1 or not next(iter(folders)).isidentifier():
        raise BadInput(f"{path}: does not hold one folder named as a bundle; ask for a file that pack_bundle.py wrote")
    return folders.pop()


def _fault(info: zipfile.ZipInfo) -> str | None:
    """What is wrong with one member, in words; None where nothing is."""
    parts = info.orig_filename.split("/")
    if info.orig_filename.startswith(("/", "\\")) or ".." in parts or "\\" in info.orig_filename or ":" in parts[0]:
        return "would be unpacked outside the bundle's folder"
    kind = info.external_attr >> 16
    if stat.S_ISLNK(kind):
        return "is a link"
    if info.is_dir() or (stat.S_IFMT(kind) and not stat.S_ISREG(kind)):
        return "is not a plain file"
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        return "is compressed, which a packed bundle never is"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.filename != info.orig_filename or not _NAME.fullmatch(info.filename):
        return "has a name that no file of a bundle has"
    base = parts[-1]
    if Path(base).suffix not in SUFFIXES and base not in PLAIN:
        return "is of a kind that no bundle holds"
    return None


def _check_sums(path: Path, archive: zipfile.ZipFile, name: str) -> dict[str, str]:
    """SHA256SUMS against all members; returns it."""
    there = {info.filename.partition("/")[2] for info in archive.infolist()}
    if missing := [relative for relative in REQUIRED if relative not in there]:
        raise BadInput(f"{path}: {missing[0]} is missing from it; ask for a whole bundle")
    listed: dict[str, str] = {}
    for line in archive.read(f"{name}/{SUMS}").decode().splitlines():
        found = _SUM.fullmatch(line)
        if not found or found[2] in listed:
            raise BadInput(f"{path}: {SUMS} is not a list of SHA-256 sums ({line!r:.80}); fetch it again")
        listed[found[2]] = found[1]
    if unlisted := sorted(there - {SUMS, SIGNATURE} - set(listed)):
        raise BadInput(f"{path}: {unlisted[0]} is not listed in its {SUMS}; do not use this file")
    for relative, wanted in listed.items():
        if relative not in there:
            raise BadInput(f"{path}: {relative} is listed in its {SUMS} and missing; fetch it again")
        with archive.open(f"{name}/{relative}") as stream:
            if sha256_of(stream) != wanted:
                raise BadInput(f"{path}: {relative} is not what its {SUMS} says; fetch it again")
    return listed


def _check_bytes(path: Path, archive: zipfile.ZipFile) -> None:
    """Whatever lies between members, before, behind or in a header's unused fields was not there when it was packed."""
    with tempfile.TemporaryDirectory(prefix="check_") as aside:
        again = Path(aside) / "again.zip"
        rewritten(archive, again)
        if not filecmp.cmp(path, again, shallow=False):
            raise BadInput(f"{path}: holds bytes that packing never writes; fetch it again")

"""What lies in a folder beside the files that were put there: what desktops leave, and links to nothing."""

import os
from pathlib import Path

from custom.base.errors import BadInput

_NAMES = {
    *("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r"),
    *("__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found"),
}
_STARTS = (".", "~$")  # ._s_0001.tif (macOS), .~lock.s.tif# (LibreOffice), ~$s.tif (Office)
_ENDS = ("~", "zone.identifier", ".db:encryptable")  # backups of editors; streams of NTFS, copied to Linux


def is_clutter(path: Path) -> bool:
    """Whether a desktop, an editor or a file server left it there; hidden files and folders are such."""
    name = path.name.lower()
    return name in _NAMES or name.startswith(_STARTS) or name.endswith(_ENDS)


def refuse_what_is_no_file(paths: list[Path]) -> None:
    """Refuse links to what is gone, or back to themselves, and pipes and devices, by their number; folders pass.

    Raises:
        BadInput: there is such a one.
    """
    lost = [path for path in paths if not path.is_file() and not path.is_dir()]
    if not lost:
        return
    first = lost[0]
    more = f" (the same for {len(lost) - 1} more)" if len(lost) > 1 else ""
    if first.is_symlink():
        raise BadInput(
            f"{first}: is a link to {os.readlink(first)}, where there is no file{more}; mend the link, or take it out of the "
            "folder."
        )
    raise BadInput(f"{first}: is no file but a pipe, a socket or a device{more}; take it out of the folder.")

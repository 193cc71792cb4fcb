"""A folder that appears under its name when all that belongs into it is there."""

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from custom.base.errors import BadInput
from custom.base.part import Part


@contextlib.contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Yield the hidden folder to write into; it gets its name at the end, and is removed where that is not reached.

    Raises:
        BadInput: a folder that already holds something, or one that cannot be written.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BadInput(f"{target} already holds something: name another folder or delete this one.")
    part: Part | None = None
    try:
        target.absolute().parent.mkdir(parents=True, exist_ok=True)
        part = Part(target.absolute(), folder=True)
        yield part.path
        part.publish(replaces=False)
    except OSError as error:
        if part is not None and error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise BadInput(
                f"{target} already holds something, which came there meanwhile: name another folder."
            ) from error
        raise BadInput(
            f"{target} cannot be written ({error.strerror}): free the disk or name another folder."
        ) from error
    finally:
        if part is not None:
            part.remove()

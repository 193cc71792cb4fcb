"""Whatever goes wrong while a foreign file is parsed reaches the user as one sentence."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from custom.base.errors import BadInput


@contextmanager
def refusing_damage(path: str | os.PathLike[str], part: str = "") -> Iterator[None]:
    """Turn any error that a reader library raises in this block into a `BadInput` that names `path`.

    The libraries behind the readers answer a damaged file with errors of many unrelated types (struct.error, zlib.error,
    KeyError, RuntimeError ...), so that no shorter list would be safe. The original error stays chained.

    Args:
        path: the file being read.
        part: which part of it, such as "slice 3", for the sentence.
    """
    try:
        yield
    except (BadInput, MemoryError):
        raise
    except PermissionError as error:
        raise BadInput(f"{path}: no permission to read it; change its permissions or copy it elsewhere.") from error
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        where = f" {part}" if part else ""
        raise BadInput(
            f"{path}: cannot read{where} ({reason}); the file is damaged, cut short or of another kind: "
            "copy it again from its source or export it anew."
        ) from error

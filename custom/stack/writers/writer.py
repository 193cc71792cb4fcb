"""The slab-by-slab writer that all formats share: order of slabs, full disks, and nothing half-written."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from custom.base.part import Part
from custom.stack.writers.encoder import Encoder, Layout
from custom.stack.writers.refusals import check_free, make_folder, write_failed


class StackWriter:
    """A stack on its way to disk, under a hidden name beside its final one until `close`.

    As a context manager it closes at the end of the block, and aborts when an exception leaves the block.

    Attributes:
        path: the final path, with its suffix.
    """

    def __init__(self, path: Path, encoder_type: type[Encoder], layout: Layout, overwrite: bool) -> None:
        self.path = path.with_name(path.name + encoder_type.suffix)
        self._layout = layout
        self._overwrite = overwrite
        self._next_slice = 0
        self._open = True
        self._part: Part | None = None
        self._encoder: Encoder | None = None
        make_folder(self.path.parent)
        check_free(self.path, encoder_type.folder, overwrite)
        with self._abort_on_error():
            self._part = Part(self.path, encoder_type.folder)
            self._encoder = encoder_type(self._part.path, layout)

    def write(self, start: int, slab: npt.NDArray[Any]) -> None:
        """Append the slices `start` to `start + h`.

        Args:
            start: z of the first slice; it follows the last slice written.
            slab: (h, Y, X) of the writer's dtype.

        Raises:
            BadInput: the disk is full or fails; nothing is left of the unfinished result.
            ValueError: the slab does not follow the previous one, has another shape or type, or the writer is closed.
        """
        self._check(start, slab)
        with self._abort_on_error():
            assert self._encoder is not None
            self._encoder.append(start, np.ascontiguousarray(slab, self._layout.dtype))
        self._next_slice += len(slab)

    def close(self) -> None:
        """Bring the whole stack safely to disk, then give it its final name.

        Raises:
            BadInput: the disk is full or fails, or a result has appeared under the final name meanwhile.
            ValueError: slices are missing.
        """
        if not self._open:
            return
        with self._abort_on_error():
            if self._next_slice != self._layout.shape[0]:
                raise ValueError(f"{self.path}: {self._next_slice} of {self._layout.shape[0]} slices were written")
            assert self._encoder is not None and self._part is not None
            self._encoder.finish()
            check_free(self.path, self._encoder.folder, self._overwrite)
            self._part.publish()
        self._open = False

    def abort(self) -> None:
        """Remove what has been written. Harmless after `close`."""
        if not self._open:
            return
        self._open = False
        if self._encoder is not None:
            with contextlib.suppress(OSError):  # a full disk refuses the last buffered bytes again
                self._encoder.release()
        if self._part is not None:
            self._part.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def _check(self, start: int, slab: npt.NDArray[Any]) -> None:
        depth, *plane = self._layout.shape
        if not self._open:
            raise ValueError(f"{self.path}: the writer is closed")
        if slab.ndim != 3 or list(slab.shape[1:]) != plane or not 1 <= len(slab) <= depth - self._next_slice:
            raise ValueError(f"{self.path}: slab {slab.shape} at slice {start} does not fit into {self._layout.shape}")
        if start != self._next_slice:
            raise ValueError(f"{self.path}: slice {start} was given where slice {self._next_slice} is next")
        if not np.can_cast(slab.dtype, self._layout.dtype, "equiv"):
            raise ValueError(f"{self.path}: a slab of {slab.dtype} was given for a stack of {self._layout.dtype}")

    @contextlib.contextmanager
    def _abort_on_error(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.abort()
            raise write_failed(self.path, self._layout.nbytes, error) from error
        except BaseException:
            self.abort()
            raise

"""Which voxels of an HDF5 dataset were ever written: HDF5 answers with the fill value, and without an error, elsewhere."""

from pathlib import Path

import h5py
import numpy as np

from custom.base.errors import BadInput
from custom.stack.axes import Axes
from custom.stack.hdf5.coverage import Coverage, of_chunks, whole
from custom.stack.hdf5.external import check_external, external_files
from custom.stack.hdf5.filters import check_filters
from custom.stack.hdf5.virtual import VirtualSources
from custom.stack.warn import warn_once


def look_for_voxels(path: Path, dataset: h5py.Dataset) -> tuple[Coverage, list[Path]]:
    """Which voxels are there, without reading them, through virtual datasets of any depth; and all other files with some.

    Raises:
        BadInput: a source, raw file or filter that is announced is not there.
    """
    seen = _Seen(path)
    return seen.coverage(dataset), seen.files


def check_gaps(path: Path, dataset: h5py.Dataset, coverage: Coverage, axes: Axes, labels: bool = False) -> None:
    """Judge what a volume lacks.

    - Nothing at all is there: refused; a volume of a single value is nothing to segment.
    - Whole slices are missing: refused, unless in a dataset of 8 bits that is not virtual, such as a mask, or in the
      `labels` of a training set, where a writer may well have had nothing to write.
    - Parts of slices: a warning that counts. Modules of a detector leave gaps between them on purpose.

    Raises:
        BadInput: as above.
    """
    gaps = coverage.gaps(axes)
    if not gaps.missing:
        return
    if gaps.missing == gaps.total and not labels:
        raise BadInput(f"{path}: its dataset {dataset.name} was never written, half-written perhaps; write it anew.")
    what = "no source has voxels for" if dataset.is_virtual else "nothing was ever written to"
    if len(gaps.empty_slices) and (dataset.is_virtual or dataset.dtype.itemsize > 1) and not labels:
        raise BadInput(
            f"{path}: is half-written, {what} {gaps.words()} of {dataset.name}; write it anew, or without the empty "
            "slices if they are meant."
        )
    warn_once(
        f"{path}: {what} {gaps.words()} of {dataset.name}, which is read as {dataset.fillvalue}; write it anew if nothing "
        "was left out on purpose."
    )


class _Seen:
    """One look at a dataset and all that it takes its voxels from."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: list[Path] = []
        self._known: dict[tuple[str, str], Coverage | None] = {}

    def coverage(self, dataset: h5py.Dataset) -> Coverage:
        """What is there of a dataset; BadInput where what it announces is not."""
        here = (dataset.file.filename, dataset.name)
        if here in self._known:
            found = self._known[here]
            if found is None:
                raise BadInput(f"{self.path}: its dataset {dataset.name} takes its voxels from itself; write it anew.")
            return found
        self._known[here] = None
        found = self._virtual(dataset) if dataset.is_virtual else self._plain(dataset)
        self._known[here] = found
        return found

    def _virtual(self, dataset: h5py.Dataset) -> Coverage:
        sources = VirtualSources(self.path, dataset)
        self.files += [file for file in sources.files if file not in self.files]
        return sources.coverage(self.coverage)

    def _plain(self, dataset: h5py.Dataset) -> Coverage:
        check_filters(self.path, dataset)
        if dataset.external:
            check_external(self.path, dataset)
            self.files += external_files(dataset)
            return whole(dataset.shape)
        if dataset.chunks is None:
            return whole(dataset.shape, there=bool(dataset.id.get_storage_size()))
        return _chunked(dataset)


def _chunked(dataset: h5py.Dataset) -> Coverage:
    grid = [-(-length // size) for length, size in zip(dataset.shape, dataset.chunks, strict=True)]
    count = dataset.id.get_num_chunks()
    if count >= np.prod(grid):
        return whole(dataset.shape, chunks=dataset.chunks)
    offsets: list[tuple[int, ...]] = []
    dataset.id.chunk_iter(lambda chunk: offsets.append(chunk.chunk_offset))
    return of_chunks(dataset.shape, dataset.chunks, np.array(offsets, int).reshape(-1, len(grid)))

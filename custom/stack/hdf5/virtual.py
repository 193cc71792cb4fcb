"""Virtual datasets: put together of parts of other datasets, mostly in other files, of which HDF5 misses none aloud."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np

from custom.base.errors import BadInput
from custom.stack.hdf5.coverage import Coverage, Piece, of_pieces, whole
from custom.stack.hdf5.finding import broken_link, item
from custom.stack.hdf5.fitting import fits, fitted
from custom.stack.hdf5.selections import Picked, Positions, picked, positions
from custom.stack.hdf5.sources import (
    announced_shape,
    find_sources,
    is_pattern,
    numbered,
    numbers_there,
    put_back,
    unescaped,
)
from custom.stack.warn import warn_once

# where it lies, the name of its file, its dataset, and what is taken from that
_Part = tuple[list[Positions], str, str, Picked]


class VirtualSources:
    """What a virtual dataset is put together of.

    All of it is opened once before anything is read: HDF5 reads its fill value, and without an error, where a file, a dataset
    or a chunk is missing. 2000 files take about as long as reading a slice from each.

    Args:
        path: the file that was asked for, for the refusals; the dataset may be in another one.
        dataset: the virtual dataset.

    Attributes:
        files: all files that are there, each once.

    Raises:
        BadInput: a pattern has a gap.
    """

    def __init__(self, path: Path, dataset: h5py.Dataset) -> None:
        self.path, self.dataset = path, dataset
        through = "" if dataset.file.filename == str(path) else f"its source {dataset.file.filename} "
        self._says = f"{path}: {through}takes its voxels from"
        self._announced: tuple[int, ...] | None = None
        self._parts = [part for mapping in self._mappings() for part in self._expanded(*mapping)]
        found = find_sources(dataset, (file for _, file, _, _ in self._parts))
        if missing := [file for file, there in found.items() if there is None]:
            more = f", as are {len(missing) - 1} more of its {len(found)} sources" if len(missing) > 1 else ""
            cure = put_back(missing[0], ", or set HDF5_VDS_PREFIX to its folder")
            raise BadInput(f"{self._says} {missing[0]}, which is missing{more}; {cure}.")
        self._where = {file: there for file, there in found.items() if there is not None}
        self.files = [file for name, file in self._where.items() if name != "."]

    def _mappings(self) -> Iterator[tuple[Picked, str, str, Picked]]:
        properties = self.dataset.id.get_create_plist()
        for number in range(properties.get_virtual_count()):
            yield (
                picked(properties.get_virtual_vspace(number)),
                properties.get_virtual_filename(number),
                properties.get_virtual_dsetname(number),
                picked(properties.get_virtual_srcspace(number)),
            )

    def _expanded(self, target: Picked, file: str, key: str, source: Picked) -> Iterator[_Part]:
        """The parts that a mapping stands for: itself, or those of a pattern."""
        axis = target.endless
        products = positions(target, self.dataset.shape)
        if axis is None or target.regular is None or not is_pattern(file, key):
            if axis is not None:
                self._tell_if_shorter(axis)
            if products:
                yield products, unescaped(file), unescaped(key), source
            return
        start, stride, _, block = (numbers[axis] for numbers in target.regular)
        meant = max(-(-(self._announced_length(axis) - start) // stride), 0)
        there = numbers_there(self.dataset, file, key, meant)
        self._check_numbers(file if is_pattern(file) else f"{file}, {key}", there, meant)
        for number in there:
            part = list(products[0])
            part[axis] = start + stride * number + np.arange(block)
            yield [tuple(part)], numbered(file, number), numbered(key, number), source

    def _announced_length(self, axis: int) -> int:
        """How long the dataset was made along an axis, before its sources were looked at."""
        if self._announced is None:
            self._announced = announced_shape(self.dataset)
        return self._announced[axis]

    def _tell_if_shorter(self, axis: int) -> None:
        meant, found = self._announced_length(axis), self.dataset.shape[axis]
        if found < meant:
            warn_once(
                f"{self.path}: {self.dataset.name} was made for a length of {meant} along axis {axis} and its sources have "
                f"{found}; copy them again if more were measured."
            )

    def _check_numbers(self, pattern: str, there: list[int], meant: int) -> None:
        if not there:
            raise BadInput(f"{self._says} the files {pattern}, which are missing; put them back beside the file.")
        count = there[-1] + 1
        gaps = sorted(set(range(count)) - set(there))
        if gaps:
            raise BadInput(
                f"{self._says} the files {pattern} and lacks {len(gaps)} of {max(count, meant)}, number {gaps[0]} the "
                "first, so that it would end there; put them back beside the others."
            )
        if count < meant:
            warn_once(
                f"{self.path}: {self.dataset.name} was made for {meant} of the files {pattern} and {count} are there; put the "
                "others beside them if they were measured."
            )

    def coverage(self, coverage_of: Callable[[h5py.Dataset], Coverage]) -> Coverage:
        """What is there of the dataset.

        Args:
            coverage_of: what is there of a source.

        Raises:
            BadInput: a source is missing, or does not fit; and what `coverage_of` raises.
        """
        pieces: list[Piece] = []
        of_file: dict[str, list[_Part]] = {name: [] for name in self._where}
        for part in self._parts:
            of_file[part[1]].append(part)
        for name, parts in of_file.items():
            with self._opened(name) as opened:
                for products, _, key, source in parts:
                    pieces += self._pieces(products, name, opened, key, source, coverage_of)
        return of_pieces(self.dataset.shape, pieces)

    def _opened(self, name: str) -> h5py.File:
        try:
            return h5py.File(self._where[name], "r")
        except OSError as error:
            raise BadInput(
                f"{self._says} {name}, which is damaged, cut short or no HDF5; copy it again from its source."
            ) from error

    def _pieces(
        self,
        products: list[Positions],
        name: str,
        file: h5py.File,
        key: str,
        selection: Picked,
        coverage_of: Callable[[h5py.Dataset], Coverage],
    ) -> list[Piece]:
        found = item(file, key)
        if not isinstance(found, h5py.Dataset):
            if reason := broken_link(file, key):
                raise BadInput(f"{self._says} {name}, whose {key} is a link to {reason}.")
            raise BadInput(
                f"{self._says} {name}, which has no dataset {key}; put the right file there, or write it anew."
            )
        if self.dataset.dtype.kind in "iu" and not np.can_cast(found.dtype, self.dataset.dtype):
            warn_once(
                f"{self.path}: gives the {found.dtype} values of {name} out as {self.dataset.dtype}, which may not hold all of "
                f"them; give {name} with --stack_key {key} instead if that holds the whole volume."
            )
        sources = positions(selection, found.shape) if selection.axes in (0, found.ndim) else []
        endless = selection.endless is not None
        if not sources or not fits(products, sources, found.shape, endless):
            raise BadInput(
                f"{self._says} {name}, whose dataset {key} is {found.shape} and of another size than is taken from it; copy it "
                "again from its source."
            )
        coverage = coverage_of(found)
        if len(products) == len(sources) == 1 and (fitting := fitted(products[0], sources[0], endless)):
            return [Piece(*fitting, coverage)] if all(map(len, fitting[0])) else []
        alike = whole(self.dataset.shape, there=coverage.whole)
        return [Piece(product, product, alike) for product in products]

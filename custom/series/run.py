"""A series: its scans registered and measured, and what became of the lithium from each to the next."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from custom.base.errors import BadInput
from custom.measuring.label_file import label_file
from custom.measuring.reading import Cell
from custom.measuring.results import FIGURES
from custom.measuring.run import STORE, Measuring
from custom.report.earlier import check_output
from custom.running import OutputFolder
from custom.running.interruption import goes_on
from custom.running.processes import Gathering
from custom.running.slab_store import SlabStore
from custom.series.agreement import Agreement
from custom.series.kept import Kept, digest
from custom.series.listing import Listed, Scan, read_list
from custom.series.move import Move
from custom.series.opening import Opener, open_scans
from custom.series.registration import Registered, Registration, middle
from custom.series.results import NAMES, write_results
from custom.series.step import Laying, Step, measure_step
from custom.series.volumes import volumes_in_view
from custom.stack import fingerprint, open_stack, slabs


class Series:
    """What is measured of the scans of one cell, from the list to series.html.

    The same command after whatever ended a run goes on with what is left, and with a longer list it measures what is new.
    Several processes share the scans by their rank; rank 0 registers them and finishes.

    Args:
        listed: path of the list.
        opener: `open_cell`, with what is given for all scans.
        classes: names of the masks' values; None: as beside each mask.
        measured: `Measuring`, with what is given for all scans.
        slab_height: slices that are looked at at once.
        folder: gets the result.
        label_format: of agglomerates.* of each scan, by which agglomerates are followed: a key of `OUTPUT_FORMATS`.
        given: what the command line gives of a single mask, by name: belongs into the list.
    """

    def __init__(
        self,
        listed: str | os.PathLike[str],
        opener: Opener,
        classes: Sequence[str] | None,
        measured: Callable[..., Measuring],
        slab_height: int,
        folder: OutputFolder,
        label_format: str = "zarr",
        given: dict[str, Any] | None = None,
    ) -> None:
        self.path, self.opener, self.classes, self.measured = Path(listed), opener, classes, measured
        self.slab_height, self.place, self.folder, self.label_format = (
            slab_height,
            folder,
            Path(folder.path),
            label_format,
        )
        self.given, self.kept = dict(given or {}), Kept(Path(folder.path))

    @cached_property
    def listed(self) -> Listed:
        """The list, read once."""
        return read_list(self.path)

    @cached_property
    def cells(self) -> list[Cell]:
        """The scans, opened once."""
        return open_scans(self.listed, self.opener, self.classes)

    def run(self) -> None:
        """Measure what is left, and finish.

        Raises:
            BadInput: a list or a scan that cannot be used, see `read_list` and `open_scans`; scans that do not register; what
                `Measuring.run` refuses.
        """
        for name in (name for name, value in self.given.items() if value is not None):
            raise BadInput(
                f"--{name} {self.given[name]}: {self.path} is a series; give it a column {name} in place of --{name}"
            )
        settings = [self._settings(scan, cell) for scan, cell in zip(self.listed.scans, self.cells, strict=True)]
        self._look(settings)
        gathering = Gathering(self.place.world_size)
        registered = self._registered(settings) if self.place.writes else []
        for number in range(self.place.rank, len(self.cells), self.place.world_size):
            self._measure(number, settings[number])
        gathering.arrive("finish")
        if not self.place.writes:
            return
        gathering.wait("finish")
        self._goes_on(settings)
        steps = [self._step(number, settings, registered) for number in range(1, len(self.cells))]
        write_results(self.folder, self.listed, self.cells, registered, steps)
        self.place.release()

    def _look(self, settings: Sequence[str]) -> None:
        """Take the folder, unless it holds something else."""
        self._goes_on(settings)
        self.place.take()
        if not self.kept.folder.is_dir():
            check_output(self.folder, self.place.overwrite, NAMES, [self.path])
        for scan, of in zip(self.listed.scans, settings, strict=True):
            there = self.folder / scan.name / FIGURES
            if there.exists() and self.kept.get(f"scan-{scan.name}", of) is None and not self.place.overwrite:
                raise BadInput(
                    f"{there}: is there already, of another mask or other settings than row {scan.row} of {self.path} has; give "
                    "--overwrite true or another --output_dir"
                )

    def _goes_on(self, settings: Sequence[str]) -> None:
        def kept() -> str | None:
            done = sum(self._done(scan, of) for scan, of in zip(self.listed.scans, settings, strict=True))
            return f"{done} of {len(settings)} scans are measured and kept in {self.folder}" if done else None

        goes_on(kept, speaks=self.place.writes, processes=self.place.world_size)

    def _measuring(self, scan: Scan, cell: Cell) -> Measuring:
        place = OutputFolder(self.folder / scan.name, self.place.overwrite)
        return self.measured(opened=lambda: cell, folder=place, label_format=self.label_format)

    def _settings(self, scan: Scan, cell: Cell) -> str:
        grey = None if cell.grey is None else fingerprint(cell.grey)
        return digest(self._measuring(scan, cell).settings(cell), grey, self.label_format)

    def _done(self, scan: Scan, of: str) -> bool:
        folder = self.folder / scan.name
        whole = (folder / FIGURES).exists() and self._labels(scan).exists() and not (folder / STORE).exists()
        return whole and self.kept.get(f"scan-{scan.name}", of) is not None

    def _labels(self, scan: Scan) -> Path:
        return self.folder / scan.name / label_file(self.label_format)

    def _measure(self, number: int, of: str) -> None:
        scan = self.listed.scans[number]
        if self._done(scan, of):
            return
        if self.kept.get(f"scan-{scan.name}", of) is None:  # what is there is of other settings, and to be replaced
            (self.folder / scan.name / FIGURES).unlink(missing_ok=True)
        # before it is measured: who is cut off behind quantities.json must not measure again
        self.kept.put(f"scan-{scan.name}", of, {})
        self._measuring(scan, self.cells[number]).run()

    def _registered(self, settings: Sequence[str]) -> list[Registered]:
        registration = Registration(self.listed, self.cells)
        found, of = [registration.first()], digest(settings[0], registration.factor, registration.by)
        for number, scan in enumerate(self.listed.scans[1:], 1):
            of = digest(of, settings[number])
            name = f"registration-{scan.name}"
            if (note := self.kept.get(name, of)) is not None:
                move = Move.of(np.array(note["numbers"]), middle(self.cells[0]))
                found.append(Registered(move, Agreement(note["overlap"], note["agreement"]), note["by"]))
                continue
            one = registration.register(number, found[-1])
            # as it will be read: a rotation that is made of its vector again may differ in the last digit
            numbers = one.move.numbers
            found.append(Registered(Move.of(numbers, one.move.centre), one.found, one.by))
            told = {"overlap": one.found.overlap, "agreement": one.found.agreement, "by": one.by}
            self.kept.put(name, of, {"numbers": numbers.tolist(), **told})
        return found

    def _step(
        self, number: int, settings: Sequence[str], registered: Sequence[Registered]
    ) -> tuple[Step, tuple[int, int]]:
        """What became of the lithium up to a scan, and how much there was before and after; kept for a longer list."""
        first, scan, at = self.cells[0], self.listed.scans[number], (number - 1, number)
        size, shape = np.array(first.voxel_size), first.mask.shape
        before, after = (
            Laying(open_stack(self._labels(self.listed.scans[one]), first.mask.voxel_size_um), registered[one].move)
            for one in at
        )
        of = {
            "scans": [settings[0], *(settings[one] for one in at)],
            "moves": [registered[one].move.numbers.tolist() for one in at],
            "slab_height": self.slab_height,
        }
        store = SlabStore(self.kept.folder / f"step-{scan.name}", of)
        store.begin(overwrite=True)
        axis = None if first.electrodes is None else first.electrodes.axis
        step = measure_step(before, after, size, shape, axis, slabs(first.mask, self.slab_height), store)
        if (note := self.kept.get(f"volumes-{scan.name}", store.digest)) is None:
            one, other = (
                volumes_in_view(this, [that], shape, size, self.slab_height)
                for this, that in ((before, after), (after, before))
            )
            note = {"before": one, "after": other}
            self.kept.put(f"volumes-{scan.name}", store.digest, note)
        return step, (note["before"], note["after"])

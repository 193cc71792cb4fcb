"""Segmenting one stack, or several one after the other with what they can share made once."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from custom.base.errors import BadInput
from custom.command_line.edge import disk_is_full, find_bad_input
from custom.command_line.variants import Config
from custom.region.opening import Paths, paths_of
from custom.report.csv_table import write_table
from custom.running import OutputFolder
from custom.running.interruption import goes_on_beside
from custom.running.processes import Gathering
from custom.running.taken import release_folder
from custom.several.done import StacksDone
from custom.several.naming import folder_names, is_pattern, stacks_of
from custom.several.table import table_row
from custom.speed.engines import resolved_engine
from custom.stack import Stack, fingerprint

logger = logging.getLogger("segmentation")
TABLE = "stacks.csv"
# keys of a config that decide no mask, or say which process is at work
NO_MATTER = ("_meta_", "_desc_", "overwrite", "stack", "folder", "device")


class Several:
    """The stacks of a command line: one, the fields of view of a region, or several that are segmented one by one.

    A pattern, or a list without a region, are several. Each gets a folder of its own below the output folder, with what a
    command of its own would have left there, and a row in stacks.csv. Start, weights and the network made ready for them
    are shared. One that is refused keeps nobody from being segmented. The same command again, after whatever ended it or
    with more stacks, segments those that are left. Of several processes each takes every so many-th stack.

    Args:
        stack: a path, a pattern or a list.
        region: of the one stack, or the fields, to segment; a list without one is several stacks.
        folder: gets the folders of all.
        kept: ids of the config whose objects all stacks share; all else is made anew for each.

    Raises:
        BadInput: a pattern that nothing matches, a stack that is given twice.
    """

    def __init__(
        self, stack: Paths, region: str | os.PathLike[str] | None, folder: OutputFolder, kept: Sequence[str]
    ) -> None:
        one = isinstance(stack, (str, os.PathLike)) and not is_pattern(os.fspath(stack))
        self.each = region is None and not one
        self.paths = stacks_of(stack) if self.each else paths_of(stack)
        self.folder, self.kept = folder, tuple(kept)

    def run(self, wanted: str, opened: Sequence[str]) -> None:
        """Run a part of the config that this is called from, for each stack.

        The config has ``stack``, ``output_dir``, ``folder``, ``engine``, ``device``, ``compile``, ``trained`` and
        ``class_names``, as inference.json.

        Args:
            wanted: id of what segments the config's one stack.
            opened: ids of what comes before that stack is looked at, and of that stack, opened.

        Raises:
            BadInput: as what is run; of several stacks some were refused, after all others were segmented.
        """
        config = Config()
        if self.each:
            _Run(self, config, wanted, opened).run()
        else:
            _ = config[wanted]


class _Run:
    """One command's way through several stacks."""

    def __init__(self, several: Several, config: Config, wanted: str, opened: Sequence[str]) -> None:
        self.config, self.kept, self.wanted, self.opened = config, several.kept, wanted, opened
        self.paths, self.place, self.folder = several.paths, several.folder, Path(several.folder.path)
        self.folders = [self.folder / name for name in folder_names(several.paths)]
        self.mine = range(self.place.rank, len(self.paths), self.place.world_size)
        self.gathering = Gathering(self.place.world_size)
        decides = {name: value for name, value in config.written().items() if name not in NO_MATTER}
        self.done = StacksDone(self.folder, {**decides, "weights_sha256": config["trained"].sha256()})
        self.engine = config["engine"]

    def run(self) -> None:
        if self.place.writes:
            self.place.take()
        try:
            self._run()
        finally:
            self.place.release()  # harmless in the others

    def _run(self) -> None:
        started = time.time()
        if self.place.writes:
            self.done.begin(self.place.overwrite)
        self._together("begun")
        goes_on_beside(self._kept)
        files = self._open_all()
        for number in self.mine:
            known = files[number]
            if known is not None and not self.done.has(self.folders[number], known):
                self._segment(number, known)
        self._together("through")
        if self.place.writes:
            self._finish(time.time() - started)

    def _together(self, point: str) -> None:
        self.gathering.arrive(point)
        self.gathering.wait(point)

    def _kept(self) -> str | None:
        count = sum(map(self.done.noted, self.folders))
        return f"{count} of {len(self.paths)} stacks are finished in {self.folder}" if count else None

    def _config(self, number: int) -> Config:
        """That of one stack, whose folder is this process's alone."""
        folder = self.folders[number]
        place = replace(self.place, path=folder, rank=0, world_size=1)
        given = {"stack": self.paths[number], "output_dir": str(folder), "folder": place, "engine": self.engine}
        return self.config.variant(self.kept, given)

    def _open_all(self) -> list[str | None]:
        """Tell of what cannot be opened before hours of segmenting, and choose the engine for all that can.

        Returns:
            what the files of each stack are known by again; None of one that was refused.
        """
        files: list[str | None] = []
        shapes = []
        for number in range(len(self.paths)):
            if number in self.mine:
                self.done.refused(self.folders[number], None)
            try:
                config = self._config(number)
                stack: Stack = [config[name] for name in self.opened][-1]
            except Exception as error:
                files.append(None)
                self._refuse(number, error)
                continue
            files.append(fingerprint(stack))
            shapes.append(stack.shape)
        if self.place.writes and len(shapes) > 1 and all(depth == 1 for depth, *_ in shapes):
            logger.warning(
                "%s ...: each of the %d stacks is a single slice. If they are slices of one scan, give --stack their folder, "
                "which is then one stack with one grey window.",
                self.paths[0],
                len(shapes),
            )
        voxels = sum(map(math.prod, shapes))
        self.engine = resolved_engine(self.engine, self.config["device"], voxels, self.config["compile"])
        return files

    def _segment(self, number: int, files: str) -> None:
        folder = self.folders[number]
        logger.info("Stack %d of %d: %s", number + 1, len(self.paths), self.paths[number])
        self.done.begun(folder)
        try:
            _ = self._config(number)[self.wanted]
        except Exception as error:
            self._refuse(number, error)
        else:
            self.done.finished(folder, files)
        finally:
            release_folder(folder)

    def _refuse(self, number: int, error: Exception) -> None:
        refusal = find_bad_input(error)
        if refusal is None or disk_is_full(error):
            raise error
        if number in self.mine:
            logger.error("error: %s", refusal)
            self.done.refused(self.folders[number], str(refusal))

    def _finish(self, seconds: float) -> None:
        table, refusals = self.folder / TABLE, [self.done.refusal(folder) for folder in self.folders]
        classes, rows = self.config["class_names"], zip(self.paths, self.folders, refusals, strict=True)
        write_table(table, [table_row(path, folder, classes, why) for path, folder, why in rows])
        count = len(self.paths) - refusals.count(None)
        if count:
            raise BadInput(
                f"{table}: {count} of {len(self.paths)} stacks were refused, and the last column says why; the others are "
                "finished, and the same command tries those again"
            )
        self.done.all_done()
        logger.info("%s: %d stacks, after %.1f s.", table, len(self.paths), seconds)
